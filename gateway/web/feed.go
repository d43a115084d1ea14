package web

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// entriesPerFeed is how many entries one document of a feed holds; the rest
// follows by its link "next" (RFC 5005, 3).
const entriesPerFeed = 50

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

// resultsFeed answers GET /feeds/results.atom: the published inspections, those
// first that changed last.
func (s *Server) resultsFeed(c echo.Context) error {
	r := s.request(c)
	page, err := s.register.LatestInspections(c.Request().Context(), public.PageRequest{Cursor: r.text("cursor"), Limit: entriesPerFeed}, r.today)
	if err != nil {
		return s.fail(r, err)
	}
	words := s.views[r.lang].words
	entries := make([]entry, len(page.Items))
	for i, inspection := range page.Items {
		entries[i] = entry{
			ID:      "inspection:" + inspection.ID,
			Title:   s.say(r.lang, "inspection.title", inspection.ID) + " · " + words.term("inspection-state", inspection.State),
			Updated: inspection.AsOf.Time, Link: link{"alternate", "/v/" + url.PathEscape(inspection.ID)},
			Summary: s.say(r.lang, "inspection.on", inspection.Visited) + " · " + words.term("basis", inspection.Basis.Kind),
		}
	}
	return s.sendFeed(r, feedOf{name: "results", title: "feed.results", about: "/results", next: page.Next}, entries)
}

// drawsFeed answers GET /feeds/draws.atom: the draws, those first whose phase
// changed last.
func (s *Server) drawsFeed(c echo.Context) error {
	r := s.request(c)
	page, err := s.register.LatestDraws(c.Request().Context(), public.PageRequest{Cursor: r.text("cursor"), Limit: entriesPerFeed})
	if err != nil {
		return s.fail(r, err)
	}
	words := s.views[r.lang].words
	entries := make([]entry, len(page.Items))
	for i, draw := range page.Items {
		entries[i] = entry{
			ID: "draw:" + draw.ID, Title: draw.ID + " · " + words.term("phase", draw.Phase), Updated: draw.AsOf.Time,
			Link: link{"alternate", "/draws/" + url.PathEscape(draw.ID)}, Summary: s.drawSummary(r.lang, draw),
		}
	}
	return s.sendFeed(r, feedOf{name: "draws", title: "feed.draws", about: "/draws", next: page.Next}, entries)
}

// drawSummary is what a draw is for and when its round is due, in one line.
func (s *Server) drawSummary(l language, draw public.Draw) string {
	summary := draw.Terms.Title
	if due := s.drawDue(l, draw); due != "" {
		summary += " · " + due
	}
	if draw.RoundTime > 0 {
		summary += " · " + s.say(l, "draws.round") + " " + moment(stampOf(draw.RoundTime))
	}
	if draw.Terms.Demonstration {
		summary += " · " + s.say(l, "draws.demonstration")
	}
	return summary
}

// drawDue says what a draw waits for and until when; empty when no time runs.
func (s *Server) drawDue(l language, draw public.Draw) string {
	due := draw.Due()
	if due <= s.clock().Unix() {
		return ""
	}
	return s.say(l, "feed.due", s.term(l, "draw-due", string(draw.Phase)), moment(stampOf(due)))
}

// feedOf says which feed a document is a part of.
type feedOf struct {
	name  string // of the file
	title string // key of its message
	about string // page that shows the same
	next  string // cursor of the document that follows
}

// sendFeed completes the entries, whose ids and addresses begin at this
// gateway, and sends the document.
func (s *Server) sendFeed(r request, of feedOf, entries []entry) error {
	status, err := s.register.Status(r.Request().Context())
	if err != nil {
		return s.fail(r, err)
	}
	base, ledger := origin(r.Context), "urn:steelyard:"+status.GenesisHash+":"
	for i := range entries {
		entries[i].ID, entries[i].Link.Address = ledger+entries[i].ID, base+entries[i].Link.Address
	}
	self := base + "/feeds/" + of.name + ".atom"
	document := feed{
		Language: r.lang.tag(), ID: ledger + of.name, Title: s.say(r.lang, of.title), Updated: status.LastTime,
		Author: author{s.say(r.lang, "brand.name")}, Links: []link{{"self", self}, {"alternate", base + of.about}}, Entries: entries,
	}
	if of.next != "" {
		document.Links = append(document.Links, link{"next", self + "?" + url.Values{"cursor": {of.next}}.Encode()})
	}
	var out bytes.Buffer
	out.WriteString(xml.Header)
	if err := xml.NewEncoder(&out).Encode(document); err != nil {
		return s.fail(r, fmt.Errorf("encode feed: %w", err))
	}
	return r.Blob(http.StatusOK, "application/atom+xml; charset=utf-8", out.Bytes())
}

// origin is how the visitor reaches this gateway.
func origin(c echo.Context) string { return c.Scheme() + "://" + c.Request().Host }
