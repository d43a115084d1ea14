package public

import (
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// DrawFilter selects draws. Zero members do not restrict.
type DrawFilter struct {
	Authority string // division code
	Phase     string
	PageRequest
}

// Draw is a draw in a list.
type Draw struct {
	metrology.Draw
	Overdue bool `json:"overdue,omitempty"` // its result is late; anybody may post it, of a sealed draw a holder of its secret
	// OpeningOverdue says that a sealed draw should have been opened; the
	// notary may open it too.
	OpeningOverdue bool `json:"openingOverdue,omitempty"`
	AsOf           AsOf `json:"asOf"`
}

// ResultDue is how long after its round a draw's result is due, in seconds
// (draws.md section 5). An opening has as long after its declared time.
const ResultDue = 3600

// On gives the draw as of a time, in seconds since 1970.
func (d Draw) On(now int64) Draw {
	awaited := d.Phase == metrology.DrawRevealing || d.Phase == metrology.DrawClosed || d.Phase == metrology.DrawSeeded
	d.Overdue = awaited && now > d.RoundTime+ResultDue
	d.OpeningOverdue = (d.Phase == metrology.DrawSealed || d.Phase == metrology.DrawSeeded && d.Sealed()) && now > d.OpenBy+ResultDue
	return d
}

// DrawNumbers counts an authority's draws. Numbers have no gaps and are never
// used again, so that cancelled and void draws stay in sight.
type DrawNumbers struct {
	Filed     int `json:"filed"`
	Cancelled int `json:"cancelled"`
	Void      int `json:"void"`
}

// DrawRecord is one draw with all that its organisations have recorded.
type DrawRecord struct {
	Draw
	Plan         json.RawMessage             `json:"plan"` // as filed, in canonical form
	Frozen       *metrology.DrawFreeze       `json:"frozen,omitempty"`
	Commitments  []metrology.DrawCommitment  `json:"commitments,omitempty"`
	Reveals      []metrology.DrawReveal      `json:"reveals,omitempty"`
	Close        *metrology.DrawClose        `json:"close,omitempty"`
	Observations []metrology.DrawObservation `json:"observations,omitempty"`
	Beacon       *metrology.DrawBeacon       `json:"beacon,omitempty"`
	Escrow       []metrology.DrawEscrow      `json:"escrow,omitempty"`  // of a sealed draw: its secret, encrypted to each holder
	Leaves       []metrology.DrawLeaves      `json:"leaves,omitempty"`  // what the holders committed to
	Opening      *metrology.DrawOpening      `json:"opening,omitempty"` // of a sealed draw
	Result       *metrology.DrawResult       `json:"result,omitempty"`
	Voided       []metrology.DrawResult      `json:"voided,omitempty"`  // postings that a challenge has voided, in their order
	Changes      []metrology.DrawChange      `json:"changes,omitempty"` // after the result, in the order they were proposed
	Numbers      DrawNumbers                 `json:"numbers"`           // of the authority's draws
	History      []HistoryEntry              `json:"history"`
}

// CheckRound refuses a signature that would not seed the draw: the draw awaits
// none, its round is not due at now (seconds since 1970), or it is not that of
// the round on the beacon the plan pins.
func (d DrawRecord) CheckRound(signature string, now int64) error {
	if d.Phase != metrology.DrawClosed {
		return metrology.Errorf(metrology.CodeState, "draw %s awaits no round; it is %s", d.ID, d.Phase)
	}
	if now < d.RoundTime {
		return metrology.Errorf(metrology.CodeState, "round %d is due at %d", d.Round, d.RoundTime)
	}
	chain, err := draw.Pinned(d.Terms.Beacon)
	if err != nil {
		return err
	}
	raw, err := hex.DecodeString(signature)
	if err != nil || hex.EncodeToString(raw) != signature {
		return metrology.FieldErrorf(metrology.CodeInvalid, "signature", "is not lower-case hex")
	}
	if _, err := chain.Verify(uint64(d.Round), raw); err != nil {
		return metrology.FieldErrorf(metrology.CodeSignature, "signature", "%v", err)
	}
	return nil
}

// Shut says whether the draw has an outcome that is still sealed.
func (r DrawRecord) Shut() bool {
	return r.Sealed() && r.Opening == nil && (r.Phase == metrology.DrawSeeded || r.Phase == metrology.DrawSealed)
}

// LeavesDiffer says whether the holders committed to different results, of
// which at most one is right.
func (r DrawRecord) LeavesDiffer() bool {
	return slices.ContainsFunc(r.Leaves, func(l metrology.DrawLeaves) bool { return l.Root != r.Leaves[0].Root || l.Leaves != r.Leaves[0].Leaves })
}

// DrawDirectories are the lists of a draw, chunks joined.
type DrawDirectories struct {
	Record DrawRecord `json:"-"`
	Files  DrawFiles  `json:"-"` // where the objects of a large draw stand
	metrology.DrawChunk
}

// Add appends a chunk.
func (d *DrawDirectories) Add(chunk metrology.DrawChunk) {
	d.Objects = append(d.Objects, chunk.Objects...)
	d.Inspectors = append(d.Inspectors, chunk.Inspectors...)
	d.Ineligible = append(d.Ineligible, chunk.Ineligible...)
	d.Exclusions = append(d.Exclusions, chunk.Exclusions...)
}

// DrawObjects is the directory of places, with those left out and why.
type DrawObjects struct {
	Draw       string                    `json:"draw"`
	Frozen     bool                      `json:"frozen"` // before that it can change
	Objects    []metrology.DrawObject    `json:"objects"`
	Exclusions []metrology.DrawExclusion `json:"exclusions"`
}

// DrawInspectors is the directory of inspectors, under ids made for this draw,
// with the pairs that must not meet.
type DrawInspectors struct {
	Draw       string                    `json:"draw"`
	Frozen     bool                      `json:"frozen"`
	Inspectors []metrology.DrawInspector `json:"inspectors"`
	Ineligible [][]string                `json:"ineligible"`
}

// ShowObjects is what the public sees of the places.
func (d DrawDirectories) ShowObjects() DrawObjects {
	return DrawObjects{Draw: d.Record.ID, Frozen: d.Record.Frozen != nil, Objects: orNone(d.Objects), Exclusions: orNone(d.Exclusions)}
}

// ShowInspectors is what the public sees of the inspectors.
func (d DrawDirectories) ShowInspectors() DrawInspectors {
	return DrawInspectors{Draw: d.Record.ID, Frozen: d.Record.Frozen != nil, Inspectors: withSkills(d.Inspectors), Ineligible: orNone(d.Ineligible)}
}

// withSkills writes no skills as an empty list.
func withSkills(inspectors []metrology.DrawInspector) []metrology.DrawInspector {
	shown := make([]metrology.DrawInspector, len(inspectors))
	for i, inspector := range inspectors {
		inspector.Skills = orNone(inspector.Skills)
		shown[i] = inspector
	}
	return shown
}

// asFrozen are the inspectors as the draw's function takes them: commitments to
// who they are are no part of it.
func asFrozen(inspectors []metrology.DrawInspector) []metrology.DrawInspector {
	shown := withSkills(inspectors)
	for i := range shown {
		shown[i].Holder = ""
	}
	return shown
}

func orNone[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
