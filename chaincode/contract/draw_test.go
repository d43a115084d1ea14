package contract

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// TestDraw walks a draw to its result, which must be that of the function.
func TestDraw(t *testing.T) {
	l := newLedger(t)
	all := metrology.DrawOrganizations
	d := l.planDraw(1).approve().freeze().enact().commit(all...).open().reveal(all...).close()
	d = d.observe(metrology.InstituteMSP, metrology.NotaryMSP).awaitRound().seed().post()
	require.Equal(t, metrology.DrawDrawn, d.phase().Phase)

	frozen := load[metrology.DrawFreeze](l, metrology.DrawKey(d.id, metrology.DrawPartFreeze))
	result := load[metrology.DrawResult](l, metrology.DrawKey(d.id, metrology.DrawPartResult))
	expected, err := draw.Compute(d.input())
	require.NoError(t, err)
	document, err := expected.JSON()
	require.NoError(t, err)
	require.JSONEq(t, string(document), string(result.Result))
	require.Equal(t, expected.Freeze.String(), frozen.Freeze)
	require.Equal(t, expected.Contribution.String(), d.closing().Contribution)
	require.Empty(t, d.closing().Withheld)
	require.Len(t, l.policies, len(metrology.DrawWitnesses), "each observation needs its organisation's peer")
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func TestDrawPlan(t *testing.T) {
	for _, c := range []struct {
		name   string
		id     string
		change func(map[string]any)
		code   metrology.Code
		part   string
	}{
		{"NumberSkipped", "440300-000002", nil, metrology.CodeConflict, "440300-000001"},
		{"OtherAuthority", "440500-000001", nil, metrology.CodeConflict, "440300-000001"},
		{"MarginNotAboveTwiceTheWindow", "", func(p map[string]any) { p["demonstration"], p["timeWindow"] = false, 5 }, metrology.CodeInvalid, "plan.margin"},
		{"OneObservation", "", func(p map[string]any) { p["observations"] = 1 }, metrology.CodeInvalid, "plan.observations"},
		{"MarginInAnotherCase", "", func(p map[string]any) { p["Margin"] = p["margin"]; delete(p, "margin") }, metrology.CodeInvalid, "plan.margin"},
		{"TermOfAnotherType", "", func(p map[string]any) { p["title"] = 7 }, metrology.CodeInvalid, "plan.title"},
		{"ForeignRegulator", "", func(p map[string]any) { p["regulator"] = "NotaryMSP" }, metrology.CodeInvalid, "plan.regulator"},
		{"ChainHashOfAnotherBeacon", "", func(p map[string]any) {
			pin := p["beacon"].(metrology.DrawChain)
			pin.Period = 3
			p["beacon"] = pin
		}, metrology.CodeInvalid, "plan.beacon.chainHash"},
		{"SealedWithoutADate", "", func(p map[string]any) { p["seal"] = salt("seal") }, metrology.CodeInvalid, "plan.openWithin"},
		{"DateWithoutASeal", "", func(p map[string]any) { p["openWithin"] = 60 }, metrology.CodeInvalid, "plan.openWithin"},
		{"SealIsNoDigest", "", func(p map[string]any) { p["seal"] = "XY" }, metrology.CodeInvalid, "seal"},
		{"OneSlot", "", func(p map[string]any) { p["assign"] = [][]string{{}} }, metrology.CodeInvalid, "assign"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLedger(t)
			if c.id == "" {
				c.id = "440300-000001"
			}
			_, err := l.submit(l.as(metrology.RoleRegulator, "reg"), "draw:Plan",
				metrology.PlanDraw{ID: c.id, Plan: drawPlan(t, pinOf(drawBeacon(t, l).Chain()), c.change)}, nil)
			require.Equal(t, c.code, metrology.ErrorCode(err), "%v", err)
			require.ErrorContains(t, err, c.part)
		})
	}
}

// attempt runs a step that must be refused.
func (d drawing) refused(t *testing.T, code metrology.Code, org, function string, request any, part string) {
	t.Helper()
	_, err := d.submit(d.officer(org), function, request, nil)
	require.Equal(t, code, metrology.ErrorCode(err), "%s: %v", function, err)
	require.ErrorContains(t, err, part)
}

func TestDrawFreeze(t *testing.T) {
	const regulator, notary = metrology.RegulatorMSP, metrology.NotaryMSP
	t.Run("ErrRoundTooNear", func(t *testing.T) {
		d := newLedger(t).planDraw(1).approve()
		for _, chunk := range drawDirectory(d.id) {
			d.must(d.officer(regulator), "draw:Directory", chunk, nil)
		}
		near := d.now.Unix() - d.beacon.Chain().GenesisTime + 3*drawMargin
		d.refused(t, metrology.CodeInvalid, regulator, "draw:Freeze", metrology.FreezeDraw{ID: d.id, Round: near, Chunks: drawChunks}, "round")
		d.refused(t, metrology.CodeInvalid, regulator, "draw:Freeze", metrology.FreezeDraw{ID: d.id, Round: 1 << 60, Chunks: drawChunks}, "round")
		more := drawChunks
		more.Objects = 2
		d.refused(t, metrology.CodeInvalid, regulator, "draw:Freeze", metrology.FreezeDraw{ID: d.id, Round: near + 20, Chunks: more}, "nothing was filed")
	})
	t.Run("ErrInfeasible", func(t *testing.T) {
		d := newLedger(t).planDraw(1).approve()
		lists := drawDirectory(d.id)
		lists[1].Inspectors = lists[1].Inspectors[:1]
		for _, chunk := range lists {
			d.must(d.officer(regulator), "draw:Directory", chunk, nil)
		}
		d.refused(t, metrology.CodeInvalid, regulator, "draw:Freeze", metrology.FreezeDraw{ID: d.id, Round: 90000, Chunks: drawChunks}, "slots for [lead], slots for any skill: 3 objects are drawn, which makes 6 such slots; the caps of 1 inspectors [I-0] leave room for 3")
	})
	t.Run("ErrSecondFreeze", func(t *testing.T) {
		d := newLedger(t).planDraw(1).approve().freeze()
		d.refused(t, metrology.CodeState, regulator, "draw:Freeze", metrology.FreezeDraw{ID: d.id, Round: d.round, Chunks: drawChunks}, "freeze")
		d.refused(t, metrology.CodeState, regulator, "draw:Directory", drawDirectory(d.id)[0], "file-directory")
	})
	t.Run("ErrApprovesOtherBytes", func(t *testing.T) {
		d := newLedger(t).planDraw(1)
		d.refused(t, metrology.CodeInvalid, notary, "draw:Approve", metrology.ApproveDraw{ID: d.id, Hash: salt("x")}, "hash")
		d = d.approve().freeze()
		d.refused(t, metrology.CodeInvalid, notary, "draw:ApproveFreeze", metrology.ApproveDraw{ID: d.id, Hash: salt("x")}, "hash")
	})
	t.Run("OneOrganisationCountsOnce", func(t *testing.T) {
		d := newLedger(t).planDraw(1).approve().freeze()
		approval := metrology.ApproveDraw{ID: d.id, Hash: d.phase().Freeze}
		d.must(d.officer(notary), "draw:ApproveFreeze", approval, nil)
		d.refused(t, metrology.CodeConflict, notary, "draw:ApproveFreeze", approval, "already")
		require.Equal(t, metrology.DrawFrozen, d.phase().Phase)
	})
}

func TestDrawDirectory(t *testing.T) {
	d := newLedger(t).planDraw(1).approve()
	for _, c := range []struct {
		name   string
		change func(*metrology.FileDrawDirectory)
		part   string
	}{
		{"EntryTwice", func(f *metrology.FileDrawDirectory) { f.Objects[1].ID = f.Objects[0].ID }, "duplicate"},
		{"LowerCaseID", func(f *metrology.FileDrawDirectory) { f.Objects[1].ID = "s-1" }, "other characters"},
		{"WeightZero", func(f *metrology.FileDrawDirectory) { f.Objects[0].Weight = 0 }, "weight"},
		{"OfAnotherList", func(f *metrology.FileDrawDirectory) { f.List = metrology.DrawPartInspectors }, "objects"},
		{"UnknownList", func(f *metrology.FileDrawDirectory) { f.List = "phase" }, "list"},
		{"Empty", func(f *metrology.FileDrawDirectory) { f.Objects = nil }, "objects"},
		{"NegativeChunk", func(f *metrology.FileDrawDirectory) { f.Chunk = -1 }, "chunk"},
	} {
		t.Run(c.name, func(t *testing.T) {
			chunk := drawDirectory(d.id)[0]
			c.change(&chunk)
			d.refused(t, metrology.CodeInvalid, metrology.RegulatorMSP, "draw:Directory", chunk, c.part)
		})
	}
	t.Run("AcrossChunks", func(t *testing.T) {
		lists := drawDirectory(d.id)
		twice := lists[0]
		twice.Chunk = 1
		lists[3].Exclusions[0].ID = "S-0"
		for _, chunk := range append(lists, twice) {
			d.must(d.officer(metrology.RegulatorMSP), "draw:Directory", chunk, nil)
		}
		freeze := metrology.FreezeDraw{ID: d.id, Round: 90000, Chunks: drawChunks}
		d.refused(t, metrology.CodeInvalid, metrology.RegulatorMSP, "draw:Freeze", freeze, "excluded as well")
		freeze.Chunks.Exclusions, freeze.Chunks.Objects = 0, 2
		d.refused(t, metrology.CodeInvalid, metrology.RegulatorMSP, "draw:Freeze", freeze, "duplicate")
	})
}

func TestDrawContributions(t *testing.T) {
	const regulator, institute, association, notary = metrology.RegulatorMSP, metrology.InstituteMSP, metrology.AssociationMSP, metrology.NotaryMSP
	action := func(d drawing) metrology.DrawAction { return metrology.DrawAction{ID: d.id} }
	enacted := func(t *testing.T) drawing { return newLedger(t).planDraw(1).approve().freeze().enact() }
	t.Run("ErrCommitsTwice", func(t *testing.T) {
		d := enacted(t).commit(notary)
		d.refused(t, metrology.CodeConflict, notary, "draw:Commit", d.commitment(notary), "taken")
	})
	t.Run("ErrCopiedCommitment", func(t *testing.T) {
		d := enacted(t).commit(institute, association, notary)
		d.must(d.officer(regulator), "draw:Commit", d.commitment(notary), nil)
		d = d.open().reveal(notary)
		d.refused(t, metrology.CodeInvalid, regulator, "draw:Reveal",
			metrology.RevealToDraw{ID: d.id, Secret: drawSecret(d.id, notary).String()}, "does not open")
	})
	t.Run("OneMissingCommitmentOpensLate", func(t *testing.T) {
		d := enacted(t).commit(institute, association, notary)
		d.refused(t, metrology.CodeState, notary, "draw:Open", action(d), "are needed")
		d.now = time.Unix(d.phase().RoundTime-3*drawMargin, 0)
		d.open()
	})
	t.Run("ErrTwoMissingCommitments", func(t *testing.T) {
		d := enacted(t).commit(institute, association)
		d.now = time.Unix(d.phase().RoundTime-3*drawMargin, 0)
		d.refused(t, metrology.CodeState, notary, "draw:Open", action(d), "are needed")
	})
	t.Run("WithheldSecretIsNamedAndTheDrawGoesOn", func(t *testing.T) {
		d := enacted(t).commit(regulator, institute, association, notary).open().reveal(institute, association, notary)
		d.refused(t, metrology.CodeState, notary, "draw:Close", action(d), regulator)
		d.now = time.Unix(d.phase().RoundTime-2*drawMargin, 0)
		d = d.close().observe(institute, notary).awaitRound().seed().post()
		require.Equal(t, []string{regulator}, d.closing().Withheld)
		require.Equal(t, metrology.DrawDrawn, d.phase().Phase)
	})
	t.Run("ErrLate", func(t *testing.T) {
		d := enacted(t)
		deadline := time.Unix(d.phase().Deadline(), 0)
		late := func(d drawing) drawing { fork := *d.fork(t); fork.now = deadline; d.ledger = &fork; return d }
		late(d).refused(t, metrology.CodeState, notary, "draw:Commit", d.commitment(notary), "ended")
		d = d.commit(metrology.DrawOrganizations...)
		late(d).refused(t, metrology.CodeState, notary, "draw:Open", action(d), "ended")
		d = d.open().reveal(institute, association, notary)
		late(d).refused(t, metrology.CodeState, regulator, "draw:Reveal",
			metrology.RevealToDraw{ID: d.id, Secret: drawSecret(d.id, regulator).String()}, "ended")
		late(d).refused(t, metrology.CodeState, notary, "draw:Close", action(d), "ended")
		d = d.reveal(regulator).close()
		late(d).refused(t, metrology.CodeState, notary, "draw:Observe", metrology.ObserveDraw{ID: d.id, Contribution: d.closing().Contribution}, "ended")
	})
	t.Run("ErrCancelAfterReveals", func(t *testing.T) {
		d := enacted(t).commit(metrology.DrawOrganizations...).open()
		d.refused(t, metrology.CodeState, regulator, "draw:Cancel", metrology.CancelDraw{ID: d.id, Reason: metrology.DrawForceMajeure}, "cancel")
	})
	t.Run("CancelledNumberIsSpent", func(t *testing.T) {
		d := enacted(t)
		d.must(d.officer(regulator), "draw:Cancel", metrology.CancelDraw{ID: d.id, Reason: metrology.DrawForceMajeure}, nil)
		_, err := d.submit(d.officer(regulator), "draw:Plan", metrology.PlanDraw{ID: d.id, Plan: drawPlan(t, pinOf(d.beacon.Chain()), nil)}, nil)
		require.Equal(t, metrology.CodeConflict, metrology.ErrorCode(err))
		d.planDraw(2)
	})
}

func TestDrawBeacon(t *testing.T) {
	const institute, notary = metrology.InstituteMSP, metrology.NotaryMSP
	closed := func(t *testing.T) drawing {
		all := metrology.DrawOrganizations
		return newLedger(t).planDraw(1).approve().freeze().enact().commit(all...).open().reveal(all...).close()
	}
	t.Run("ErrBeforeItsRound", func(t *testing.T) {
		d := closed(t).observe(institute, notary)
		d.refused(t, metrology.CodeState, notary, "draw:Beacon", d.signature(), "due")
	})
	t.Run("ErrSignature", func(t *testing.T) {
		d := closed(t).observe(institute, notary).awaitRound()
		for _, signature := range []string{
			hex.EncodeToString(d.beacon.Sign(uint64(d.round + 1))), strings.Repeat("00", 48), "ab", hex.EncodeToString(append([]byte{0xc0}, make([]byte, 47)...)),
		} {
			d.refused(t, metrology.CodeSignature, notary, "draw:Beacon", metrology.SeedDraw{ID: d.id, Signature: signature}, "beacon")
		}
	})
	t.Run("VoidForWantOfObservations", func(t *testing.T) {
		d := closed(t).observe(institute)
		action := metrology.DrawAction{ID: d.id}
		d.refused(t, metrology.CodeState, notary, "draw:Void", action, "until then")
		d = d.awaitRound()
		d.refused(t, metrology.CodeState, notary, "draw:Beacon", d.signature(), "void")
		d.must(d.officer(notary), "draw:Void", action, nil)
		d.refused(t, metrology.CodeState, notary, "draw:Beacon", d.signature(), "void")
	})
	t.Run("ErrVoidThoughObserved", func(t *testing.T) {
		d := closed(t).observe(institute, notary).awaitRound()
		d.refused(t, metrology.CodeState, notary, "draw:Void", metrology.DrawAction{ID: d.id}, "waits")
	})
	t.Run("ErrSecondResult", func(t *testing.T) {
		d := closed(t).observe(institute, notary).awaitRound().seed().post()
		d.refused(t, metrology.CodeState, notary, "draw:Result", metrology.DrawAction{ID: d.id}, "result")
		d.refused(t, metrology.CodeState, notary, "draw:Beacon", d.signature(), "beacon")
	})
}

// TestDrawPlanKeepsItsBytes: what is stored is what was hashed.
func TestDrawPlanKeepsItsBytes(t *testing.T) {
	l := newLedger(t)
	d := drawing{ledger: l, id: "440300-000001", beacon: drawBeacon(t, l)}
	raw := drawPlan(t, pinOf(d.beacon.Chain()), func(p map[string]any) { p["title"] = "<加油机> & \u2028" })
	d.must(d.officer(metrology.RegulatorMSP), "draw:Plan", metrology.PlanDraw{ID: d.id, Plan: raw}, nil)
	stored := l.state[metrology.DrawKey(d.id, metrology.DrawPartPlan)]
	plan, err := draw.ParsePlan(raw)
	require.NoError(t, err)
	require.Equal(t, string(plan.Canonical), string(stored))
	require.Equal(t, plan.Hash.String(), d.phase().PlanHash)
	require.True(t, json.Valid(stored))
}

// TestDrawInfeasible: pairs barred that crowd onto the objects drawn leave a
// draw without an assignment. That is its outcome, with the deficient set.
func TestDrawInfeasible(t *testing.T) {
	l := newLedger(t)
	d := drawing{ledger: l, id: "440300-000001", beacon: drawBeacon(t, l)}
	regulator := d.officer(metrology.RegulatorMSP)
	plan := drawPlan(t, pinOf(d.beacon.Chain()), func(p map[string]any) {
		p["quota"], p["assign"] = map[string]int{"A": 2}, [][]string{{}, {}}
	})
	d.must(regulator, "draw:Plan", metrology.PlanDraw{ID: d.id, Plan: plan}, nil)
	d = d.approve()
	chunks := []metrology.DrawChunk{
		{Objects: []metrology.DrawObject{{ID: "S-0", Stratum: "A", Weight: 1}, {ID: "S-1", Stratum: "A", Weight: 1}}},
		{Inspectors: []metrology.DrawInspector{{ID: "I-0", Cap: 1}, {ID: "I-1", Cap: 1}, {ID: "I-2", Cap: 1}, {ID: "I-3", Cap: 1}}},
		{Ineligible: [][]string{{"I-0", "S-0"}, {"I-0", "S-1"}, {"I-1", "S-0"}, {"I-1", "S-1"}}},
	}
	for i, chunk := range chunks {
		d.must(regulator, "draw:Directory", metrology.FileDrawDirectory{ID: d.id, List: metrology.DrawLists[i], DrawChunk: chunk}, nil)
	}
	d.round = d.now.Unix() - d.beacon.Chain().GenesisTime + 5*drawMargin
	d.must(regulator, "draw:Freeze", metrology.FreezeDraw{ID: d.id, Round: d.round, Chunks: metrology.DrawChunks{Objects: 1, Inspectors: 1, Ineligible: 1}}, nil)
	all := metrology.DrawOrganizations
	d = d.enact().commit(all...).open().reveal(all...).close().observe(metrology.InstituteMSP, metrology.NotaryMSP).awaitRound().seed()
	event := d.must(regulator, "draw:Result", metrology.DrawAction{ID: d.id}, nil)
	require.Equal(t, metrology.EventDrawInfeasible, event.Type)
	require.Equal(t, metrology.DrawInfeasible, d.phase().Phase)
	require.Contains(t, load[metrology.DrawResult](l, metrology.DrawKey(d.id, metrology.DrawPartResult)).Infeasible, "I-2")
}
