package contract

import (
	"encoding/json"
	"fmt"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/worldstate"
)

// Post records the result of a draw whose directory stands in a file, whoever
// brings it. It is held against the freeze and the plan and is not recomputed:
// a challenge voids what is wrong.
func (*Draw) Post(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, postDrawResult)
}

// Challenge refutes a posted result and voids it.
func (*Draw) Challenge(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, challengeDraw)
}

// disputed loads what a posting is decided against, without the posting.
func (t *transaction) disputed(d metrology.Draw, frozen metrology.DrawFreeze) (draw.Disputed, error) {
	none := draw.Disputed{}
	plan, err := t.drawPlan(d.ID)
	if err != nil {
		return none, err
	}
	lists, err := t.drawLists(d.ID, frozen.Chunks)
	if err != nil {
		return none, err
	}
	root, err := draw.ParseDigest(frozen.ObjectsRoot)
	if err != nil {
		return none, fmt.Errorf("read freeze of draw %s: %w", d.ID, err)
	}
	dirs := draw.DirectoriesOf(draw.NewSurvey(), lists.inspectors, lists.ineligible)
	dirs.ObjectsRoot, dirs.Objects = root, uint64(frozen.Objects)
	seed, err := t.drawSeed(d, frozen)
	return draw.Disputed{Seed: seed, Plan: plan, Directories: dirs, Inspectors: lists.inspectors, Ineligible: lists.ineligible}, err
}

// drawSeed is S from what the ledger holds.
func (t *transaction) drawSeed(d metrology.Draw, frozen metrology.DrawFreeze) (draw.Digest, error) {
	freeze, err := draw.ParseDigest(frozen.Freeze)
	if err != nil {
		return draw.Digest{}, fmt.Errorf("read freeze of draw %s: %w", d.ID, err)
	}
	shares, err := t.shares(d)
	if err != nil {
		return draw.Digest{}, err
	}
	contribution, err := draw.Contribution(d.ID, shares)
	if err != nil {
		return draw.Digest{}, drawError(err)
	}
	beacon, err := worldstate.Require[metrology.DrawBeacon](t.Space, metrology.DrawKey(d.ID, metrology.DrawPartBeacon), "beacon of draw", d.ID)
	if err != nil {
		return draw.Digest{}, err
	}
	round, err := roundOf(d, beacon)
	if err != nil {
		return draw.Digest{}, err
	}
	randomness, err := round.Chain.Verify(round.Round, round.Signature)
	if err != nil {
		return draw.Digest{}, drawError(err)
	}
	return draw.Seed(freeze, contribution, round.Chain.Hash(), round.Round, randomness), nil
}

func sumsOf(totals []metrology.DrawTotal) []draw.Sum {
	sums := make([]draw.Sum, len(totals))
	for i, s := range totals {
		sums[i] = draw.Sum{Stratum: s.Stratum, Objects: uint64(s.Objects), Weight: uint64(s.Weight), Weighted: s.Weighted}
	}
	return sums
}

func (t *transaction) drawFreeze(id string) (metrology.DrawFreeze, error) {
	return worldstate.Require[metrology.DrawFreeze](t.Space, metrology.DrawKey(id, metrology.DrawPartFreeze), "freeze of draw", id)
}

func postDrawResult(t *transaction, cmd metrology.PostDraw) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventDrawDrawn, cmd.ID)
	d, err := t.draw(cmd.ID)
	if err != nil {
		return event, err
	}
	if _, err := d.Apply(metrology.DrawPost); err != nil {
		return event, err
	}
	frozen, err := t.drawFreeze(d.ID)
	if err != nil {
		return event, err
	}
	if frozen.Strata == nil {
		return event, metrology.Errorf(metrology.CodeState, "the ledger recomputes the result of this draw itself")
	}
	result, err := t.posted(d, frozen, cmd.Posting)
	if err != nil {
		return event, err
	}
	if result.Infeasible != "" {
		event.Type = metrology.EventDrawInfeasible
	}
	if d, err = d.Post(result, result.Time); err != nil {
		return event, err
	}
	if err := t.Put(metrology.DrawKey(d.ID, metrology.DrawPartResult), result); err != nil {
		return event, err
	}
	return event, t.proceed(d)
}

// posted checks a posting and makes its record.
func (t *transaction) posted(d metrology.Draw, frozen metrology.DrawFreeze, raw []byte) (metrology.DrawResult, error) {
	none := metrology.DrawResult{}
	posting, err := draw.ParsePosting(raw)
	if err != nil {
		return none, drawError(err)
	}
	against, err := t.disputed(d, frozen)
	if err != nil {
		return none, err
	}
	if err := posting.Check(against.Seed, against.Plan, sumsOf(frozen.Strata), against.Inspectors); err != nil {
		return none, drawError(err)
	}
	document, err := json.Marshal(posting) // one form, whatever was sent
	if err != nil {
		return none, fmt.Errorf("encode posting: %w", err)
	}
	return metrology.DrawResult{
		Posting: document, Seed: against.Seed.String(), PostedBy: t.Caller.MSP, Infeasible: posting.Infeasible, Time: t.Now.Unix(),
	}, nil
}

func challengeDraw(t *transaction, cmd metrology.ChallengeDraw) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventDrawRefuted, cmd.ID)
	d, err := t.draw(cmd.ID)
	if err != nil {
		return event, err
	}
	key := metrology.DrawKey(d.ID, metrology.DrawPartResult)
	result, _, err := worldstate.Get[metrology.DrawResult](t.Space, key)
	if err != nil {
		return event, err
	}
	if err := d.CheckPosted(result, cmd); err != nil {
		return event, err
	}
	refuted, err := t.refute(d, result, cmd.Challenge)
	if err != nil {
		return event, err
	}
	event.Reason = refuted.Kind
	result.Refuted = &refuted
	if d, err = d.Refute(); err != nil {
		return event, err
	}
	if err := t.Put(metrology.DrawRefutedKey(d.ID, d.Refuted), result); err != nil {
		return event, err
	}
	if err := t.Put(key, metrology.DrawResult{Time: refuted.Time, Refuted: &refuted}); err != nil {
		return event, err
	}
	return event, t.proceed(d)
}

// refute decides a challenge.
func (t *transaction) refute(d metrology.Draw, result metrology.DrawResult, raw []byte) (metrology.DrawRefuted, error) {
	refuted := metrology.DrawRefuted{By: t.Caller.MSP, Time: t.Now.Unix()}
	challenge, err := draw.ParseChallenge(raw)
	if err != nil {
		return refuted, drawError(err)
	}
	frozen, err := t.drawFreeze(d.ID)
	if err != nil {
		return refuted, err
	}
	against, err := t.disputed(d, frozen)
	if err != nil {
		return refuted, err
	}
	if against.Posting, err = draw.ParsePosting(result.Posting); err != nil {
		return refuted, fmt.Errorf("read posting of draw %s: %w", d.ID, err)
	}
	if err := challenge.Refute(against); err != nil {
		return refuted, drawError(err)
	}
	refuted.Kind, refuted.Stratum, refuted.Object = string(challenge.Kind), challenge.Stratum, challenge.Object()
	return refuted, nil
}
