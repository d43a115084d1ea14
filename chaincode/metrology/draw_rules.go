package metrology

import (
	"fmt"
	"slices"
	"strings"
)

// The bounds of the lists that stand on the ledger. A draw whose objects do is
// recomputed by the contract; more of them, or more to be drawn, stand in a
// file.
const (
	MaxDrawObjects    = 20000
	MaxDrawRecomputed = 5000 // objects drawn
	MaxDrawInspectors = 1000
	MaxDrawIneligible = 20000
	MaxDrawExclusions = 20000
	MaxDrawChunk      = 1000 // entries
	maxDrawPlan       = 64 << 10
)

// The times of a draw, in margins before its round is due.
const (
	freezeMargins = 4 // a freeze leaves at least so much
	openMargins   = 3 // from here on reveals may open although one organisation has not committed
	closeMargins  = 2 // from here on a draw may close although a secret is missing
)

// longestDraw bounds how far ahead a round may be, in seconds.
const longestDraw = 366 * 24 * 3600

// freezeApprovals is how many other organisations put a freeze in force.
const freezeApprovals = 2

// DrawID is the id of an authority's draw by its number.
func DrawID(authority string, number int) string { return fmt.Sprintf("%s-%06d", authority, number) }

// Check refuses terms that would make a draw prove nothing.
func (t DrawTerms) Check() error {
	if err := CheckRegion("plan.authority", t.Authority); err != nil {
		return err
	}
	if err := CheckText("plan.title", t.Title, 200); err != nil {
		return err
	}
	switch {
	case t.Regulator != RegulatorMSP:
		return FieldErrorf(CodeInvalid, "plan.regulator", "is not %s", RegulatorMSP)
	case t.Observations < 2 || t.Observations > len(DrawWitnesses):
		return FieldErrorf(CodeInvalid, "plan.observations", "is not 2 to %d", len(DrawWitnesses))
	case t.Margin < 1 || t.Margin > longestDraw:
		return FieldErrorf(CodeInvalid, "plan.margin", "is not a number of seconds above 0, at most a year")
	case t.TimeWindow < 1 || t.TimeWindow > longestDraw:
		return FieldErrorf(CodeInvalid, "plan.timeWindow", "is not a number of seconds above 0, at most a year")
	case !t.Demonstration && t.Margin <= 2*t.TimeWindow:
		return FieldErrorf(CodeInvalid, "plan.margin", "is not above twice the time window, and the plan is not a demonstration")
	case t.Beacon.Period < 1 || t.Beacon.Period > 24*3600:
		return FieldErrorf(CodeInvalid, "plan.beacon.period", "is not 1 second to 1 day")
	}
	return t.checkSeal()
}

// NewDraw checks a filing and returns the record it makes. filed is how many
// draws the authority has filed before.
func NewDraw(cmd PlanDraw, terms DrawTerms, planHash string, filed int, caller Caller, now int64) (Draw, error) {
	if err := caller.Require(RoleRegulator); err != nil {
		return Draw{}, err
	}
	if len(cmd.Plan) > maxDrawPlan {
		return Draw{}, FieldErrorf(CodeInvalid, "plan", "is longer than %d bytes", maxDrawPlan)
	}
	if err := terms.Check(); err != nil {
		return Draw{}, err
	}
	if next := DrawID(terms.Authority, filed+1); cmd.ID != next {
		return Draw{}, FieldErrorf(CodeConflict, "id", "the next draw of %s is %s", terms.Authority, next)
	}
	phase, err := DrawTransitions.Next("draw", "", DrawFile)
	return Draw{ID: cmd.ID, Phase: phase, PlanHash: planHash, Terms: terms, Filed: now, Approvals: []DrawApproval{}}, err
}

// Apply returns the draw after a step that changes no more than its phase.
func (d Draw) Apply(command DrawCommand) (Draw, error) {
	next, err := DrawTransitions.Next("draw", d.Phase, command)
	d.Phase = next
	return d, err
}

// Approve records another organisation's consent to the plan.
func (d Draw) Approve(cmd ApproveDraw, caller Caller, now int64) (Draw, error) {
	if err := requireWitness(caller); err != nil {
		return d, err
	}
	d, err := d.Apply(DrawApprove)
	if err != nil {
		return d, err
	}
	return d.consent("plan", d.PlanHash, cmd, caller, now)
}

// ApproveFreeze records another organisation's consent to the freeze; the
// second one puts it in force.
func (d Draw) ApproveFreeze(cmd ApproveDraw, caller Caller, now int64) (Draw, error) {
	if err := requireWitness(caller); err != nil {
		return d, err
	}
	given := 0
	for _, a := range d.Approvals {
		if a.Step == DrawPartFreeze {
			given++
		}
		if a.Step == DrawPartFreeze && a.Org == caller.MSP {
			return d, Errorf(CodeConflict, "%s has approved this freeze already", caller.MSP)
		}
	}
	command := DrawApproveFreeze
	if given+1 >= freezeApprovals {
		command = DrawEnactFreeze
	}
	d, err := d.Apply(command)
	if err != nil {
		return d, err
	}
	return d.consent(DrawPartFreeze, d.Freeze, cmd, caller, now)
}

func (d Draw) consent(step, hash string, cmd ApproveDraw, caller Caller, now int64) (Draw, error) {
	if cmd.Hash != hash {
		return d, FieldErrorf(CodeInvalid, "hash", "is not that of the %s, %s", step, hash)
	}
	d.Approvals = append(slices.Clone(d.Approvals), DrawApproval{Step: step, Org: caller.MSP, Hash: hash, Time: now})
	return d, nil
}

// requireWitness refuses all but officers of the organisations other than the
// regulator.
func requireWitness(caller Caller) error {
	return caller.Require(RoleInstitute, RoleAssociation, RoleNotary)
}

// RequireContributor refuses all but those who contribute for their
// organisation.
func (d Draw) RequireContributor(caller Caller) error {
	return caller.Require(RoleRegulator, RoleInstitute, RoleAssociation, RoleNotary)
}

// Deadline is the second before which closing and observing count.
func (d Draw) Deadline() int64 { return d.RoundTime - d.Terms.Margin }

// Due is the second by which what the phase asks of an organisation has to be
// on the ledger: from then on the draw may go on without it, or cannot go on at
// all. 0: nothing says so.
func (d Draw) Due() int64 {
	if d.RoundTime == 0 {
		return 0
	}
	switch d.Phase {
	case DrawFrozen, DrawCommitting:
		return d.RoundTime - openMargins*d.Terms.Margin
	case DrawRevealing:
		return d.RoundTime - closeMargins*d.Terms.Margin
	case DrawClosed:
		return d.Deadline()
	}
	return 0
}

// SetFreeze records F with a round that leaves time for what follows.
// roundTime is when the round is due.
func (d Draw) SetFreeze(freeze string, round, roundTime int64, caller Caller, now int64) (Draw, error) {
	if err := caller.Require(RoleRegulator); err != nil {
		return d, err
	}
	d, err := d.Apply(DrawSetFreeze)
	if err != nil {
		return d, err
	}
	if earliest := now + freezeMargins*d.Terms.Margin; roundTime < earliest {
		return d, FieldErrorf(CodeInvalid, "round", "is due at %d; the margins need it at %d or later", roundTime, earliest)
	}
	if roundTime > now+longestDraw {
		return d, FieldErrorf(CodeInvalid, "round", "is due more than a year from now")
	}
	d.Freeze, d.Round, d.RoundTime = freeze, round, roundTime
	if d.Sealed() {
		if d.Escrowed == 0 {
			return d, Errorf(CodeState, "the notary has not accepted the secret of this sealed draw")
		}
		d.OpenBy = roundTime + d.Terms.OpenWithin
	}
	return d, nil
}

// Commit lets an organisation commit.
func (d Draw) Commit(cmd CommitToDraw, caller Caller, now int64) (DrawCommitment, error) {
	if err := d.RequireContributor(caller); err != nil {
		return DrawCommitment{}, err
	}
	if _, err := d.Apply(DrawCommit); err != nil {
		return DrawCommitment{}, err
	}
	if err := d.inTime(now); err != nil {
		return DrawCommitment{}, err
	}
	return DrawCommitment{Org: caller.MSP, Commitment: cmd.Commitment, Time: now}, checkHex("commitment", cmd.Commitment, 32)
}

func (d Draw) inTime(now int64) error {
	if now >= d.Deadline() {
		return Errorf(CodeState, "this draw's time ended at %d, its margin before round %d", d.Deadline(), d.Round)
	}
	return nil
}

// Open begins the reveals. Until openMargins before the round it needs every
// organisation's commitment, from then on all but one.
func (d Draw) Open(committed int, caller Caller, now int64) (Draw, error) {
	if err := d.RequireContributor(caller); err != nil {
		return d, err
	}
	d, err := d.Apply(DrawOpen)
	if err != nil {
		return d, err
	}
	if err := d.inTime(now); err != nil {
		return d, err
	}
	needed := len(DrawOrganizations)
	if now >= d.RoundTime-openMargins*d.Terms.Margin {
		needed--
	}
	if committed < needed {
		return d, Errorf(CodeState, "%d of %d organisations have committed, %d are needed", committed, len(DrawOrganizations), needed)
	}
	return d, nil
}

// Reveal lets an organisation open its commitment. That the secret opens it is
// for the caller to check.
func (d Draw) Reveal(cmd RevealToDraw, caller Caller, now int64) (DrawReveal, error) {
	if err := d.RequireContributor(caller); err != nil {
		return DrawReveal{}, err
	}
	if _, err := d.Apply(DrawRevealSecret); err != nil {
		return DrawReveal{}, err
	}
	if err := d.inTime(now); err != nil {
		return DrawReveal{}, err
	}
	return DrawReveal{Org: caller.MSP, Secret: cmd.Secret, Time: now}, checkHex("secret", cmd.Secret, 32)
}

// Close ends the contributions. Until closeMargins before the round it needs
// every secret: nobody is called silent before there was time to speak.
func (d Draw) Close(contribution string, withheld []string, now int64) (Draw, DrawClose, error) {
	d, err := d.Apply(DrawSetClose)
	if err != nil {
		return d, DrawClose{}, err
	}
	if err := d.inTime(now); err != nil {
		return d, DrawClose{}, err
	}
	if from := d.RoundTime - closeMargins*d.Terms.Margin; len(withheld) > 0 && now < from {
		return d, DrawClose{}, Errorf(CodeState, "secrets of %s are missing; without them this draw can close from %d on", strings.Join(withheld, ", "), from)
	}
	return d, DrawClose{Freeze: d.Freeze, Contribution: contribution, Withheld: withheld, Time: now}, nil
}

// Observe records that an organisation has seen the close.
func (d Draw) Observe(seen DrawClose, earlier DrawObservation, cmd ObserveDraw, caller Caller, now int64) (DrawObservation, error) {
	if err := requireWitness(caller); err != nil {
		return earlier, err
	}
	if _, err := d.Apply(DrawObserve); err != nil {
		return earlier, err
	}
	if err := d.inTime(now); err != nil {
		return earlier, err
	}
	switch {
	case earlier.Time != 0:
		return earlier, Errorf(CodeConflict, "%s has observed this close already", caller.MSP)
	case cmd.Contribution != seen.Contribution:
		return earlier, FieldErrorf(CodeInvalid, "contribution", "is not that of the close, %s", seen.Contribution)
	case now < seen.Time:
		return earlier, Errorf(CodeState, "the close claims %d, later than this", seen.Time)
	}
	return DrawObservation{Draw: d.ID, Org: caller.MSP, Freeze: d.Freeze, Contribution: seen.Contribution, Time: now}, nil
}

// observed counts the organisations that have seen the close.
func observed(observations []DrawObservation) (count int) {
	for _, o := range observations {
		if o.Time != 0 {
			count++
		}
	}
	return count
}

// Seed takes the beacon's round, once it is due and enough organisations have
// seen the close. That the signature verifies is for the caller to check.
func (d Draw) Seed(observations []DrawObservation, cmd SeedDraw, now int64) (Draw, DrawBeacon, error) {
	d, err := d.Apply(DrawSeed)
	if err != nil {
		return d, DrawBeacon{}, err
	}
	if now < d.RoundTime {
		return d, DrawBeacon{}, Errorf(CodeState, "round %d is due at %d", d.Round, d.RoundTime)
	}
	if seen := observed(observations); seen < d.Terms.Observations {
		return d, DrawBeacon{}, Errorf(CodeState, "%d organisations have observed the close, %d are needed: the draw is void", seen, d.Terms.Observations)
	}
	return d, DrawBeacon{Round: d.Round, Signature: cmd.Signature, Time: now}, nil
}

// Post ends a draw with its result.
func (d Draw) Post(result DrawResult, now int64) (Draw, error) {
	command := DrawPost
	if result.Infeasible != "" {
		command = DrawFail
	}
	d, err := d.Apply(command)
	d.Ended = now
	return d, err
}

// Cancel ends a draw before reveals open.
func (d Draw) Cancel(cmd CancelDraw, caller Caller, now int64) (Draw, error) {
	if err := caller.Require(RoleRegulator); err != nil {
		return d, err
	}
	if err := OneOf("reason", cmd.Reason, DrawPlanMistaken, DrawDirectoryMistaken, DrawTaskWithdrawn, DrawForceMajeure); err != nil {
		return d, err
	}
	d, err := d.Apply(DrawCancel)
	d.Reason, d.Ended = cmd.Reason, now
	return d, err
}

// Annul ends a draw that has missed its round: it was not closed in time, or
// too few organisations have seen the close.
func (d Draw) Annul(observations []DrawObservation, now int64) (Draw, error) {
	closed := d.Phase == DrawClosed
	d, err := d.Apply(DrawAnnul)
	if err != nil {
		return d, err
	}
	if now < d.RoundTime {
		return d, Errorf(CodeState, "round %d is due at %d; until then the draw is not void", d.Round, d.RoundTime)
	}
	if closed && observed(observations) >= d.Terms.Observations {
		return d, Errorf(CodeState, "enough organisations have observed the close; the draw waits for its round")
	}
	d.Ended = now
	return d, nil
}

// Check refuses a chunk that is empty, too large, or not of its list.
func (c FileDrawDirectory) Check() error {
	if err := OneOf("list", c.List, DrawLists...); err != nil {
		return err
	}
	if c.Chunk < 0 || c.Chunk > 99 {
		return FieldErrorf(CodeInvalid, "chunk", "is not 0 to 99")
	}
	sizes := map[string]int{
		DrawPartObjects: len(c.Objects), DrawPartInspectors: len(c.Inspectors),
		DrawPartIneligible: len(c.Ineligible), DrawPartExclusions: len(c.Exclusions),
	}
	for _, list := range DrawLists {
		size := sizes[list]
		switch {
		case list != c.List && size > 0:
			return FieldErrorf(CodeInvalid, list, "does not belong to a chunk of %s", c.List)
		case list == c.List && (size == 0 || size > MaxDrawChunk):
			return FieldErrorf(CodeInvalid, list, "has %d entries, not 1 to %d", size, MaxDrawChunk)
		}
	}
	for i, e := range c.Exclusions {
		field := fmt.Sprintf("exclusions[%d]", i)
		if err := CheckID(field+".id", e.ID); err != nil {
			return err
		}
		if err := OneOf(field+".reason", e.Reason, ExclusionReasons...); err != nil {
			return err
		}
	}
	return nil
}
