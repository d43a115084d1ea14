package public

import (
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// readLists reads the directories as the draw's function takes them.
func (d DrawDirectories) readLists() (draw.Objects, draw.Inspectors, draw.Ineligible, error) {
	objects, err := draw.NewObjects(objectsOf(d.Objects))
	if err != nil {
		return nil, nil, nil, fmt.Errorf("read objects: %w", err)
	}
	list := make([]draw.Inspector, len(d.Inspectors))
	for i, in := range d.Inspectors {
		list[i] = draw.Inspector{ID: in.ID, Cap: uint32(in.Cap), Skills: in.Skills}
	}
	inspectors, err := draw.NewInspectors(list)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("read inspectors: %w", err)
	}
	pairs := make([]draw.Pair, 0, len(d.Ineligible))
	for _, pair := range d.Ineligible {
		if len(pair) != 2 {
			return nil, nil, nil, fmt.Errorf("read pairs: one has %d ids", len(pair))
		}
		pairs = append(pairs, draw.Pair{Inspector: pair[0], Object: pair[1]})
	}
	ineligible, err := draw.NewIneligible(pairs)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("read pairs: %w", err)
	}
	return objects, inspectors, ineligible, nil
}

// Recompute gives the freeze F that plan and lists come to.
func (d DrawDirectories) Recompute() (draw.Digest, error) {
	plan, err := draw.ParsePlan(d.Record.Plan)
	if err != nil {
		return draw.Digest{}, fmt.Errorf("read plan: %w", err)
	}
	objects, inspectors, ineligible, err := d.readLists()
	if err != nil {
		return draw.Digest{}, err
	}
	survey := draw.NewSurvey()
	if err := survey.AddAll(objects); err != nil {
		return draw.Digest{}, fmt.Errorf("read objects: %w", err)
	}
	dirs := draw.DirectoriesOf(survey, inspectors, ineligible)
	if d.Record.ByFile { // what its file holds, CheckFile tells
		if dirs.ObjectsRoot, err = draw.ParseDigest(d.Record.Frozen.ObjectsRoot); err != nil {
			return draw.Digest{}, fmt.Errorf("read freeze: %w", err)
		}
		dirs.Objects = uint64(d.Record.Frozen.Objects)
	}
	return draw.Freeze(d.Record.ID, plan.Hash, dirs), nil
}

// Compute is the draw from what was recorded, with the secret of a sealed one.
func (d DrawDirectories) Compute(secret *draw.Digest) (draw.Result, error) {
	r := d.Record
	if r.Beacon == nil {
		return draw.Result{}, fmt.Errorf("compute draw %s: its beacon is not known", r.ID)
	}
	objects, inspectors, ineligible, err := d.readLists()
	if err != nil {
		return draw.Result{}, err
	}
	shares, err := r.shares()
	if err != nil {
		return draw.Result{}, err
	}
	chain, err := draw.Pinned(r.Terms.Beacon)
	if err != nil {
		return draw.Result{}, fmt.Errorf("read beacon of draw %s: %w", r.ID, err)
	}
	signature, err := hex.DecodeString(r.Beacon.Signature)
	if err != nil {
		return draw.Result{}, fmt.Errorf("read beacon of draw %s: %w", r.ID, err)
	}
	return draw.ComputeFrom(draw.Input{
		Draw: r.ID, Plan: r.Plan, Inspectors: inspectors, Ineligible: ineligible, Contributions: shares, SealedSecret: secret,
		Beacon: draw.Beacon{Chain: chain, Round: uint64(r.Beacon.Round), Signature: signature},
	}, objects, 0)
}

// shares are the contributions as they stood at the close.
func (r DrawRecord) shares() ([]draw.Share, error) {
	var shares []draw.Share
	for _, c := range r.Commitments {
		commitment, err := draw.ParseDigest(c.Commitment)
		if err != nil {
			return nil, fmt.Errorf("read commitment of %s: %w", c.Org, err)
		}
		share := draw.Share{Org: c.Org, Commitment: commitment}
		if at := slices.IndexFunc(r.Reveals, func(v metrology.DrawReveal) bool { return v.Org == c.Org }); at >= 0 {
			secret, err := draw.ParseDigest(r.Reveals[at].Secret)
			if err != nil {
				return nil, fmt.Errorf("read secret of %s: %w", c.Org, err)
			}
			share.Secret = &secret
		}
		shares = append(shares, share)
	}
	return shares, nil
}
