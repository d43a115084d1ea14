package public

import (
	"encoding/json"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
)

// HolderSalt opens what a draw's directory commits to about an inspector.
type HolderSalt [32]byte

func (s HolderSalt) String() string { return draw.Digest(s).String() }

// Holder commits to the post behind an inspector's id of a draw.
func Holder(id, inspector, post string, salt HolderSalt) string {
	return draw.InspectorHolder(id, inspector, post, draw.Digest(salt)).String()
}

// Holders finds which of some posts are behind the draw's inspectors, by their
// ids, where the salts are those that the directory was made with.
func (d DrawDirectories) Holders(posts []string, salt func(inspector string) HolderSalt) map[string]string {
	found := map[string]string{}
	for _, inspector := range d.Inspectors {
		if inspector.Holder == "" {
			continue
		}
		opens := salt(inspector.ID)
		for _, post := range posts {
			if Holder(d.Record.ID, inspector.ID, post, opens) == inspector.Holder {
				found[inspector.ID] = post
			}
		}
	}
	return found
}

// SealedVisit is a place of a draw that is still sealed, with the leaf that
// shows it under what the holders committed to.
type SealedVisit struct {
	Site       string
	Inspectors []string // ids of the draw, in the order of the slots
	Leaf       json.RawMessage
}
