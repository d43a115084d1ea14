// Package orderer puts transactions in an order: it cuts blocks, signs them
// with a quorum of the consenters' keys and hands them to the ledger. One
// process holds all the keys, so the signatures show which ledger a block
// belongs to, not that several parties agreed on it.
package orderer

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/network/embedded/ledger"
	"github.com/steelyard-ledger/steelyard/network/embedded/msp"
	"github.com/steelyard-ledger/steelyard/network/embedded/transaction"
)

// Config bounds blocks and queue. The zero value works.
type Config struct {
	// MaxCount is the most transactions in a block; 500 if zero.
	MaxCount int
	// MaxBytes is the size at which a block is cut; 2 MiB if zero. A larger
	// single transaction has a block of its own.
	MaxBytes int
	// AbsoluteMaxBytes refuses a larger transaction; 10 MiB if zero.
	AbsoluteMaxBytes int
	// Gather is the longest time that a first transaction waits for others when
	// there are many; 20 ms if zero, not at all if negative.
	Gather time.Duration
	// Queue is how many transactions may wait; 2000 if zero.
	Queue int
	// Hold, if set, is called before each block is cut, and Arrange on its
	// transactions; see package hostile.
	Hold    func()
	Arrange func(envelopes [][]byte)
	// Now is the clock for certificates' terms; time.Now if nil.
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	for field, value := range map[*int]int{
		&c.MaxCount: 500, &c.MaxBytes: 2 << 20, &c.AbsoluteMaxBytes: 10 << 20, &c.Queue: 2000,
	} {
		if *field == 0 {
			*field = value
		}
	}
	if c.Gather == 0 {
		c.Gather = 20 * time.Millisecond
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// Refusal is an orderer's answer to an envelope it does not take.
type Refusal struct {
	Status cb.Status
	Info   string
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("received unsuccessful response from orderer: status=%s, info=%s", r.Status, r.Info)
}

// Orderer is a running ordering service.
type Orderer struct {
	cfg     Config
	ledger  *ledger.Ledger
	msp     *msp.Manager
	writers msp.Policy
	channel string
	// consenters sign; the first quorum of them is enough.
	consenters []*msp.Signer

	queue chan []byte
	// accepting is held for reading while an envelope is queued, so that Close
	// can wait for those under way.
	accepting sync.RWMutex
	closed    bool
	done      chan struct{}
	err       error
}

// Start runs the service on a ledger that has its first block.
func Start(cfg Config, l *ledger.Ledger, manager *msp.Manager, channel string, consenters []*msp.Signer) (*Orderer, error) {
	writers, err := manager.Reference(msp.Writers)
	if err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	o := &Orderer{
		cfg: cfg, ledger: l, msp: manager, writers: writers, channel: channel, consenters: consenters,
		queue: make(chan []byte, cfg.Queue), done: make(chan struct{}),
	}
	go o.run()
	return o, nil
}

// Submit takes a signed envelope into the queue. Success means that it will be
// ordered unless the process dies first; whether it is valid, its block tells.
func (o *Orderer) Submit(ctx context.Context, raw *cb.Envelope) error {
	serialized, err := proto.Marshal(raw)
	if err != nil {
		return fmt.Errorf("encode envelope: %w", err)
	}
	if err := o.admit(raw, len(serialized)); err != nil {
		return err
	}
	o.accepting.RLock()
	defer o.accepting.RUnlock()
	if o.closed {
		return &Refusal{cb.Status_SERVICE_UNAVAILABLE, "the network is stopping"}
	}
	select {
	case o.queue <- serialized:
		return nil
	case <-o.done:
		return &Refusal{cb.Status_SERVICE_UNAVAILABLE, "the ledger has failed"}
	case <-ctx.Done():
		return ctx.Err()
	}
}

// admit applies an orderer's filters: size, expiry, signature by a writer of
// the channel.
func (o *Orderer) admit(raw *cb.Envelope, size int) error {
	if len(raw.GetPayload()) == 0 {
		return &Refusal{cb.Status_BAD_REQUEST, "envelope payload is missing"}
	}
	envelope, _, err := transaction.ReadEnvelope(raw)
	if err != nil {
		return &Refusal{cb.Status_BAD_REQUEST, err.Error()}
	}
	if envelope.ChannelHeader.GetChannelId() != o.channel {
		return &Refusal{cb.Status_NOT_FOUND, "cannot enqueue normal message: channel does not exist"}
	}
	if envelope.Type() != cb.HeaderType_ENDORSER_TRANSACTION {
		return &Refusal{cb.Status_BAD_REQUEST, fmt.Sprintf("message of type %s is not taken: the configuration of an embedded network is fixed", envelope.Type())}
	}
	if size > o.cfg.AbsoluteMaxBytes {
		return &Refusal{cb.Status_BAD_REQUEST, fmt.Sprintf("message payload is %d bytes and exceeds maximum allowed %d bytes", size, o.cfg.AbsoluteMaxBytes)}
	}
	creator := envelope.SignatureHeader.GetCreator()
	signers := o.msp.Signers([]msp.SignedData{{Data: raw.GetPayload(), Identity: creator, Signature: raw.GetSignature()}})
	if err := o.writers.Evaluate(signers); err != nil {
		return &Refusal{cb.Status_FORBIDDEN, err.Error()}
	}
	if signers[0].ExpiredAt(o.cfg.Now()) {
		return &Refusal{cb.Status_BAD_REQUEST, "broadcast client identity expired"}
	}
	return nil
}

// run cuts a block as soon as there is anything to put in it: a lone
// transaction waits for nobody, and while a block is being written the next
// ones gather and share the following write. Each block costs as much as many
// transactions (signatures, writes to disk, events), so when blocks are shared
// the first one waits a little for others.
func (o *Orderer) run() {
	defer close(o.done)
	var carried []byte
	shared := false // the block before held several
	for {
		first := carried
		carried = nil
		if first == nil {
			var open bool
			if first, open = <-o.queue; !open {
				return
			}
		}
		if o.cfg.Hold != nil {
			o.cfg.Hold()
		}
		var batch [][]byte
		wait := o.cfg.Gather
		if !shared {
			wait = 0
		}
		batch, carried = o.gather(first, wait)
		shared = len(batch) > 1
		if o.cfg.Arrange != nil {
			o.cfg.Arrange(batch)
		}
		if err := o.commit(batch); err != nil {
			o.err = err
			return
		}
	}
}

// silence after which a block waits for no more transactions.
const silence = 5 * time.Millisecond

// gather takes what is waiting, and what comes within a time as long as it
// keeps coming, up to the bounds; what no longer fits is carried over.
func (o *Orderer) gather(first []byte, within time.Duration) (batch [][]byte, carried []byte) {
	batch, size := [][]byte{first}, len(first)
	deadline := time.Now().Add(within)
	for len(batch) < o.cfg.MaxCount {
		next, ok := o.next(min(time.Until(deadline), silence))
		if !ok {
			return batch, nil
		}
		if size+len(next) > o.cfg.MaxBytes {
			return batch, next
		}
		batch, size = append(batch, next), size+len(next)
	}
	return batch, nil
}

// next is the next transaction in the queue; none when none comes in time or
// the orderer closes.
func (o *Orderer) next(wait time.Duration) ([]byte, bool) {
	select {
	case next, open := <-o.queue:
		return next, open
	default:
	}
	if wait <= 0 {
		return nil, false
	}
	select {
	case next, open := <-o.queue:
		return next, open
	case <-time.After(wait):
		return nil, false
	}
}

func (o *Orderer) commit(batch [][]byte) error {
	height, previous := o.ledger.Tip()
	block := ledger.NewBlock(height, previous, batch)
	if err := o.sign(block); err != nil {
		return err
	}
	return o.ledger.Commit(block)
}

// sign adds the block metadata an orderer writes.
func (o *Orderer) sign(block *cb.Block) error {
	header, err := ledger.HeaderBytes(block.GetHeader())
	if err != nil {
		return err
	}
	value, err := orderingMetadata(block)
	if err != nil {
		return err
	}
	metadata := &cb.Metadata{Value: value}
	for i, consenter := range o.consenters[:quorum(len(o.consenters))] {
		nonce := make([]byte, 24)
		if _, err := rand.Read(nonce); err != nil {
			return fmt.Errorf("draw a nonce: %w", err)
		}
		identifier, err := proto.Marshal(&cb.IdentifierHeader{Identifier: uint32(i + 1), Nonce: nonce})
		if err != nil {
			return fmt.Errorf("encode identifier header: %w", err)
		}
		signed := append(append(append([]byte{}, value...), identifier...), header...)
		signature, err := consenter.Sign(signed)
		if err != nil {
			return fmt.Errorf("sign block %d: %w", block.GetHeader().GetNumber(), err)
		}
		metadata.Signatures = append(metadata.Signatures, &cb.MetadataSignature{
			IdentifierHeader: identifier, Signature: signature,
		})
	}
	block.Metadata.Metadata[cb.BlockMetadataIndex_SIGNATURES], err = proto.Marshal(metadata)
	return err
}

// lastConfigSlot is the metadata slot in which orderers still repeat what the
// signed value says; its name in the protocol is marked deprecated.
const lastConfigSlot = 1

// orderingMetadata fills in where the last configuration is (always block 0)
// and returns the value the consenters sign.
func orderingMetadata(block *cb.Block) ([]byte, error) {
	last, err := proto.Marshal(&cb.LastConfig{Index: 0})
	if err != nil {
		return nil, fmt.Errorf("encode last configuration: %w", err)
	}
	slot, err := proto.Marshal(&cb.Metadata{Value: last})
	if err != nil {
		return nil, fmt.Errorf("encode last configuration: %w", err)
	}
	block.Metadata.Metadata[lastConfigSlot] = slot
	value, err := proto.Marshal(&cb.OrdererBlockMetadata{LastConfig: &cb.LastConfig{Index: 0}})
	if err != nil {
		return nil, fmt.Errorf("encode orderer metadata: %w", err)
	}
	return value, nil
}

// quorum of n consenters of which (n-1)/3 may be faulty.
func quorum(n int) int {
	faulty := (n - 1) / 3
	return (n + faulty + 2) / 2
}

// Done is closed when the service has stopped; Err then tells whether it failed.
func (o *Orderer) Done() <-chan struct{} { return o.done }

// Err is the failure of the ledger that stopped the service, or nil.
func (o *Orderer) Err() error {
	select {
	case <-o.done:
		return o.err
	default:
		return nil
	}
}

// Close takes no more envelopes, commits those taken, and stops.
func (o *Orderer) Close() error {
	o.accepting.Lock()
	if !o.closed {
		o.closed = true
		close(o.queue)
	}
	o.accepting.Unlock()
	<-o.done
	return o.err
}
