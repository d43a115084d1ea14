package contract

import "github.com/steelyard-ledger/steelyard/chaincode/metrology"

// fillDraws makes one draw in every phase that a row of the table needs. The
// clock moves past the first draws' round and stays before the others'.
func (m *matrixLedger) fillDraws() {
	all := metrology.DrawOrganizations
	closed := func(number int) drawing {
		return m.planDraw(number).approve().freeze().enact().commit(all...).open().reveal(all...).close()
	}
	seedable := closed(1).observe(metrology.InstituteMSP, metrology.NotaryMSP)
	seeded := closed(2).observe(metrology.InstituteMSP, metrology.NotaryMSP)
	closed(3) // nobody observes it
	seeded.awaitRound().seed()
	seedable.awaitRound()
	m.drawSignature = seedable.signature().Signature

	m.planDraw(4)
	m.planDraw(5).approve()
	ready := m.planDraw(6).approve()
	for _, chunk := range drawDirectory(ready.id) {
		m.must(m.as(metrology.RoleRegulator, "reg"), "draw:Directory", chunk, nil)
	}
	m.planDraw(7).approve().freeze()
	m.planDraw(8).approve().freeze().enact()
	m.planDraw(9).approve().freeze().enact().commit(all...)
	m.planDraw(10).approve().freeze().enact().commit(all...).open()
	m.planDraw(11).approve().freeze().enact().commit(all...).open().reveal(all...)
	closed(12)
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
	round := l.now.Unix() - d(6).beacon.Chain().GenesisTime + 5*drawMargin
	return map[string]permission{
		"draw:Plan": {may: "regulator", request: always(metrology.PlanDraw{
			ID: d(13).id, Plan: drawPlan(l.t, pinOf(d(13).beacon.Chain()), nil)})},
		"draw:Approve":       {may: witnesses, request: always(metrology.ApproveDraw{ID: d(4).id, Hash: d(4).phase().PlanHash})},
		"draw:Directory":     {may: "regulator", request: always(drawDirectory(d(5).id)[0])},
		"draw:Freeze":        {may: "regulator", request: always(metrology.FreezeDraw{ID: d(6).id, Round: round, Chunks: drawChunks})},
		"draw:ApproveFreeze": {may: witnesses, request: always(metrology.ApproveDraw{ID: d(7).id, Hash: d(7).phase().Freeze})},
		"draw:Commit": {may: contributors, request: func(role metrology.Role) any {
			return d(8).commitment(metrology.RoleOrganizations[role])
		}},
		"draw:Open": {may: contributors, request: action(9)},
		"draw:Reveal": {may: contributors, request: func(role metrology.Role) any {
			return metrology.RevealToDraw{ID: d(10).id, Secret: drawSecret(d(10).id, metrology.RoleOrganizations[role]).String()}
		}},
		"draw:Close":   {may: anybody, request: action(11)},
		"draw:Observe": {may: witnesses, request: always(metrology.ObserveDraw{ID: d(12).id, Contribution: d(12).closing().Contribution})},
		"draw:Beacon":  {may: anybody, request: always(metrology.SeedDraw{ID: d(1).id, Signature: l.drawSignature})},
		"draw:Result":  {may: anybody, request: action(2)},
		"draw:Void":    {may: anybody, request: action(3)},
		"draw:Cancel":  {may: "regulator", request: always(metrology.CancelDraw{ID: d(8).id, Reason: metrology.DrawTaskWithdrawn})},
	}
}
