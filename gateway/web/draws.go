package web

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
	"github.com/steelyard-ledger/steelyard/gateway/verdict"
)

// DrawRegister is the part of the public register that holds draws.
type DrawRegister interface {
	LatestDraws(ctx context.Context, page public.PageRequest) (public.Page[public.Draw], error)
	Draws(ctx context.Context, f public.DrawFilter) (public.Page[public.Draw], error)
	Draw(ctx context.Context, id string) (public.DrawRecord, error)
	DrawDirectories(ctx context.Context, id string) (public.DrawDirectories, error)
}

// drawsPage is the body of the list of draws.
type drawsPage struct {
	Upcoming []public.Draw // whose round is not due yet, the next one first; on the first page only
	Draws    []public.Draw
	Next     string // address of the page that follows
}

func (s *Server) draws(ctx context.Context, r request) (reply, error) {
	page, err := s.register.Draws(ctx, public.DrawFilter{PageRequest: public.PageRequest{Cursor: r.text("cursor")}})
	if err != nil {
		return reply{}, fmt.Errorf("list draws: %w", err)
	}
	for i, d := range page.Items {
		page.Items[i] = d.On(s.clock().Unix())
	}
	body := drawsPage{Draws: page.Items}
	if page.Next != "" {
		body.Next = "/draws?" + url.Values{"cursor": {page.Next}}.Encode()
	}
	if r.text("cursor") == "" {
		if body.Upcoming, err = s.upcoming(ctx); err != nil {
			return reply{}, err
		}
	}
	return reply{view: "draws", title: s.say(r.lang, "draws.title"), body: body}, nil
}

// upcoming lists the draws that wait for their round, by its time.
func (s *Server) upcoming(ctx context.Context) ([]public.Draw, error) {
	page, err := s.register.LatestDraws(ctx, public.PageRequest{Limit: public.MaxLimit})
	if err != nil {
		return nil, fmt.Errorf("list draws: %w", err)
	}
	now := s.clock().Unix()
	waiting := slices.DeleteFunc(slices.Clone(page.Items), func(d public.Draw) bool {
		return d.RoundTime <= now || d.Phase == metrology.DrawCancelled || d.Phase == metrology.DrawVoid
	})
	slices.SortFunc(waiting, func(a, b public.Draw) int { return cmp.Compare(a.RoundTime, b.RoundTime) })
	return waiting, nil
}

// drawPage is the body of one draw's page.
type drawPage struct {
	Draw   public.DrawRecord
	Steps  []drawStep
	Wait   time.Duration // until the round is due; not above zero when it is, or none is set
	Await  bool          // the round is due and nobody has brought it
	Strata []stratum
	Posted *public.Posted     // of a large draw; nil: none
	Site   string             // that was asked for
	Fault  string             // what is wrong with it; empty: nothing
	Round  string             // what is wrong with the round that was brought; empty: nothing
	Ticket *public.DrawTicket // the answer; nil when none was asked for or can be given
	Tone   verdict.Tone       // of the answer
}

// Checks names the steps that the page's script checks, in their order.
func (drawPage) Checks() []string {
	return []string{
		"plan", "plan approval", "directories", "freeze", "freeze approval", "commitments", "reveals", "close", "observations", "beacon",
		"seed", "selection", "assignment", "sealed leaves", "substitutions", "ledger",
	}
}

// drawStep is one thing that an organisation did for a draw.
type drawStep struct {
	Key    string // message that names it
	Org    string
	Time   string // RFC 3339, the submitter's claim
	Digest string
}

// stratum is one stratum of a result.
type stratum struct {
	Name      string
	Outright  []string
	Selected  []selected
	Threshold string
}

// selected is a place drawn, with those who visit it.
type selected struct {
	ID         string `json:"id"`
	Ticket     string `json:"ticket"`
	Inspectors []string
}

func (s *Server) draw(ctx context.Context, r request) (reply, error) {
	record, err := s.register.Draw(ctx, r.Param("id"))
	if err != nil {
		return reply{}, err
	}
	body, err := s.drawPage(record)
	if err != nil {
		return reply{}, err
	}
	if body.Posted, err = s.posted(ctx, record); err != nil {
		return reply{}, err
	}
	answer := reply{view: "draw", title: s.say(r.lang, "draw.title", record.ID)}
	if body.Site = askedSite(r.text("site")); body.Site != "" {
		if body.Ticket, err = s.ticket(ctx, record.ID, body.Site); err != nil {
			var mistaken bool
			if body.Fault, mistaken = s.faultOf(r.lang, err); !mistaken {
				return reply{}, err
			}
			answer.status = http.StatusBadRequest
		}
		body.Tone = verdict.Neutral // to be drawn says nothing about anybody
	}
	answer.body = body
	return answer, nil
}

// drawPage shows a draw as it stands now.
func (s *Server) drawPage(record public.DrawRecord) (drawPage, error) {
	record.Draw = record.Draw.On(s.clock().Unix())
	body := drawPage{Draw: record, Steps: drawSteps(record)}
	if record.RoundTime > 0 {
		body.Wait = time.Unix(record.RoundTime, 0).Sub(s.clock()).Round(time.Second)
		body.Await = record.Phase == metrology.DrawClosed && s.clock().Unix() >= record.RoundTime
	}
	if record.Result != nil && record.Result.Result != nil {
		strata, err := readResult(record.Result.Result)
		if err != nil {
			return drawPage{}, fmt.Errorf("read result of draw %s: %w", record.ID, err)
		}
		body.Strata = strata
	}
	return body, nil
}

// askedSite reads a place's identifier as visitors type it: with spaces around,
// in small letters, in full-width forms. Identifiers of places have neither.
func askedSite(text string) string { return strings.ToUpper(strings.TrimSpace(halfWidth(text))) }

// ticket answers whether a place was drawn.
func (s *Server) ticket(ctx context.Context, id, site string) (*public.DrawTicket, error) {
	lists, err := s.register.DrawDirectories(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read directories: %w", err)
	}
	ticket, err := public.NewDrawTicket(lists, site)
	if err != nil {
		return nil, err
	}
	return &ticket, nil
}

// bringRound takes the round's signature by hand from whoever has it. A wrong
// one is told on the draw's page; whoever comes too late, or twice, is led there.
func (s *Server) bringRound(ctx context.Context, r request) (reply, error) {
	id := r.Param("id")
	self := "/draws/" + url.PathEscape(id)
	err := s.rounds.BringRound(ctx, id, strings.ToLower(strings.TrimSpace(r.FormValue("signature"))))
	if metrology.ErrorCode(err) == metrology.CodeState {
		return reply{to: self}, nil
	}
	words, mistaken := s.faultOf(r.lang, err)
	if !mistaken {
		return reply{to: self}, err
	}
	record, err := s.register.Draw(ctx, id)
	if err != nil {
		return reply{}, err
	}
	body, err := s.drawPage(record)
	body.Round = words
	return reply{view: "draw", title: s.say(r.lang, "draw.title", id), status: http.StatusBadRequest, body: body, self: self}, err
}

// broughtRound leads whoever comes back to the address of the form to the draw.
func (s *Server) broughtRound(_ context.Context, r request) (reply, error) {
	return reply{to: "/draws/" + url.PathEscape(r.Param("id"))}, nil
}

// drawSteps lists what was done for a draw, in the order of its definition.
func drawSteps(d public.DrawRecord) []drawStep {
	var steps []drawStep
	add := func(key, org string, seconds int64, digest string) {
		steps = append(steps, drawStep{key, org, stampOf(seconds), digest})
	}
	add("draw-step.planned", d.Terms.Regulator, d.Filed, d.PlanHash)
	if d.Escrowed > 0 {
		add("draw-step.escrowed", metrology.NotaryMSP, d.Escrowed, d.Terms.Seal)
	}
	for _, a := range d.Approvals {
		if a.Step == "plan" {
			add("draw-step.plan-approved", a.Org, a.Time, a.Hash)
		}
	}
	if d.Frozen != nil {
		add("draw-step.frozen", d.Terms.Regulator, d.Frozen.Time, d.Frozen.Freeze)
	}
	for _, a := range d.Approvals {
		if a.Step != "plan" {
			add("draw-step.freeze-approved", a.Org, a.Time, a.Hash)
		}
	}
	for _, c := range d.Commitments {
		add("draw-step.committed", c.Org, c.Time, c.Commitment)
	}
	for _, v := range d.Reveals {
		add("draw-step.revealed", v.Org, v.Time, v.Secret)
	}
	if d.Close != nil {
		add("draw-step.closed", d.Terms.Regulator, d.Close.Time, d.Close.Contribution)
		for _, org := range d.Close.Withheld {
			add("draw-step.withheld", org, d.Close.Time, "")
		}
	}
	for _, o := range d.Observations {
		if o.Time > 0 {
			add("draw-step.observed", o.Org, o.Time, o.Contribution)
		}
	}
	if d.Beacon != nil {
		add("draw-step.seeded", "", d.Beacon.Time, d.Beacon.Signature)
	}
	for _, l := range d.Leaves {
		add("draw-step.leaves", l.Org, l.Time, l.Root)
	}
	if d.Opening != nil {
		add("draw-step.unsealed", d.Opening.Org, d.Opening.Time, d.Opening.Secret)
	}
	if d.Result != nil {
		add("draw-step.result", "", d.Result.Time, "")
	}
	return steps
}

// stampOf is a stamp of seconds since 1970, empty for none.
func stampOf(seconds int64) string {
	if seconds == 0 {
		return ""
	}
	return time.Unix(seconds, 0).UTC().Format(time.RFC3339)
}

// readResult reads the strata and assignments of a result as `draw compute`
// writes it, in the order of their names.
func readResult(raw json.RawMessage) ([]stratum, error) {
	var result struct {
		Strata map[string]struct {
			Outright  []string        `json:"outright"`
			Selected  []selected      `json:"selected"`
			Threshold json.RawMessage `json:"threshold"`
		} `json:"strata"`
		Assignments map[string][]string `json:"assignments"`
	}
	if err := json.Unmarshal(raw, &result); err != nil {
		return nil, err
	}
	var strata []stratum
	for _, name := range slices.Sorted(maps.Keys(result.Strata)) {
		from := result.Strata[name]
		for i := range from.Selected {
			from.Selected[i].Inspectors = result.Assignments[from.Selected[i].ID]
		}
		threshold := strings.Trim(string(from.Threshold), `"`)
		if threshold == "null" {
			threshold = ""
		}
		strata = append(strata, stratum{name, from.Outright, from.Selected, threshold})
	}
	return strata, nil
}

// drawTone is how a phase may be shown: a draw is never good or bad, but one
// that was broken off is worth a look.
func drawTone(phase metrology.DrawPhase) verdict.Tone {
	switch phase {
	case metrology.DrawCancelled, metrology.DrawVoid, metrology.DrawInfeasible:
		return verdict.Caution
	}
	return verdict.Neutral
}
