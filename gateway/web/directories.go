package web

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// directoriesPage accounts for the directories of a draw: places listed are
// those taken and those left out, each with its reason.
type directoriesPage struct {
	Draw       public.DrawRecord
	Listed     int64
	Taken      int64
	Excluded   []exclusionCount
	Strata     []public.DrawPreviewStratum
	Drawn      int64
	Inspectors int
	Ineligible int
	Infeasible string
}

// exclusionCount is how many places were left out for a reason.
type exclusionCount struct {
	Reason metrology.ExclusionReason
	Count  int64
}

func (s *Server) directories(ctx context.Context, r request) (reply, error) {
	lists, err := s.register.DrawDirectories(ctx, r.Param("id"))
	if err != nil {
		return reply{}, err
	}
	body := directoriesPage{
		Draw: lists.Record, Taken: int64(len(lists.Objects)), Inspectors: len(lists.Inspectors), Ineligible: len(lists.Ineligible),
		Excluded: countExclusions(lists.Exclusions),
	}
	if frozen := lists.Record.Frozen; frozen != nil && len(frozen.Strata) > 0 { // the places stand in a file
		body.Taken = frozen.Objects
		for _, total := range frozen.Strata {
			body.Strata = append(body.Strata, public.DrawPreviewStratum{Stratum: total.Stratum, Objects: total.Objects, Weight: total.Weight})
		}
	} else if body.Taken > 0 {
		preview, err := lists.Preview()
		if err != nil {
			return reply{}, fmt.Errorf("preview draw %s: %w", lists.Record.ID, err)
		}
		body.Strata, body.Drawn, body.Infeasible = preview.Strata, preview.Drawn, preview.Infeasible
	}
	body.Listed = body.Taken + int64(len(lists.Exclusions))
	return reply{view: "directories", title: s.say(r.lang, "directories.title", lists.Record.ID), body: body}, nil
}

func countExclusions(exclusions []metrology.DrawExclusion) []exclusionCount {
	counts := map[metrology.ExclusionReason]int64{}
	for _, e := range exclusions {
		counts[e.Reason]++
	}
	var listed []exclusionCount
	for reason, count := range counts {
		listed = append(listed, exclusionCount{reason, count})
	}
	slices.SortFunc(listed, func(a, b exclusionCount) int { return strings.Compare(string(a.Reason), string(b.Reason)) })
	return listed
}
