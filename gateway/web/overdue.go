package web

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// deadline is a due day with the rule that sets it.
type deadline struct {
	metrology.Due
	Late   int               // days since its last day; 0: it is not over
	Source *metrology.Source // of the rule; nil: it cannot be read now
	Draft  bool              // the rule's source was not read in full
}

// deadlines finds the rules behind due days, each once.
type deadlines struct {
	register Register
	today    metrology.Date
	known    map[metrology.RuleReference]*public.Ruleset
}

func (s *Server) deadlines(today metrology.Date) deadlines {
	return deadlines{s.register, today, map[metrology.RuleReference]*public.Ruleset{}}
}

// of explains a due day. A rule that is not there, which the ledger rules out,
// leaves its reference.
func (d deadlines) of(ctx context.Context, due metrology.Due) (deadline, error) {
	explained := deadline{Due: due, Late: daysBetween(due.Last, d.today)}
	rule, asked := d.known[due.Rule]
	if !asked {
		found, err := d.register.Ruleset(ctx, due.Rule.ID, due.Rule.Version)
		switch {
		case err == nil:
			rule = &found
		case metrology.ErrorCode(err) != metrology.CodeNotFound:
			return deadline{}, fmt.Errorf("read rule of a deadline: %w", err)
		}
		d.known[due.Rule] = rule
	}
	if rule == nil {
		return explained, nil
	}
	source := rule.Source
	if rule.Body.Deadline != nil {
		for _, row := range rule.Body.Deadline.Rows {
			if row.Code == due.Code && row.Clause != "" {
				source.Clause = row.Clause
			}
		}
	}
	explained.Source, explained.Draft = &source, rule.Mark != metrology.MarkFirm
	return explained, nil
}

// daysBetween counts the days from one day to a later one; 0 when it is not
// later, or either is none.
func daysBetween(from, to metrology.Date) int {
	const layout = "2006-01-02"
	first, err := time.Parse(layout, string(from))
	if err != nil {
		return 0
	}
	last, err := time.Parse(layout, string(to))
	if err != nil {
		return 0
	}
	return max(0, int(last.Sub(first)/(24*time.Hour)))
}

// overduePage is the body of the public list of what is overdue.
type overduePage struct {
	Inspections []overdueInspection
	Draws       []public.Draw
	Next        string
}

type overdueInspection struct {
	ID      string
	Visited metrology.Date
	Due     deadline
}

func (s *Server) overdue(ctx context.Context, r request) (reply, error) {
	page, err := s.register.OverdueInspections(ctx, public.PageRequest{Cursor: r.text("cursor")}, r.today)
	if err != nil {
		return reply{}, fmt.Errorf("list overdue publications: %w", err)
	}
	var body overduePage
	explain := s.deadlines(r.today)
	for _, i := range page.Items {
		due, err := explain.of(ctx, i.Due)
		if err != nil {
			return reply{}, err
		}
		body.Inspections = append(body.Inspections, overdueInspection{i.ID, i.Visited, due})
	}
	if page.Next != "" {
		body.Next = "/results/overdue?" + url.Values{"cursor": {page.Next}}.Encode()
	}
	if r.text("cursor") == "" {
		if body.Draws, err = s.lateDraws(ctx); err != nil {
			return reply{}, err
		}
	}
	return reply{view: "overdue", title: s.say(r.lang, "overdue.title"), body: body}, nil
}

// lateDraws lists the draws whose result or opening is late.
func (s *Server) lateDraws(ctx context.Context) ([]public.Draw, error) {
	var late []public.Draw
	for _, phase := range []metrology.DrawPhase{metrology.DrawRevealing, metrology.DrawClosed, metrology.DrawSeeded, metrology.DrawSealed} {
		page, err := s.register.Draws(ctx, public.DrawFilter{Phase: string(phase), PageRequest: public.PageRequest{Limit: public.MaxLimit}})
		if err != nil {
			return nil, fmt.Errorf("list draws: %w", err)
		}
		for _, d := range page.Items {
			if d = d.On(s.clock().Unix()); d.Overdue || d.OpeningOverdue {
				late = append(late, d)
			}
		}
	}
	return late, nil
}

// deskOverdue is the body of the list of what an authority is late with.
type deskOverdue struct {
	Cases    []overdueCase
	Draws    []public.Draw
	Verified []public.DueCount // instruments whose verification is over or not recorded, by region
	More     bool              // there are more open inspections than were looked through
}

// Empty reports whether nothing is late.
func (d deskOverdue) Empty() bool { return len(d.Cases)+len(d.Draws)+len(d.Verified) == 0 }

// overdueCase is an inspection whose authority is late.
type overdueCase struct {
	deskCase
	Due deadline
}

// Job is what is late.
func (c overdueCase) Job() string { return nextJob[c.State] }

func (s *Server) deskOverdue(ctx context.Context, v visit) (reply, error) {
	if err := authority(v); err != nil {
		return reply{}, err
	}
	body := deskOverdue{}
	var err error
	if body.Cases, body.More, err = s.lateCases(ctx, v); err != nil {
		return reply{}, err
	}
	if body.Draws, err = s.lateDraws(ctx); err != nil {
		return reply{}, err
	}
	load, err := s.register.VerificationLoad(ctx, v.today)
	if err != nil {
		return reply{}, fmt.Errorf("count overdue verifications: %w", err)
	}
	for _, count := range load {
		if count.Due == "over" || count.Due == "none" {
			body.Verified = append(body.Verified, count)
		}
	}
	return reply{view: "desk-overdue", title: s.say(v.lang, "desk-overdue.title"), body: body}, nil
}

// lateCases lists the inspections that are late, the latest first, of at most
// maxCasesRead.
func (s *Server) lateCases(ctx context.Context, v visit) (late []overdueCase, more bool, err error) {
	const maxCasesRead = 5 * public.MaxLimit
	explain := s.deadlines(v.today)
	request := public.PageRequest{Limit: public.MaxLimit}
	for read := 0; read < maxCasesRead; read += public.MaxLimit {
		page, err := s.desks.Register.OpenInspections(ctx, request, v.today)
		if err != nil {
			return nil, false, fmt.Errorf("list open inspections: %w", err)
		}
		for _, i := range page.Items {
			if !i.Overdue(v.today) {
				continue
			}
			due, err := explain.of(ctx, *i.Due)
			if err != nil {
				return nil, false, err
			}
			late = append(late, overdueCase{deskCase{OpenInspection: i, Mine: i.Post == v.Person.Subject, Late: true}, due})
		}
		if request.Cursor = page.Next; page.Next == "" {
			break
		}
	}
	slices.SortStableFunc(late, func(a, b overdueCase) int { return b.Due.Late - a.Due.Late })
	return late, request.Cursor != "", nil
}
