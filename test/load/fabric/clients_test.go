package fabric

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-gateway/pkg/identity"
	"github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/network/admin/lifecycle"
	"github.com/steelyard-ledger/steelyard/network/admin/onehost"
	"github.com/steelyard-ledger/steelyard/network/consortium"
)

// banner is the line that says where the gateway serves.
var banner = regexp.MustCompile(`^Steelyard \S+  (http://localhost:\d+)$`)

// rest is the gateway, a process of its own.
type rest struct {
	url, token string
	pid        int
	http       *http.Client
}

func startGateway(b *testing.B, n *onehost.Network) *rest {
	b.Helper()
	dir := b.TempDir()
	program := filepath.Join(dir, "steelyard")
	out, err := exec.Command("go", "build", "-o", program, "../../../gateway").CombinedOutput()
	require.NoError(b, err, "%s", out)
	command := exec.Command(program, "serve", "--config", n.Plan.Path("gateway.yaml"), "--listen", "127.0.0.1:0",
		"--data", filepath.Join(dir, "data"), "--tokens", filepath.Join(dir, "tokens.json"))
	if log := os.Getenv("STEELYARD_GATEWAY_LOG"); log != "" {
		file, err := os.Create(log)
		require.NoError(b, err)
		b.Cleanup(func() { _ = file.Close() })
		command.Stderr = file
	}
	lines, err := command.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, command.Start())
	b.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		_ = command.Wait()
	})
	r := &rest{pid: command.Process.Pid, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000}, Timeout: 2 * time.Minute}}
	for scanner := bufio.NewScanner(lines); r.url == "" && scanner.Scan(); {
		if found := banner.FindStringSubmatch(scanner.Text()); found != nil {
			r.url = found[1]
		}
	}
	require.NotEmpty(b, r.url, "the gateway ended")
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	data, err := os.ReadFile(filepath.Join(dir, "tokens.json"))
	require.NoError(b, err)
	tokens := map[string]string{}
	require.NoError(b, json.Unmarshal(data, &tokens))
	r.token = tokens["merchant"]
	return r
}

// post sends one write and returns the id of what was made, once confirmed. A
// gateway that is at its limit is asked again when it says so; the waiting
// counts.
func (r *rest) post(ctx context.Context, path, body string) (id string, err error) {
	for {
		id, wait, err := r.try(ctx, path, body)
		if wait == 0 {
			return id, err
		}
		time.Sleep(wait)
	}
}

func (r *rest) try(ctx context.Context, path, body string) (id string, wait time.Duration, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url+path, strings.NewReader(body))
	if err != nil {
		return "", 0, err
	}
	request.Header.Set("Authorization", "Bearer "+r.token)
	request.Header.Set("Content-Type", "application/json")
	answer, err := r.http.Do(request)
	if err != nil {
		return "", 0, err
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", 0, err
	}
	if seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After")); answer.StatusCode == http.StatusServiceUnavailable && seconds > 0 {
		return "", time.Duration(seconds) * time.Second, nil
	}
	if answer.StatusCode != http.StatusCreated {
		return "", 0, fmt.Errorf("%s: %s", answer.Status, data)
	}
	var written struct{ ID string }
	err = json.Unmarshal(data, &written)
	return written.ID, 0, err
}

func (r *rest) merchant(b *testing.B) string {
	b.Helper()
	id, err := r.post(b.Context(), "/v1/merchants", `{"kind":"stall","sector":"shop","region":"310115","profile":{"name":"x"}}`)
	require.NoError(b, err)
	return id
}

func (r *rest) register(ctx context.Context, merchant string, number int) error {
	_, err := r.post(ctx, "/v1/instruments", instrument(merchant, number))
	return err
}

// direct is a Fabric client with the merchant's own identity at its own
// organisation's peer, as the gateway has it.
type direct struct {
	contract   *client.Contract
	connection *grpc.ClientConn
	id         *identity.X509Identity
	sign       identity.Sign
}

func connect(b *testing.B, n *onehost.Network) *direct {
	b.Helper()
	mspID, pair, err := consortium.ReadIdentity(n.Plan.Path("wallet", "merchant.id"))
	require.NoError(b, err)
	certificate, err := identity.CertificateFromPEM(pair.Certificate)
	require.NoError(b, err)
	key, err := identity.PrivateKeyFromPEM(pair.Key)
	require.NoError(b, err)
	d := &direct{}
	d.id, err = identity.NewX509Identity(mspID, certificate)
	require.NoError(b, err)
	d.sign, err = identity.NewPrivateKeySign(key)
	require.NoError(b, err)
	for _, node := range n.Plan.Peers() {
		if node.MSPID == mspID {
			d.connection, err = lifecycle.Dial(n.Plan, node)
			require.NoError(b, err)
		}
	}
	b.Cleanup(func() { _ = d.connection.Close() })
	gateway, err := client.Connect(d.id, client.WithSign(d.sign), client.WithClientConnection(d.connection))
	require.NoError(b, err)
	b.Cleanup(func() { _ = gateway.Close() })
	d.contract = gateway.GetNetwork(consortium.Channel).GetContract(consortium.Chaincode)
	return d
}

// register endorses, submits and waits for the commit. Endorsers that stand a
// block apart are asked again, and under BFT a submission that was ordered can
// be told UNAVAILABLE: its status is asked for all the same.
func (d *direct) register(ctx context.Context, merchant string, number int) error {
	request := []byte(strings.Replace(instrument(merchant, number), "{", fmt.Sprintf(`{"id":"I-DIRECT-%d",`, number), 1))
	var compact bytes.Buffer
	if err := json.Compact(&compact, request); err != nil {
		return err
	}
	var transaction *client.Transaction
	for attempt := 0; ; attempt++ {
		proposal, err := d.contract.NewProposal("instrument:Register", client.WithBytesArguments(compact.Bytes(), fmt.Appendf(nil, "direct-%d", number)))
		if err != nil {
			return err
		}
		transaction, err = proposal.EndorseWithContext(ctx)
		if err == nil {
			break
		}
		if attempt == 5 || status.Code(err) != codes.Aborted {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
	commit, err := transaction.SubmitWithContext(ctx)
	if status.Code(err) == codes.Unavailable {
		return d.await(ctx, transaction.TransactionID())
	}
	if err != nil {
		return err
	}
	outcome, err := commit.StatusWithContext(ctx)
	if err == nil && !outcome.Successful {
		err = fmt.Errorf("%s: %s", outcome.TransactionID, outcome.Code)
	}
	return err
}

func (d *direct) await(ctx context.Context, id string) error {
	creator, err := proto.Marshal(&msp.SerializedIdentity{Mspid: d.id.MspID(), IdBytes: d.id.Credentials()})
	if err != nil {
		return err
	}
	request, err := proto.Marshal(&gateway.CommitStatusRequest{ChannelId: consortium.Channel, TransactionId: id, Identity: creator})
	if err != nil {
		return err
	}
	digest := sha256.Sum256(request)
	signature, err := d.sign(digest[:])
	if err != nil {
		return err
	}
	answer, err := gateway.NewGatewayClient(d.connection).CommitStatus(ctx, &gateway.SignedCommitStatusRequest{Request: request, Signature: signature})
	if err == nil && answer.GetResult() != peer.TxValidationCode_VALID {
		err = fmt.Errorf("%s: %s", id, answer.GetResult())
	}
	return err
}
