package public

import (
	"errors"
	"fmt"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
)

// DrawPreview is what a plan would draw from directories, before the freeze.
type DrawPreview struct {
	Strata     []DrawPreviewStratum `json:"strata"`
	Drawn      int64                `json:"drawn"`
	Infeasible string               `json:"infeasible,omitempty"` // the slots that could stay unfilled, and who could fill them; the freeze would be refused
}

// DrawPreviewStratum is one stratum of a preview.
type DrawPreviewStratum struct {
	Stratum string `json:"stratum"`
	Objects int64  `json:"objects"`
	Weight  int64  `json:"weight"` // the sum of weights
	Drawn   int64  `json:"drawn"`
}

// Preview says what the plan would draw, and whether a freeze would be refused
// because its slots could stay unfilled. It is the check of the contract.
func (d DrawDirectories) Preview() (DrawPreview, error) {
	preview := DrawPreview{Strata: []DrawPreviewStratum{}}
	plan, err := draw.ParsePlan(d.Record.Plan)
	if err != nil {
		return preview, fmt.Errorf("read plan: %w", err)
	}
	objects, inspectors, ineligible, err := d.readLists()
	if err != nil {
		return preview, err
	}
	survey := draw.NewSurvey()
	if err := survey.AddAll(objects); err != nil {
		return preview, fmt.Errorf("read objects: %w", err)
	}
	sums := survey.Sums()
	drawn, err := plan.Drawn(sums)
	var rule *draw.Error
	if errors.As(err, &rule) {
		preview.Infeasible = rule.Error()
		return preview, nil
	}
	if err != nil {
		return preview, err
	}
	preview.Drawn = int64(drawn)
	for _, sum := range sums {
		count := uint64(0)
		for _, quota := range plan.Quotas {
			if quota.Stratum == sum.Stratum {
				count, _ = quota.Of(sum.Objects) // was fine above
			}
		}
		preview.Strata = append(preview.Strata, DrawPreviewStratum{sum.Stratum, int64(sum.Objects), int64(sum.Weight), int64(count)})
	}
	err = draw.CheckFeasible(plan, drawn, objects, inspectors, ineligible)
	if errors.As(err, &rule) {
		preview.Infeasible = rule.Error()
		return preview, nil
	}
	return preview, err
}
