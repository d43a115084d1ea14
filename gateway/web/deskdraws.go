package web

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
	"github.com/steelyard-ledger/steelyard/gateway/web/form"
)

// Contribution is an organisation's part of a draw's seed, as the gateway's
// observer makes it: lower-case hex.
type Contribution struct{ Commitment, Secret string }

// activePhases are those in which something is still to be done.
var activePhases = []metrology.DrawPhase{
	metrology.DrawPlanned, metrology.DrawApproved, metrology.DrawFrozen, metrology.DrawCommitting,
	metrology.DrawRevealing, metrology.DrawClosed, metrology.DrawSeeded, metrology.DrawSealed,
}

// pending is the operation that a draw waits for from an organisation; empty:
// none of its own.
func pending(d public.DrawRecord, msp string) string {
	witness := slices.Contains(metrology.DrawWitnesses, msp)
	switch d.Phase {
	case metrology.DrawPlanned:
		if witness && !approved(d, msp, "plan") {
			return "approveDraw"
		}
	case metrology.DrawApproved:
		if msp == d.Terms.Regulator {
			return "freezeDraw"
		}
	case metrology.DrawFrozen:
		if witness && !approved(d, msp, "freeze") {
			return "approveDrawFreeze"
		}
	case metrology.DrawCommitting:
		if !committedBy(d, msp) {
			return "commitToDraw"
		}
	case metrology.DrawRevealing:
		if committedBy(d, msp) && !slices.ContainsFunc(d.Reveals, func(r metrology.DrawReveal) bool { return r.Org == msp }) {
			return "revealToDraw"
		}
	case metrology.DrawClosed:
		if witness && !slices.ContainsFunc(d.Observations, func(o metrology.DrawObservation) bool { return o.Org == msp && o.Time > 0 }) {
			return "observeDraw"
		}
	case metrology.DrawSeeded:
		return "postDraw"
	}
	return ""
}

func approved(d public.DrawRecord, msp, step string) bool {
	return slices.ContainsFunc(d.Approvals, func(a metrology.DrawApproval) bool { return a.Org == msp && a.Step == step })
}

func committedBy(d public.DrawRecord, msp string) bool {
	return slices.ContainsFunc(d.Commitments, func(c metrology.DrawCommitment) bool { return c.Org == msp })
}

// dueOf is when what the present phase asks for has to be done, in seconds since
// 1970; 0: nothing says so. A result is due an hour after its round (draws.md 5).
func dueOf(d public.DrawRecord) int64 {
	if d.Phase == metrology.DrawSeeded && d.RoundTime > 0 {
		return d.RoundTime + public.ResultDue
	}
	return d.Due()
}

// deskDraws is the body of the list of draws at a desk.
type deskDraws struct {
	Draws []public.Draw
	Next  string
	Plan  bool // this desk plans draws
}

func (s *Server) deskDraws(ctx context.Context, v visit) (reply, error) {
	page, err := s.register.Draws(ctx, public.DrawFilter{PageRequest: public.PageRequest{Cursor: v.text("cursor")}})
	if err != nil {
		return reply{}, fmt.Errorf("list draws: %w", err)
	}
	body := deskDraws{Draws: page.Items, Plan: hasJob(v.Person.Role, "planDraw")}
	for i, d := range body.Draws {
		body.Draws[i] = d.On(s.clock().Unix())
	}
	if page.Next != "" {
		body.Next = "/desk/draws?" + url.Values{"cursor": {page.Next}}.Encode()
	}
	return reply{view: "desk-draws", title: s.say(v.lang, "desk-draws.title"), body: body}, nil
}

// deskDraw is the body of one draw at a desk.
type deskDraw struct {
	Draw     public.DrawRecord
	Steps    []drawStep
	Pending  *job // what this organisation has to do; nil: nothing
	Others   []job
	Window   window              // of what has to be done
	Observes bool                // the gateway takes part by itself
	Files    bool                // this post files directories
	Round    bool                // the round's time has come
	Visits   []public.DrawnVisit // to hand out; for the regulator
	More     int                 // visits that are not listed
}

// maxVisitsShown bounds the visits that the page of a draw lists.
const maxVisitsShown = 200

// Directories is the form that files the directories of this draw; empty when
// this is not the time or the post for it.
func (d deskDraw) Directories() string {
	if d.Draw.Phase != metrology.DrawApproved || !d.Files {
		return ""
	}
	return "/desk/file/" + operationDirectories + "?" + url.Values{"id": {d.Draw.ID}}.Encode()
}

// Link is the form of a job for this draw.
func (d deskDraw) Link(j job) string {
	return jobPath + j.Operation + "?" + url.Values{"id": {d.Draw.ID}}.Encode()
}

func (s *Server) deskDraw(ctx context.Context, v visit) (reply, error) {
	record, err := s.register.Draw(ctx, v.Param("id"))
	if err != nil {
		return reply{}, err
	}
	now := s.clock()
	body := deskDraw{Draw: record, Steps: drawSteps(record), Observes: s.desks.Observes, Files: hasJob(v.Person.Role, "fileDrawDirectory"), Round: record.RoundTime > 0 && now.Unix() >= record.RoundTime}
	body.Draw.Draw = record.Draw.On(now.Unix())
	own := pending(record, v.Person.MSP)
	body.Window = windowOf(record, own, now)
	for _, j := range jobs {
		switch {
		case !j.For(v.Person.Role) || !j.fitsDraw(record.Draw.Draw):
		case j.Operation == own:
			body.Pending = &j
		default:
			body.Others = append(body.Others, j)
		}
	}
	if v.Person.Role == string(metrology.RoleRegulator) && (record.Phase == metrology.DrawDrawn || record.Phase == metrology.DrawSealed) {
		if body.Visits, err = s.drawnVisits(ctx, v, record.ID); err != nil {
			return reply{}, err
		}
		body.More = max(0, len(body.Visits)-maxVisitsShown)
		body.Visits = body.Visits[:len(body.Visits)-body.More]
	}
	return reply{view: "desk-draw", title: s.say(v.lang, "draw.title", record.ID), body: body}, nil
}

// fitsDraw reports whether a job can be done to a draw as it stands.
func (j job) fitsDraw(d metrology.Draw) bool {
	if j.Group != groupDraws || j.Sealed && !d.Sealed() {
		return false
	}
	if j.Command == "" {
		return slices.Contains(j.Phases, d.Phase)
	}
	_, legal := metrology.DrawTransitions[d.Phase][metrology.DrawCommand(j.Command)]
	return legal
}

// fillDraw fills in what the register and the observer know of a draw: hashes
// that are agreed to, the contribution seen, this organisation's own part.
func (s *Server) fillDraw(ctx context.Context, v visit, o form.Operation, filled url.Values) error {
	if o.ID == "planDraw" {
		s.suggestPlan(filled)
		return nil
	}
	id := filled.Get(parameterPath("id"))
	if id == "" {
		return nil
	}
	record, err := s.register.Draw(ctx, id)
	if metrology.ErrorCode(err) == metrology.CodeNotFound {
		return nil // the interface says so when the form is sent
	}
	if err != nil {
		return err
	}
	set := func(path, value string) {
		if filled.Get(path) == "" && value != "" {
			filled.Set(path, value)
		}
	}
	switch o.ID {
	case "approveDraw":
		set("hash", record.PlanHash)
	case "approveDrawFreeze":
		set("hash", record.Freeze)
	case "observeDraw":
		if record.Close != nil {
			set("contribution", record.Close.Contribution)
		}
	case "commitToDraw":
		set("commitment", s.desks.Contribution(id, v.Person.MSP).Commitment)
	case "revealToDraw":
		if record.Phase == metrology.DrawRevealing && committedBy(record, v.Person.MSP) {
			set("secret", s.desks.Contribution(id, v.Person.MSP).Secret)
		}
	case "unsealDraw":
		if secret, err := s.desks.Unseal(record.Draw.Draw, record.Escrow, v.Person.MSP); err == nil { // else this gateway does not hold it
			set("secret", secret)
		}
	case "freezeDraw":
		set("round", strconv.FormatInt(nextRound(record, s.clock()), 10))
	}
	return nil
}

// nextRound suggests a round that leaves every step its margin.
func nextRound(d public.DrawRecord, now time.Time) int64 {
	chain := d.Terms.Beacon
	if chain.Period <= 0 {
		return 0
	}
	const margins = 5 // approve, commit, reveal, close, observe
	return (now.Unix()+margins*d.Terms.Margin-chain.GenesisTime)/chain.Period + 2
}
