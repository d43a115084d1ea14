package public

import (
	"encoding/json"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// DrawTranscript is the document that `draw verify` checks, as
// chaincode/draw/TRANSCRIPT.md describes it. It carries the steps taken so far.
type DrawTranscript struct {
	Definition   string                  `json:"definition"`
	Draw         string                  `json:"draw"`
	Plan         json.RawMessage         `json:"plan"`
	Approvals    []TranscriptApproval    `json:"approvals"`
	Directories  *TranscriptDirectories  `json:"directories,omitempty"` // from the freeze on
	Freeze       *TranscriptFreeze       `json:"freeze,omitempty"`
	Commitments  []TranscriptCommitment  `json:"commitments,omitempty"`
	Reveals      []TranscriptReveal      `json:"reveals,omitempty"`
	Close        *TranscriptClose        `json:"close,omitempty"`
	Observations []TranscriptObservation `json:"observations,omitempty"`
	Beacon       *TranscriptBeacon       `json:"beacon,omitempty"`
	SealedSecret *string                 `json:"sealedSecret,omitempty"` // of a sealed draw that was opened
	Leaves       []TranscriptLeaves      `json:"leaves,omitempty"`       // what the holders of a sealed draw committed to
	Result       json.RawMessage         `json:"result,omitempty"`
	Posting      json.RawMessage         `json:"posting,omitempty"` // instead of a result: one posted by roots
	// Substitutions are those in force; recusals do not touch what was drawn.
	Substitutions []TranscriptSubstitution `json:"substitutions,omitempty"`
	Ledger        TranscriptLedger         `json:"ledger"`
}

// TranscriptApproval is an approval of a plan or freeze.
type TranscriptApproval struct {
	Step string `json:"step"`
	Org  string `json:"org"`
	Hash string `json:"hash"`
}

// TranscriptDirectories are the lists that were frozen.
type TranscriptDirectories struct {
	Objects    []metrology.DrawObject    `json:"objects,omitempty"`
	Files      []string                  `json:"files,omitempty"` // instead of objects: a directory file beside the transcript
	Inspectors []metrology.DrawInspector `json:"inspectors"`
	Ineligible [][]string                `json:"ineligible"`
}

// TranscriptFreeze is the freeze.
type TranscriptFreeze struct {
	PlanHash       string `json:"planHash"`
	ObjectsRoot    string `json:"objectsRoot"`
	Objects        int64  `json:"objects"`
	InspectorsRoot string `json:"inspectorsRoot"`
	Inspectors     int64  `json:"inspectors"`
	IneligibleRoot string `json:"ineligibleRoot"`
	Ineligible     int64  `json:"ineligible"`
	Freeze         string `json:"freeze"`
	Round          int64  `json:"round"`
}

// TranscriptCommitment is an organisation's commitment.
type TranscriptCommitment struct {
	Org        string `json:"org"`
	Commitment string `json:"commitment"`
}

// TranscriptReveal is an organisation's secret.
type TranscriptReveal struct {
	Org    string `json:"org"`
	Secret string `json:"secret"`
}

// TranscriptClose is the close.
type TranscriptClose struct {
	Freeze       string `json:"freeze"`
	Contribution string `json:"contribution"`
	Time         int64  `json:"time"`
}

// TranscriptObservation is an organisation's observation of the close.
type TranscriptObservation struct {
	Org          string `json:"org"`
	Freeze       string `json:"freeze"`
	Contribution string `json:"contribution"`
	Time         int64  `json:"time"`
}

// TranscriptBeacon is the round's signature with the chain that made it.
type TranscriptBeacon struct {
	Chain     TranscriptChain `json:"chain"`
	Round     int64           `json:"round"`
	Signature string          `json:"signature"`
}

// TranscriptLeaves is a holder's root over a sealed result.
type TranscriptLeaves struct {
	Org    string `json:"org"`
	Root   string `json:"root"`
	Leaves int64  `json:"leaves"`
}

// TranscriptSubstitution is a selected object replaced by the next standby.
type TranscriptSubstitution struct {
	Stratum string `json:"stratum"`
	Object  string `json:"object"`
	By      string `json:"by"`
	Reason  string `json:"reason"`
}

// TranscriptChain names the parameters of a beacon.
type TranscriptChain struct {
	Scheme      string `json:"scheme"`
	PublicKey   string `json:"publicKey"`
	Period      int64  `json:"period"`
	GenesisTime int64  `json:"genesisTime"`
	GenesisSeed string `json:"genesisSeed"`
	BeaconID    string `json:"beaconId"`
}

// TranscriptLedger says which transactions hold the steps: in Steps on this
// gateway's word, and in Evidence by the signed blocks themselves, as
// gateway/evidence/DRAW.md describes them.
type TranscriptLedger struct {
	Channel     string          `json:"channel"`
	GenesisHash string          `json:"genesisHash"`
	Steps       []Transaction   `json:"steps"`
	Evidence    json.RawMessage `json:"evidence,omitempty"`
}

// NewDrawTranscript writes a draw down for those who check it.
func NewDrawTranscript(lists DrawDirectories, steps []Transaction, status Status) DrawTranscript {
	r := lists.Record
	t := DrawTranscript{
		Definition: "DR-1", Draw: r.ID, Plan: r.Plan, Approvals: []TranscriptApproval{},
		Ledger: TranscriptLedger{Channel: status.Channel, GenesisHash: status.GenesisHash, Steps: steps},
	}
	for _, a := range r.Approvals {
		t.Approvals = append(t.Approvals, TranscriptApproval{a.Step, a.Org, a.Hash})
	}
	if f := r.Frozen; f != nil {
		t.Directories = &TranscriptDirectories{Objects: lists.Objects, Inspectors: asFrozen(lists.Inspectors), Ineligible: orNone(lists.Ineligible)}
		if r.ByFile {
			t.Directories.Files = []string{f.ObjectsRoot + ".csv"}
		}
		t.Freeze = &TranscriptFreeze{
			f.PlanHash, f.ObjectsRoot, f.Objects, f.InspectorsRoot, f.Inspectors, f.IneligibleRoot, f.Ineligible, f.Freeze, f.Round,
		}
	}
	for _, c := range r.Commitments {
		t.Commitments = append(t.Commitments, TranscriptCommitment{c.Org, c.Commitment})
	}
	for _, reveal := range r.Reveals {
		t.Reveals = append(t.Reveals, TranscriptReveal{reveal.Org, reveal.Secret})
	}
	t.addOutcome(r)
	return t
}

// addOutcome adds what follows the contributions.
func (t *DrawTranscript) addOutcome(r DrawRecord) {
	if r.Close != nil {
		t.Close = &TranscriptClose{r.Close.Freeze, r.Close.Contribution, r.Close.Time}
	}
	for _, o := range r.Observations {
		t.Observations = append(t.Observations, TranscriptObservation{o.Org, o.Freeze, o.Contribution, o.Time})
	}
	if r.Beacon != nil {
		pin := r.Terms.Beacon
		t.Beacon = &TranscriptBeacon{
			TranscriptChain{pin.Scheme, pin.PublicKey, pin.Period, pin.GenesisTime, pin.GenesisSeed, pin.BeaconID}, r.Beacon.Round, r.Beacon.Signature,
		}
	}
	if r.Opening != nil {
		t.SealedSecret = &r.Opening.Secret
	}
	for _, l := range r.Leaves {
		t.Leaves = append(t.Leaves, TranscriptLeaves{l.Org, l.Root, l.Leaves})
	}
	if r.Result != nil {
		t.Result, t.Posting = r.Result.Result, r.Result.Posting
	}
	for _, c := range r.Changes {
		if c.Kind == metrology.DrawSubstitution && c.State == metrology.DrawChangeApproved {
			t.Substitutions = append(t.Substitutions, TranscriptSubstitution{c.Stratum, c.Object, c.By, string(c.Reason)})
		}
	}
}
