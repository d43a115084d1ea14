package web

import (
	"context"
	"fmt"
	"net/url"
	"slices"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// DeskRegister is the part of the register that only desks read.
type DeskRegister interface {
	OpenInspections(ctx context.Context, page public.PageRequest, today metrology.Date) (public.Page[public.OpenInspection], error)
	OpenInspection(ctx context.Context, id string, today metrology.Date) (public.OpenInspection, error)
	Rulesets(ctx context.Context, page public.PageRequest) (public.Page[public.Ruleset], error)
	// WaitingPledges are those whose latest term awaits publication.
	WaitingPledges(ctx context.Context, page public.PageRequest, today metrology.Date) (public.Page[public.Pledge], error)
	Sites(ctx context.Context, f public.SiteFilter) (public.Page[public.Site], error)
	// Principals are the merchants or issuers that a post acts for.
	Principals(ctx context.Context, msp, subject string, kind metrology.PrincipalKind) ([]string, error)
}

// task is something that waits for a post.
type task struct {
	Job  string // message that names what is to be done
	ID   string // of what it is to be done to
	Link string // page where it is done
	Due  string // date or stamp by when; empty: none is known
	Late bool
}

// maxTasks bounds what is looked through for tasks of one kind.
const maxTasks = 50

// tasks lists what waits for a post.
func (s *Server) tasks(ctx context.Context, v visit) ([]task, error) {
	all, err := s.drawTasks(ctx, v)
	if err != nil {
		return nil, err
	}
	pledges, err := s.pledgeTasks(ctx, v)
	if err != nil {
		return nil, err
	}
	all = append(all, pledges...)
	if v.Person.Role == string(metrology.RoleRegulator) {
		cases, err := s.caseTasks(ctx, v)
		if err != nil {
			return nil, err
		}
		return append(all, cases...), nil
	}
	rules, err := s.ruleTasks(ctx, v)
	return append(all, rules...), err
}

// nextJob is what an open inspection waits for.
var nextJob = map[metrology.InspectionState]string{
	metrology.InspectionEntered: "reviewInspection", metrology.InspectionReviewed: "publishInspection",
	metrology.InspectionObjected: "upholdInspection", metrology.InspectionRetested: "upholdInspection",
}

// caseTasks lists the inspections that a regulator's post has to deal with.
func (s *Server) caseTasks(ctx context.Context, v visit) ([]task, error) {
	open, err := s.desks.Register.OpenInspections(ctx, public.PageRequest{Limit: maxTasks}, v.today)
	if err != nil {
		return nil, fmt.Errorf("list open inspections: %w", err)
	}
	var tasks []task
	for _, i := range open.Items {
		if i.Post != v.Person.Subject && i.State != metrology.InspectionEntered {
			continue // the post in charge decides
		}
		t := task{Job: "job." + nextJob[i.State], ID: i.ID, Link: "/desk/cases/" + url.PathEscape(i.ID), Late: i.Overdue(v.today)}
		if i.Due != nil {
			t.Due = string(i.Due.Last)
		}
		tasks = append(tasks, t)
	}
	return tasks, nil
}

// ruleTasks lists the rules that wait for a second organisation.
func (s *Server) ruleTasks(ctx context.Context, v visit) ([]task, error) {
	const operation = "approveRuleset"
	if !hasJob(v.Person.Role, operation) {
		return nil, nil
	}
	rules, err := s.desks.Register.Rulesets(ctx, public.PageRequest{Limit: public.MaxLimit})
	if err != nil {
		return nil, fmt.Errorf("list rules: %w", err)
	}
	var tasks []task
	for _, r := range rules.Items {
		if r.State == metrology.RulesetProposed || r.State == metrology.RulesetRepealing {
			query := url.Values{"id": {r.ID}, "version": {fmt.Sprint(r.Version)}}
			tasks = append(tasks, task{Job: "job." + operation, ID: fmt.Sprintf("%s/%d", r.ID, r.Version), Link: jobPath + operation + "?" + query.Encode()})
		}
	}
	return tasks, nil
}

// drawTasks lists what an organisation has to do for draws.
func (s *Server) drawTasks(ctx context.Context, v visit) ([]task, error) {
	var tasks []task
	for _, phase := range activePhases {
		draws, err := s.register.Draws(ctx, public.DrawFilter{Phase: string(phase), PageRequest: public.PageRequest{Limit: maxTasks}})
		if err != nil {
			return nil, fmt.Errorf("list draws: %w", err)
		}
		for _, d := range draws.Items {
			record, err := s.register.Draw(ctx, d.ID)
			if err != nil {
				return nil, err
			}
			operation := pending(record, v.Person.MSP)
			if hasJob(v.Person.Role, operation) {
				tasks = append(tasks, task{Job: "job." + operation, ID: d.ID, Link: "/desk/draws/" + url.PathEscape(d.ID), Due: stampOf(dueOf(record))})
			}
		}
	}
	return tasks, nil
}

func hasJob(role, operation string) bool {
	return slices.ContainsFunc(jobs, func(j job) bool { return j.Operation == operation && j.For(role) })
}
