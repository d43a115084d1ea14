package metrology

import "slices"

const (
	maxTermMonths  = 36 // no programme in practice runs longer; a programme's rule narrows it
	maxTerms       = 60
	maxCommitments = 30
)

// CommitmentRule says what a commitment's value means.
type CommitmentRule struct {
	Code CommitmentCode
	Low  int // least value; 0 with High 0: the code has no value
	High int
	Unit string // of the value
}

// Commitments lists the codes with their parameters (AQSIQ announcement No.
// 162 of 2007 and the pledge texts of section 2.2 of the domain notes).
var Commitments = []CommitmentRule{
	{Code: CommitLawAbidance},
	{Code: CommitSuitableInstrument},
	{Code: CommitRetailTolerance},
	{Code: CommitVerified},
	{Code: CommitNoTampering},
	{Code: CommitShowQuantity},
	{Code: CommitCompensate, Low: 1, High: 100, Unit: "times the shortage"},
	{Code: CommitNetContent},
	{Code: CommitProperOperation},
	{Code: CommitCheckScale},
	{Code: CommitPublicPledge},
	{Code: CommitAnswerComplaint, Low: 1, High: 60, Unit: "working days"},
	{Code: CommitSelfCheck, Low: 1, High: 366, Unit: "days"},
	{Code: CommitZeroMean},
}

// Rule looks a commitment up. known is false for a code not in the list.
func (c CommitmentCode) Rule() (rule CommitmentRule, known bool) {
	i := slices.IndexFunc(Commitments, func(r CommitmentRule) bool { return r.Code == c })
	if i < 0 {
		return CommitmentRule{}, false
	}
	return Commitments[i], true
}

// NewPledge checks a signed pledge and returns the record it makes. rule is
// the ruleset the term names, merchant the merchant that pledges. today bounds
// the day of signing.
func NewPledge(cmd SignPledge, merchant Merchant, rule Ruleset, caller Caller, today Date, stamp string) (Pledge, error) {
	if err := checkNewID("id", cmd.ID); err != nil {
		return Pledge{}, err
	}
	if err := CheckID("programme", cmd.Programme); err != nil {
		return Pledge{}, err
	}
	state, err := PledgeTransitions.Next("pledge", "", PledgeSign)
	if err != nil {
		return Pledge{}, err
	}
	pledge := Pledge{ID: cmd.ID, Merchant: cmd.Merchant, Programme: cmd.Programme, State: state, Registered: stamp, Changed: stamp}
	term, err := pledge.newTerm(cmd.TermRequest, merchant, rule, caller, today)
	pledge.Terms = []PledgeTerm{term}
	return pledge, err
}

// Renew returns the pledge with one more term, which waits for publication.
func (p Pledge) Renew(cmd RenewPledge, merchant Merchant, rule Ruleset, caller Caller, today Date, stamp string) (Pledge, error) {
	next, err := PledgeTransitions.Next("pledge", p.State, PledgeRenew)
	if err != nil {
		return p, err
	}
	last := p.Terms[len(p.Terms)-1]
	switch {
	case last.Published == "":
		return p, Errorf(CodeState, "the term from %s still waits for publication", last.From)
	case len(p.Terms) >= maxTerms:
		return p, Errorf(CodeState, "the pledge has %d terms; sign a new one", len(p.Terms))
	}
	term, err := p.newTerm(cmd.TermRequest, merchant, rule, caller, today)
	if err != nil {
		return p, err
	}
	if !last.Until.Before(term.From) {
		return p, FieldErrorf(CodeInvalid, "from", "the term before runs until %s", last.Until)
	}
	p.State, p.Changed = next, stamp
	p.Terms = append(slices.Clone(p.Terms), term)
	return p, nil
}

// newTerm checks one term against the form and the programme's rule.
func (p Pledge) newTerm(t TermRequest, merchant Merchant, rule Ruleset, caller Caller, today Date) (PledgeTerm, error) {
	if err := t.check(); err != nil {
		return PledgeTerm{}, err
	}
	if err := t.checkRule(p.Programme, merchant, rule); err != nil {
		return PledgeTerm{}, err
	}
	if err := t.checkSigned(caller, today); err != nil {
		return PledgeTerm{}, err
	}
	return PledgeTerm{
		From: t.From, Until: t.From.AddMonths(t.Months), Months: t.Months,
		Template: t.Template, TemplateVersion: t.TemplateVersion, TextDigest: t.TextDigest,
		Commitments: t.Commitments, Signature: t.Signature, Rule: t.Rule, Submitter: caller,
	}, nil
}

func (t TermRequest) check() error {
	if err := CheckDate("from", t.From); err != nil {
		return err
	}
	if err := checkRange("months", t.Months, 1, maxTermMonths); err != nil {
		return err
	}
	if err := CheckID("template", t.Template); err != nil {
		return err
	}
	if err := CheckID("templateVersion", t.TemplateVersion); err != nil {
		return err
	}
	if err := checkHex("textDigest", t.TextDigest, 32); err != nil {
		return err
	}
	if err := checkCommitments("commitments", t.Commitments); err != nil {
		return err
	}
	return t.Signature.check("signature")
}

// checkSigned holds the signature against who brings it and when. Nobody has
// promised anything for days before signing.
func (t TermRequest) checkSigned(caller Caller, today Date) error {
	manner, signed := t.Signature.Manner, t.Signature.Signed
	organiser := manner == SignedOrganiser
	switch {
	case organiser != (t.Signature.Role == SignatoryOrganiser):
		return FieldErrorf(CodeInvalid, "signature.role", "an organiser signs as agent, and nobody else does")
	case organiser && caller.Role != RoleAssociation:
		return FieldErrorf(CodeForbidden, "signature.manner", "only an organiser's own identity brings what it signed as agent")
	case manner == SignedClick && caller.Role != RoleMerchant:
		return FieldErrorf(CodeForbidden, "signature.manner", "a click is brought by the identity that made it, never by another")
	case today.Before(signed):
		return FieldErrorf(CodeInvalid, "signature.signed", "%s is still to come", signed)
	case t.From.Before(signed):
		return FieldErrorf(CodeInvalid, "from", "lies before the day of signing, %s", signed)
	}
	return nil
}

// checkRule holds the term against the programme's rule.
func (t TermRequest) checkRule(programme string, merchant Merchant, rule Ruleset) error {
	row, err := rule.programmeRow("rule", programme)
	if err != nil {
		return err
	}
	switch {
	case !rule.EffectiveOn(t.From):
		return FieldErrorf(CodeState, "rule", "%s is not in force on %s", rule.Reference().EventID(), t.From)
	case !regionContains(rule.Region, merchant.Region):
		return FieldErrorf(CodeInvalid, "rule", "is for region %s, not %s", rule.Region, merchant.Region)
	case len(row.Sectors) > 0 && !slices.Contains(row.Sectors, merchant.Sector):
		return FieldErrorf(CodeInvalid, "programme", "%s is not for the sector %s", programme, merchant.Sector)
	}
	if err := checkRange("months", t.Months, row.MinMonths, row.MaxMonths); err != nil {
		return err
	}
	for _, required := range row.Required {
		if !slices.ContainsFunc(t.Commitments, func(c Commitment) bool { return c.Code == required }) {
			return FieldErrorf(CodeInvalid, "commitments", "programme %s asks for %q", programme, string(required))
		}
	}
	return nil
}

func checkCommitments(field string, commitments []Commitment) error {
	if len(commitments) == 0 || len(commitments) > maxCommitments {
		return FieldErrorf(CodeInvalid, field, "has %d entries, not 1 to %d", len(commitments), maxCommitments)
	}
	seen := make(map[CommitmentCode]bool, len(commitments))
	for i, c := range commitments {
		at := indexed(field, i)
		rule, known := c.Code.Rule()
		if !known {
			return FieldErrorf(CodeInvalid, at+".code", "%q is not a commitment", shorten(string(c.Code)))
		}
		if err := checkRange(at+".value", c.Value, rule.Low, rule.High); err != nil {
			return err
		}
		if seen[c.Code] {
			return FieldErrorf(CodeInvalid, at, "%q stands twice", string(c.Code))
		}
		seen[c.Code] = true
	}
	return nil
}

func (s PledgeSignature) check(field string) error {
	if err := OneOf(field+".manner", s.Manner, SignedPaper, SignedESeal, SignedClick, SignedOrganiser); err != nil {
		return err
	}
	if err := OneOf(field+".role", s.Role, SignatoryLegalRepresentative, SignatoryPersonInCharge, SignatoryOperator,
		SignatoryAgent, SignatoryOrganiser); err != nil {
		return err
	}
	return CheckDate(field+".signed", s.Signed)
}

// AwaitsPublication reports whether the latest term is to be put on the public
// list and can be.
func (p Pledge) AwaitsPublication() bool {
	_, legal := PledgeTransitions[p.State][PledgePublish]
	return legal && len(p.Terms) > 0 && p.Terms[len(p.Terms)-1].Published == ""
}

// Publish returns the pledge with its latest term on the public list.
func (p Pledge) Publish(stamp string) (Pledge, error) {
	next, err := PledgeTransitions.Next("pledge", p.State, PledgePublish)
	if err != nil {
		return p, err
	}
	last := len(p.Terms) - 1
	if p.Terms[last].Published != "" {
		return p, Errorf(CodeState, "the latest term is already published")
	}
	p.Terms = slices.Clone(p.Terms)
	p.Terms[last].Published = stamp
	p.State, p.Changed = next, stamp
	return p, nil
}

// pledgeReasons lists the reasons each command may give.
var pledgeReasons = map[PledgeCommand][]PledgeReason{
	PledgeWithdraw: {ReasonBusinessEnded, ReasonOwnWish, ReasonReplaced},
	PledgeRestore:  {ReasonRemedied, ReasonMistake, ReasonAnnulled},
	PledgeSuspend: {ReasonUnverified, ReasonCheating, ReasonSealBroken, ReasonUncompensated, ReasonRefusal,
		ReasonPenalty, ReasonFailedCheck},
	PledgeRevoke: {ReasonUnverified, ReasonCheating, ReasonSealBroken, ReasonUncompensated, ReasonRefusal,
		ReasonPenalty, ReasonFailedCheck},
}

// Reasons lists the reasons that a command may give.
func (c PledgeCommand) Reasons() []PledgeReason { return slices.Clone(pledgeReasons[c]) }

// Change returns the pledge after it was withdrawn, restored or revoked. A red
// card is not shed by withdrawing.
func (p Pledge) Change(command PledgeCommand, reason PledgeReason, stamp string) (Pledge, error) {
	next, err := PledgeTransitions.Next("pledge", p.State, command)
	if err != nil {
		return p, err
	}
	if err := OneOf("reason", reason, pledgeReasons[command]...); err != nil {
		return p, err
	}
	if command == PledgeWithdraw && p.Card == CardRed {
		return p, Errorf(CodeState, "under a red card the regulator restores or revokes the pledge; withdrawing would take the card away")
	}
	p.State, p.Reason, p.Card, p.Changed = next, reason, "", stamp
	return p, nil
}

// Suspend returns the pledge under a card. A yellow one may turn red; the way
// back is Restore.
func (p Pledge) Suspend(cmd SuspendPledge, stamp string) (Pledge, error) {
	if err := OneOf("card", cmd.Card, CardYellow, CardRed); err != nil {
		return p, err
	}
	held := p.Card
	p, err := p.Change(PledgeSuspend, cmd.Reason, stamp)
	if err != nil {
		return p, err
	}
	if held != "" && (held != CardYellow || cmd.Card != CardRed) {
		p.Card = held
		return p, Errorf(CodeState, "the pledge is already under a %s card", held)
	}
	p.Card = cmd.Card
	return p, nil
}

// Standing is what the pledge amounts to on a day. It is computed when
// somebody asks and never stored.
func (p Pledge) Standing(day Date) PledgeStanding {
	switch p.State {
	case PledgeSuspended:
		return StandingSuspended
	case PledgeWithdrawn:
		return StandingWithdrawn
	case PledgeRevoked:
		return StandingRevoked
	}
	standing := StandingPending
	for _, term := range p.Terms {
		switch {
		case term.Published == "":
			continue
		case term.Until.Before(day):
			standing = StandingExpired
		case day.Before(term.From):
			if standing == StandingPending {
				standing = StandingUpcoming
			}
		default:
			return StandingActive
		}
	}
	return standing
}

// TermOn returns the published term that covers a day.
func (p Pledge) TermOn(day Date) (term PledgeTerm, found bool) {
	for _, term := range p.Terms {
		if term.Published != "" && !day.Before(term.From) && !term.Until.Before(day) {
			return term, true
		}
	}
	return PledgeTerm{}, false
}
