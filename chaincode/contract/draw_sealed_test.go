package contract

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// openWithin is how long after its round a sealed draw here is opened, in
// seconds.
const openWithin = 500

// sealedAuthority files the sealed draws here.
const sealedAuthority = "440600"

func sealSecret(id string) draw.Digest { return sha256.Sum256([]byte("sealed " + id)) }

// escrowOf are boxes of the right form. What they hold the contract cannot
// see; gateway/escrow makes real ones.
func escrowOf() []metrology.DrawEscrow {
	var boxes []metrology.DrawEscrow
	for _, holder := range metrology.DrawHolders {
		boxes = append(boxes, metrology.DrawEscrow{Holder: holder, Key: salt(holder), Box: strings.Repeat("ab", 80)})
	}
	return boxes
}

func (l *ledger) sealedDraw(number int) drawing {
	return drawing{ledger: l, id: metrology.DrawID(sealedAuthority, number), beacon: drawBeacon(l.t, l)}
}

// sealedFiling is a filing of the authority's next draw, sealed.
func (l *ledger) sealedFiling(number int) (drawing, metrology.PlanDraw) {
	d := l.sealedDraw(number)
	return d, metrology.PlanDraw{ID: d.id, Escrow: escrowOf(), Plan: drawPlan(l.t, pinOf(d.beacon.Chain()), func(p map[string]any) {
		p["authority"] = sealedAuthority
		p["seal"], p["openWithin"] = draw.Seal(d.id, sealSecret(d.id)), openWithin
	})}
}

func (l *ledger) planSealedDraw(number int) drawing {
	l.t.Helper()
	d, filing := l.sealedFiling(number)
	for _, holder := range metrology.DrawHolders {
		d.must(d.officer(holder), "draw:PublishEscrowKey", metrology.PublishEscrowKey{Key: salt(holder)}, nil)
	}
	d.must(d.officer(metrology.RegulatorMSP), "draw:Plan", filing, nil)
	return d
}

func (d drawing) accept() drawing {
	d.t.Helper()
	d.must(d.officer(metrology.NotaryMSP), "draw:AcceptEscrow", metrology.DrawAction{ID: d.id}, nil)
	return d
}

func (d drawing) unsealing() metrology.UnsealDraw {
	return metrology.UnsealDraw{ID: d.id, Secret: sealSecret(d.id).String()}
}

// sealedOutcome is the draw as a holder of the secret computes it.
func (d drawing) sealedOutcome() (draw.Result, metrology.CommitToLeaves) {
	d.t.Helper()
	secret, in := sealSecret(d.id), d.input()
	in.SealedSecret = &secret
	outcome, err := draw.Compute(in)
	require.NoError(d.t, err)
	leaves := draw.SealedLeaves(secret, outcome.Assignment)
	return outcome, metrology.CommitToLeaves{ID: d.id, Root: draw.SealedRoot(leaves).String(), Leaves: int64(len(leaves))}
}

func (d drawing) commitLeaves(orgs ...string) drawing {
	d.t.Helper()
	_, request := d.sealedOutcome()
	for _, org := range orgs {
		d.must(d.officer(org), "draw:CommitLeaves", request, nil)
	}
	return d
}

func (d drawing) unseal(org string) drawing {
	d.t.Helper()
	d.must(d.officer(org), "draw:Unseal", d.unsealing(), nil)
	return d
}

func (d drawing) opening() metrology.DrawOpening {
	return load[metrology.DrawOpening](d.ledger, metrology.DrawKey(d.id, metrology.DrawPartOpening))
}

// sealedSeeded is a sealed draw whose beacon is known.
func sealedSeeded(t *testing.T) drawing {
	all := metrology.DrawOrganizations
	d := newLedger(t).planSealedDraw(1).accept().approve().freeze().enact().commit(all...).open().reveal(all...).close()
	return d.observe(metrology.InstituteMSP, metrology.NotaryMSP).awaitRound().seed()
}

// TestSealedDraw: holders commit to the result, either opens it, and then it
// is that of the function.
func TestSealedDraw(t *testing.T) {
	for _, opener := range metrology.DrawHolders {
		t.Run("OpenedBy"+opener, func(t *testing.T) {
			d := sealedSeeded(t).commitLeaves(metrology.DrawHolders...)
			require.Equal(t, metrology.DrawSealed, d.phase().Phase)
			require.Equal(t, d.phase().RoundTime+openWithin, d.phase().OpenBy)
			d.now = time.Unix(d.phase().OpenBy, 0)
			d = d.unseal(opener)
			expected, committed := d.sealedOutcome()
			document, err := expected.JSON()
			require.NoError(t, err)
			posted := load[metrology.DrawResult](d.ledger, metrology.DrawKey(d.id, metrology.DrawPartResult))
			require.JSONEq(t, string(document), string(posted.Result))
			require.Equal(t, metrology.DrawDrawn, d.phase().Phase)
			require.Equal(t, metrology.DrawOpening{Org: opener, Secret: sealSecret(d.id).String(), Time: d.phase().Ended}, d.opening())
			leaves := load[metrology.DrawLeaves](d.ledger, metrology.DrawKey(d.id, metrology.DrawPartLeaves, opener))
			require.Equal(t, committed.Root, leaves.Root)
			d.refused(t, metrology.CodeState, opener, "draw:Unseal", d.unsealing(), "result")
		})
	}
}

// TestSealedDrawTellsNothing: until the opening no value on the ledger and no
// event depends on what was drawn, but for the holders' roots, whose leaves are
// salted from the secret.
func TestSealedDrawTellsNothing(t *testing.T) {
	d := sealedSeeded(t).commitLeaves(metrology.DrawHolders...)
	_, committed := d.sealedOutcome()
	secret := sealSecret(d.id)
	for key, value := range d.state {
		require.NotContains(t, string(value), secret.String(), key)
		if strings.HasPrefix(key, "draw/") && slices.Contains([]string{"objects", "inspectors", "ineligible", "exclusions"}, strings.Split(key, "/")[2]) {
			continue // as filed before the freeze
		}
		for i := range 8 {
			require.NotContains(t, string(value), fmt.Sprintf("S-%d", i), key)
		}
		for _, ticket := range []draw.Digest{draw.Ticket(secret, "S-0")} {
			require.NotContains(t, string(value), ticket.String(), key)
		}
	}
	for _, event := range d.events {
		for i := range 8 {
			require.NotContains(t, fmt.Sprintf("%+v", event), fmt.Sprintf("S-%d", i))
		}
	}
	require.NotContains(t, d.state, metrology.DrawKey(d.id, metrology.DrawPartResult))
	// Without the secret the seed on the ledger gives another draw.
	open := d.input()
	plan := map[string]any{}
	require.NoError(t, json.Unmarshal(open.Plan, &plan))
	delete(plan, "seal")
	open.Plan = must(json.Marshal(plan))
	guess := must(draw.Compute(open))
	leaves := draw.SealedLeaves(draw.Digest{}, guess.Assignment)
	require.NotEqual(t, committed.Root, draw.SealedRoot(leaves).String())
}

func TestSealedDrawRefusals(t *testing.T) {
	const regulator, institute, notary = metrology.RegulatorMSP, metrology.InstituteMSP, metrology.NotaryMSP
	action := func(d drawing) metrology.DrawAction { return metrology.DrawAction{ID: d.id} }
	t.Run("ErrNoEscrowNoFreeze", func(t *testing.T) {
		d := newLedger(t).planSealedDraw(1).approve()
		for _, chunk := range drawDirectory(d.id) {
			d.must(d.officer(regulator), "draw:Directory", chunk, nil)
		}
		round := d.now.Unix() - d.beacon.Chain().GenesisTime + 5*drawMargin
		freeze := metrology.FreezeDraw{ID: d.id, Round: round, Chunks: drawChunks}
		d.refused(t, metrology.CodeState, regulator, "draw:Freeze", freeze, "has not accepted")
		d.accept().must(d.officer(regulator), "draw:Freeze", freeze, nil)
	})
	t.Run("ErrAcceptedTwice", func(t *testing.T) {
		d := newLedger(t).planSealedDraw(1).accept()
		d.refused(t, metrology.CodeConflict, notary, "draw:AcceptEscrow", action(d), "already")
	})
	t.Run("ErrEscrowOfAnOpenDraw", func(t *testing.T) {
		d := newLedger(t).planDraw(1)
		d.refused(t, metrology.CodeState, notary, "draw:AcceptEscrow", action(d), "open")
	})
	t.Run("ErrWrongSecret", func(t *testing.T) {
		d := sealedSeeded(t)
		wrong := metrology.UnsealDraw{ID: d.id, Secret: salt("another")}
		d.refused(t, metrology.CodeInvalid, regulator, "draw:Unseal", wrong, "does not open the seal")
		wrong.Secret = strings.ToUpper(sealSecret(d.id).String())
		d.refused(t, metrology.CodeInvalid, regulator, "draw:Unseal", wrong, "lower-case hex")
	})
	t.Run("ErrNotaryTooEarly", func(t *testing.T) {
		d := sealedSeeded(t).commitLeaves(regulator)
		d.now = time.Unix(d.phase().OpenBy-1, 0)
		d.refused(t, metrology.CodeState, notary, "draw:Unseal", d.unsealing(), "from")
		d.now = time.Unix(d.phase().OpenBy, 0)
		require.Equal(t, notary, d.unseal(notary).opening().Org, "when the regulator refuses")
	})
	t.Run("ErrBeforeTheBeacon", func(t *testing.T) {
		all := metrology.DrawOrganizations
		d := newLedger(t).planSealedDraw(1).accept().approve().freeze().enact().commit(all...).open().reveal(all...).close()
		d.refused(t, metrology.CodeState, regulator, "draw:Unseal", d.unsealing(), "result")
		d.refused(t, metrology.CodeState, regulator, "draw:CommitLeaves", metrology.CommitToLeaves{ID: d.id, Root: salt("x")}, "commit-leaves")
	})
	t.Run("ErrOpenResult", func(t *testing.T) {
		d := sealedSeeded(t)
		d.refused(t, metrology.CodeState, institute, "draw:Result", action(d), "sealed")
		d = d.commitLeaves(notary)
		d.refused(t, metrology.CodeState, institute, "draw:Result", action(d), "sealed")
	})
	t.Run("ErrChangeWhileSealed", func(t *testing.T) {
		d := sealedSeeded(t).commitLeaves(regulator)
		d.refused(t, metrology.CodeState, regulator, "draw:Substitute",
			metrology.SubstituteObject{ID: d.id, Object: "S-0", Reason: metrology.SubstitutedClosed}, "no result to change")
	})
	t.Run("ErrLeavesTwice", func(t *testing.T) {
		d := sealedSeeded(t).commitLeaves(regulator)
		d.refused(t, metrology.CodeConflict, regulator, "draw:CommitLeaves", metrology.CommitToLeaves{ID: d.id, Root: salt("x"), Leaves: 3}, "taken")
	})
	t.Run("ErrUnsealOpenDraw", func(t *testing.T) {
		d := drawnDraw(t)
		d.refused(t, metrology.CodeState, regulator, "draw:Unseal", d.unsealing(), "open")
		d.refused(t, metrology.CodeState, regulator, "draw:CommitLeaves", metrology.CommitToLeaves{ID: d.id, Root: salt("x")}, "open")
	})
	t.Run("WrongLeavesAreNamed", func(t *testing.T) {
		d := sealedSeeded(t).commitLeaves(notary)
		d.must(d.officer(regulator), "draw:CommitLeaves", metrology.CommitToLeaves{ID: d.id, Root: salt("x"), Leaves: 3}, nil)
		require.Equal(t, []string{regulator}, d.unseal(regulator).opening().Wrong)
	})
	t.Run("OpenedWithoutLeaves", func(t *testing.T) {
		d := sealedSeeded(t).unseal(regulator)
		require.Equal(t, metrology.DrawDrawn, d.phase().Phase)
		require.Empty(t, d.opening().Wrong)
	})
}

func TestSealedDrawEscrow(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*metrology.PlanDraw)
		code   metrology.Code
		part   string
	}{
		{"None", func(p *metrology.PlanDraw) { p.Escrow = nil }, metrology.CodeInvalid, "escrow"},
		{"RegulatorAlone", func(p *metrology.PlanDraw) { p.Escrow = p.Escrow[:1] }, metrology.CodeInvalid, "escrow"},
		{"OtherHolder", func(p *metrology.PlanDraw) { p.Escrow[1].Holder = metrology.InstituteMSP }, metrology.CodeInvalid, "escrow[1].holder"},
		{"OtherKey", func(p *metrology.PlanDraw) { p.Escrow[1].Key = salt("x") }, metrology.CodeInvalid, "escrow[1].key"},
		{"BoxCutShort", func(p *metrology.PlanDraw) { p.Escrow[0].Box = p.Escrow[0].Box[2:] }, metrology.CodeInvalid, "escrow[0].box"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLedger(t)
			for _, holder := range metrology.DrawHolders {
				l.must(drawing{ledger: l}.officer(holder), "draw:PublishEscrowKey", metrology.PublishEscrowKey{Key: salt(holder)}, nil)
			}
			d, filing := l.sealedFiling(1)
			c.change(&filing)
			d.refused(t, c.code, metrology.RegulatorMSP, "draw:Plan", filing, c.part)
		})
	}
	t.Run("NoKeyPublished", func(t *testing.T) {
		d, filing := newLedger(t).sealedFiling(1)
		d.refused(t, metrology.CodeState, metrology.RegulatorMSP, "draw:Plan", filing, "has published no key")
	})
	t.Run("OpenDraw", func(t *testing.T) {
		d, filing := newLedger(t).sealedFiling(1)
		filing.Plan = drawPlan(t, pinOf(d.beacon.Chain()), func(p map[string]any) { p["authority"] = sealedAuthority })
		d.refused(t, metrology.CodeInvalid, metrology.RegulatorMSP, "draw:Plan", filing, "no seal")
	})
	t.Run("KeyIsNoKey", func(t *testing.T) {
		d, _ := newLedger(t).sealedFiling(1)
		d.refused(t, metrology.CodeInvalid, metrology.NotaryMSP, "draw:PublishEscrowKey", metrology.PublishEscrowKey{Key: "00"}, "key")
	})
}

// TestEscrowKeyInForce: a key is replaced only by whoever knows it.
func TestEscrowKeyInForce(t *testing.T) {
	d := drawing{ledger: newLedger(t)}
	publish := func(key, replaces string) metrology.PublishEscrowKey {
		return metrology.PublishEscrowKey{Key: salt(key), Replaces: replaces}
	}
	const name = "draw:PublishEscrowKey"
	d.refused(t, metrology.CodeConflict, metrology.NotaryMSP, name, publish("first", salt("another")), "replaces")
	d.must(d.officer(metrology.NotaryMSP), name, publish("first", ""), nil)
	d.refused(t, metrology.CodeConflict, metrology.NotaryMSP, name, publish("second", ""), "replaces")
	d.refused(t, metrology.CodeConflict, metrology.NotaryMSP, name, publish("second", salt("another")), "replaces")
	d.must(d.officer(metrology.NotaryMSP), name, publish("first", ""), nil) // as it is
	d.must(d.officer(metrology.NotaryMSP), name, publish("second", salt("first")), nil)
	d.must(d.officer(metrology.RegulatorMSP), name, publish("its own", ""), nil)
	require.Equal(t, salt("second"), load[metrology.EscrowKey](d.ledger, metrology.Key(metrology.KindEscrowKey, metrology.NotaryMSP)).Key)
}

// TestSealedSubstitution: after the opening, replacements follow from the seed
// that the draw selected with.
func TestSealedSubstitution(t *testing.T) {
	d := sealedSeeded(t).unseal(metrology.RegulatorMSP)
	standby := load[metrology.DrawResult](d.ledger, metrology.DrawKey(d.id, metrology.DrawPartResult)).Standby[0]
	object := d.outcome().Strata["A"].Selected[0].ID
	d.substitute(object)
	require.Equal(t, standby.Objects[0], d.changes()[0].By)
	d.decide("draw:ApproveChange", 1)
	inspector := d.changes()[0].Inspectors[1]
	d.must(d.officer(metrology.RegulatorMSP), "draw:Recuse", metrology.RecuseInspector{ID: d.id, Object: standby.Objects[0], Inspector: inspector}, nil)
	outcome, _ := d.sealedOutcome()
	lists := d.input()
	next := draw.Replacement{
		Seed: outcome.DrawSeed(), Plan: must(draw.ParsePlan(lists.Plan)), Inspectors: must(draw.NewInspectors(lists.Inspectors)),
		Ineligible: must(draw.NewIneligible(lists.Ineligible)), Loads: map[string]uint32{},
	}
	for _, inspectors := range outcome.Assignment.Inspectors {
		for _, i := range inspectors {
			next.Loads[i]++
		}
	}
	require.Equal(t, next.Next(standby.Objects[0], 1, d.changes()[0].Inspectors), d.changes()[1].By)
}

// TestSealedLateTransactions: what was endorsed while a draw was sealed and
// comes later takes no effect.
func TestSealedLateTransactions(t *testing.T) {
	d := sealedSeeded(t)
	_, leaves := d.sealedOutcome()
	var kept []*withheld
	keep := func(org, function string, request any) {
		d.count++
		w := &withheld{claimed: d.now, reads: map[string][]byte{}, memoryStub: &memoryStub{
			ledger: d.ledger, creator: d.officer(org), id: fmt.Sprintf("kept-%d", d.count),
			arguments: []string{"draw:" + function, text(t, request), fmt.Sprintf("kept-%d", d.count)},
		}}
		require.EqualValues(t, 200, d.chaincode.Invoke(w).GetStatus(), function)
		kept = append(kept, w)
	}
	keep(metrology.RegulatorMSP, "CommitLeaves", metrology.CommitToLeaves{ID: d.id, Root: hex.EncodeToString(bytes.Repeat([]byte{1}, 32)), Leaves: 3})
	keep(metrology.RegulatorMSP, "Unseal", d.unsealing())
	d = d.commitLeaves(metrology.NotaryMSP)
	d.must(d.officer(metrology.RegulatorMSP), "draw:CommitLeaves", leaves, nil)
	for _, w := range kept {
		require.False(t, w.submit(), w.arguments[0])
	}
	require.Equal(t, metrology.DrawSealed, d.phase().Phase)
}
