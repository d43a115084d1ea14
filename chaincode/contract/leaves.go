package contract

import (
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/worldstate"
)

// leafTree is the RFC 6962 tree over the leaves of a batch.
type leafTree struct {
	leaves [][]byte // leaf hashes
	root   [32]byte
}

func newLeafTree(raws []json.RawMessage) (leafTree, error) {
	factory := compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	nodes := factory.NewEmptyRange(0)
	tree := leafTree{leaves: make([][]byte, len(raws))}
	for i, raw := range raws {
		tree.leaves[i] = rfc6962.DefaultHasher.HashLeaf(raw)
		if err := nodes.Append(tree.leaves[i], nil); err != nil {
			return tree, fmt.Errorf("append leaf %d: %w", i, err)
		}
	}
	root, err := nodes.GetRootHash(nil)
	if err != nil {
		return tree, fmt.Errorf("hash the root: %w", err)
	}
	copy(tree.root[:], root)
	return tree, nil
}

// leafHash is the hex RFC 6962 leaf hash of a leaf's canonical bytes.
func leafHash(raw []byte) string { return hex.EncodeToString(rfc6962.DefaultHasher.HashLeaf(raw)) }

func (t leafTree) rootHex() string { return hex.EncodeToString(t.root[:]) }

// judgeLeaves reads the leaves of a batch and checks each against the issuer
// and the ledger.
func (t *transaction) judgeLeaves(issuer metrology.Issuer, raws []json.RawMessage) ([]metrology.BatchLeaf, error) {
	leaves, err := metrology.ReadLeaves(issuer, raws, t.Today())
	if err != nil {
		return nil, err
	}
	if err := t.refuseTakenNumbers(issuer.ID, leaves); err != nil {
		return nil, err
	}
	return leaves, t.checkInstruments(issuer, leaves)
}

// refuseTakenNumbers marks leaves whose number is already anchored. All
// numbers are asked in one exchange with the peer.
func (t *transaction) refuseTakenNumbers(issuer string, leaves []metrology.BatchLeaf) error {
	keys, positions := make([]string, 0, len(leaves)), make([]int, 0, len(leaves))
	for i, leaf := range leaves {
		if leaf.Err == nil {
			keys, positions = append(keys, metrology.CertificateKey(issuer, leaf.Leaf.Number)), append(positions, i)
		}
	}
	taken, err := worldstate.GetAll[metrology.Certificate](t.Space, keys)
	if err != nil {
		return err
	}
	for k, certificate := range taken {
		if certificate == nil {
			continue
		}
		leaf := &leaves[positions[k]]
		leaf.Err = metrology.FieldErrorf(metrology.CodeConflict, "number", "%q is already taken", leaf.Leaf.Number)
		leaf.Same = certificate.LeafHash == leafHash(leaf.Raw)
	}
	return nil
}

// checkInstruments marks leaves that name an instrument of the ledger wrongly,
// or one that the issuer may not verify.
func (t *transaction) checkInstruments(issuer metrology.Issuer, leaves []metrology.BatchLeaf) error {
	var ids, keys []string
	asked := make(map[string]bool)
	for _, leaf := range leaves {
		for _, instrument := range leaf.Leaf.Instruments {
			if leaf.Err == nil && instrument.ID != "" && !asked[instrument.ID] {
				asked[instrument.ID] = true
				ids = append(ids, instrument.ID)
				keys = append(keys, metrology.Key(metrology.KindInstrument, instrument.ID))
			}
		}
	}
	found, err := worldstate.GetAll[metrology.Instrument](t.Space, keys)
	if err != nil {
		return err
	}
	known := make(map[string]*metrology.Instrument, len(ids))
	for i, id := range ids {
		known[id] = found[i]
	}
	for i := range leaves {
		if leaves[i].Err == nil {
			leaves[i].Err = metrology.CheckVerified(leaves[i].Leaf, known)
		}
		if leaves[i].Err == nil {
			leaves[i].Err = issuer.CheckDuty(leaves[i].Leaf, known, t.Today())
		}
	}
	return nil
}

func rejections(leaves []metrology.BatchLeaf) []metrology.RejectedLeaf {
	rejected := []metrology.RejectedLeaf{}
	for i, leaf := range leaves {
		if leaf.Err != nil {
			rejected = append(rejected, leaf.Reject(i))
		}
	}
	return rejected
}
