package web

import (
	"context"
	"fmt"
	"net/url"
	"slices"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// roundPage is what an inspector has to visit and what it entered.
type roundPage struct {
	Subject string
	Token   string
	Fault   string       // what is wrong with the file of a visit; empty: nothing
	Visits  []assignment // that draws gave to it, those first that are still to be made
	Entered []deskCase
}

// assignment is a place that a draw gave to an inspector.
type assignment struct {
	public.DrawnVisit
	Place string // name of the site; empty: none is known
	Open  string // inspection that was entered for it and is not published; empty: none
}

// Made reports whether the visit was made.
func (a assignment) Made() bool { return a.Open != "" || a.Inspection != "" }

// Link is the form of the visit, which the draw fills in.
func (a assignment) Link() string {
	return jobPath + operationVisit + "?" + url.Values{"site": {a.Site}, "basis.draw": {a.Draw}}.Encode()
}

// inspecting refuses posts that visit no places.
func inspecting(v visit) error {
	if v.Person.Role != string(metrology.RoleInspector) {
		return errNoPage
	}
	return nil
}

// round answers GET /desk/round.
func (s *Server) round(ctx context.Context, v visit) (reply, error) {
	fault := ""
	if v.stale {
		fault = s.say(v.lang, "form.stale")
	}
	return s.showRound(ctx, v, fault)
}

// showRound shows what an inspector has to visit. fault says what is wrong with
// the file of a visit that was sent.
func (s *Server) showRound(ctx context.Context, v visit, fault string) (reply, error) {
	if err := inspecting(v); err != nil {
		return reply{}, err
	}
	body := roundPage{Subject: v.Person.Subject, Token: v.Token, Fault: fault}
	open, err := s.desks.Register.OpenInspections(ctx, public.PageRequest{Limit: public.MaxLimit}, v.today)
	if err != nil {
		return reply{}, fmt.Errorf("list open inspections: %w", err)
	}
	for _, i := range open.Items {
		if slices.Contains(i.Inspectors, v.Person.Subject) {
			body.Entered = append(body.Entered, deskCase{OpenInspection: i, Late: i.Overdue(v.today)})
		}
	}
	if body.Visits, err = s.assignments(ctx, v, open.Items); err != nil {
		return reply{}, err
	}
	return reply{view: "round", title: s.say(v.lang, "round.title"), body: body, self: "/desk/round"}, nil
}

// assignments lists the places that the latest draws gave to an inspector.
func (s *Server) assignments(ctx context.Context, v visit, open []public.OpenInspection) ([]assignment, error) {
	drawn, err := s.drawnVisits(ctx, v, "")
	if err != nil {
		return nil, err
	}
	visits := make([]assignment, len(drawn))
	for i, d := range drawn {
		visits[i] = assignment{DrawnVisit: d, Open: enteredFor(open, d.Draw, d.Site)}
		place, err := s.register.Site(ctx, d.Site)
		if err != nil && metrology.ErrorCode(err) != metrology.CodeNotFound {
			return nil, fmt.Errorf("find a place to visit: %w", err)
		}
		if err == nil {
			visits[i].Place = nameOf(place.Details, "")
		}
	}
	slices.SortStableFunc(visits, func(a, b assignment) int {
		switch {
		case a.Made() == b.Made():
			return 0
		case b.Made():
			return -1
		}
		return 1
	})
	return visits, nil
}

// enteredFor finds the open inspection of a place on the ground of a draw,
// whoever of those assigned entered it.
func enteredFor(open []public.OpenInspection, draw, site string) string {
	i := slices.IndexFunc(open, func(c public.OpenInspection) bool { return c.Basis.Draw == draw && c.Site == site })
	if i < 0 {
		return ""
	}
	return open[i].ID
}
