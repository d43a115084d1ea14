package fabric_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/fabric"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
)

func kindOf(t testing.TB, err error) fabric.Kind {
	var fault *fabric.Fault
	require.ErrorAs(t, err, &fault)
	return fault.Kind
}

func TestSubmit(t *testing.T) {
	n := startNetwork(t)
	g := startGateway(t, n, nil)
	ctx := t.Context()
	call := add("n")
	call.Operation = "op-1"
	receipt, err := g.Submit(ctx, "k1", call)
	require.NoError(t, err)
	require.Equal(t, "1", string(receipt.Result))
	require.WithinDuration(t, time.Now(), receipt.Timestamp, time.Minute)
	require.Equal(t, receipt.BlockNumber, g.Stream().Last.Number, "answered after the block was applied")
	require.NotEmpty(t, g.Stream().Checks.Signers)

	blocks := g.shown(t)
	transaction := blocks[receipt.BlockNumber].Transactions[0]
	require.Equal(t, receipt.TransactionID, transaction.ID)
	require.Equal(t, "count:Add", transaction.Function)
	require.Equal(t, [][]byte{[]byte("n"), []byte("op-1")}, transaction.Args)
	require.Equal(t, &ledger.Event{Name: "counted", Payload: []byte(`{"key":"n"}`)}, transaction.Event)
	require.Equal(t, "AssociationMSP", transaction.Creator.MSPID)
	require.Equal(t, "merchant", transaction.Creator.Role)
	require.Equal(t, "merchant-1", transaction.Creator.Subject)
	require.GreaterOrEqual(t, len(transaction.Endorsers), 3, "majority of four")

	t.Run("the same key again", func(t *testing.T) {
		again, err := g.Submit(ctx, "k1", call)
		require.NoError(t, err)
		require.Equal(t, receipt, again)
		require.Equal(t, 1, g.count(t, "n"))
	})
	t.Run("OPERATION_REUSED", func(t *testing.T) {
		_, err := g.Submit(ctx, "k1", add("other"))
		require.Equal(t, metrology.CodeOperationReused, metrology.ErrorCode(err))
	})
	t.Run("a lost outbox", func(t *testing.T) {
		other := startGateway(t, n, nil)
		again, err := other.Submit(ctx, "k1", call)
		require.NoError(t, err)
		require.Equal(t, "1", string(again.Result), "the contract knows the operation")
		require.Equal(t, 1, g.count(t, "n"))
	})
}

func TestSubmitRule(t *testing.T) {
	g := startGateway(t, startNetwork(t), nil)
	call := fabric.Call{Identity: "regulator", Function: "count:Refuse", Request: []byte(`{}`)}
	for range 2 {
		_, err := g.Submit(t.Context(), "k1", call)
		require.Equal(t, &metrology.Error{Code: metrology.CodeState, Field: "term", Message: "the pledge is withdrawn"}, err)
	}
	_, err := g.Evaluate(t.Context(), "regulator", "count:Refuse", []byte(`{}`))
	require.Equal(t, metrology.CodeState, metrology.ErrorCode(err))

	_, err = g.Submit(t.Context(), "k2", fabric.Call{Identity: "regulator", Function: "count:Nope"})
	require.Equal(t, fabric.Internal, kindOf(t, err))
	_, err = g.Submit(t.Context(), "k3", fabric.Call{Identity: "nobody", Function: "count:Add"})
	require.ErrorIs(t, err, fabric.ErrNoIdentity)
}

func TestSubmitPrivate(t *testing.T) {
	g := startGateway(t, startNetwork(t), nil)
	receipt, err := g.Submit(t.Context(), "k1", fabric.Call{
		Identity: "merchant", Function: "count:Tell", Request: []byte("n"), Operation: "op-1",
		Transient: map[string][]byte{"told": []byte("a name, salted")},
	})
	require.NoError(t, err)
	keyHash, valueHash := sha256.Sum256([]byte("told/op-1")), sha256.Sum256([]byte("a name, salted"))
	require.Equal(t, []ledger.PrivateWrite{{
		Namespace: "metrology", Collection: "disclosed", KeyHash: keyHash[:], ValueHash: valueHash[:],
		Key: "told/op-1", Value: []byte("a name, salted"),
	}}, g.shown(t)[receipt.BlockNumber].Transactions[0].Private)

	_, err = g.Submit(t.Context(), "k2", fabric.Call{Identity: "merchant", Function: "count:Purge", Request: []byte("told/op-1")})
	require.NoError(t, err)

	// One who comes later gets the hash and no value.
	later := startGateway(t, g.network, nil)
	require.Eventually(t, func() bool { return later.Stream().Last.Number > receipt.BlockNumber }, 10*time.Second, 10*time.Millisecond)
	write := later.shown(t)[receipt.BlockNumber].Transactions[0].Private[0]
	require.True(t, write.Missing)
	require.Empty(t, write.Value)
	require.Equal(t, valueHash[:], write.ValueHash)

	block, err := later.Block(t.Context(), receipt.BlockNumber)
	require.NoError(t, err)
	require.Equal(t, later.shown(t)[receipt.BlockNumber].Hash, block.Hash)
	_, valid, found, err := later.Lookup(t.Context(), receipt.TransactionID)
	require.NoError(t, err)
	require.True(t, valid && found)
	_, _, found, err = later.Lookup(t.Context(), "nothing")
	require.NoError(t, err)
	require.False(t, found)
}

// TestSubmitStorm: fifty callers change one key, and every one of them gets in
// once. Within one gateway they queue; two gateways meet conflicts.
func TestSubmitStorm(t *testing.T) {
	const callers = 50
	n := startNetwork(t)
	for _, count := range []int{1, 2} {
		t.Run(fmt.Sprintf("%d gateways", count), func(t *testing.T) {
			key := fmt.Sprint(count)
			var gateways []*gateway
			for range count {
				gateways = append(gateways, startGateway(t, n, nil))
			}
			var group sync.WaitGroup
			results := make([]string, callers)
			for i := range callers {
				group.Go(func() {
					receipt, err := gateways[i%count].Submit(t.Context(), fmt.Sprintf("k%d", i), add(key))
					if err != nil {
						t.Errorf("caller %d: %v", i, err)
					}
					results[i] = string(receipt.Result)
				})
			}
			group.Wait()
			require.Equal(t, callers, gateways[0].count(t, key))
			seen := map[string]bool{}
			for _, result := range results {
				require.False(t, seen[result], "two callers got the number %s", result)
				seen[result] = true
			}
			conflicts := countConflicts(gateways[0].shown(t))
			t.Logf("%d conflicts for %d callers", conflicts, callers)
			var told fabric.Statistics
			for _, g := range gateways {
				told.Committed += g.Statistics().Committed
				told.Conflicts += g.Statistics().Conflicts
			}
			require.Equal(t, uint64(callers), told.Committed)
			if count == 1 {
				require.Equal(t, uint64(conflicts), told.Conflicts)
				require.LessOrEqual(t, conflicts, callers/5)
			}
		})
	}
}

func countConflicts(blocks []ledger.Block) (count int) {
	for _, block := range blocks {
		for _, transaction := range block.Transactions {
			if transaction.Code == peer.TxValidationCode_MVCC_READ_CONFLICT {
				count++
			}
		}
	}
	return count
}

func TestSubmitOverloaded(t *testing.T) {
	n := startNetwork(t)
	entered, leave := make(chan struct{}), make(chan struct{})
	g := startGateway(t, n, func(c *fabric.Config) {
		c.InFlight = 1
		c.Dial = faults{"/gateway.Gateway/Endorse": func(call func() error) error {
			close(entered)
			<-leave
			return call()
		}}.options()
	})
	done := make(chan error, 1)
	go func() {
		_, err := g.Submit(context.Background(), "k1", add("n"))
		done <- err
	}()
	<-entered
	_, err := g.Submit(t.Context(), "k2", add("n"))
	require.Equal(t, fabric.Overloaded, kindOf(t, err))
	require.Equal(t, fabric.Statistics{Overloaded: 1, UnderWay: 1}, g.Statistics())
	close(leave)
	require.NoError(t, <-done)
}

func TestSubmitFailsOver(t *testing.T) {
	g := startGateway(t, startNetwork(t), func(c *fabric.Config) {
		dead := c.Peers[0]
		dead.MSPID, dead.Endpoint = "AssociationMSP", "127.0.0.1:1"
		c.Peers = append([]fabric.Peer{dead}, c.Peers...)
		c.Reader = "regulator"
	})
	_, err := g.Submit(t.Context(), "k1", add("n"))
	require.NoError(t, err)
	require.Equal(t, 1, g.count(t, "n"))
}

func TestSubmitUnavailable(t *testing.T) {
	n := startNetwork(t)
	config := n.config(t, openOutbox(t, filepath.Join(t.TempDir(), "o.db")))
	for i := range config.Peers {
		config.Peers[i].Endpoint = "127.0.0.1:1"
	}
	_, err := connect(t, config).Submit(t.Context(), "k1", add("n"))
	require.Equal(t, fabric.Unavailable, kindOf(t, err))
}

func TestSubmitAfterClose(t *testing.T) {
	client := connect(t, startNetwork(t).config(t, openOutbox(t, filepath.Join(t.TempDir(), "o.db"))))
	require.NoError(t, client.Close())
	_, err := client.Submit(t.Context(), "k1", add("n"))
	require.Equal(t, fabric.Unavailable, kindOf(t, err))
	require.NoError(t, client.Close())
}

func TestConnectRefuses(t *testing.T) {
	n := startNetwork(t)
	box := openOutbox(t, filepath.Join(t.TempDir(), "o.db"))
	for _, c := range []struct {
		name, want string
		change     func(*fabric.Config)
	}{
		{"channel", "no channel", func(c *fabric.Config) { c.Channel = "" }},
		{"chaincode", "no chaincode", func(c *fabric.Config) { c.Chaincode = "" }},
		{"peers", "no peers", func(c *fabric.Config) { c.Peers = nil }},
		{"wallet", "no wallet", func(c *fabric.Config) { c.Wallet = "" }},
		{"outbox", "no outbox", func(c *fabric.Config) { c.Outbox = nil }},
		{"trust", "trust file is for channel", func(c *fabric.Config) { c.Trust = ledger.Trust{} }},
		{"organization", "does not name", func(c *fabric.Config) { c.Peers[0].MSPID = "OtherMSP" }},
		{"reader", "no such identity", func(c *fabric.Config) { c.Reader = "nobody" }},
		{"TLS roots", "no TLS root", func(c *fabric.Config) { c.Peers[0].TLSRoots = nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := n.config(t, box)
			c.change(&config)
			_, err := fabric.Connect(t.Context(), config)
			require.ErrorContains(t, err, c.want)
		})
	}
}

var errInjected = errors.New("injected")
