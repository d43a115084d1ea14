package metrology

import "encoding/json"

// PlanDraw files a draw. Its id is the authority's division code, a dash and
// the authority's next number in six digits.
type PlanDraw struct {
	ID   string          `json:"id"`
	Plan json.RawMessage `json:"plan"`
	// Escrow holds the secret of a sealed draw, one box for each of DrawHolders
	// in their order.
	Escrow []DrawEscrow `json:"escrow,omitempty"`
}

// ApproveDraw agrees to a plan or to a freeze, named by its hash: an approval
// is of these very bytes.
type ApproveDraw struct {
	ID   string `json:"id"`
	Hash string `json:"hash"`
}

// FileDrawDirectory files one chunk of one list; filing it again replaces it.
type FileDrawDirectory struct {
	ID    string `json:"id"`
	List  string `json:"list"` // objects, inspectors, ineligible or exclusions
	Chunk int    `json:"chunk"`
	DrawChunk
}

// FreezeDraw freezes the directories that were filed and fixes the round.
type FreezeDraw struct {
	ID     string           `json:"id"`
	Round  int64            `json:"round"`
	Chunks DrawChunks       `json:"chunks"`
	File   *DrawObjectsFile `json:"file,omitempty"` // instead of chunks of objects
}

// CommitToDraw is an organisation's commitment, bound to draw and organisation.
type CommitToDraw struct {
	ID         string `json:"id"`
	Commitment string `json:"commitment"`
}

// RevealToDraw opens an organisation's commitment.
type RevealToDraw struct {
	ID     string `json:"id"`
	Secret string `json:"secret"`
}

// ObserveDraw states which close was seen.
type ObserveDraw struct {
	ID           string `json:"id"`
	Contribution string `json:"contribution"`
}

// SeedDraw brings the signature of the round. It is unique, so it does not
// matter who brings it.
type SeedDraw struct {
	ID        string `json:"id"`
	Signature string `json:"signature"`
}

// CancelDraw ends a draw before reveals open.
type CancelDraw struct {
	ID     string     `json:"id"`
	Reason DrawReason `json:"reason"`
}

// DrawAction names a draw for the steps that need no more.
type DrawAction struct {
	ID string `json:"id"`
}
