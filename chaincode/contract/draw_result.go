package contract

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/worldstate"
)

// shares loads what the organisations have contributed so far. Reading their
// keys makes a contribution that comes meanwhile conflict.
func (t *transaction) shares(d metrology.Draw) ([]draw.Share, error) {
	var commitKeys, revealKeys []string
	for _, org := range metrology.DrawOrganizations {
		commitKeys = append(commitKeys, metrology.DrawKey(d.ID, metrology.DrawPartCommitment, org))
		revealKeys = append(revealKeys, metrology.DrawKey(d.ID, metrology.DrawPartReveal, org))
	}
	commitments, err := worldstate.GetAll[metrology.DrawCommitment](t.Space, commitKeys)
	if err != nil {
		return nil, err
	}
	reveals, err := worldstate.GetAll[metrology.DrawReveal](t.Space, revealKeys)
	if err != nil {
		return nil, err
	}
	shares := []draw.Share{}
	for i, org := range metrology.DrawOrganizations {
		if commitments[i] == nil {
			continue
		}
		share, err := shareOf(org, *commitments[i], reveals[i])
		if err != nil {
			return nil, fmt.Errorf("read contribution of %s: %w", org, err)
		}
		shares = append(shares, share)
	}
	return shares, nil
}

func shareOf(org string, commitment metrology.DrawCommitment, reveal *metrology.DrawReveal) (draw.Share, error) {
	committed, err := draw.ParseDigest(commitment.Commitment)
	share := draw.Share{Org: org, Commitment: committed}
	if err != nil || reveal == nil {
		return share, err
	}
	secret, err := draw.ParseDigest(reveal.Secret)
	share.Secret = &secret
	return share, err
}

func closeDraw(t *transaction, cmd metrology.DrawAction) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventDrawClosed, cmd.ID)
	d, err := t.draw(cmd.ID)
	if err != nil {
		return event, err
	}
	shares, err := t.shares(d)
	if err != nil {
		return event, err
	}
	withheld := []string{}
	for _, share := range shares {
		if share.Secret == nil {
			withheld = append(withheld, share.Org)
		}
	}
	contribution, err := draw.Contribution(d.ID, shares)
	if err != nil {
		return event, drawError(err)
	}
	d, closing, err := d.Close(contribution.String(), withheld, t.Now.Unix())
	if err != nil {
		return event, err
	}
	if err := t.Put(metrology.DrawKey(d.ID, metrology.DrawPartClose), closing); err != nil {
		return event, err
	}
	return event, t.proceed(d)
}

// observeDraw writes the observation's key and, as every transaction does, its
// operation's; the first needs the observer's own peer.
func observeDraw(t *transaction, cmd metrology.ObserveDraw) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventDrawObserved, cmd.ID)
	d, err := t.draw(cmd.ID)
	if err != nil {
		return event, err
	}
	seen, _, err := worldstate.Get[metrology.DrawClose](t.Space, metrology.DrawKey(d.ID, metrology.DrawPartClose))
	if err != nil {
		return event, err
	}
	key := metrology.Key(metrology.KindObservation, d.ID, t.Caller.MSP)
	earlier, _, err := worldstate.Get[metrology.DrawObservation](t.Space, key)
	if err != nil {
		return event, err
	}
	observation, err := d.Observe(seen, earlier, cmd, t.Caller, t.Now.Unix())
	if err != nil {
		return event, err
	}
	return event, t.Put(key, observation)
}

func (t *transaction) observations(id string) ([]metrology.DrawObservation, error) {
	keys := make([]string, len(metrology.DrawWitnesses))
	for i, org := range metrology.DrawWitnesses {
		keys[i] = metrology.Key(metrology.KindObservation, id, org)
	}
	recorded, err := worldstate.GetAll[metrology.DrawObservation](t.Space, keys)
	if err != nil {
		return nil, err
	}
	var observations []metrology.DrawObservation
	for _, o := range recorded {
		if o != nil {
			observations = append(observations, *o)
		}
	}
	return observations, nil
}

func seedDraw(t *transaction, cmd metrology.SeedDraw) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventDrawSeeded, cmd.ID)
	d, err := t.draw(cmd.ID)
	if err != nil {
		return event, err
	}
	observations, err := t.observations(d.ID)
	if err != nil {
		return event, err
	}
	d, beacon, err := d.Seed(observations, cmd, t.Now.Unix())
	if err != nil {
		return event, err
	}
	round, err := roundOf(d, beacon)
	if err != nil {
		return event, err
	}
	if _, err := round.Chain.Verify(round.Round, round.Signature); err != nil {
		return event, drawError(err)
	}
	if err := t.Put(metrology.DrawKey(d.ID, metrology.DrawPartBeacon), beacon); err != nil {
		return event, err
	}
	return event, t.proceed(d)
}

func roundOf(d metrology.Draw, beacon metrology.DrawBeacon) (draw.Beacon, error) {
	signature, err := hex.DecodeString(beacon.Signature)
	if err != nil {
		return draw.Beacon{}, metrology.FieldErrorf(metrology.CodeInvalid, "signature", "is not hex")
	}
	chain, err := draw.Pinned(d.Terms.Beacon)
	return draw.Beacon{Chain: chain, Round: uint64(d.Round), Signature: signature}, err
}

func postDraw(t *transaction, cmd metrology.DrawAction) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventDrawDrawn, cmd.ID)
	d, err := t.draw(cmd.ID)
	if err != nil {
		return event, err
	}
	if _, err := d.Apply(metrology.DrawPost); err != nil { // before all is recomputed
		return event, err
	}
	if d.Sealed() {
		return event, metrology.Errorf(metrology.CodeState, "this draw is sealed; who holds its secret opens it")
	}
	result, err := t.compute(d)
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

// compute is the draw from what stands on the ledger.
func (t *transaction) compute(d metrology.Draw) (metrology.DrawResult, error) {
	none := metrology.DrawResult{Time: t.Now.Unix()}
	in, objects, err := t.drawInput(d)
	if err != nil {
		return none, err
	}
	outcome, err := draw.ComputeFrom(in, objects, draw.StandbyRanks)
	var rule *draw.Error
	if errors.As(err, &rule) && rule.Kind == draw.KindInfeasible {
		none.Infeasible = rule.Error()
		return none, nil
	}
	if err != nil {
		return none, drawError(err)
	}
	return resultOf(outcome, none.Time)
}

func (t *transaction) drawInput(d metrology.Draw) (draw.Input, draw.Objects, error) {
	in := draw.Input{Draw: d.ID}
	plan, err := t.drawPlan(d.ID)
	if err != nil {
		return in, nil, err
	}
	frozen, err := worldstate.Require[metrology.DrawFreeze](t.Space, metrology.DrawKey(d.ID, metrology.DrawPartFreeze), "freeze of draw", d.ID)
	if err != nil {
		return in, nil, err
	}
	if frozen.Strata != nil {
		return in, nil, metrology.Errorf(metrology.CodeState, "the directory of this draw stands in a file; its result is posted by roots")
	}
	lists, err := t.drawLists(d.ID, frozen.Chunks)
	if err != nil {
		return in, nil, err
	}
	beacon, err := worldstate.Require[metrology.DrawBeacon](t.Space, metrology.DrawKey(d.ID, metrology.DrawPartBeacon), "beacon of draw", d.ID)
	if err != nil {
		return in, nil, err
	}
	in.Plan, in.Inspectors, in.Ineligible = plan.Canonical, lists.inspectors, lists.ineligible
	if in.Contributions, err = t.shares(d); err != nil {
		return in, nil, err
	}
	in.Beacon, err = roundOf(d, beacon)
	return in, lists.objects, err
}

func resultOf(outcome draw.Result, now int64) (metrology.DrawResult, error) {
	document, err := outcome.JSON()
	if err != nil {
		return metrology.DrawResult{}, fmt.Errorf("encode result: %w", err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, document); err != nil {
		return metrology.DrawResult{}, fmt.Errorf("encode result: %w", err)
	}
	result := metrology.DrawResult{Result: compact.Bytes(), Standby: []metrology.DrawStandby{}, Loads: map[string]int64{}, Time: now}
	for _, stratum := range outcome.Strata {
		standby := metrology.DrawStandby{Stratum: stratum.Name, Objects: []string{}}
		for _, ranked := range stratum.Standby {
			standby.Objects = append(standby.Objects, ranked.ID)
		}
		result.Standby = append(result.Standby, standby)
	}
	for inspector, load := range outcome.Assignment.Loads {
		result.Loads[inspector] = int64(load)
	}
	return result, nil
}

func voidDraw(t *transaction, cmd metrology.DrawAction) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventDrawVoided, cmd.ID)
	d, err := t.draw(cmd.ID)
	if err != nil {
		return event, err
	}
	observations, err := t.observations(d.ID)
	if err != nil {
		return event, err
	}
	if d, err = d.Annul(observations, t.Now.Unix()); err != nil {
		return event, err
	}
	return event, t.proceed(d)
}
