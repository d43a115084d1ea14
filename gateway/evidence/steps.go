package evidence

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
)

// Steps are the blocks that hold the transactions of a draw. DRAW.md describes
// their check.
type Steps struct {
	Configurations []Block     `json:"configurations"` // from block 0 to the one in force at the last of Blocks
	Blocks         []StepBlock `json:"blocks"`         // rising
}

// StepBlock is a block with the places of the draw's transactions in it.
type StepBlock struct {
	Block
	Transactions []int `json:"transactions"` // rising, from 0
}

// Place is where a transaction stands.
type Place struct {
	Block uint64
	Index int
}

// CollectSteps gathers the blocks that hold the transactions at the given
// places, which rise, and the configuration blocks that they rest on.
func CollectSteps(ctx context.Context, trust ledger.Trust, blocks Blocks, places []Place) (Steps, error) {
	if len(places) == 0 {
		return Steps{}, errors.New("collect steps: there are none")
	}
	last, err := blocks.Block(ctx, places[len(places)-1].Block)
	if err != nil {
		return Steps{}, fmt.Errorf("collect steps: %w", err)
	}
	configurations, err := configurations(ctx, blocks, last)
	if err != nil {
		return Steps{}, fmt.Errorf("collect steps: %w", err)
	}
	var steps Steps
	chain := newChain(ledger.NewVerifier(trust), configurations)
	for number, indices := range byBlock(places) {
		block, err := blocks.Block(ctx, number)
		if err != nil {
			return Steps{}, fmt.Errorf("collect steps: %w", err)
		}
		ordering, err := chain.inForceAt(block, &steps)
		if err != nil {
			return Steps{}, fmt.Errorf("collect steps: %w", err)
		}
		kept, err := trim(chain.verifier, block, ordering)
		if err != nil {
			return Steps{}, fmt.Errorf("collect steps: %w", err)
		}
		steps.Blocks = append(steps.Blocks, StepBlock{kept, indices})
	}
	return steps, nil
}

// byBlock groups places that rise, in their order.
func byBlock(places []Place) func(yield func(uint64, []int) bool) {
	return func(yield func(uint64, []int) bool) {
		for from := 0; from < len(places); {
			number := places[from].Block
			var indices []int
			for ; from < len(places) && places[from].Block == number; from++ {
				indices = append(indices, places[from].Index)
			}
			if !yield(number, indices) {
				return
			}
		}
	}
}

// chain walks the configurations in force, in rising order.
type chain struct {
	verifier *ledger.Verifier
	left     []ledger.Block
	ordering *ledger.Ordering
}

func newChain(verifier *ledger.Verifier, configurations []ledger.Block) *chain {
	return &chain{verifier: verifier, left: configurations}
}

// inForceAt takes the configurations up to a block into steps and returns what
// the last of them says.
func (c *chain) inForceAt(block ledger.Block, steps *Steps) (*ledger.Ordering, error) {
	for len(c.left) > 0 && c.left[0].Number < block.Number {
		kept, err := trim(c.verifier, c.left[0], c.ordering)
		if err != nil {
			return nil, err
		}
		steps.Configurations = append(steps.Configurations, kept)
		if c.ordering, err = ledger.ParseOrdering(c.left[0]); err != nil {
			return nil, err
		}
		c.left = c.left[1:]
	}
	return c.ordering, nil
}

// Step is a transaction of a draw that holds: endorsed as the policies of the
// keys it writes demand, in a block that the ordering nodes signed.
type Step struct {
	ID        string
	Place     Place
	Function  string
	Submitter string   // MSP
	Endorsers []string // MSP ids
	// Confirmed says that a later step, endorsed by a majority, read what this
	// one wrote: so it was valid. Orderers order invalid transactions too.
	Confirmed bool
}

// History is what signed steps show of a draw.
type History struct {
	Steps  []Step
	Values map[string][]byte // of the draw's keys, after the last step
}

// VerifySteps checks blocks and transactions and replays what they wrote under
// the keys of a draw. Every version that a step read must be one that a step
// before it wrote: a step left out in the middle shows.
func VerifySteps(trust ledger.Trust, steps Steps, draw string) (History, error) {
	r := replay{
		draw: draw, blocks: ledger.NewVerifier(trust), peers: newPeers(trust.Organizations),
		history: History{Values: map[string][]byte{}}, versions: map[string]written{},
	}
	if len(steps.Configurations) == 0 || len(steps.Configurations) > maxConfigurations {
		return History{}, fmt.Errorf("%w: %d configuration blocks, want 1 to %d", ErrNotProven, len(steps.Configurations), maxConfigurations)
	}
	if err := r.run(steps); err != nil {
		return History{}, fmt.Errorf("%w: %w", ErrNotProven, err)
	}
	if len(r.history.Steps) == 0 {
		return History{}, fmt.Errorf("%w: no transaction is carried", ErrNotProven)
	}
	return r.history, nil
}

// written is the last step that wrote a key.
type written struct {
	place Place
	step  int // index in History.Steps
}

type replay struct {
	draw     string
	blocks   *ledger.Verifier
	peers    peers
	ordering *ledger.Ordering
	history  History
	versions map[string]written
}

func (r *replay) run(steps Steps) error {
	configurations := steps.Configurations
	if configurations[0].Number != 0 {
		return errors.New("the configuration blocks do not begin with block 0")
	}
	for i, carried := range steps.Blocks {
		if carried.Number == 0 || i > 0 && carried.Number <= steps.Blocks[i-1].Number {
			return errors.New("the blocks do not rise")
		}
		for len(configurations) > 0 && configurations[0].Number < carried.Number {
			if err := r.configure(configurations[0]); err != nil {
				return err
			}
			configurations = configurations[1:]
		}
		if err := r.block(carried); err != nil {
			return fmt.Errorf("block %d: %w", carried.Number, err)
		}
	}
	if len(configurations) > 0 {
		return errors.New("a configuration block is carried that no block rests on")
	}
	return nil
}

func (r *replay) configure(carried Block) error {
	configuration, err := carried.ledgerBlock([]int{0})
	if err != nil {
		return err
	}
	if _, err := verifySigned(r.blocks, configuration, r.ordering); err != nil {
		return err
	}
	ordering, err := ledger.ParseOrdering(configuration)
	if err != nil {
		return err
	}
	if r.ordering != nil && ordering.Config <= r.ordering.Config {
		return errors.New("the configuration blocks do not rise")
	}
	r.ordering = ordering
	return nil
}

func (r *replay) block(carried StepBlock) error {
	if len(carried.Transactions) == 0 || !slices.IsSorted(carried.Transactions) || len(slices.Compact(slices.Clone(carried.Transactions))) != len(carried.Transactions) {
		return errors.New("the places of its transactions do not rise")
	}
	block, err := carried.ledgerBlock(carried.Transactions)
	if err != nil {
		return err
	}
	inForce, err := block.LastConfig()
	if err != nil {
		return err
	}
	if r.ordering == nil || inForce != r.ordering.Config {
		return fmt.Errorf("it was cut under the configuration of block %d, which is not carried", inForce)
	}
	if _, err := verifySigned(r.blocks, block, r.ordering); err != nil {
		return err
	}
	for _, index := range carried.Transactions {
		if err := r.transaction(block.Transactions[index], Place{carried.Number, index}, carried.Envelopes[index]); err != nil {
			return fmt.Errorf("transaction %d: %w", index, err)
		}
	}
	return nil
}

func (r *replay) transaction(t ledger.Transaction, place Place, envelope []byte) error {
	if t.Chaincode != chaincodeName {
		return fmt.Errorf("it is of chaincode %q, want %q", t.Chaincode, chaincodeName)
	}
	endorsers, err := verifyTransaction(envelope, t.ID, r.peers)
	if err != nil {
		return err
	}
	if err := r.read(envelope); err != nil {
		return err
	}
	step := len(r.history.Steps)
	r.history.Steps = append(r.history.Steps, Step{ID: t.ID, Place: place, Function: t.Function, Submitter: t.Creator.MSPID, Endorsers: endorsers})
	for _, write := range t.Writes {
		if write.Namespace != chaincodeName {
			continue
		}
		if err := checkKeyPolicy(write.Key, t, endorsers); err != nil {
			return err
		}
		if !r.of(write.Key) {
			continue
		}
		if write.Delete {
			return fmt.Errorf("it deletes %q", write.Key)
		}
		r.history.Values[write.Key], r.versions[write.Key] = write.Value, written{place, step}
	}
	return nil
}

// of reports whether a key belongs to the draw.
func (r *replay) of(key string) bool {
	kind, parts := metrology.SplitKey(key)
	return (kind == metrology.KindDraw || kind == metrology.KindObservation) && len(parts) > 1 && parts[0] == r.draw
}

// read checks that the step rests on what the steps before it left.
func (r *replay) read(envelope []byte) error {
	response, err := endorsedResponse(envelope)
	if err != nil {
		return err
	}
	reads, err := readsOf(response)
	if err != nil {
		return err
	}
	for _, read := range reads {
		if !r.of(read.GetKey()) {
			continue
		}
		last, found := r.versions[read.GetKey()]
		version := read.GetVersion()
		switch {
		case version == nil && !found:
		case version == nil || !found || version.GetBlockNum() != last.place.Block || version.GetTxNum() != uint64(last.place.Index):
			return fmt.Errorf("it rests on %q as of %v, which is not what the steps carried wrote", read.GetKey(), version)
		default:
			r.history.Steps[last.step].Confirmed = true
		}
	}
	return nil
}

// endorsedResponse is the proposal response payload that an envelope carries.
func endorsedResponse(encoded []byte) ([]byte, error) {
	var envelope common.Envelope
	var payload common.Payload
	var transaction peer.Transaction
	var action peer.ChaincodeActionPayload
	if err := errors.Join(proto.Unmarshal(encoded, &envelope), proto.Unmarshal(envelope.GetPayload(), &payload),
		proto.Unmarshal(payload.GetData(), &transaction)); err != nil {
		return nil, fmt.Errorf("decode envelope: %w", err)
	}
	if len(transaction.GetActions()) != 1 {
		return nil, fmt.Errorf("decode envelope: %d actions, want 1", len(transaction.GetActions()))
	}
	if err := proto.Unmarshal(transaction.GetActions()[0].GetPayload(), &action); err != nil {
		return nil, fmt.Errorf("decode action: %w", err)
	}
	return action.GetAction().GetProposalResponsePayload(), nil
}

// checkKeyPolicy checks the key-level policies: a gate needs its organisation,
// and an observation the peer of the organisation that observed. The plan
// itself creates the observations' keys, each without an observation.
func checkKeyPolicy(key string, t ledger.Transaction, endorsers []string) error {
	kind, parts := metrology.SplitKey(key)
	if len(parts) == 0 {
		return nil
	}
	var any []string
	switch {
	case kind == metrology.KindGate && parts[0] == metrology.GateWitness:
		any = []string{metrology.AssociationMSP, metrology.NotaryMSP}
	case kind == metrology.KindGate:
		any = []string{parts[0]}
	case kind == metrology.KindObservation && t.Function != functionPlan:
		any = parts[len(parts)-1:]
	default:
		return nil
	}
	if !slices.ContainsFunc(any, func(mspID string) bool { return slices.Contains(endorsers, mspID) }) {
		return fmt.Errorf("it writes %q without an endorsement of %v", key, any)
	}
	return nil
}

// functionPlan files a draw.
const functionPlan = "draw:Plan"
