package public

import (
	"encoding/json"
	"fmt"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// TicketAnswer says how a place stands with a draw.
type TicketAnswer string

// The answers.
const (
	TicketPending     TicketAnswer = "pending"          // the draw has no outcome yet
	TicketSealed      TicketAnswer = "sealed"           // the outcome is sealed; the same answer for every place
	TicketOutright    TicketAnswer = "outright"         // taken for its weight, without a rank
	TicketSelected    TicketAnswer = "selected"         // its ticket is within the threshold
	TicketNotSelected TicketAnswer = "not-selected"     // its ticket is beyond the threshold
	TicketReplaced    TicketAnswer = "replaced"         // was drawn; a substitution took another instead
	TicketSubstitute  TicketAnswer = "substitute"       // comes instead of one that was drawn
	TicketNoQuota     TicketAnswer = "no-quota"         // nothing is drawn from its stratum
	TicketExcluded    TicketAnswer = "excluded"         // left out of the directory, with the reason
	TicketAbsent      TicketAnswer = "not-in-directory" // with a proof of absence
)

// DrawTicket answers “was I drawn, and why not?” for one place. Whoever doubts
// it recomputes the ticket from seed and id, and checks the proof against the
// frozen root.
type DrawTicket struct {
	Draw      string                    `json:"draw"`
	Site      string                    `json:"site"`
	Phase     metrology.DrawPhase       `json:"phase"`
	Answer    TicketAnswer              `json:"answer"`
	Object    *metrology.DrawObject     `json:"object,omitempty"`
	Exclusion metrology.ExclusionReason `json:"exclusion,omitempty"`
	Frozen    *TranscriptFreeze         `json:"frozen,omitempty"`    // what the proof is checked against
	Proof     json.RawMessage           `json:"proof,omitempty"`     // that the place stands in the frozen directory
	Absence   json.RawMessage           `json:"absence,omitempty"`   // that it does not: two neighbouring leaves
	Seed      string                    `json:"seed,omitempty"`      // the one selected with
	Ticket    string                    `json:"ticket,omitempty"`    // H(seedT ‖ id), draws.md section 3
	Threshold string                    `json:"threshold,omitempty"` // the largest ticket selected; compared as ticket over weight where weights differ
	// ThresholdWeight is the weight that goes with the threshold, where weights differ.
	ThresholdWeight int64    `json:"thresholdWeight,omitempty"`
	Rank            int      `json:"rank,omitempty"` // in its stratum, from 1; beyond the quota it is a standby's
	Quota           int      `json:"quota,omitempty"`
	Inspectors      []string `json:"inspectors,omitempty"` // assigned, under their ids of this draw
}

// NewDrawTicket looks a place up. lists are the draw's directories.
func NewDrawTicket(lists DrawDirectories, site string) (DrawTicket, error) {
	r := lists.Record
	t := DrawTicket{Draw: r.ID, Site: site, Phase: r.Phase, Answer: TicketPending}
	if r.Shut() {
		t.Answer = TicketSealed
		return t, nil
	}
	for _, e := range lists.Exclusions {
		if e.ID == site {
			t.Answer, t.Exclusion = TicketExcluded, e.Reason
		}
	}
	if r.Frozen == nil {
		return t, nil
	}
	t.Frozen = NewDrawTranscript(lists, nil, Status{}).Freeze
	if r.ByFile {
		return t, t.lookUpInFile(lists)
	}
	objects, err := draw.NewObjects(objectsOf(lists.Objects))
	if err != nil {
		return t, fmt.Errorf("read directory of draw %s: %w", r.ID, err)
	}
	if err := t.prove(objects); err != nil {
		return t, err
	}
	if t.Object == nil || r.Result == nil || r.Result.Result == nil {
		return t, nil
	}
	return t, t.rank(r, objects)
}

func objectsOf(filed []metrology.DrawObject) []draw.Object {
	objects := make([]draw.Object, len(filed))
	for i, o := range filed {
		objects[i] = draw.Object{ID: o.ID, Stratum: o.Stratum, Weight: uint32(o.Weight)}
	}
	return objects
}

// prove shows that the place stands in the directory, or that it does not.
func (t *DrawTicket) prove(objects draw.Objects) error {
	proof, absence, err := draw.Prove(objects, t.Site)
	if err != nil {
		return notAnObject()
	}
	return t.show(proof, absence)
}

func notAnObject() error {
	return metrology.FieldErrorf(metrology.CodeInvalid, "siteId", "is not the id of an object of a draw (1 to 64 of A-Z 0-9 . _ -)")
}

// show takes over the one of the two proofs that there is.
func (t *DrawTicket) show(proof *draw.ObjectProof, absence *draw.Absence) (err error) {
	if absence != nil {
		if t.Exclusion == "" {
			t.Answer = TicketAbsent
		}
		t.Absence, err = json.Marshal(absence)
		return err
	}
	o := proof.Object
	t.Object = &metrology.DrawObject{ID: o.ID, Stratum: o.Stratum, Weight: int64(o.Weight)}
	t.Proof, err = json.Marshal(proof)
	return err
}

// rank recomputes the order of the place's stratum from the draw's seed.
func (t *DrawTicket) rank(r DrawRecord, objects draw.Objects) error {
	var result struct {
		Seed        draw.Digest         `json:"seed"`
		SealedSeed  *draw.Digest        `json:"sealedSeed"`
		Assignments map[string][]string `json:"assignments"`
	}
	if err := json.Unmarshal(r.Result.Result, &result); err != nil {
		return fmt.Errorf("read result of draw %s: %w", r.ID, err)
	}
	if result.SealedSeed != nil {
		result.Seed = *result.SealedSeed
	}
	plan, err := draw.ParsePlan(r.Plan)
	if err != nil {
		return fmt.Errorf("read plan of draw %s: %w", r.ID, err)
	}
	strata, err := draw.Select(result.Seed, objects, plan.Quotas, len(objects))
	if err != nil {
		return fmt.Errorf("rank the objects of draw %s: %w", r.ID, err)
	}
	t.Seed, t.Ticket = result.Seed.String(), draw.Ticket(result.Seed, t.Site).String()
	t.Answer, t.Inspectors = TicketNoQuota, result.Assignments[t.Site]
	for _, stratum := range strata {
		if stratum.Name == t.Object.Stratum {
			t.place(stratum)
		}
	}
	for _, change := range r.Changes {
		if change.State == metrology.DrawChangeApproved {
			t.follow(change)
		}
	}
	return nil
}

// follow applies a change in force, in its turn.
func (t *DrawTicket) follow(change metrology.DrawChange) {
	switch {
	case change.Kind == metrology.DrawRecusal && change.Object == t.Site:
		t.Inspectors = change.Inspectors
	case change.Kind == metrology.DrawSubstitution && change.Object == t.Site:
		t.Answer, t.Inspectors = TicketReplaced, nil
	case change.Kind == metrology.DrawSubstitution && change.By == t.Site:
		t.Answer, t.Inspectors = TicketSubstitute, change.Inspectors
	}
}

// place finds the site in its stratum.
func (t *DrawTicket) place(stratum draw.Stratum) {
	t.Quota = int(stratum.Quota)
	if stratum.Threshold != nil {
		t.Threshold = stratum.Threshold.Ticket.String()
		if stratum.Weighted {
			t.ThresholdWeight = int64(stratum.Threshold.Weight)
		}
	}
	for _, id := range stratum.Outright {
		if id == t.Site {
			t.Answer = TicketOutright
			return
		}
	}
	t.Answer = TicketNotSelected
	for i, ranked := range stratum.Selected {
		if ranked.ID == t.Site {
			t.Answer, t.Rank = TicketSelected, i+1
		}
	}
	for i, ranked := range stratum.Standby {
		if ranked.ID == t.Site {
			t.Rank = len(stratum.Selected) + i + 1
		}
	}
}
