package contract

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// visited is a drawn draw over registered sites, whose directory commits to who
// each inspector is.
type visited struct {
	inspected
	drawing
}

func holderSalt(inspector string) draw.Digest { return draw.Digest([]byte(salt(inspector))[:32]) }

// subjectOf is the subject behind an inspector's id of the draw.
func subjectOf(inspector string) string { return "subject-" + inspector }

func newVisited(t *testing.T, sealed bool) visited {
	t.Helper()
	v := visited{inspected: newInspected(t)}
	association := v.inspected.as(metrology.RoleAssociation, "assoc")
	for i := range 8 {
		id := fmt.Sprintf("S-%d", i)
		v.inspected.must(association, "site:Register", metrology.RegisterSite{
			ID: id, Kind: metrology.SiteShop, Region: "440305", Occupant: "holder", From: "2026-01-01"}, profile(id))
	}
	all := metrology.DrawOrganizations
	if sealed {
		v.drawing = v.inspected.planSealedDraw(1).accept().approve()
	} else {
		v.drawing = v.inspected.planDraw(1).approve()
	}
	d := &v.drawing
	for _, chunk := range drawDirectory(d.id) {
		for i, in := range chunk.Inspectors {
			if in.ID != "I-3" { // who that is the directory does not say
				chunk.Inspectors[i].Holder = draw.InspectorHolder(d.id, in.ID, subjectOf(in.ID), holderSalt(in.ID)).String()
			}
		}
		d.must(d.officer(metrology.RegulatorMSP), "draw:Directory", chunk, nil)
	}
	d.round = d.now.Unix() - d.beacon.Chain().GenesisTime + 5*drawMargin
	d.must(d.officer(metrology.RegulatorMSP), "draw:Freeze", metrology.FreezeDraw{ID: d.id, Round: d.round, Chunks: drawChunks}, nil)
	*d = d.enact().commit(all...).open().reveal(all...).close().observe(metrology.InstituteMSP, metrology.NotaryMSP).awaitRound().seed()
	return v
}

// entry is a visit of a site by inspectors of the draw.
func (v visited) entry(site string, rank int, inspectors ...string) metrology.EnterInspection {
	e := metrology.EnterInspection{
		ID: "v-1", Site: site, Basis: metrology.Basis{Kind: metrology.BasisDraw, Draw: v.id, Rank: rank}, Visited: "2026-03-02", Post: "post",
	}
	for _, i := range inspectors {
		e.Inspectors = append(e.Inspectors, subjectOf(i))
		e.Assigned = append(e.Assigned, metrology.AssignedInspector{Inspector: i, Salt: holderSalt(i).String()})
	}
	return e
}

// enter tries an entry on a copy of the ledger, as the first of its inspectors.
func (v visited) enter(t *testing.T, e metrology.EnterInspection) error {
	t.Helper()
	fork := v.inspected.fork(t)
	_, err := fork.submit(fork.as(metrology.RoleInspector, e.Inspectors[0]), "inspection:Enter", e, reportDocument(weighed("995", metrology.ResultNoneFound)))
	return err
}

func refusedAs(t *testing.T, err error, code metrology.Code, part string) {
	t.Helper()
	require.Equal(t, code, metrology.ErrorCode(err), "%v", err)
	require.ErrorContains(t, err, part)
}

// known is a site drawn whose inspectors the directory commits to, with its
// rank; the test fails if there is none.
func (v visited) known(t *testing.T) (site string, rank int, inspectors []string) {
	t.Helper()
	outcome := v.outcome()
	for _, name := range []string{"A", "B"} {
		for i, selected := range outcome.Strata[name].Selected {
			if inspectors = outcome.Assignments[selected.ID]; !slices.Contains(inspectors, "I-3") {
				return selected.ID, i + 1, inspectors
			}
		}
	}
	require.Fail(t, "no site without I-3")
	return "", 0, nil
}

// TestInspectionBoundToDraw: an entry under a draw is what the draw assigned,
// or is refused by the member that is not.
func TestInspectionBoundToDraw(t *testing.T) {
	v := newVisited(t, false)
	v.drawing = v.drawing.post()
	site, rank, assigned := v.known(t)
	require.NoError(t, v.enter(t, v.entry(site, rank, assigned...)))
	slices.Reverse(assigned)
	require.NoError(t, v.enter(t, v.entry(site, rank, assigned...)), "either of the two may enter")

	others := []string{}
	for _, i := range []string{"I-0", "I-1", "I-2"} {
		if !slices.Contains(assigned, i) {
			others = append(others, i)
		}
	}
	notDrawn := ""
	for i := range 8 {
		if id := fmt.Sprintf("S-%d", i); v.outcome().Assignments[id] == nil {
			notDrawn = id
		}
	}
	for name, c := range map[string]struct {
		change func(*metrology.EnterInspection)
		code   metrology.Code
		part   string
	}{
		"NotDrawn":       {func(e *metrology.EnterInspection) { e.Site = notDrawn }, metrology.CodeInvalid, "did not draw"},
		"OtherRank":      {func(e *metrology.EnterInspection) { e.Basis.Rank++ }, metrology.CodeInvalid, "basis.rank"},
		"OtherInspector": {func(e *metrology.EnterInspection) { *e = v.entry(site, rank, assigned[0], others[0]) }, metrology.CodeInvalid, "is not assigned"},
		"OneTwice": {func(e *metrology.EnterInspection) {
			*e = v.entry(site, rank, assigned[0], assigned[0])
			e.Inspectors[1] = "another"
		}, metrology.CodeInvalid, "stands twice"},
		"ThirdInspector": {func(e *metrology.EnterInspection) { *e = v.entry(site, rank, assigned[0], assigned[1], others[0]) }, metrology.CodeInvalid, "assigned 2"},
		"OtherPerson":    {func(e *metrology.EnterInspection) { e.Inspectors[1] = "somebody" }, metrology.CodeInvalid, "is not who"},
		"OtherSalt":      {func(e *metrology.EnterInspection) { e.Assigned[1].Salt = salt("x") }, metrology.CodeInvalid, "is not who"},
		"NoSalts":        {func(e *metrology.EnterInspection) { e.Assigned = nil }, metrology.CodeInvalid, "assigned"},
		"NoSuchDraw":     {func(e *metrology.EnterInspection) { e.Basis.Draw = "440300-000009" }, metrology.CodeNotFound, "440300-000009"},
		"LeafOfAnOpen":   {func(e *metrology.EnterInspection) { e.Leaf = json.RawMessage(`{}`) }, metrology.CodeInvalid, "leaf"},
		"OutsideDraws": {func(e *metrology.EnterInspection) { e.Basis = metrology.Basis{Kind: metrology.BasisComplaint} },
			metrology.CodeInvalid, "belongs to an inspection under a draw"},
	} {
		t.Run(name, func(t *testing.T) {
			e := v.entry(site, rank, assigned...)
			c.change(&e)
			refusedAs(t, v.enter(t, e), c.code, c.part)
		})
	}
	t.Run("NotSaidWhoItIs", func(t *testing.T) {
		for object, inspectors := range v.outcome().Assignments {
			if !slices.Contains(inspectors, "I-3") {
				continue
			}
			for _, stratum := range v.outcome().Strata {
				for i, selected := range stratum.Selected {
					if selected.ID == object {
						refusedAs(t, v.enter(t, v.entry(object, i+1, inspectors...)), metrology.CodeState, "does not commit to who")
					}
				}
			}
		}
	})
	t.Run("Substitute", func(t *testing.T) {
		w := v
		w.inspected.ledger = v.inspected.fork(t)
		w.drawing.ledger = w.inspected.ledger
		w.substitute(site)
		w.decide("draw:ApproveChange", 1)
		refusedAs(t, w.enter(t, w.entry(site, rank, assigned...)), metrology.CodeInvalid, "another took its place")
		change := w.changes()[0]
		quota := len(w.outcome().Strata[change.Stratum].Selected)
		err := w.enter(t, w.entry(change.By, quota+1, change.Inspectors...))
		if slices.Contains(change.Inspectors, "I-3") {
			refusedAs(t, err, metrology.CodeState, "does not commit to who")
			return
		}
		require.NoError(t, err)
	})
}

// TestInspectionOfSealedDraw: while a draw is sealed an entry shows its own
// leaf; afterwards it is held against the result.
func TestInspectionOfSealedDraw(t *testing.T) {
	v := newVisited(t, true)
	outcome, _ := v.sealedOutcome()
	leaves := draw.SealedLeaves(sealSecret(v.id), outcome.Assignment)
	site := ""
	for _, object := range outcome.Assignment.Order {
		if !slices.Contains(outcome.Assignment.Inspectors[object], "I-3") {
			site = object
		}
	}
	require.NotEmpty(t, site)
	e := v.entry(site, 0, outcome.Assignment.Inspectors[site]...)
	e.Leaf = must(json.Marshal(must(draw.ProveSealed(leaves, site))))
	refusedAs(t, v.enter(t, e), metrology.CodeState, "is seeded")
	v.drawing = v.commitLeaves(metrology.NotaryMSP)
	require.NoError(t, v.enter(t, e))
	for name, c := range map[string]struct {
		change func(*metrology.EnterInspection)
		part   string
	}{
		"WithoutLeaf": {func(e *metrology.EnterInspection) { e.Leaf = nil }, "leaf"},
		"LeafOfAnother": {func(e *metrology.EnterInspection) {
			e.Site = "S-7"
			e.Leaf = must(json.Marshal(must(draw.ProveSealed(leaves, site))))
		}, "leaf"},
		"RankWhileSealed": {func(e *metrology.EnterInspection) { e.Basis.Rank = 1 }, "basis.rank"},
		"NoLeafAtAll":     {func(e *metrology.EnterInspection) { e.Leaf = json.RawMessage(`{"leaf":1}`) }, "leaf"},
		"LeafBent": {func(e *metrology.EnterInspection) {
			bent := must(draw.ProveSealed(leaves, site))
			bent.Leaf.Inspectors = []string{"I-0", "I-1", "I-2"}
			e.Leaf = must(json.Marshal(bent))
		}, "committed to"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := e
			c.change(&changed)
			refusedAs(t, v.enter(t, changed), metrology.CodeInvalid, c.part)
		})
	}
	v.drawing = v.unseal(metrology.RegulatorMSP)
	refusedAs(t, v.enter(t, e), metrology.CodeInvalid, "leaf")
	e.Leaf = nil
	refusedAs(t, v.enter(t, e), metrology.CodeInvalid, "basis.rank")
}
