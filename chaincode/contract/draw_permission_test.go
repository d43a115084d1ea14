package contract

import (
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// fillDraws makes one draw in every phase that a row of the table needs. The
// clock moves past the first draws' round and stays before the others'.
func (m *matrixLedger) fillDraws() {
	all := metrology.DrawOrganizations
	m.fillSealedDraws()
	closed := func(number int) drawing {
		return m.planDraw(number).approve().freeze().enact().commit(all...).open().reveal(all...).close()
	}
	seedable := closed(1).observe(metrology.InstituteMSP, metrology.NotaryMSP)
	seeded := closed(2).observe(metrology.InstituteMSP, metrology.NotaryMSP)
	closed(3) // nobody observes it
	drawn := closed(4).observe(metrology.InstituteMSP, metrology.NotaryMSP)
	changing := closed(5).observe(metrology.InstituteMSP, metrology.NotaryMSP)
	postable, posted := m.closedByFile(1), m.closedByFile(2)
	seeded.awaitRound().seed()
	drawn.seed().post()
	changing.seed().post()
	object := changing.order()[0]
	m.must(m.as(metrology.RoleRegulator, "reg"), "draw:Substitute", metrology.SubstituteObject{
		ID: changing.id, Object: object, Reason: metrology.SubstitutedClosed}, nil)
	seedable.awaitRound()
	m.drawSignature = seedable.signature().Signature

	m.drawPosting = postable.posting(postable.seed().outcomeByFile().Posting)
	own := posted.seed().outcomeByFile()
	wrong := own.Posting
	wrong.Strata = slices.Clone(wrong.Strata)
	wrong.Strata[0].Threshold = &draw.Key{Weight: 1}
	m.must(m.as(metrology.RoleRegulator, "reg"), "draw:Post", posted.posting(wrong), nil)
	found, err := draw.FindChallenge(own, posted.disputedBy(own, wrong), own.Drawn, fileObjects())
	require.NoError(m.t, err)
	m.drawChallenge = posted.challenge(1, *found)

	m.planDraw(6)
	m.planDraw(7).approve()
	ready := m.planDraw(8).approve()
	for _, chunk := range drawDirectory(ready.id) {
		m.must(m.as(metrology.RoleRegulator, "reg"), "draw:Directory", chunk, nil)
	}
	m.planDraw(9).approve().freeze()
	m.planDraw(10).approve().freeze().enact()
	m.planDraw(11).approve().freeze().enact().commit(all...)
	m.planDraw(12).approve().freeze().enact().commit(all...).open()
	m.planDraw(13).approve().freeze().enact().commit(all...).open().reveal(all...)
	closed(14)
}

// fillSealedDraws makes one whose escrow awaits the notary, and two whose
// beacon is known, and moves the clock to when the notary may open them.
func (m *matrixLedger) fillSealedDraws() {
	all, observers := metrology.DrawOrganizations, []string{metrology.InstituteMSP, metrology.NotaryMSP}
	m.planSealedDraw(1)
	committing := m.planSealedDraw(2).accept().approve().freeze().enact().commit(all...).open().reveal(all...).close().observe(observers...)
	opening := m.planSealedDraw(3).accept().approve().freeze().enact().commit(all...).open().reveal(all...).close().observe(observers...)
	committing.awaitRound().seed()
	opening.seed()
	m.now = time.Unix(opening.phase().OpenBy, 0)
}

func drawPermissions(l *matrixLedger) map[string]permission {
	const (
		witnesses    = "institute association notary"
		contributors = "regulator " + witnesses
		anybody      = contributors + " inspector merchant"
	)
	d := func(number int) drawing {
		return drawing{ledger: l.ledger, id: metrology.DrawID("440300", number), beacon: drawBeacon(l.t, l.ledger)}
	}
	action := func(number int) func(metrology.Role) any { return always(metrology.DrawAction{ID: d(number).id}) }
	round := l.now.Unix() - d(8).beacon.Chain().GenesisTime + 5*drawMargin
	return map[string]permission{
		"draw:Plan": {may: "regulator", request: always(metrology.PlanDraw{
			ID: d(15).id, Plan: drawPlan(l.t, pinOf(d(15).beacon.Chain()), nil)})},
		"draw:Approve":       {may: witnesses, request: always(metrology.ApproveDraw{ID: d(6).id, Hash: d(6).phase().PlanHash})},
		"draw:Directory":     {may: "regulator", request: always(drawDirectory(d(7).id)[0])},
		"draw:Freeze":        {may: "regulator", request: always(metrology.FreezeDraw{ID: d(8).id, Round: round, Chunks: drawChunks})},
		"draw:ApproveFreeze": {may: witnesses, request: always(metrology.ApproveDraw{ID: d(9).id, Hash: d(9).phase().Freeze})},
		"draw:Commit": {may: contributors, request: func(role metrology.Role) any {
			return d(10).commitment(metrology.RoleOrganizations[role])
		}},
		"draw:Open": {may: contributors, request: action(11)},
		"draw:Reveal": {may: contributors, request: func(role metrology.Role) any {
			return metrology.RevealToDraw{ID: d(12).id, Secret: drawSecret(d(12).id, metrology.RoleOrganizations[role]).String()}
		}},
		"draw:Close":     {may: anybody, request: action(13)},
		"draw:Observe":   {may: witnesses, request: always(metrology.ObserveDraw{ID: d(14).id, Contribution: d(14).closing().Contribution})},
		"draw:Beacon":    {may: anybody, request: always(metrology.SeedDraw{ID: d(1).id, Signature: l.drawSignature})},
		"draw:Result":    {may: anybody, request: action(2)},
		"draw:Post":      {may: anybody, request: always(l.drawPosting)},
		"draw:Challenge": {may: anybody, request: always(l.drawChallenge)},
		"draw:Void":      {may: anybody, request: action(3)},
		"draw:Substitute": {may: "regulator", request: always(metrology.SubstituteObject{
			ID: d(4).id, Object: d(4).order()[0], Reason: metrology.SubstitutedClosed})},
		"draw:Recuse": {may: "regulator", request: always(metrology.RecuseInspector{
			ID: d(4).id, Object: d(4).order()[0], Inspector: d(4).assigned(d(4).order()[0])[1]})},
		"draw:ApproveChange": {may: witnesses, request: always(metrology.DecideDrawChange{ID: d(5).id, Number: 1})},
		"draw:RejectChange":  {may: witnesses, request: always(metrology.DecideDrawChange{ID: d(5).id, Number: 1})},
		"draw:PublishEscrowKey": {may: "regulator notary", request: func(role metrology.Role) any {
			return metrology.PublishEscrowKey{Key: salt("another"), Replaces: salt(metrology.RoleOrganizations[role])}
		}},
		"draw:AcceptEscrow": {may: "notary", request: always(metrology.DrawAction{ID: l.sealedDraw(1).id})},
		"draw:CommitLeaves": {may: "regulator notary", request: always(metrology.CommitToLeaves{ID: l.sealedDraw(2).id, Root: salt("root"), Leaves: 3})},
		"draw:Unseal":       {may: "regulator notary", request: always(l.sealedDraw(3).unsealing())},
		"draw:Cancel":       {may: "regulator", request: always(metrology.CancelDraw{ID: d(10).id, Reason: metrology.DrawTaskWithdrawn})},
	}
}
