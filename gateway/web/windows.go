package web

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// window is a step of a draw while its time runs. What is not on the ledger in
// time is missing from the draw, so every page of a desk reminds of it.
type window struct {
	Operation string // that is waited for; empty: none of this organisation's
	Draw      string
	Due       string        // RFC 3339; empty: nothing says when
	Left      time.Duration // until then; not above zero: it is past
	Last      string        // RFC 3339: when it is past, until when it may still be done; empty: never any more
}

// Title is the message that names the step.
func (w window) Title() string { return "job." + w.Operation }

// Link is the page of the desk where it is done.
func (w window) Link() string { return "/desk/draws/" + url.PathEscape(w.Draw) }

// windowOf is the time that a draw's present phase leaves for an operation.
func windowOf(d public.DrawRecord, operation string, now time.Time) window {
	w := window{Operation: operation, Draw: d.ID}
	due := dueOf(d)
	if due == 0 {
		return w
	}
	w.Due, w.Left = stampOf(due), time.Unix(due, 0).Sub(now).Truncate(time.Second)
	last := d.Deadline()
	if d.Phase == metrology.DrawSeeded { // a late result is still one
		last = 0
	}
	if w.Left <= 0 && now.Unix() < last {
		w.Last = stampOf(last)
	}
	return w
}

// timedPhases are those whose steps have their time.
var timedPhases = []metrology.DrawPhase{metrology.DrawFrozen, metrology.DrawCommitting, metrology.DrawRevealing, metrology.DrawClosed, metrology.DrawSeeded}

// reminds reports whether a post takes part in draws, so that its pages remind
// of them.
func reminds(role string) bool {
	return hasJob(role, "approveDrawFreeze") || hasJob(role, "commitToDraw") || hasJob(role, "observeDraw")
}

// windows lists the steps that wait for a post while their time runs, the most
// urgent first.
func (s *Server) windows(ctx context.Context, v visit) ([]window, error) {
	if !reminds(v.Person.Role) {
		return nil, nil
	}
	var all []window
	for _, phase := range timedPhases {
		draws, err := s.register.Draws(ctx, public.DrawFilter{Phase: string(phase), PageRequest: public.PageRequest{Limit: maxTasks}})
		if err != nil {
			return nil, fmt.Errorf("list draws: %w", err)
		}
		for _, d := range draws.Items {
			record, err := s.register.Draw(ctx, d.ID)
			if err != nil {
				return nil, fmt.Errorf("read draw %s: %w", d.ID, err)
			}
			operation := pending(record, v.Person.MSP)
			if w := windowOf(record, operation, s.clock()); w.Due != "" && hasJob(v.Person.Role, operation) {
				all = append(all, w)
			}
		}
	}
	slices.SortFunc(all, func(a, b window) int { return cmp.Compare(a.Due, b.Due) })
	return all, nil
}

// reminder is what the pages of a desk say of the time that runs.
type reminder struct {
	Windows []window
	Now     string // RFC 3339, by the gateway's clock: a visitor's may be wrong
}

// remind completes a desk's page. A register that cannot be read now is told by
// the page itself, if it needs it.
func (s *Server) remind(ctx context.Context, v visit, answer reply) reply {
	answer.desk = &v.Session
	if answer.to != "" || answer.view == "" || !reminds(v.Person.Role) {
		return answer
	}
	windows, err := s.windows(ctx, v)
	if err != nil {
		s.log.WarnContext(ctx, "list what time runs for", "request", requestID(v.request), "error", err)
		return answer
	}
	answer.reminder = &reminder{Windows: windows, Now: s.clock().UTC().Format(time.RFC3339)}
	return answer
}

// deskWindows shows what time runs for. The script of other pages asks for it
// again and again, so that it does not count as using the session.
func (s *Server) deskWindows(ctx context.Context, r request) (reply, error) {
	private(r)
	found, signedIn := s.peekSession(r)
	if !signedIn {
		return s.askToSignIn(r, r.Request().URL.RequestURI(), nil), nil
	}
	v := visit{request: r, Session: found}
	if !reminds(v.Person.Role) {
		return reply{desk: &found}, errNoPage
	}
	windows, err := s.windows(ctx, v)
	answer := reply{view: "desk-windows", title: s.say(r.lang, "windows.title"), body: windows}
	return s.remind(ctx, v, answer), err
}
