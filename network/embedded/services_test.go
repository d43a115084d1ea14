package embedded_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	gp "github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// details are the messages of an error's details, one per node.
func details(err error) []string {
	var messages []string
	for _, detail := range status.Convert(err).Details() {
		if one, ok := detail.(*gp.ErrorDetail); ok {
			messages = append(messages, one.GetMspId()+": "+one.GetMessage())
		}
	}
	return messages
}

func TestChaincodePanicIsAStreamThatEnds(t *testing.T) {
	c := contract(connect(t, start(t, config(t, t.TempDir())), "RegulatorMSP"))
	_, err := c.EvaluateTransaction("panic")
	require.Equal(t, codes.Aborted, status.Code(err))
	require.Len(t, details(err), 4, "every peer was tried")
	_, err = c.SubmitTransaction("panic")
	require.Equal(t, codes.Aborted, status.Code(err))
	require.Contains(t, details(err)[0], "chaincode stream terminated")
	_, err = c.SubmitTransaction("put", "a", "1")
	require.NoError(t, err, "the network lives on")
}

func TestExecutionTimeout(t *testing.T) {
	cfg := config(t, t.TempDir())
	cfg.ExecuteTimeout = 20 * time.Millisecond
	c := contract(connect(t, start(t, cfg), "RegulatorMSP"))
	_, err := c.SubmitTransaction("sleep", "300ms")
	require.Equal(t, codes.Aborted, status.Code(err))
	require.Contains(t, details(err)[0], "timeout expired while executing transaction")
}

// TestStrict: results that differ between executions are only noticed when
// every organisation executes.
func TestStrict(t *testing.T) {
	cfg := config(t, t.TempDir())
	lenient := start(t, cfg)
	_, err := contract(connect(t, lenient, "RegulatorMSP")).SubmitTransaction("clock")
	require.NoError(t, err)
	require.NoError(t, lenient.Close())

	cfg.Strict = true
	strict := start(t, cfg)
	c := contract(connect(t, strict, "RegulatorMSP"))
	_, err = c.SubmitTransaction("clock")
	require.Equal(t, codes.Aborted, status.Code(err))
	require.ErrorContains(t, err, "failed to collect enough transaction endorsements")
	require.Contains(t, details(err)[0], "ProposalResponsePayloads do not match")
	_, err = c.SubmitTransaction("put", "a", "1")
	require.NoError(t, err)
}

func TestConcurrencyLimit(t *testing.T) {
	cfg := config(t, t.TempDir())
	cfg.Concurrency = 2
	busy := testChaincode{entered: make(chan struct{}), leave: make(chan struct{})}
	cfg.Chaincodes[0].Contract = busy
	c := contract(connect(t, start(t, cfg), "RegulatorMSP"))
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() { _, _ = c.EvaluateTransaction("wait") })
		<-busy.entered
	}
	_, err := c.EvaluateTransaction("get", "a")
	require.Equal(t, codes.ResourceExhausted, status.Code(err))
	require.ErrorContains(t, err, "too many requests for /gateway.Gateway, exceeding concurrency limit (2)")
	close(busy.leave)
	group.Wait()
	_, err = c.EvaluateTransaction("get", "a")
	require.NoError(t, err)
}

func TestRichQueryIsRefused(t *testing.T) {
	c := contract(connect(t, start(t, config(t, t.TempDir())), "RegulatorMSP"))
	_, err := c.EvaluateTransaction("rich")
	require.ErrorContains(t, err, "GET_QUERY_RESULT failed: transaction ID")
	require.ErrorContains(t, err, "ExecuteQuery not supported for leveldb")
}

// TestEndorsers: the transaction carries the endorsements its policies need,
// and no more.
func TestEndorsers(t *testing.T) {
	network := start(t, config(t, t.TempDir()))
	c := contract(connect(t, network, "NotaryMSP"))
	endorsers := func(function string, args ...string) []string {
		proposal, err := c.NewProposal(function, client.WithArguments(args...))
		require.NoError(t, err)
		endorsed, err := proposal.Endorse()
		require.NoError(t, err)
		commit, err := endorsed.Submit()
		require.NoError(t, err)
		outcome, err := commit.Status()
		require.NoError(t, err)
		require.Equal(t, pb.TxValidationCode_VALID, outcome.Code)
		return endorsersOf(t, endorsed)
	}
	require.Equal(t, []string{"NotaryMSP", "RegulatorMSP", "InstituteMSP"}, endorsers("put", "k", "1"))
	endorsers("policy", "k", "AssociationMSP")
	require.Equal(t, []string{"AssociationMSP"}, endorsers("put", "k", "2"), "the key's own policy")
	require.Len(t, endorsers("update", "other", "1"), 3)
}

// TestGate is how a contract demands one organisation's peer beside the
// majority: it also writes a key with that organisation's policy.
func TestGate(t *testing.T) {
	network := start(t, config(t, t.TempDir()))
	c := contract(connect(t, network, "RegulatorMSP"))
	for _, call := range [][]string{{"put", "gate", "x"}, {"policy", "gate", "NotaryMSP"}} {
		_, err := c.SubmitTransaction(call[0], call[1:]...)
		require.NoError(t, err)
	}
	proposal, err := c.NewProposal("both", client.WithArguments("gate", "k"))
	require.NoError(t, err)
	endorsed, err := proposal.Endorse()
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"RegulatorMSP", "InstituteMSP", "NotaryMSP"}, endorsersOf(t, endorsed))
	proposal, err = c.NewProposal("both", client.WithArguments("gate", "k"),
		client.WithEndorsingOrganizations("RegulatorMSP", "InstituteMSP", "AssociationMSP"))
	require.NoError(t, err)
	endorsed, err = proposal.Endorse()
	require.NoError(t, err)
	commit, err := endorsed.Submit()
	require.NoError(t, err)
	outcome, err := commit.Status()
	require.NoError(t, err)
	require.Equal(t, pb.TxValidationCode_ENDORSEMENT_POLICY_FAILURE, outcome.Code)
}

func TestEventsReplay(t *testing.T) {
	gateway := connect(t, start(t, config(t, t.TempDir())), "RegulatorMSP")
	c := contract(gateway)
	for i := range 3 {
		_, err := c.SubmitTransaction("event", "e", fmt.Sprint(i))
		require.NoError(t, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	network := gateway.GetNetwork("steelyard")
	events, err := network.ChaincodeEvents(ctx, chaincodeName, client.WithStartBlock(0))
	require.NoError(t, err)
	var first *client.ChaincodeEvent
	for i := range 3 {
		event := <-events
		require.Equal(t, "e", event.EventName, "the last event set is the transaction's")
		require.Equal(t, fmt.Sprint(i), string(event.Payload))
		if first == nil {
			first = event
		}
	}
	checkpoint := new(client.InMemoryCheckpointer)
	checkpoint.CheckpointChaincodeEvent(first)
	events, err = network.ChaincodeEvents(ctx, chaincodeName, client.WithCheckpoint(checkpoint))
	require.NoError(t, err)
	require.Equal(t, "1", string((<-events).Payload))
}

// TestCloseCommitsWhatWasSubmitted: those who wait for a commit get their
// answer, those who wait in vain are sent away.
func TestCloseCommitsWhatWasSubmitted(t *testing.T) {
	cfg := config(t, t.TempDir())
	network := start(t, cfg)
	gateway := connect(t, network, "RegulatorMSP")
	c := contract(gateway)
	var commits []*client.Commit
	for i := range 20 {
		_, commit, err := c.SubmitAsync("put", client.WithArguments(fmt.Sprint("k", i), "v"))
		require.NoError(t, err)
		commits = append(commits, commit)
	}
	blocks, err := gateway.GetNetwork("steelyard").BlockEvents(t.Context())
	require.NoError(t, err)
	closing := make(chan error, 1)
	go func() { closing <- network.Close() }()
	require.NoError(t, <-closing)
	for range blocks {
		continue // the stream ends
	}
	<-network.Done()
	require.NoError(t, network.Err())

	again := start(t, cfg)
	reader := contract(connect(t, again, "RegulatorMSP"))
	for i := range commits {
		value, err := reader.EvaluateTransaction("get", fmt.Sprint("k", i))
		require.NoError(t, err)
		require.Equal(t, "v", string(value))
	}
}
