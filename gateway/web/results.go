package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// resultsPage is the body of the list of published inspections.
type resultsPage struct {
	Filter      public.InspectionFilter
	Fault       string // what is wrong with the filter; empty: nothing
	States      []metrology.InspectionState
	Inspections []inspectionView
	Export      string // query of the exports, with its question mark; empty for no filter
	Next        string // address of the page that follows
}

// publicStates are those a visitor may filter by.
var publicStates = []metrology.InspectionState{
	metrology.InspectionPublished, metrology.InspectionObjected, metrology.InspectionRetested,
	metrology.InspectionUpheld, metrology.InspectionCorrected,
}

// resultsPerPage keeps a page short on a slow connection.
const resultsPerPage = 20

func (s *Server) results(ctx context.Context, r request) (reply, error) {
	answer := reply{view: "results", title: s.say(r.lang, "results.title")}
	filter, err := resultsFilter(r)
	body := resultsPage{Filter: filter, States: publicStates}
	var page public.Page[public.Inspection]
	if err == nil {
		asked := filter
		asked.PageRequest = public.PageRequest{Cursor: r.text("cursor"), Limit: resultsPerPage}
		page, err = s.register.Inspections(ctx, asked, r.today)
	}
	var mistaken bool
	if body.Fault, mistaken = s.faultOf(r.lang, err); mistaken {
		answer.status, answer.body = http.StatusBadRequest, body // what was entered stays in the form
		return answer, nil
	}
	if err != nil {
		return reply{}, fmt.Errorf("list inspections: %w", err)
	}
	body.Inspections = viewInspections(page.Items)
	query := resultsQuery(filter)
	if len(query) > 0 {
		body.Export = "?" + query.Encode()
	}
	if page.Next != "" {
		query.Set("cursor", page.Next)
		body.Next = "/results?" + query.Encode()
	}
	answer.body = body
	return answer, nil
}

// resultsFilter reads the filters that the page, the table and the interface
// have in common. Unlike the interface the page forgives spaces, and tells of
// filters that nothing can fit.
func resultsFilter(r request) (public.InspectionFilter, error) {
	text := func(name string) string { return strings.TrimSpace(r.text(name)) }
	filter := public.InspectionFilter{
		Region: text("region"), State: text("state"), Site: text("site"), Merchant: text("merchant"),
		From: metrology.Date(text("from")), To: metrology.Date(text("to")),
	}
	switch err := filter.Validate(); {
	case err != nil:
		return filter, err
	case filter.State != "" && !slices.Contains(publicStates, metrology.InspectionState(filter.State)):
		return filter, fault{"fault.state"}
	case filter.From != "" && filter.To != "" && filter.From > filter.To:
		return filter, fault{"fault.order"}
	}
	return filter, nil
}

// resultsQuery writes the filters that are set.
func resultsQuery(f public.InspectionFilter) url.Values {
	query := url.Values{}
	for name, value := range map[string]string{
		"region": f.Region, "state": f.State, "site": f.Site, "merchant": f.Merchant, "from": string(f.From), "to": string(f.To),
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return query
}

// statusPage is the body of the status page.
type statusPage struct {
	Status    public.Status
	Version   string
	UploadMiB int64
	Today     metrology.Date
	Age       time.Duration // of the newest transaction by its submitter's claim; below zero when that is no time
	Data      age
	Items     int // on one page of a list, at most
	Batch     int // certificates in one batch, at most
	Question  int // bytes in the box, at most
}

func (s *Server) status(ctx context.Context, r request) (reply, error) {
	status, err := s.register.Status(ctx)
	if err != nil {
		return reply{}, fmt.Errorf("ask for the status: %w", err)
	}
	body := statusPage{Status: status, Age: -1, Data: s.age(), Version: s.version, UploadMiB: s.upload >> 20, Today: r.today,
		Items: public.MaxLimit, Batch: metrology.MaxBatchLeaves, Question: maxQuestion}
	if last, err := time.Parse(time.RFC3339, status.LastTime); err == nil {
		body.Age = max(0, s.clock().Sub(last))
	}
	return reply{view: "status", title: s.say(r.lang, "status.title"), body: body}, nil
}
