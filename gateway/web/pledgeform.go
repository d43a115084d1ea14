package web

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
	"github.com/steelyard-ledger/steelyard/gateway/web/form"
)

// pledgeAid is what the form of a pledge shows: first what can be promised,
// then, once it was chosen, the text in full with its digest.
type pledgeAid struct {
	Merchants  []string // that the post acts for
	Programmes []metrology.ProgrammeRow
	Choices    []pledgeChoice
	Roles      []metrology.SignatoryRole
	Renews     bool
	Text       string // what is signed; empty: not chosen yet
	Reading    string // the same in the visitor's language, for reading only; empty: that is the text
	Digest     string
	Hidden     []kept            // members of the request
	Wrong      map[string]string // what is missing of the choice, by control
}

// pledgeChoice is one commitment that may be promised.
type pledgeChoice struct {
	Rule   metrology.CommitmentRule
	Chosen bool
	Must   bool // the programme asks for it
	Value  string
}

// The controls of the choice that are not members of the request.
const (
	pickCommitment = "promise"  // code, one per commitment
	pickValue      = "promise:" // before a code: its value
	pickChosen     = "chosen"   // the choice was made
)

const signatureRole = "signature.role"

// aidPledge prepares the form of signing or renewing a pledge.
func (s *Server) aidPledge(ctx context.Context, v visit, o form.Operation, filled url.Values) (any, error) {
	aid := &pledgeAid{Renews: o.ID == "renewPledge", Wrong: map[string]string{}}
	var err error
	if aid.Merchants, err = s.principals(ctx, v); err != nil {
		return nil, err
	}
	rule, found, err := s.programmes(ctx, v.today)
	if err != nil {
		return nil, err
	}
	if !found {
		return aid, nil
	}
	aid.Programmes = rule.Body.Programme.Rows
	if aid.Renews {
		if err := s.fillRenewal(ctx, v, filled); err != nil {
			return nil, err
		}
	}
	suggestTerm(v, aid, filled)
	aid.choices(filled)
	term, chosen := aid.term(s, v, filled)
	if !chosen {
		return aid, nil
	}
	term.Rule = rule.Reference()
	aid.compose(s, v, filled, term)
	return aid, nil
}

// principals are the merchants that the visitor's post acts for.
func (s *Server) principals(ctx context.Context, v visit) ([]string, error) {
	ids, err := s.desks.Register.Principals(ctx, v.Person.MSP, v.Person.Subject, metrology.PrincipalMerchant)
	if err != nil {
		return nil, fmt.Errorf("list the merchants of this post: %w", err)
	}
	return ids, nil
}

// programmes finds the newest rules of pledge programmes in force on a day.
func (s *Server) programmes(ctx context.Context, day metrology.Date) (newest metrology.Ruleset, found bool, err error) {
	page, err := s.desks.Register.Rulesets(ctx, public.PageRequest{Limit: public.MaxLimit})
	if err != nil {
		return newest, false, fmt.Errorf("list rules: %w", err)
	}
	for _, r := range page.Items {
		if r.Kind == metrology.RulesetProgramme && r.Body.Programme != nil && r.Approved() && r.EffectiveOn(day) && (!found || r.Version > newest.Version) {
			newest, found = r.Ruleset, true
		}
	}
	return newest, found, nil
}

// fillRenewal fills a renewal in with the term that ends, the day after it.
func (s *Server) fillRenewal(ctx context.Context, v visit, filled url.Values) error {
	merchant, id := filled.Get("merchant"), filled.Get(parameterPath("id"))
	if merchant == "" || id == "" {
		return nil
	}
	pledges, err := s.register.MerchantPledges(ctx, merchant, v.today)
	if err != nil {
		return fmt.Errorf("find the pledge to renew: %w", err)
	}
	i := slices.IndexFunc(pledges, func(p public.Pledge) bool { return p.ID == id })
	if i < 0 || len(pledges[i].Terms) == 0 {
		return nil
	}
	last := pledges[i].Terms[len(pledges[i].Terms)-1]
	suggest(filled, "programme", pledges[i].Programme)
	suggest(filled, "from", string(latest(last.Until.AddDays(1), v.today)))
	suggest(filled, "months", strconv.Itoa(last.Months))
	suggest(filled, signatureRole, string(last.Signature.Role))
	if filled.Get(pickChosen) == "" && !filled.Has(pickCommitment) {
		for _, c := range last.Commitments {
			filled.Add(pickCommitment, string(c.Code))
			if c.Value != 0 {
				filled.Set(pickValue+string(c.Code), strconv.Itoa(c.Value))
			}
		}
	}
	return nil
}

func latest(a, b metrology.Date) metrology.Date {
	if a.Before(b) {
		return b
	}
	return a
}

func suggest(filled url.Values, path, value string) {
	if filled.Get(path) == "" {
		filled.Set(path, value)
	}
}

// suggestTerm fills in what is usual and lists who may sign.
func suggestTerm(v visit, aid *pledgeAid, filled url.Values) {
	suggest(filled, "from", string(v.today))
	suggest(filled, "months", "12")
	if len(aid.Merchants) == 1 && !aid.Renews {
		suggest(filled, parameterPath("id"), aid.Merchants[0])
	}
	aid.Roles = []metrology.SignatoryRole{metrology.SignatoryLegalRepresentative, metrology.SignatoryPersonInCharge, metrology.SignatoryOperator, metrology.SignatoryAgent}
	if v.Person.Role == string(metrology.RoleAssociation) {
		aid.Roles = []metrology.SignatoryRole{metrology.SignatoryOrganiser}
		filled.Set(signatureRole, string(metrology.SignatoryOrganiser))
	}
}

// choices lists the commitments with those that were chosen or are asked for.
func (a *pledgeAid) choices(filled url.Values) {
	var must []metrology.CommitmentCode
	for _, row := range a.Programmes {
		if row.Programme == filled.Get("programme") {
			must = row.Required
		}
	}
	for _, rule := range metrology.Commitments {
		choice := pledgeChoice{Rule: rule, Must: slices.Contains(must, rule.Code), Value: filled.Get(pickValue + string(rule.Code))}
		choice.Chosen = choice.Must || slices.Contains(filled[pickCommitment], string(rule.Code))
		if choice.Value == "" && rule.High > 0 {
			choice.Value = strconv.Itoa(max(rule.Low, min(3, rule.High)))
		}
		a.Choices = append(a.Choices, choice)
	}
}

// term reads the choice; chosen is false while something of it is missing, and
// Wrong then says what.
func (a *pledgeAid) term(s *Server, v visit, filled url.Values) (term metrology.TermRequest, chosen bool) {
	if filled.Get(pickChosen) == "" {
		return term, false
	}
	missing := s.say(v.lang, "form.missing")
	for _, path := range []string{parameterPath("id"), "programme", signatureRole} {
		if strings.TrimSpace(filled.Get(path)) == "" {
			a.Wrong[path] = missing
		}
	}
	term.From = metrology.Date(filled.Get("from"))
	if metrology.CheckDate("from", term.From) != nil {
		a.Wrong["from"] = missing
	}
	var err error
	if term.Months, err = strconv.Atoi(strings.TrimSpace(filled.Get("months"))); err != nil || term.Months < 1 || term.Months > 36 {
		a.Wrong["months"] = s.say(v.lang, form.FaultNumber)
	}
	for _, choice := range a.Choices {
		if !choice.Chosen {
			continue
		}
		c := metrology.Commitment{Code: choice.Rule.Code}
		if choice.Rule.High > 0 {
			if c.Value, err = strconv.Atoi(strings.TrimSpace(choice.Value)); err != nil || c.Value < choice.Rule.Low || c.Value > choice.Rule.High {
				a.Wrong[pickValue+string(c.Code)] = s.say(v.lang, "form.value-between", choice.Rule.Low, choice.Rule.High)
			}
		}
		term.Commitments = append(term.Commitments, c)
	}
	if len(term.Commitments) == 0 {
		a.Wrong[pickCommitment] = missing
	}
	manner := metrology.SignedClick
	if v.Person.Role == string(metrology.RoleAssociation) {
		manner = metrology.SignedOrganiser
	}
	term.Signature = metrology.PledgeSignature{Manner: manner, Role: metrology.SignatoryRole(filled.Get(signatureRole)), Signed: v.today}
	return term, len(a.Wrong) == 0
}

// compose writes the text and the request that signs it. The Chinese text is
// what is signed, whatever language the page is in.
func (a *pledgeAid) compose(s *Server, v visit, filled url.Values, t metrology.TermRequest) {
	programme := filled.Get("programme")
	text := func(l language) string { return s.pledges[l].text(programme, t) }
	a.Text = text(chinese)
	if v.lang != chinese {
		a.Reading = text(v.lang)
	}
	a.Digest = digestOfText(a.Text)
	add := func(name, value string) { a.Hidden = append(a.Hidden, kept{name, value}) }
	add(parameterPath("id"), filled.Get(parameterPath("id")))
	if !a.Renews {
		add("programme", programme)
	}
	add("from", string(t.From))
	add("months", strconv.Itoa(t.Months))
	add("template", pledgeTemplate)
	add("templateVersion", pledgeTemplateVersion)
	add("textDigest", a.Digest)
	for i, c := range t.Commitments {
		at := "commitments[" + strconv.Itoa(i) + "]."
		add(at+"code", string(c.Code))
		if c.Value != 0 {
			add(at+"value", strconv.Itoa(c.Value))
		}
	}
	add("signature.manner", string(t.Signature.Manner))
	add(signatureRole, string(t.Signature.Role))
	add("signature.signed", string(t.Signature.Signed))
	add("rule.id", t.Rule.ID)
	add("rule.version", strconv.Itoa(t.Rule.Version))
	a.keepChoice(filled, programme)
}

// keepChoice carries the choice along, so that a form that was refused shows
// the text again and the choice can be changed.
func (a *pledgeAid) keepChoice(filled url.Values, programme string) {
	add := func(name, value string) { a.Hidden = append(a.Hidden, kept{name, value}) }
	add(pickChosen, "on")
	if a.Renews {
		add("programme", programme)
		add("merchant", filled.Get("merchant"))
	}
	for _, choice := range a.Choices {
		if choice.Chosen {
			add(pickCommitment, string(choice.Rule.Code))
			if choice.Rule.High > 0 {
				add(pickValue+string(choice.Rule.Code), choice.Value)
			}
		}
	}
}

// Change is the address where the choice is made again.
func (a *pledgeAid) Change() string {
	query := url.Values{}
	for _, k := range a.Hidden {
		switch {
		case k.Name == parameterPath("id"):
			query.Set("id", k.Value)
		case k.Name == "programme", k.Name == "merchant", k.Name == "from", k.Name == "months", k.Name == signatureRole,
			k.Name == pickCommitment, strings.HasPrefix(k.Name, pickValue):
			query.Add(k.Name, k.Value)
		}
	}
	return query.Encode()
}
