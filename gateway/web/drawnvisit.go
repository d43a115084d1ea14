package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// operationVisit enters an inspection.
const operationVisit = "enterInspection"

// drawnVisits asks the interface what a draw gave to this post to visit, or to
// all posts if it is the regulator's. Without a draw it is that of the latest.
func (s *Server) drawnVisits(ctx context.Context, v visit, draw string) ([]public.DrawnVisit, error) {
	path := "/v1/visits"
	if draw != "" {
		path += "?" + url.Values{"draw": {draw}}.Encode()
	}
	answer, err := s.desks.Operations.Run(ctx, v.Person, Operation{Method: http.MethodGet, Path: path})
	if err != nil {
		return nil, fmt.Errorf("list visits: %w", err)
	}
	if answer.Status == http.StatusNotFound {
		return nil, nil // no such draw; the interface says so when the form is sent
	}
	if answer.Status != http.StatusOK {
		return nil, fmt.Errorf("list visits: the interface answered %d", answer.Status)
	}
	var list public.DrawnVisits
	if err := json.Unmarshal(answer.Body, &list); err != nil {
		return nil, fmt.Errorf("read visits: %w", err)
	}
	return list.Visits, nil
}

// drawnGround is what a form says of the draw that it is filled in from.
type drawnGround struct {
	Draw    string
	Rank    string // empty: none
	Sealed  bool
	With    []string // subjects of the others who go
	Unknown bool     // this gateway does not know all of them: they are asked for
}

// fillDrawn fills a form in with what a draw says of a visit.
func fillDrawn(filled url.Values, visit public.DrawnVisit) {
	filled.Set("site", visit.Site)
	filled.Set("basis.kind", string(metrology.BasisDraw))
	filled.Set("basis.draw", visit.Draw)
	if visit.Rank > 0 {
		filled.Set("basis.rank", strconv.Itoa(visit.Rank))
	}
	filled.Set("inspectors", strings.Join(visit.Inspectors, "\n"))
	for i, a := range visit.Assigned {
		at := "assigned[" + strconv.Itoa(i) + "]."
		filled.Set(at+"inspector", a.Inspector)
		filled.Set(at+"salt", a.Salt)
	}
	if len(visit.Leaf) > 0 {
		filled.Set("leaf", string(visit.Leaf))
	}
	suggest(filled, "post", visit.Post)
}

// groundOf reads it back from a form; nil: it was not filled in from a draw.
func groundOf(filled url.Values, subject string) *drawnGround {
	if filled.Get("basis.kind") != string(metrology.BasisDraw) || filled.Get("assigned[0].salt") == "" {
		return nil
	}
	g := &drawnGround{Draw: filled.Get("basis.draw"), Rank: filled.Get("basis.rank"), Sealed: filled.Get("leaf") != ""}
	for i, with := range strings.Split(strings.ReplaceAll(filled.Get("inspectors"), "\r", ""), "\n") {
		switch with = strings.TrimSpace(with); {
		case with == "" || filled.Get("assigned["+strconv.Itoa(i)+"].salt") == "":
			g.Unknown = true
		case with != subject:
			g.With = append(g.With, with)
		}
	}
	return g
}

// drawnHidden are the controls that a draw fills in and nobody types.
func drawnHidden(name string, g *drawnGround) bool {
	return g != nil && (strings.HasPrefix(name, "basis.") || strings.HasPrefix(name, "assigned[") || name == "inspectors" && !g.Unknown)
}

// maxTicket bounds the file of a visit, in bytes: a leaf has a path of some 64
// digits for each doubling of the places drawn.
const maxTicket = 64 << 10

// openTicket answers POST /desk/round: the form of the visit that a file tells
// of, which an authority gave to its inspector.
func (s *Server) openTicket(ctx context.Context, v visit) (reply, error) {
	if err := inspecting(v); err != nil {
		return reply{}, err
	}
	_, content, err := chosenFile(v.request, "ticket")
	if err != nil {
		return reply{}, err
	}
	ticket, fault := readTicket(content, v.Person.Subject)
	if fault != "" {
		answer, err := s.showRound(ctx, v, s.say(v.lang, fault))
		answer.status = http.StatusBadRequest
		return answer, err
	}
	j, o, err := s.jobOf(v, operationVisit)
	if err != nil {
		return reply{}, err
	}
	filled := url.Values{}
	fillDrawn(filled, ticket)
	v.sent = nil // the form is new
	return s.fillJob(ctx, v, o, jobPage{Job: j, Key: newKey(operationVisit)}, filled, nil, http.StatusOK)
}

// readTicket reads the file of a visit; fault is the message that says what is
// wrong with it.
func readTicket(content []byte, subject string) (ticket public.DrawnVisit, fault string) {
	if len(content) == 0 {
		return ticket, "ticket.none"
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if len(content) > maxTicket || decoder.Decode(&ticket) != nil {
		return ticket, "ticket.other"
	}
	if _, err := decoder.Token(); err != io.EOF || ticket.Draw == "" || ticket.Site == "" || len(ticket.Assigned) == 0 {
		return ticket, "ticket.other"
	}
	if len(ticket.Inspectors) != len(ticket.Assigned) || !slices.Contains(ticket.Inspectors, subject) {
		return ticket, "ticket.not-yours"
	}
	return ticket, ""
}

// sendTicket answers GET /desk/draws/{id}/visits/{site}: the file of a visit, to
// be handed to its inspectors where they use another gateway.
func (s *Server) sendTicket(c echo.Context) error {
	r := s.request(c)
	found, signedIn := s.sessionOf(r)
	if !signedIn {
		return c.Redirect(http.StatusSeeOther, deskPath)
	}
	ticket, err := s.findTicket(c.Request().Context(), visit{request: r, Session: found}, c.Param("id"), c.Param("site"))
	if err != nil {
		return s.fail(r, err)
	}
	h := c.Response().Header()
	h.Set(echo.HeaderCacheControl, "private, no-store")
	name := "visit-" + ticket.Draw + "-" + ticket.Site + ".json"
	h.Set(echo.HeaderContentDisposition, mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	return c.JSON(http.StatusOK, ticket)
}

func (s *Server) findTicket(ctx context.Context, v visit, id, site string) (public.DrawnVisit, error) {
	if v.Person.Role != string(metrology.RoleRegulator) {
		return public.DrawnVisit{}, errNoPage
	}
	visits, err := s.drawnVisits(ctx, v, id)
	if err != nil {
		return public.DrawnVisit{}, err
	}
	i := slices.IndexFunc(visits, func(d public.DrawnVisit) bool { return d.Site == site })
	if i < 0 {
		return public.DrawnVisit{}, errNoPage
	}
	return visits[i], nil
}
