package web

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"sync"

	"github.com/labstack/echo/v4"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// Bounds of what a feed or a statistic reads: the register lists by id, so the
// newest are found among all that fit.
const (
	maxGathered = 2000
	maxEntries  = 50
)

// gathering keeps the published inspections as of one height and day, so that
// a feed or a chart that many ask for reads them once a block.
type gathering struct {
	mu          sync.Mutex
	height      uint64
	day         metrology.Date
	inspections []public.Inspection // nil: nothing was gathered yet
	all         bool
}

// gather lists published inspections up to maxGathered; callers leave the list
// as it is. all is false when there are more.
func (s *Server) gather(ctx context.Context, today metrology.Date) (inspections []public.Inspection, all bool, err error) {
	status, err := s.register.Status(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("ask for the status: %w", err)
	}
	kept := &s.gathered
	kept.mu.Lock()
	defer kept.mu.Unlock()
	if kept.inspections != nil && kept.height == status.Height && kept.day == today {
		return kept.inspections, kept.all, nil
	}
	inspections, all, err = s.readInspections(ctx, today)
	if err != nil {
		return nil, false, err
	}
	kept.height, kept.day, kept.inspections, kept.all = status.Height, today, inspections, all
	return inspections, all, nil
}

func (s *Server) readInspections(ctx context.Context, today metrology.Date) (inspections []public.Inspection, all bool, err error) {
	inspections = []public.Inspection{}
	next := public.PageRequest{Limit: public.MaxLimit}
	for len(inspections) < maxGathered {
		page, err := s.register.Inspections(ctx, public.InspectionFilter{PageRequest: next}, today)
		if err != nil {
			return nil, false, fmt.Errorf("gather inspections: %w", err)
		}
		inspections = append(inspections, page.Items...)
		if page.Next == "" {
			return inspections, true, nil
		}
		next.Cursor = page.Next
	}
	return inspections, false, nil
}

// feed is an Atom document (RFC 4287).
type feed struct {
	XMLName  xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
	Language string   `xml:"xml:lang,attr"`
	ID       string   `xml:"id"`
	Title    string   `xml:"title"`
	Updated  string   `xml:"updated"`
	Author   author   `xml:"author"`
	Links    []link   `xml:"link"`
	Entries  []entry  `xml:"entry"`
}

type author struct {
	Name string `xml:"name"`
}

type link struct {
	Relation string `xml:"rel,attr"`
	Address  string `xml:"href,attr"`
}

type entry struct {
	ID      string `xml:"id"`
	Title   string `xml:"title"`
	Updated string `xml:"updated"`
	Link    link   `xml:"link"`
	Summary string `xml:"summary"`
}

// resultsFeed answers GET /feeds/results.atom: the inspections changed last.
func (s *Server) resultsFeed(c echo.Context) error {
	r := s.request(c)
	ctx := c.Request().Context()
	inspections, _, err := s.gather(ctx, r.today)
	if err != nil {
		return s.fail(r, err)
	}
	status, err := s.register.Status(ctx)
	if err != nil {
		return s.fail(r, err)
	}
	inspections = slices.Clone(inspections)
	sort.SliceStable(inspections, func(i, k int) bool { return inspections[i].AsOf.Block > inspections[k].AsOf.Block })
	base := origin(c)
	document := feed{
		Language: r.lang.tag(), Title: s.say(r.lang, "feed.results"), Updated: status.LastTime, Author: author{s.say(r.lang, "brand.name")},
		ID:    "urn:steelyard:" + status.GenesisHash + ":results",
		Links: []link{{"self", base + "/feeds/results.atom"}, {"alternate", base + "/results"}},
	}
	words := s.views[r.lang].words
	for _, inspection := range inspections[:min(len(inspections), maxEntries)] {
		document.Entries = append(document.Entries, entry{
			ID:      "urn:steelyard:" + status.GenesisHash + ":inspection:" + inspection.ID,
			Title:   s.say(r.lang, "inspection.title", inspection.ID) + " · " + words.term("inspection-state", inspection.State),
			Updated: inspection.AsOf.Time, Link: link{"alternate", base + "/v/" + inspection.ID},
			Summary: s.say(r.lang, "inspection.on", inspection.Visited) + " · " + words.term("basis", inspection.Basis.Kind),
		})
	}
	var out bytes.Buffer
	out.WriteString(xml.Header)
	if err := xml.NewEncoder(&out).Encode(document); err != nil {
		return s.fail(r, fmt.Errorf("encode feed: %w", err))
	}
	return c.Blob(http.StatusOK, "application/atom+xml; charset=utf-8", out.Bytes())
}

// origin is how the visitor reaches this gateway.
func origin(c echo.Context) string { return c.Scheme() + "://" + c.Request().Host }
