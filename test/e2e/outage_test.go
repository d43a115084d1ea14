package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-gateway/pkg/identity"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"gopkg.in/yaml.v3"

	"github.com/steelyard-ledger/steelyard/gateway/config"
	"github.com/steelyard-ledger/steelyard/network/admin/lifecycle"
	"github.com/steelyard-ledger/steelyard/network/admin/process"
	"github.com/steelyard-ledger/steelyard/network/consortium"
)

// resumption is how long writing may stand still after something has stopped.
const resumption = 20 * time.Second

// errand is one client that records repairs of one instrument, each under a key
// of its own, and never lets go of one before it is answered.
type errand struct {
	instrument         string
	sent, acknowledged int
}

func (e *errand) key() string { return fmt.Sprintf("%s-errand-%d", e.instrument, e.sent) }

// outage is a real network of its own, a gateway that reaches its peers through
// relays, and clients that record repairs all the time.
type outage struct {
	*network
	g       *gateway
	data    string
	file    string            // the gateway's configuration
	relays  map[string]*relay // by MSP id
	writers []*errand         // the last one loses patience at times, and writes alone

	mutex   sync.Mutex
	gateway *gateway // the one that answers now
	acked   []string // transaction ids
	last    time.Time
	silence time.Duration // the longest between two acknowledgements
}

// TestOutages lets one part of a real network after the other fail under
// steady writes through the REST interface. Each time writing goes on by itself
// within resumption. Afterwards every acknowledged write is valid on every
// peer, each stands once, those without an answer have come to one, and a
// gateway that rebuilds its read model shows the same.
func TestOutages(t *testing.T) {
	o := startOutage(t)
	plan := o.real.Plan
	leader := o.leader(t)
	for _, node := range plan.Orderers() {
		if node.Name != leader.Name {
			o.survive(t, "OrderingNode", o.real.OrdererProgram(node))
			break
		}
	}
	o.survive(t, "Leader", o.real.OrdererProgram(o.leader(t)))
	// The clients' own organisation, whose peer is asked first, and the one
	// whose peer gives the blocks.
	for name, mspID := range map[string]string{"PeerThatIsWrittenTo": "AssociationMSP", "PeerThatIsFollowed": "RegulatorMSP"} {
		for _, node := range plan.Peers() {
			if node.MSPID == mspID {
				program, err := o.real.PeerProgram(node)
				require.NoError(t, err)
				o.survive(t, name, program)
			}
		}
	}
	deployments, err := o.real.Deployments()
	require.NoError(t, err)
	for _, organization := range plan.Members() {
		if organization.MSPID == "AssociationMSP" {
			o.survive(t, "ContractService", o.real.ServiceProgram(organization, deployments[0]))
		}
	}
	t.Run("GatewayRestarts", o.restart)
	o.cuts(t)
	o.settle(t)
}

func startOutage(t *testing.T) *outage {
	o := &outage{network: ownNetwork(t), data: t.TempDir(), relays: map[string]*relay{}, last: time.Now()}
	var c config.Config
	require.NoError(t, c.Load(o.real.Plan.Path("gateway.yaml")))
	for i, node := range o.real.Plan.Peers() {
		require.Equal(t, node.Endpoint, c.Network.Peers[i].Endpoint)
		o.relays[node.MSPID] = startRelay(t, o.real.Plan, node)
		c.Network.Peers[i].Endpoint = o.relays[node.MSPID].address
	}
	content, err := yaml.Marshal(map[string]any{"network": c.Network})
	require.NoError(t, err)
	o.file = filepath.Join(t.TempDir(), "gateway.yaml")
	require.NoError(t, os.WriteFile(o.file, content, 0o600))
	o.g = o.startWith(t, o.data, "--config", o.file)
	o.gateway = o.g
	merchant := o.g.write()
	for i := range 5 {
		id := o.g.must("merchant", "POST", "/v1/instruments", fmt.Sprintf(`{"name":"秤","category":"non-automatic-scale","model":"m","maker":"f","serial":"O-%d",
			"use":"trade-settlement","mode":"periodic","delivery":"sent","region":"310115","owner":"%s","user":"%s"}`, i, merchant, merchant))
		o.writers = append(o.writers, &errand{instrument: id})
	}
	return o
}

func (o *outage) leader(t *testing.T) consortium.Node {
	t.Helper()
	node, err := lifecycle.Leader(bounded(t), o.real.Plan)
	require.NoError(t, err)
	return node
}

// record records repairs until ctx ends. A repair without an answer is asked
// for again under the same key.
func (o *outage) record(ctx context.Context, r *errand) {
	for ctx.Err() == nil {
		if r.acknowledged == r.sent {
			r.sent++
		}
		if !o.ask(r) {
			time.Sleep(50 * time.Millisecond)
		}
	}
}

// ask asks once for the repair under way.
func (o *outage) ask(r *errand) bool {
	o.mutex.Lock()
	g := o.gateway
	o.mutex.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	a, err := g.try(ctx, "merchant", http.MethodPost, "/v1/instruments/"+r.instrument+"/repair",
		`{"on":"`+repairDay+`","reason":"adjusted"}`, "Idempotency-Key", r.key())
	if err != nil || a.status != http.StatusCreated {
		return false
	}
	var written struct{ TransactionID string }
	a.decode(g.t, &written)
	o.mutex.Lock()
	defer o.mutex.Unlock()
	r.acknowledged++
	o.acked = append(o.acked, written.TransactionID)
	o.silence = max(o.silence, time.Since(o.last))
	o.last = time.Now()
	return true
}

// under runs the work while the clients write, and reports the longest silence.
func (o *outage) under(t *testing.T, work func()) {
	ctx, cancel := context.WithCancel(t.Context())
	o.mutex.Lock()
	o.last, o.silence = time.Now(), 0
	before := len(o.acked)
	o.mutex.Unlock()
	var working sync.WaitGroup
	for _, r := range o.writers[:len(o.writers)-1] {
		working.Go(func() { o.record(ctx, r) })
	}
	defer func() {
		cancel()
		working.Wait()
		t.Logf("%d writes acknowledged, longest silence %s", len(o.acked)-before, o.silence.Round(time.Millisecond))
	}()
	o.progress(t)
	work()
	o.progress(t)
}

// progress waits until eight more writes are acknowledged.
func (o *outage) progress(t *testing.T) {
	t.Helper()
	count := func() int { o.mutex.Lock(); defer o.mutex.Unlock(); return len(o.acked) }
	before := count()
	require.Eventually(t, func() bool { return count() >= before+8 }, resumption, 20*time.Millisecond, "writing has not resumed\n%s", o.gateway.logged())
}

// survive kills a program under writes and starts it again.
func (o *outage) survive(t *testing.T, name string, program process.Program) {
	t.Run(name, func(t *testing.T) {
		defer func() { require.NoError(t, program.Start()) }() // the next step wants it, whatever came of this one
		o.under(t, func() {
			require.NoError(t, program.Kill(bounded(t)))
			o.progress(t)
			time.Sleep(2 * time.Second)
			o.progress(t)
			require.NoError(t, program.Start())
			o.progress(t)
			time.Sleep(2 * time.Second)
		})
	})
}

func (o *outage) restart(t *testing.T) {
	o.under(t, func() {
		start := time.Now()
		o.gateway.stop()
		require.Less(t, time.Since(start), 10*time.Second, "what was under way came to its end, and nothing waited in vain")
		g := o.startWith(o.g.t, o.data, "--config", o.file)
		o.mutex.Lock()
		o.gateway = g
		o.mutex.Unlock()
	})
}

// cuts loses the connection to each peer in turn within each step of a write:
// before the peer has got the call, and after it has acted on it. The blocks may
// come from any peer by now, so theirs are cut everywhere; that stream is cut at
// its opening too, which the loss of all connections brings about.
func (o *outage) cuts(t *testing.T) {
	for _, c := range []struct {
		step, mspID, method string
		answered            bool
	}{
		{"Endorse/Before", "AssociationMSP", "Endorse", false},
		{"Endorse/After", "AssociationMSP", "Endorse", true},
		{"Submit/Before", "AssociationMSP", "Submit", false},
		{"Submit/After", "AssociationMSP", "Submit", true},
		{"Blocks/After", "", "Deliver", true},
		{"Blocks/Before", "", "Deliver", false},
		{"LookUp/Before", "AssociationMSP", "Evaluate", false},
		{"LookUp/After", "AssociationMSP", "Evaluate", true},
	} {
		t.Run("Cut/"+c.step, func(t *testing.T) {
			o.under(t, func() {
				done := make(chan struct{})
				happened := sync.OnceFunc(func() { close(done) })
				for mspID, relay := range o.relays {
					if c.mspID == mspID || c.mspID == "" {
						relay.cutAt(&cut{method: c.method, answered: c.answered, done: happened})
					}
				}
				o.provoke(c.method, c.answered, done)
				select {
				case <-done:
				case <-time.After(resumption):
					t.Fatalf("no %s was cut", c.method)
				}
			})
		})
	}
}

// provoke brings about the calls that writing alone does not make.
func (o *outage) provoke(method string, answered bool, done <-chan struct{}) {
	switch {
	case method == "Deliver" && !answered: // the stream is opened again once it is lost
		for _, relay := range o.relays {
			relay.drop()
		}
	case method == "Evaluate": // a transaction is looked up when its client has gone
		r := o.writers[len(o.writers)-1]
		// It must go after the envelope is sent and before the commit is known;
		// when that is depends on the machine.
		patience := []time.Duration{30, 60, 120, 240, 480, 960} // ms
		for i, end := 0, time.Now().Add(resumption); time.Now().Before(end); i++ {
			select {
			case <-done:
				return
			default:
				o.abandon(r, patience[i%len(patience)]*time.Millisecond)
			}
		}
	}
}

// abandon asks for a repair without waiting for the answer, and later again.
func (o *outage) abandon(r *errand, patience time.Duration) {
	r.sent++
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, _ = o.gateway.try(ctx, "merchant", http.MethodPost, "/v1/instruments/"+r.instrument+"/repair",
		`{"on":"`+repairDay+`","reason":"adjusted"}`, "Idempotency-Key", r.key()) // it is asked for again
	for end := time.Now().Add(resumption); !o.ask(r) && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
	}
}

// settle brings every repair without an answer to one, and then compares what
// the clients were told with what every peer holds.
func (o *outage) settle(t *testing.T) {
	for _, r := range o.writers {
		if r.acknowledged < r.sent {
			require.Eventually(t, func() bool { return o.ask(r) }, startTimeout, 100*time.Millisecond)
		}
		var instrument struct{ History []struct{ Event string } }
		o.gateway.read("/v1/instruments/"+r.instrument, &instrument)
		stand := 0
		for _, entry := range instrument.History {
			if entry.Event == "instrument.repaired" {
				stand++
			}
		}
		require.Equal(t, r.sent, stand, "repairs of %s on the ledger", r.instrument)
	}
	o.agree(t)
	for _, node := range o.real.Plan.Peers() {
		ask := o.transactions(t, node)
		for _, id := range o.acked {
			require.Equal(t, peer.TxValidationCode_VALID.String(), ask(id).String(), "%s on %s", id, node.Name)
		}
	}
	t.Logf("%d acknowledged writes are valid on %d peers", len(o.acked), len(o.real.Plan.Peers()))
	second := o.startWith(t, t.TempDir(), "--config", o.real.Plan.Path("gateway.yaml"))
	second.caughtUp(o.gateway)
	want := o.gateway.walk()
	require.Greater(t, len(want), 4*len(o.writers))
	require.Equal(t, want, second.walk())
}

// transactions asks one peer how it has validated transactions.
func (o *outage) transactions(t *testing.T, node consortium.Node) func(id string) peer.TxValidationCode {
	t.Helper()
	mspID, pair, err := consortium.ReadIdentity(o.real.Plan.Path("wallet", "merchant.id"))
	require.NoError(t, err)
	certificate, err := identity.CertificateFromPEM(pair.Certificate)
	require.NoError(t, err)
	id, err := identity.NewX509Identity(mspID, certificate)
	require.NoError(t, err)
	key, err := identity.PrivateKeyFromPEM(pair.Key)
	require.NoError(t, err)
	sign, err := identity.NewPrivateKeySign(key)
	require.NoError(t, err)
	connection, err := lifecycle.Dial(o.real.Plan, node)
	require.NoError(t, err)
	t.Cleanup(func() { _ = connection.Close() })
	gateway, err := client.Connect(id, client.WithSign(sign), client.WithClientConnection(connection))
	require.NoError(t, err)
	t.Cleanup(func() { _ = gateway.Close() })
	qscc := gateway.GetNetwork(consortium.Channel).GetContract("qscc")
	return func(id string) peer.TxValidationCode {
		data, err := qscc.EvaluateWithContext(bounded(t), "GetTransactionByID", client.WithArguments(consortium.Channel, id))
		require.NoError(t, err)
		var processed peer.ProcessedTransaction
		require.NoError(t, proto.Unmarshal(data, &processed))
		return peer.TxValidationCode(processed.GetValidationCode())
	}
}
