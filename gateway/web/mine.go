package web

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// minePage is what a post looks after: its merchants, or the one an organiser
// asked for.
type minePage struct {
	Asked     string // id that was asked for
	Organiser bool   // may ask for any merchant
	Unknown   bool   // there is no merchant of the id asked for
	Merchants []mine
	Others    []string // ids of those that are not shown, each on a page of its own
}

// mine is one merchant with what there is to do for it.
type mine struct {
	ID          string
	Name        string
	Pledges     []public.Pledge
	Due         []dueInstrument // the most pressing first
	More        bool            // not all instruments are shown
	Sites       []public.Site
	Inspections []public.Inspection
}

// dueInstrument is an instrument with what can be done to it now.
type dueInstrument struct {
	public.Instrument
	Jobs []job
}

// maxMine bounds how many merchants of a post are shown on one page.
const maxMine = 20

// tradesman refuses posts that look after no merchants.
func tradesman(v visit) error {
	if !slices.Contains(traders(), metrology.Role(v.Person.Role)) {
		return errNoPage
	}
	return nil
}

// mine answers GET /desk/mine.
func (s *Server) mine(ctx context.Context, v visit) (reply, error) {
	if err := tradesman(v); err != nil {
		return reply{}, err
	}
	body := minePage{Asked: strings.TrimSpace(v.text("merchant")), Organiser: v.Person.Role == string(metrology.RoleAssociation)}
	ids, err := s.principals(ctx, v)
	if err != nil {
		return reply{}, err
	}
	if body.Asked != "" && (body.Organiser || slices.Contains(ids, body.Asked)) {
		ids = []string{body.Asked}
	} else if body.Asked != "" {
		ids, body.Unknown = nil, true
	}
	body.Others = ids[min(len(ids), maxMine):]
	for _, id := range ids[:min(len(ids), maxMine)] {
		one, err := s.lookAfter(ctx, v, id)
		if metrology.ErrorCode(err) == metrology.CodeNotFound {
			body.Unknown = true
			continue
		}
		if err != nil {
			return reply{}, err
		}
		body.Merchants = append(body.Merchants, one)
	}
	return reply{view: "mine", title: s.say(v.lang, "mine.title"), body: body}, nil
}

// lookAfter gathers what there is to do for a merchant.
func (s *Server) lookAfter(ctx context.Context, v visit, id string) (mine, error) {
	merchant, err := s.register.Merchant(ctx, id, v.today)
	if err != nil {
		return mine{}, err
	}
	one := mine{ID: id, Name: nameOf(merchant.Details, id)}
	if one.Pledges, err = s.register.MerchantPledges(ctx, id, v.today); err != nil {
		return mine{}, fmt.Errorf("list pledges: %w", err)
	}
	instruments, err := s.register.Instruments(ctx, public.InstrumentFilter{Merchant: id, PageRequest: public.PageRequest{Limit: public.MaxLimit}}, v.today)
	if err != nil {
		return mine{}, fmt.Errorf("list instruments: %w", err)
	}
	one.More = instruments.Next != ""
	for _, i := range instruments.Items {
		one.Due = append(one.Due, dueInstrument{i, instrumentJobs(v.Person.Role, i.State)})
	}
	slices.SortStableFunc(one.Due, func(a, b dueInstrument) int {
		return cmp.Or(cmp.Compare(pressing(a.Verification), pressing(b.Verification)), cmp.Compare(a.Verification.ValidUntil, b.Verification.ValidUntil))
	})
	sites, err := s.desks.Register.Sites(ctx, public.SiteFilter{Merchant: id})
	if err != nil {
		return mine{}, fmt.Errorf("list places: %w", err)
	}
	one.Sites = sites.Items
	inspections, err := s.register.Inspections(ctx, public.InspectionFilter{Merchant: id}, v.today)
	if err != nil {
		return mine{}, fmt.Errorf("list inspections: %w", err)
	}
	one.Inspections = inspections.Items
	return one, nil
}

// pressing ranks how soon something has to be done about a verification.
func pressing(v public.Verification) int {
	switch v.Status {
	case public.VerificationFailed, public.VerificationExpired, public.VerificationNeeded, public.VerificationNone:
		return 0
	case public.VerificationDueSoon:
		return 1
	case public.VerificationValid:
		return 2
	}
	return 3
}

// instrumentJobs are the jobs that a role can do to an instrument in a state.
func instrumentJobs(role string, state metrology.InstrumentState) []job {
	commands := map[string]metrology.InstrumentCommand{
		"putInUseInstrument": metrology.InstrumentPutInUse, "repairInstrument": metrology.InstrumentRepair,
		"reverifyInstrument": metrology.InstrumentReverify, "retireInstrument": metrology.InstrumentRetire,
	}
	var fitting []job
	for _, j := range jobs {
		command, known := commands[j.Operation]
		if !known || !j.For(role) {
			continue
		}
		if _, legal := metrology.InstrumentTransitions[state][command]; legal {
			fitting = append(fitting, j)
		}
	}
	return fitting
}

// Link is the form of a job for one thing.
func (j job) Link(id string) string {
	return jobPath + j.Operation + "?" + url.Values{"id": {id}}.Encode()
}

// Renewable reports whether a pledge can take another term.
func (mine) Renewable(p public.Pledge) bool {
	_, legal := metrology.PledgeTransitions[p.State][metrology.PledgeRenew]
	return legal && p.Terms[len(p.Terms)-1].Published != ""
}

// Withdrawable reports whether a pledge can be withdrawn.
func (mine) Withdrawable(p public.Pledge) bool {
	_, legal := metrology.PledgeTransitions[p.State][metrology.PledgeWithdraw]
	return legal
}

// Objectable reports whether an inspection can be objected to.
func (mine) Objectable(i public.Inspection) bool {
	_, legal := metrology.InspectionTransitions[i.State][metrology.InspectionObject]
	return legal
}
