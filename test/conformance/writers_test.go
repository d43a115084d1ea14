package conformance

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/test/conformance/chaincode/contract"
)

// writers write new keys all the time, each through the peer that last
// answered, and note what was acknowledged and when.
type writers struct {
	members []*member // one per peer to turn to

	mu      sync.Mutex
	acked   map[string]string // key → transaction ID
	last    time.Time
	longest time.Duration // between two acknowledgements
}

// startWriters runs the writers until the returned function is called, which
// waits for the writes in flight, though not for ever: a network that orders
// nothing lets none of them end.
func startWriters(t *testing.T, n *testnet, count int) (w *writers, stop func()) {
	t.Helper()
	w = &writers{acked: map[string]string{}, last: time.Now()}
	pair, err := n.enroll("RegulatorMSP", nil) // one signer, whichever peer it turns to
	require.NoError(t, err)
	for _, mspID := range []string{"RegulatorMSP", "InstituteMSP", "AssociationMSP", "NotaryMSP"} {
		w.members = append(w.members, n.connectAs(t, "RegulatorMSP", pair, mspID))
	}
	ctx, cancel := context.WithCancel(t.Context())
	writing, giveUp := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for range count {
		running.Go(func() {
			turn := 0
			for ctx.Err() == nil {
				w.write(writing, &turn)
			}
		})
	}
	return w, sync.OnceFunc(func() {
		cancel()
		time.AfterFunc(resume, giveUp)
		running.Wait()
	})
}

// write brings one key onto the ledger, however often it must try. Once the
// envelope is signed only that envelope is sent again, never a second one.
func (w *writers) write(ctx context.Context, turn *int) {
	key := newKey()
	var envelope []byte
	for ctx.Err() == nil {
		m := w.members[*turn%len(w.members)]
		code, txID, err := m.push(ctx, key, &envelope, 3*time.Second)
		if err == nil && code == peer.TxValidationCode_VALID {
			w.note(key, txID)
			return
		}
		if err == nil { // committed as invalid: by a peer's stale answer
			envelope = nil
			continue
		}
		*turn++
		time.Sleep(20 * time.Millisecond)
	}
}

func (w *writers) note(key, txID string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.acked[key] = txID
	w.longest = max(w.longest, time.Since(w.last))
	w.last = time.Now()
}

// push takes the write as far as this peer can in three times the patience;
// envelope keeps what was signed.
func (m *member) push(ctx context.Context, key string, envelope *[]byte, patience time.Duration) (peer.TxValidationCode, string, error) {
	endorsing, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if *envelope == nil {
		proposal, err := m.contract.NewProposal("put", client.WithArguments(key, "x"))
		if err != nil {
			return 0, "", err
		}
		transaction, err := proposal.EndorseWithContext(endorsing)
		if err != nil {
			return 0, "", err
		}
		if *envelope, err = transaction.Bytes(); err != nil {
			return 0, "", err
		}
	}
	transaction, err := m.gateway.NewTransaction(*envelope)
	if err != nil {
		return 0, "", err
	}
	submitting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err = transaction.SubmitWithContext(submitting)
	if alreadyProcessed(err) {
		m.misled.Add(1)
	} else if err != nil {
		return 0, "", errors.Join(fmt.Errorf("submit %s", transaction.TransactionID()), err)
	}
	asking, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, err := m.newStatusRequest(transaction.TransactionID())
	if err != nil {
		return 0, "", err
	}
	answer, err := m.gatewayClient().CommitStatus(asking, request)
	return answer.GetResult(), transaction.TransactionID(), err
}

// requireAllThere checks that each peer has every acknowledged write, once.
func (w *writers) requireAllThere(t *testing.T, n *testnet) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	require.NotEmpty(t, w.acked)
	for mspID := range n.peers {
		m := n.connect(t, mspID)
		awaitHeight(t, m, n.highest(t))
		for key, txID := range w.acked {
			result, err := m.contract.EvaluateWithContext(t.Context(), "history", client.WithArguments(key))
			require.NoError(t, describe(err))
			versions := decode[[]contract.Version](t, string(result))
			require.Len(t, versions, 1, "%s on %s", key, mspID)
			require.Equal(t, txID, versions[0].TxID)
		}
	}
}

func (n *testnet) highest(t *testing.T) uint64 {
	t.Helper()
	var height uint64
	for mspID := range n.peers {
		height = max(height, chainInfo(t, n.connect(t, mspID)).GetHeight())
	}
	return height
}
