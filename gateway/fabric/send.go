package fabric

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/outbox"
)

// endorsed is a transaction that awaits its turn.
type endorsed struct {
	id        string
	prepared  []byte   // signed gateway.PreparedTransaction, as the outbox keeps it and peers take it
	contested []string // keys of the ledger that it has read and changes
}

// sign signs a transaction now, so that the bytes kept in the outbox are the
// very bytes that are sent. The client library would take the envelope apart
// again at each step from here on; nothing of that is needed.
func (s *submission) sign(g *client.Gateway, transaction *client.Transaction) (*endorsed, error) {
	id, err := s.wallet.load(s.call.Identity)
	if err != nil {
		return nil, err
	}
	if !uses(g, id) {
		return nil, &Fault{Kind: Unavailable, TransactionID: transaction.TransactionID(), Err: errors.New("the identity was renewed since the endorsement")}
	}
	data, err := transaction.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encode envelope: %w", err)
	}
	var prepared gateway.PreparedTransaction
	if err := proto.Unmarshal(data, &prepared); err != nil {
		return nil, fmt.Errorf("decode envelope: %w", err)
	}
	result := &endorsed{id: transaction.TransactionID()}
	if result.contested, err = ledger.Contested(prepared.GetEnvelope()); err != nil {
		return nil, err
	}
	if prepared.Envelope.Signature, err = id.sign(transaction.Digest()); err != nil {
		return nil, fmt.Errorf("sign envelope: %w", err)
	}
	if result.prepared, err = proto.Marshal(&prepared); err != nil {
		return nil, fmt.Errorf("encode envelope: %w", err)
	}
	return result, nil
}

// send sends an envelope and waits until the block stream shows it. An error
// of sending says nothing about the outcome, so the same envelope is sent again
// while there is time: two copies are one transaction. Without word in time the
// ledger is asked once; then the outcome is a Fault of kind Unknown, and
// whatever the stream shows later is still recorded.
func (s *submission) send(ctx context.Context, id string, envelope []byte) (outbox.Outcome, error) {
	outcome, forget := s.commits.expect(id)
	deadline := time.NewTimer(s.config.Timeouts.Commit)
	defer deadline.Stop()
	sending, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	sent := make(chan error, 1)
	go func() { sent <- s.sendUntilAccepted(sending, envelope) }()
	var last error
	for {
		select {
		case o := <-outcome:
			forget()
			return o, nil
		case last = <-sent:
			sent = nil // accepted, or given up; the stream tells
			continue
		case <-deadline.C:
		case <-ctx.Done():
			last = errors.Join(last, ctx.Err())
		case <-s.closed:
			last = errors.Join(last, errClosing)
		}
		break
	}
	if !s.isClosed() {
		if o, found, err := s.lookUp(ctx, s.call.Identity, id); err == nil && found {
			forget()
			return o, nil
		}
	}
	s.giveUp(id, outcome, forget)
	if last == nil {
		last = fmt.Errorf("no word within %s", s.config.Timeouts.Commit)
	}
	return outbox.Outcome{}, &Fault{Kind: Unknown, TransactionID: id, Err: last}
}

// sendUntilAccepted sends an envelope, to any peer, until one says that the
// orderers have taken it or ctx ends.
func (s *submission) sendUntilAccepted(ctx context.Context, envelope []byte) error {
	var prepared gateway.PreparedTransaction
	if err := proto.Unmarshal(envelope, &prepared); err != nil {
		return fmt.Errorf("decode envelope: %w", err)
	}
	request := &gateway.SubmitRequest{
		TransactionId: prepared.GetTransactionId(), ChannelId: s.config.Channel, PreparedTransaction: prepared.GetEnvelope(),
	}
	for delay := s.config.Timeouts.Resend; ; delay *= 2 {
		err := s.tryPeers(ctx, s.call.Identity, func(peer *endpoint, _ *client.Gateway) error {
			ctx, cancel := context.WithTimeout(ctx, s.config.Timeouts.Submit)
			defer cancel()
			_, err := gateway.NewGatewayClient(peer.connection).Submit(ctx, request)
			return err
		})
		if err == nil || ctx.Err() != nil {
			return err
		}
		s.config.Logger.WarnContext(ctx, "envelope was not accepted", "operation", s.entry.Operation, "error", err)
		if !sleep(ctx, delay) {
			return err
		}
	}
}

// giveUp records that the outcome is unknown and keeps listening for it as
// long as the client lives.
func (s *submission) giveUp(id string, outcome <-chan outbox.Outcome, forget func()) {
	s.counters.unknown.Add(1)
	if err := s.config.Outbox.Settle(context.Background(), id, outbox.Unknown, outbox.Outcome{}); err != nil {
		s.config.Logger.Error("settle submission", "transaction", id, "state", string(outbox.Unknown), "error", err)
	}
	leave, ok := s.enter()
	if !ok {
		forget()
		return
	}
	go func() {
		defer leave()
		defer forget()
		select {
		case o := <-outcome:
			if err := s.settle(context.Background(), id, o); err != nil {
				s.config.Logger.Error("settle submission", "transaction", id, "error", err)
			}
		case <-s.closed:
		}
	}()
}

// settle records what the ledger shows of a transaction.
func (c *Client) settle(ctx context.Context, id string, outcome outbox.Outcome) error {
	state := outbox.Invalid
	if valid(outcome) {
		state = outbox.Committed
	}
	return c.config.Outbox.Settle(ctx, id, state, outcome)
}

// Lookup asks the network for a transaction by its id. effective tells whether
// it changed the ledger. found is false when no
// peer that answered has it on its ledger. An error means that none answered.
func (c *Client) Lookup(ctx context.Context, transactionID string) (receipt Receipt, effective, found bool, err error) {
	outcome, found, err := c.lookUp(ctx, c.reader, transactionID)
	if err != nil || !found {
		return Receipt{}, false, false, err
	}
	return receiptOf(transactionID, outcome), valid(outcome), true, nil
}

// qscc is Fabric's system chaincode for queries on the ledger itself;
// unknownTransaction is how its answer says that there is no such transaction.
const (
	qscc               = "qscc"
	unknownTransaction = "no such transaction ID"
)

// lookUp asks with an identity of the wallet. It asks the peers in turn until
// one knows the transaction: another may be behind.
func (c *Client) lookUp(ctx context.Context, label, id string) (outcome outbox.Outcome, found bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.config.Timeouts.Evaluate)
	defer cancel()
	s, err := c.wallet.load(label)
	if err != nil {
		return outbox.Outcome{}, false, err
	}
	answered := false
	for _, peer := range c.order(s.MspID()) {
		g, gatewayErr := c.gateway(label, peer)
		if gatewayErr != nil {
			return outbox.Outcome{}, false, gatewayErr
		}
		contract := g.GetNetwork(c.config.Channel).GetContract(qscc)
		data, evaluateErr := contract.EvaluateWithContext(ctx, "GetBlockByTxID", client.WithArguments(c.config.Channel, id))
		if evaluateErr == nil {
			outcome, err = outcomeIn(data, id)
			return outcome, err == nil, err
		}
		answered = answered || strings.Contains(evaluateErr.Error(), unknownTransaction)
		err = errors.Join(err, evaluateErr)
	}
	if answered {
		return outbox.Outcome{}, false, nil
	}
	return outbox.Outcome{}, false, fmt.Errorf("look up transaction %s: %w", id, Decode(err))
}

// outcomeIn finds a transaction in its block. The peer gave the block that
// holds the first copy; within it the first one counts too.
func outcomeIn(data []byte, id string) (outbox.Outcome, error) {
	var raw common.Block
	if err := proto.Unmarshal(data, &raw); err != nil {
		return outbox.Outcome{}, fmt.Errorf("decode block of transaction %s: %w", id, err)
	}
	block, err := ledger.Parse(&raw, nil)
	if err != nil {
		return outbox.Outcome{}, err
	}
	for _, t := range block.Transactions {
		if t.ID == id {
			return outcomeOf(block.Number, t), nil
		}
	}
	return outbox.Outcome{}, fmt.Errorf("look up transaction %s: the peer gave block %d, which does not hold it", id, block.Number)
}

// Recover asks the ledger for every submission whose fate was open when the
// gateway stopped. It sends nothing: what the ledger does not know stays
// unknown until its caller asks again. It returns how many stay open.
func (c *Client) Recover(ctx context.Context) (open int, err error) {
	unsettled, err := c.config.Outbox.Unsettled(ctx)
	if err != nil {
		return 0, fmt.Errorf("recover submissions: %w", err)
	}
	for _, e := range unsettled {
		outcome, found, err := c.lookUp(ctx, c.reader, e.TransactionID)
		if err != nil {
			return 0, fmt.Errorf("recover submissions: %w", err)
		}
		if found {
			err = c.settle(ctx, e.TransactionID, outcome)
		} else {
			open++
			err = c.config.Outbox.Settle(ctx, e.TransactionID, outbox.Unknown, outbox.Outcome{})
		}
		if err != nil {
			return 0, fmt.Errorf("recover submissions: %w", err)
		}
	}
	return open, nil
}
