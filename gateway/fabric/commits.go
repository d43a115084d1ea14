package fabric

import (
	"sync"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/outbox"
)

// Receipt says where a transaction stands on the ledger.
type Receipt struct {
	TransactionID string
	BlockNumber   uint64
	Timestamp     time.Time // what the submitter claimed, which is this gateway's clock
	Result        []byte    // payload of the chaincode's response
}

// commits wakes those who wait for a transaction to appear in the block stream.
type commits struct {
	mutex   sync.Mutex
	waiting map[string][]chan outbox.Outcome // by transaction id
}

func newCommits() *commits { return &commits{waiting: map[string][]chan outbox.Outcome{}} }

// expect registers interest before the transaction is sent. The channel gets
// the outcome once. forget must be called at the end.
func (c *commits) expect(id string) (outcome <-chan outbox.Outcome, forget func()) {
	channel := make(chan outbox.Outcome, 1)
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.waiting[id] = append(c.waiting[id], channel)
	return channel, func() {
		c.mutex.Lock()
		defer c.mutex.Unlock()
		rest := c.waiting[id][:0:0]
		for _, other := range c.waiting[id] {
			if other != channel {
				rest = append(rest, other)
			}
		}
		if len(rest) == 0 {
			delete(c.waiting, id)
			return
		}
		c.waiting[id] = rest
	}
}

// announce tells the outcomes of a block's transactions. A second copy of a
// transaction is passed over: what its id did, the first copy says.
func (c *commits) announce(block ledger.Block) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for _, t := range block.Transactions {
		if t.Code == peer.TxValidationCode_DUPLICATE_TXID {
			continue
		}
		for _, channel := range c.waiting[t.ID] {
			select {
			case channel <- outcomeOf(block.Number, t):
			default: // told already
			}
		}
	}
}

func outcomeOf(number uint64, t ledger.Transaction) outbox.Outcome {
	outcome := outbox.Outcome{BlockNumber: number, Timestamp: t.Timestamp, Code: t.Code}
	if t.Valid() {
		outcome.Result = t.Result
	}
	return outcome
}
