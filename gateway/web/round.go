package web

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// roundPage is what an inspector has to visit and what it entered.
type roundPage struct {
	Subject string
	As      string // id in a draw that was asked for
	Visits  []assignment
	Entered []deskCase
}

// assignment is a place that a draw gave to an inspector.
type assignment struct {
	Draw    string
	Site    string
	Rank    int
	Others  []string // ids in the draw of all who go
	Entered string   // inspection that was entered for it and is open; empty: none
}

// Link is the form of the visit, filled in with what the draw says.
func (a assignment) Link() string {
	query := url.Values{"site": {a.Site}, "basis.kind": {string(metrology.BasisDraw)}, "basis.draw": {a.Draw}, "basis.rank": {strconv.Itoa(a.Rank)}}
	for i, inspector := range a.Others {
		query.Set("assigned["+strconv.Itoa(i)+"].inspector", inspector)
	}
	return jobPath + "enterInspection?" + query.Encode()
}

// maxRound bounds how many draws are looked through for assignments.
const maxRound = 20

// inspecting refuses posts that visit no places.
func inspecting(v visit) error {
	if v.Person.Role != string(metrology.RoleInspector) {
		return errNoPage
	}
	return nil
}

// round answers GET /desk/round.
func (s *Server) round(ctx context.Context, v visit) (reply, error) {
	if err := inspecting(v); err != nil {
		return reply{}, err
	}
	body := roundPage{Subject: v.Person.Subject, As: strings.TrimSpace(v.text("as"))}
	open, err := s.desks.Register.OpenInspections(ctx, public.PageRequest{Limit: public.MaxLimit}, v.today)
	if err != nil {
		return reply{}, fmt.Errorf("list open inspections: %w", err)
	}
	for _, i := range open.Items {
		if slices.Contains(i.Inspectors, v.Person.Subject) {
			body.Entered = append(body.Entered, deskCase{OpenInspection: i, Late: i.Overdue(v.today)})
		}
	}
	if body.As != "" {
		if body.Visits, err = s.assignments(ctx, body.As, body.Entered); err != nil {
			return reply{}, err
		}
	}
	return reply{view: "round", title: s.say(v.lang, "round.title"), body: body}, nil
}

// assignments lists the places that the latest draws gave to an inspector under
// the id it has in the draw. Who is behind an id only the authority and the
// inspector know, so that it has to be told here.
func (s *Server) assignments(ctx context.Context, as string, entered []deskCase) ([]assignment, error) {
	latest, err := s.register.LatestDraws(ctx, public.PageRequest{Limit: maxRound})
	if err != nil {
		return nil, fmt.Errorf("list draws: %w", err)
	}
	var visits []assignment
	for _, d := range latest.Items {
		if d.Phase != metrology.DrawDrawn {
			continue
		}
		record, err := s.register.Draw(ctx, d.ID)
		if err != nil {
			return nil, err
		}
		if record.Result == nil || record.Result.Result == nil {
			continue
		}
		strata, err := readResult(record.Result.Result)
		if err != nil {
			return nil, fmt.Errorf("read result of draw %s: %w", d.ID, err)
		}
		for _, stratum := range strata {
			for rank, place := range stratum.Selected {
				if slices.Contains(place.Inspectors, as) {
					visits = append(visits, assignment{Draw: d.ID, Site: place.ID, Rank: rank + 1, Others: place.Inspectors, Entered: enteredFor(entered, d.ID, place.ID)})
				}
			}
		}
	}
	return visits, nil
}

// enteredFor finds the open inspection of a place on the ground of a draw.
func enteredFor(entered []deskCase, draw, site string) string {
	i := slices.IndexFunc(entered, func(c deskCase) bool { return c.Basis.Draw == draw && c.Site == site })
	if i < 0 {
		return ""
	}
	return entered[i].ID
}
