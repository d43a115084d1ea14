package web

import (
	"context"
	"fmt"
	"net/url"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// resultsPage is the body of the list of published inspections.
type resultsPage struct {
	Region, State string
	States        []metrology.InspectionState
	Inspections   []inspectionView
	Next          string // address of the page that follows
}

// publicStates are those a visitor may filter by.
var publicStates = []metrology.InspectionState{
	metrology.InspectionPublished, metrology.InspectionObjected, metrology.InspectionRetested,
	metrology.InspectionUpheld, metrology.InspectionCorrected,
}

// resultsPerPage keeps a page short on a slow connection.
const resultsPerPage = 20

func (s *Server) results(ctx context.Context, r request) (reply, error) {
	body := resultsPage{Region: r.text("region"), State: r.text("state"), States: publicStates}
	page, err := s.register.Inspections(ctx, public.InspectionFilter{
		Region: body.Region, State: body.State, PageRequest: public.PageRequest{Cursor: r.text("cursor"), Limit: resultsPerPage},
	}, r.today)
	if err != nil {
		return reply{}, fmt.Errorf("list inspections: %w", err)
	}
	body.Inspections = viewInspections(page.Items)
	if page.Next != "" {
		query := url.Values{"region": {body.Region}, "state": {body.State}, "cursor": {page.Next}}
		body.Next = "/results?" + query.Encode()
	}
	return reply{view: "results", title: s.say(r.lang, "results.title"), body: body}, nil
}

// overduePage is the body of the list of inspections whose publication is
// overdue.
type overduePage struct {
	Inspections []public.OverdueInspection
	Next        string
}

func (s *Server) overdue(ctx context.Context, r request) (reply, error) {
	page, err := s.register.OverdueInspections(ctx, public.PageRequest{Cursor: r.text("cursor")}, r.today)
	if err != nil {
		return reply{}, fmt.Errorf("list overdue publications: %w", err)
	}
	body := overduePage{Inspections: page.Items}
	if page.Next != "" {
		body.Next = "/results/overdue?" + url.Values{"cursor": {page.Next}}.Encode()
	}
	return reply{view: "overdue", title: s.say(r.lang, "overdue.title"), body: body}, nil
}

// statusPage is the body of the status page.
type statusPage struct {
	Status    public.Status
	Version   string
	UploadMiB int64
	Today     metrology.Date
}

func (s *Server) status(ctx context.Context, r request) (reply, error) {
	status, err := s.register.Status(ctx)
	if err != nil {
		return reply{}, fmt.Errorf("ask for the status: %w", err)
	}
	body := statusPage{Status: status, Version: s.version, UploadMiB: s.upload >> 20, Today: r.today}
	return reply{view: "status", title: s.say(r.lang, "status.title"), body: body}, nil
}
