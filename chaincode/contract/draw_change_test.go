package contract

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// drawnDraw is a draw with its result: two of S-0, S-2, S-4, S-6 and one of
// the odd ones.
func drawnDraw(t *testing.T) drawing {
	all := metrology.DrawOrganizations
	d := newLedger(t).planDraw(1).approve().freeze().enact().commit(all...).open().reveal(all...).close()
	return d.observe(metrology.InstituteMSP, metrology.NotaryMSP).awaitRound().seed().post()
}

func (d drawing) changes() []metrology.DrawChange {
	return load[metrology.DrawChanges](d.ledger, metrology.DrawKey(d.id, metrology.DrawPartChanges)).List
}

func (d drawing) substitute(object string) {
	d.t.Helper()
	d.must(d.officer(metrology.RegulatorMSP), "draw:Substitute",
		metrology.SubstituteObject{ID: d.id, Object: object, Reason: metrology.SubstitutedNotFound}, nil)
}

func (d drawing) decide(function string, number int) {
	d.t.Helper()
	d.must(d.officer(metrology.NotaryMSP), function, metrology.DecideDrawChange{ID: d.id, Number: number}, nil)
}

func TestDrawSubstitution(t *testing.T) {
	const regulator, notary = metrology.RegulatorMSP, metrology.NotaryMSP
	request := func(d drawing, object string) metrology.SubstituteObject {
		return metrology.SubstituteObject{ID: d.id, Object: object, Reason: metrology.SubstitutedNotFound}
	}
	t.Run("TakesTheNextStandby", func(t *testing.T) {
		d := drawnDraw(t)
		standby := load[metrology.DrawResult](d.ledger, metrology.DrawKey(d.id, metrology.DrawPartResult)).Standby[0]
		require.Equal(t, "A", standby.Stratum)
		first := d.outcome().Strata["A"].Selected[0].ID
		d.substitute(first)
		require.Equal(t, standby.Objects[0], d.changes()[0].By)
		d.decide("draw:ApproveChange", 1)
		require.Equal(t, notary, d.changes()[0].DecidedBy)
		d.refused(t, metrology.CodeInvalid, regulator, "draw:Substitute", request(d, first), "replaced before")
		d.substitute(standby.Objects[0])
		require.Equal(t, standby.Objects[1], d.changes()[1].By, "what came instead can be replaced too")
		d.decide("draw:ApproveChange", 2)
		d.refused(t, metrology.CodeState, regulator, "draw:Substitute", request(d, standby.Objects[1]), "no standby left")
	})
	t.Run("RejectedLeavesTheStandbyInPlace", func(t *testing.T) {
		d := drawnDraw(t)
		first := d.outcome().Strata["B"].Selected[0].ID
		d.substitute(first)
		d.decide("draw:RejectChange", 1)
		d.substitute(first)
		require.Equal(t, d.changes()[0].By, d.changes()[1].By)
	})
	t.Run("ErrOneIsOpen", func(t *testing.T) {
		d := drawnDraw(t)
		d.substitute(d.order()[0])
		d.refused(t, metrology.CodeState, regulator, "draw:Substitute", request(d, d.order()[1]), "change 1")
		d.decide("draw:ApproveChange", 1)
		d.refused(t, metrology.CodeState, notary, "draw:ApproveChange", metrology.DecideDrawChange{ID: d.id, Number: 1}, "approved")
		d.refused(t, metrology.CodeNotFound, notary, "draw:RejectChange", metrology.DecideDrawChange{ID: d.id, Number: 2}, "no change 2")
	})
	t.Run("ErrNotDrawn", func(t *testing.T) {
		d := drawnDraw(t)
		d.refused(t, metrology.CodeInvalid, regulator, "draw:Substitute", request(d, "S-99"), "object")
		unnamed := request(d, d.order()[0])
		unnamed.Reason = "whim"
		d.refused(t, metrology.CodeInvalid, regulator, "draw:Substitute", unnamed, "reason")
	})
	t.Run("ErrNoResultYet", func(t *testing.T) {
		d := newLedger(t).planDraw(1)
		d.refused(t, metrology.CodeState, regulator, "draw:Substitute", request(d, "S-0"), "no result")
	})
	t.Run("IneligibleInspectorGivesWay", func(t *testing.T) {
		d := drawnDraw(t)
		for range 2 { // S-0 may come as a standby of A; I-0 must not go there
			object := d.outcome().Strata["A"].Selected[0].ID
			if changed := len(d.state[metrology.DrawKey(d.id, metrology.DrawPartChanges)]); changed > 0 {
				object = d.changes()[0].By
			}
			d.substitute(object)
			last := d.changes()[len(d.changes())-1]
			d.decide("draw:ApproveChange", len(d.changes()))
			require.Len(t, last.Inspectors, 2)
			require.NotEqual(t, last.Inspectors[0], last.Inspectors[1])
			if last.By == "S-0" {
				require.NotContains(t, last.Inspectors, "I-0")
			}
		}
	})
}

func TestDrawRecusal(t *testing.T) {
	const regulator = metrology.RegulatorMSP
	d := drawnDraw(t)
	object := d.order()[0]
	former := d.assigned(object)
	off := metrology.RecuseInspector{ID: d.id, Object: object, Inspector: former[1]}
	d.must(d.officer(regulator), "draw:Recuse", off, nil)
	change := d.changes()[0]
	require.NotContains(t, former, change.By)
	require.Equal(t, []string{former[0], change.By}, change.Inspectors)
	require.Empty(t, change.Reason, "why somebody is recused is not on the ledger")
	d.decide("draw:ApproveChange", 1)
	d.refused(t, metrology.CodeInvalid, regulator, "draw:Recuse", off, "not assigned")
	d.must(d.officer(regulator), "draw:Recuse", metrology.RecuseInspector{ID: d.id, Object: object, Inspector: change.By}, nil)
	require.NotEqual(t, former[1], d.changes()[1].By, "who was recused does not come back")
}
