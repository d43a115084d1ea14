package draw

import (
	"bytes"
	"encoding/json"
)

// outputDocument is the result as draws.md section 6 lays it out. Maps are
// written with sorted keys.
type outputDocument struct {
	PlanHash       Digest                   `json:"planHash"`
	ObjectsRoot    Digest                   `json:"objectsRoot"`
	InspectorsRoot Digest                   `json:"inspectorsRoot"`
	IneligibleRoot Digest                   `json:"ineligibleRoot"`
	Freeze         Digest                   `json:"freeze"`
	Contribution   Digest                   `json:"contribution"`
	ChainHash      Digest                   `json:"chainHash"`
	Seed           Digest                   `json:"seed"`
	SealedSeed     *Digest                  `json:"sealedSeed,omitempty"`
	Strata         map[string]stratumOutput `json:"strata"`
	Order          []string                 `json:"order"`
	CapPlus        uint32                   `json:"capPlus"`
	Assignments    map[string][]string      `json:"assignments"`
}

type stratumOutput struct {
	Quota     uint64         `json:"quota"`
	Outright  []string       `json:"outright"`
	Selected  []rankedOutput `json:"selected"`
	Threshold any            `json:"threshold"` // hex, {ticket, weight} in a weighted stratum, or null
}

type rankedOutput struct {
	ID     string `json:"id"`
	Ticket Digest `json:"ticket"`
}

type weightedThreshold struct {
	Ticket Digest `json:"ticket"`
	Weight uint32 `json:"weight"`
}

// JSON writes the result as `draw compute` prints it.
func (r Result) JSON() ([]byte, error) {
	out := outputDocument{
		PlanHash: r.PlanHash, ObjectsRoot: r.Directories.ObjectsRoot,
		InspectorsRoot: r.Directories.InspectorsRoot, IneligibleRoot: r.Directories.IneligibleRoot,
		Freeze: r.Freeze, Contribution: r.Contribution, ChainHash: r.ChainHash,
		Seed: r.Seed, SealedSeed: r.SealedSeed,
		Strata: make(map[string]stratumOutput, len(r.Strata)),
		Order:  r.Assignment.Order, CapPlus: r.Assignment.CapPlus, Assignments: r.Assignment.Inspectors,
	}
	for _, s := range r.Strata {
		out.Strata[s.Name] = s.output()
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	err := enc.Encode(out)
	return b.Bytes(), err
}

func (s Stratum) output() stratumOutput {
	out := stratumOutput{
		Quota: s.Quota, Outright: append([]string{}, s.Outright...),
		Selected: make([]rankedOutput, len(s.Selected)),
	}
	for i, r := range s.Selected {
		out.Selected[i] = rankedOutput{r.ID, r.Key.Ticket}
	}
	switch {
	case s.Threshold == nil:
	case s.Weighted:
		out.Threshold = weightedThreshold{s.Threshold.Ticket, s.Threshold.Weight}
	default:
		out.Threshold = s.Threshold.Ticket
	}
	return out
}
