package ledger

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"google.golang.org/protobuf/proto"
)

// The ways in which a block can fail to belong to the pinned ledger. None is
// mended by asking again: whoever follows the ledger stops.
var (
	ErrForeignLedger = errors.New("not the pinned ledger")
	ErrGap           = errors.New("gap in the chain of blocks")
	ErrForged        = errors.New("block contradicts its own hashes")
	ErrUnsigned      = errors.New("block lacks the orderers' signatures")
)

// Position names a block: the last one taken from a ledger.
type Position struct {
	Number uint64
	Hash   Hash
}

// Checks states what was checked of a block and found right: its number, its
// predecessor's hash, its data hash, and these signatures. Block 0 is checked
// against the pinned hash and carries no signature.
type Checks struct {
	Genesis bool
	Signers []string // MSP ids of the orderers whose signatures hold, one per orderer
	Quorum  int      // how many were required
}

// Verifier checks blocks in order. It is not safe for concurrent use.
type Verifier struct {
	orderers *signers
	trust    Trust
	last     *Position
	ordering *Ordering
}

// NewVerifier starts before block 0.
func NewVerifier(trust Trust) *Verifier {
	return &Verifier{trust: trust, orderers: newSigners(trust.Orderers)}
}

// Resume goes on after last. ordering is what was in force then; it must come
// from configuration blocks that were verified.
func (v *Verifier) Resume(last Position, ordering *Ordering) {
	v.last, v.ordering = &last, ordering
}

// Last is the last verified block; nil before block 0.
func (v *Verifier) Last() *Position { return v.last }

// Ordering is the orderers in force after the last verified block.
func (v *Verifier) Ordering() *Ordering { return v.ordering }

// Verify checks that block is the next one of the pinned ledger. Only then the
// verifier moves on. The errors wrap ErrForeignLedger, ErrGap, ErrForged or
// ErrUnsigned.
func (v *Verifier) Verify(block Block) (Checks, error) {
	if err := v.checkPlace(block); err != nil {
		return Checks{}, fmt.Errorf("verify block %d: %w", block.Number, err)
	}
	checks, err := v.VerifyAlone(block, v.ordering)
	if err != nil {
		return Checks{}, err
	}
	ordering := v.ordering
	// The peers' verdict does not matter here: orderers put nothing into a
	// configuration block that did not pass, and they obey it from then on.
	if block.Configuration() {
		if ordering, err = ParseOrdering(block); err != nil {
			return Checks{}, fmt.Errorf("verify block %d: %w", block.Number, err)
		}
	}
	v.last, v.ordering = &Position{Number: block.Number, Hash: block.Hash}, ordering
	return checks, nil
}

func (v *Verifier) checkPlace(block Block) error {
	if v.last == nil {
		if block.Number != 0 {
			return fmt.Errorf("%w: the first block must be 0", ErrGap)
		}
		return nil
	}
	if block.Number != v.last.Number+1 {
		return fmt.Errorf("%w: want block %d", ErrGap, v.last.Number+1)
	}
	if block.PreviousHash != v.last.Hash {
		return fmt.Errorf("%w: it follows %s, the last block is %s", ErrForeignLedger, block.PreviousHash, v.last.Hash)
	}
	return nil
}

// VerifyAlone checks what can be checked of a block without its predecessor:
// that it is of the pinned channel, that its data has the hash in its header,
// and that the orderers signed the header. Block 0 must have the pinned hash.
func (v *Verifier) VerifyAlone(block Block, ordering *Ordering) (Checks, error) {
	if err := v.VerifyContent(block); err != nil {
		return Checks{}, err
	}
	if block.Number == 0 {
		if block.Hash != v.trust.Genesis {
			return Checks{}, fmt.Errorf("verify block 0: %w: its hash is %s, pinned is %s", ErrForeignLedger, block.Hash, v.trust.Genesis)
		}
		return Checks{Genesis: true}, nil
	}
	if ordering == nil {
		return Checks{}, fmt.Errorf("verify block %d: the orderers in force are not known", block.Number)
	}
	signed, err := v.orderers.verifyBlock(block, ordering)
	if err != nil {
		return Checks{}, fmt.Errorf("verify block %d: %w", block.Number, err)
	}
	return Checks{Signers: signed, Quorum: ordering.Quorum()}, nil
}

// VerifyContent checks only that a block is of the pinned channel and that its
// data has the hash in its header: enough for one whose Hash is known.
func (v *Verifier) VerifyContent(block Block) error {
	if err := v.checkContent(block); err != nil {
		return fmt.Errorf("verify block %d: %w", block.Number, err)
	}
	return nil
}

func (v *Verifier) checkContent(block Block) error {
	if hash := DataHash(block.Raw.GetData()); hash != block.DataHash {
		return fmt.Errorf("%w: its data has the hash %s, its header says %s", ErrForged, hash, block.DataHash)
	}
	if err := checkBoundaries(block); err != nil {
		return err
	}
	for _, t := range block.Transactions {
		if t.Valid() && t.Channel != v.trust.Channel {
			return fmt.Errorf("%w: channel %q, want %q", ErrForeignLedger, t.Channel, v.trust.Channel)
		}
	}
	return nil
}

// checkBoundaries refuses envelopes that are not in the one form in which
// Fabric encodes them. The data hash runs over the envelopes end to end, so
// without this a peer could move the seams between them and hide one.
func checkBoundaries(block Block) error {
	if block.Configuration() {
		return nil // alone in its block
	}
	for i, raw := range block.Raw.GetData().GetData() {
		var envelope common.Envelope
		if err := proto.Unmarshal(raw, &envelope); err != nil {
			return fmt.Errorf("%w: envelope %d: %w", ErrForged, i, err)
		}
		again, err := proto.Marshal(&envelope)
		if err != nil || !bytes.Equal(raw, again) {
			return fmt.Errorf("%w: envelope %d is not in canonical form", ErrForged, i)
		}
	}
	return nil
}
