package web

import (
	"context"
	"fmt"
	"net/url"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// operationPublish puts a pledge's latest term on the public list.
const operationPublish = "publishPledge"

// waitingPage is the body of the list of pledges that await publication.
type waitingPage struct {
	Pledges []waitingPledge
	Next    string
}

// waitingPledge is one of them.
type waitingPledge struct {
	public.Pledge
	Name string // of the merchant, or its id
}

// Latest is the term that awaits publication.
func (p waitingPledge) Latest() metrology.PledgeTerm { return p.Terms[len(p.Terms)-1] }

// Renewed reports whether an earlier term was published.
func (p waitingPledge) Renewed() bool { return len(p.Terms) > 1 }

// Link is the form that publishes it.
func (p waitingPledge) Link() string { return publishLink(p.ID) }

func publishLink(id string) string {
	return jobPath + operationPublish + "?" + url.Values{"id": {id}}.Encode()
}

// deskPledges answers GET /desk/pledges.
func (s *Server) deskPledges(ctx context.Context, v visit) (reply, error) {
	if !hasJob(v.Person.Role, operationPublish) {
		return reply{}, errNoPage
	}
	page, err := s.desks.Register.WaitingPledges(ctx, public.PageRequest{Cursor: v.text("cursor")}, v.today)
	if err != nil {
		return reply{}, fmt.Errorf("list pledges that await publication: %w", err)
	}
	var body waitingPage
	for _, p := range page.Items {
		merchant, err := s.register.Merchant(ctx, p.Merchant, v.today)
		if err != nil && metrology.ErrorCode(err) != metrology.CodeNotFound {
			return reply{}, fmt.Errorf("find the merchant of a pledge: %w", err)
		}
		body.Pledges = append(body.Pledges, waitingPledge{p, nameOf(merchant.Details, p.Merchant)})
	}
	if page.Next != "" {
		body.Next = "/desk/pledges?" + url.Values{"cursor": {page.Next}}.Encode()
	}
	return reply{view: "desk-pledges", title: s.say(v.lang, "desk-pledges.title"), body: body}, nil
}

// maxPledgeTasks bounds the pledges that a desk's first page lists; all stand on
// a page of their own.
const maxPledgeTasks = 5

// pledgeTasks lists the pledges that await publication.
func (s *Server) pledgeTasks(ctx context.Context, v visit) ([]task, error) {
	if !hasJob(v.Person.Role, operationPublish) {
		return nil, nil
	}
	page, err := s.desks.Register.WaitingPledges(ctx, public.PageRequest{Limit: maxPledgeTasks}, v.today)
	if err != nil {
		return nil, fmt.Errorf("list pledges that await publication: %w", err)
	}
	var tasks []task
	for _, p := range page.Items {
		tasks = append(tasks, task{Job: "job." + operationPublish, ID: p.ID, Link: publishLink(p.ID)})
	}
	return tasks, nil
}
