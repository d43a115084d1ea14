package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
	"github.com/steelyard-ledger/steelyard/gateway/web/form"
)

// deskCases is the body of the list of open inspections.
type deskCases struct {
	Cases []deskCase
	Next  string
}

// deskCase is one of them.
type deskCase struct {
	public.OpenInspection
	Mine bool // this post is in charge
	Late bool
}

// authority refuses everybody but the authority's own posts.
func authority(v visit) error {
	if v.Person.Role != string(metrology.RoleRegulator) {
		return errNoPage
	}
	return nil
}

func (s *Server) deskCases(ctx context.Context, v visit) (reply, error) {
	if err := authority(v); err != nil {
		return reply{}, err
	}
	page, err := s.desks.Register.OpenInspections(ctx, public.PageRequest{Cursor: v.text("cursor")}, v.today)
	if err != nil {
		return reply{}, fmt.Errorf("list open inspections: %w", err)
	}
	var body deskCases
	for _, i := range page.Items {
		body.Cases = append(body.Cases, deskCase{OpenInspection: i, Mine: i.Post == v.Person.Subject, Late: i.Overdue(v.today)})
	}
	if page.Next != "" {
		body.Next = "/desk/cases?" + url.Values{"cursor": {page.Next}}.Encode()
	}
	return reply{view: "desk-cases", title: s.say(v.lang, "desk-cases.title"), body: body}, nil
}

// casePage is the body of one inspection at the authority's desk.
type casePage struct {
	deskCase
	Shown  inspectionView
	Jobs   []job
	Sheets []string // forms that can be printed
	Public bool
}

// Link is the form of a job for this inspection.
func (p casePage) Link(j job) string {
	return jobPath + j.Operation + "?" + url.Values{"id": {p.ID}}.Encode()
}

func (s *Server) deskCase(ctx context.Context, v visit) (reply, error) {
	if err := authority(v); err != nil {
		return reply{}, err
	}
	found, err := s.desks.Register.OpenInspection(ctx, v.Param("id"), v.today)
	if err != nil {
		return reply{}, err
	}
	body := casePage{
		deskCase: deskCase{OpenInspection: found, Mine: found.Post == v.Person.Subject, Late: found.Overdue(v.today)},
		Shown:    viewInspection(found.Inspection), Sheets: sheetForms, Public: found.State.Public(),
	}
	for _, j := range jobs {
		if j.For(v.Person.Role) && j.fitsInspection(found.State) {
			body.Jobs = append(body.Jobs, j)
		}
	}
	return reply{view: "desk-case", title: s.say(v.lang, "desk-case.title", found.ID), body: body}, nil
}

// fitsInspection reports whether a job can be done to an inspection in a state.
func (j job) fitsInspection(state metrology.InspectionState) bool {
	if j.Group != groupInspections {
		return false
	}
	_, legal := metrology.InspectionTransitions[state][metrology.InspectionCommand(j.Command)]
	return legal
}

// sheetForms are the inspection documents, in the order of an inspection:
// approval, notice, on-site record, sampling, inquest, questioning, feedback.
// The Ministry of Justice's trial set of 2025 (行政检查文书基本格式文本) has
// seven; its note names what each must tell, its layout was not at hand.
var sheetForms = []string{"approval", "notice", "record", "sampling", "inquest", "questioning", "feedback"}

// documentPage is the body of a document for printing.
type documentPage struct {
	casePage
	Form  string
	Place *public.Site // nil: not registered any more
	Owner *public.Merchant
	Today metrology.Date
}

// BlankRows are the lines that a document leaves to write on.
func (documentPage) BlankRows() [6]struct{} { return [6]struct{}{} }

// printSheet fills one of the inspection documents with what is recorded; the
// rest is left as lines to write on.
func (s *Server) printSheet(ctx context.Context, v visit) (reply, error) {
	if err := authority(v); err != nil {
		return reply{}, err
	}
	name := v.Param("form")
	if !slices.Contains(sheetForms, name) {
		return reply{}, errNoPage
	}
	found, err := s.desks.Register.OpenInspection(ctx, v.Param("id"), v.today)
	if err != nil {
		return reply{}, err
	}
	body := documentPage{Form: name, Today: v.today, casePage: casePage{deskCase: deskCase{OpenInspection: found}, Shown: viewInspection(found.Inspection)}}
	if place, err := s.register.Site(ctx, found.Site); err == nil {
		body.Place = &place
	}
	if found.Merchant != "" {
		if owner, err := s.register.Merchant(ctx, found.Merchant, v.today); err == nil {
			body.Owner = &owner
		}
	}
	return reply{view: "desk-sheet", title: s.say(v.lang, "desk-sheet."+name), body: body}, nil
}

// fillCorrection fills a correction with the report that stands, so that only
// what was wrong is typed.
func (s *Server) fillCorrection(ctx context.Context, v visit, o form.Operation, filled url.Values) error {
	id := filled.Get(parameterPath("id"))
	if id == "" {
		return nil
	}
	found, err := s.desks.Register.OpenInspection(ctx, id, v.today)
	if metrology.ErrorCode(err) == metrology.CodeNotFound || len(found.Revisions) == 0 {
		return nil // the interface says so when the form is sent
	}
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]any{"inspection": found.Revisions[len(found.Revisions)-1].Body})
	if err != nil {
		return fmt.Errorf("encode report: %w", err)
	}
	values, err := form.Values(o.Fields, body)
	if err != nil {
		return fmt.Errorf("spread report: %w", err)
	}
	for path, value := range values {
		if !filled.Has(path) {
			filled[path] = value
		}
	}
	return nil
}
