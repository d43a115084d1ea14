package embedded_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/steelyard-ledger/steelyard/network/embedded/hostile"
)

func TestHostile(t *testing.T) {
	begin := func(t *testing.T, how hostile.Config) *client.Gateway {
		cfg := config(t, t.TempDir())
		how.Seed = 1
		cfg.Hostile = &how
		return connect(t, start(t, cfg), "RegulatorMSP")
	}
	t.Run("LostAnswerToASubmission", func(t *testing.T) {
		c := contract(begin(t, hostile.Config{LoseSubmit: 1}))
		_, err := c.SubmitTransaction("put", "a", "1")
		require.Equal(t, codes.Unavailable, status.Code(err))
		require.Eventually(t, func() bool {
			value, err := c.EvaluateTransaction("get", "a")
			return err == nil && string(value) == "1"
		}, 10*time.Second, 10*time.Millisecond, "it was committed all the same")
	})
	t.Run("RefusedSubmission", func(t *testing.T) {
		c := contract(begin(t, hostile.Config{RefuseSubmit: 1}))
		_, err := c.SubmitTransaction("put", "a", "1")
		require.Equal(t, codes.Unavailable, status.Code(err))
		value, err := c.EvaluateTransaction("get", "a")
		require.NoError(t, err)
		require.Empty(t, value)
	})
	t.Run("LostCommitStatus", func(t *testing.T) {
		c := contract(begin(t, hostile.Config{LoseStatus: 1}))
		_, err := c.SubmitTransaction("put", "a", "1")
		require.Equal(t, codes.Unavailable, status.Code(err))
		value, err := c.EvaluateTransaction("get", "a")
		require.NoError(t, err)
		require.Equal(t, "1", string(value))
	})
	t.Run("BrokenStream", func(t *testing.T) {
		gateway := begin(t, hostile.Config{DropStream: 0.5})
		c := contract(gateway)
		for i := range 5 {
			_, err := c.SubmitTransaction("put", "a", fmt.Sprint(i))
			require.NoError(t, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		// A client that resumes where it broke off misses nothing.
		var next uint64
		for next < 6 && ctx.Err() == nil {
			blocks, err := gateway.GetNetwork("steelyard").BlockEvents(ctx, client.WithStartBlock(next))
			require.NoError(t, err)
			for block := range blocks {
				require.Equal(t, next, block.GetHeader().GetNumber())
				if next++; next == 6 {
					break
				}
			}
		}
		require.EqualValues(t, 6, next)
	})
	t.Run("LateBlocksMakeConflicts", func(t *testing.T) {
		c := contract(begin(t, hostile.Config{MaxDelay: 50 * time.Millisecond, Shuffle: true}))
		conflicts := make(chan bool, 8)
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				_, commit, err := c.SubmitAsync("update", client.WithArguments("a", fmt.Sprint(i)))
				if err != nil {
					return
				}
				outcome, err := commit.Status()
				conflicts <- err == nil && outcome.Code == pb.TxValidationCode_MVCC_READ_CONFLICT
			})
		}
		group.Wait()
		close(conflicts)
		found := 0
		for conflict := range conflicts {
			if conflict {
				found++
			}
		}
		require.NotZero(t, found)
	})
}
