package contract

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// badWill lists what a draw must withstand, and where that is tested: a file,
// and the names in it. "contract" stands for the files beside this one.
var badWill = []struct {
	attempt string
	tested  map[string][]string
}{
	{"duplicate, empty, over-long or lower-case ids", map[string][]string{
		"../draw/rules_test.go": {`"DuplicateID"`, `"EmptyID"`, `"LongID"`, `"LowerCaseID"`}, "draw_test.go": {`"EntryTwice"`, `"LowerCaseID"`, `"AcrossChunks"`}}},
	{"quota above the stratum", map[string][]string{"../draw/rules_test.go": {`"QuotaAboveStratum"`}, "draw_bad_will_test.go": {`"QuotaAboveStratum"`}}},
	{"weight 0", map[string][]string{"../draw/rules_test.go": {`"WeightZero"`}, "draw_test.go": {`"WeightZero"`}}},
	{"infeasible slots, the deficient set named", map[string][]string{"../draw/rules_test.go": {`"Infeasible"`}, "draw_test.go": {`"ErrInfeasible"`, "TestDrawInfeasible"}}},
	{"a second freeze", map[string][]string{"draw_test.go": {`"ErrSecondFreeze"`}}},
	{"a freeze whose round is past or too near", map[string][]string{"draw_test.go": {`"ErrRoundTooNear"`}, "draw_bad_will_test.go": {`"RoundPast"`}}},
	{"a late commit, reveal, close or observation", map[string][]string{"draw_test.go": {`"ErrLate"`}}},
	{"every kind of transaction endorsed early and submitted late", map[string][]string{
		"draw_adversary_test.go": {"TestDrawAdversary", "TestDrawLateTransactions"}, "draw_sealed_test.go": {"TestSealedLateTransactions"},
		"draw_bad_will_test.go": {"TestDrawLateDecisions"}, "draw_network_test.go": {"TestDrawOnNetwork"}}},
	{"a reveal that does not match", map[string][]string{"draw_bad_will_test.go": {`"RevealOfAnotherSecret"`}, "../draw/rules_test.go": {`"WrongCommitment"`}}},
	{"another organisation's commitment copied", map[string][]string{"draw_test.go": {`"ErrCopiedCommitment"`}, "../draw/rules_test.go": {`"CopiedCommitment"`}}},
	{"randomness without a signature", map[string][]string{"../draw/rules_test.go": {`"RandomnessInsteadOfSignature"`, `"NullSignature"`}}},
	{"a signature for the next round, for another chain, a point off the curve or outside the subgroup", map[string][]string{
		"../draw/beacon_test.go": {`"NextRound"`, `"OtherKey"`, `"OffCurve"`, `"OutsideSubgroup"`, `"Identity"`}, "draw_test.go": {`"ErrSignature"`}}},
	{"an unrevealed contribution", map[string][]string{"draw_test.go": {`"WithheldSecretIsNamedAndTheDrawGoesOn"`}}},
	{"nobody posts the result: anybody can, and the page shows the delay", map[string][]string{
		"draw_permission_test.go": {`"draw:Result":`}, "../../gateway/public/draw_test.go": {"TestDrawOverdue", "TestOpeningOverdue"},
		"../../gateway/web/golden_test.go": {`"draw-late"`, `"draw-sealed"`}}},
	{"a wrong list with a threshold too high, too low, one name swapped", map[string][]string{
		"draw_posting_test.go": {"TestWrongListIsRefuted", `"ThresholdTooHigh"`, `"ThresholdTooLow"`, `"NameSwapped"`}}},
	{"a redraw attempt", map[string][]string{"draw_test.go": {`"ErrSecondResult"`, `"CancelledNumberIsSpent"`, `"NumberSkipped"`}, "draw_sealed_test.go": {"TestSealedDraw("}}},
	{"a cancellation after reveals opened", map[string][]string{"draw_test.go": {`"ErrCancelAfterReveals"`}}},
	{"a tampered transcript at every field", map[string][]string{"../draw/transcript_test.go": {"TestVerifyTamperedTranscript", "TestVerifyFailsByName"}}},
	{"a regulator who refuses to open", map[string][]string{"draw_sealed_test.go": {`"ErrNotaryTooEarly"`}, "../../gateway/observer/sealed_test.go": {`"NotaryOpensWhenTheRegulatorDoesNot"`}}},
	{"an inspection that is called drawn", map[string][]string{"inspection_basis_test.go": {"TestInspectionBoundToDraw", "TestInspectionOfSealedDraw"}}},
}

// TestBadWillIsTested: each line of the list names tests that are there.
func TestBadWillIsTested(t *testing.T) {
	for _, line := range badWill {
		t.Run(line.attempt, func(t *testing.T) {
			for file, names := range line.tested {
				source, err := os.ReadFile(file)
				require.NoError(t, err)
				for _, name := range names {
					require.Contains(t, string(source), name, file)
				}
			}
		})
	}
}

// TestDrawBadFreeze: what a freeze and a reveal refuse beside the cases of
// TestDrawFreeze and TestDrawContributions.
func TestDrawBadFreeze(t *testing.T) {
	const regulator = metrology.RegulatorMSP
	filed := func(t *testing.T, change func([]metrology.FileDrawDirectory)) drawing {
		d := newLedger(t).planDraw(1).approve()
		lists := drawDirectory(d.id)
		change(lists)
		for _, chunk := range lists {
			d.must(d.officer(regulator), "draw:Directory", chunk, nil)
		}
		return d
	}
	t.Run("QuotaAboveStratum", func(t *testing.T) {
		d := filed(t, func(lists []metrology.FileDrawDirectory) { lists[0].Objects = lists[0].Objects[1:2] })
		round := d.now.Unix() - d.beacon.Chain().GenesisTime + 5*drawMargin
		d.refused(t, metrology.CodeInvalid, regulator, "draw:Freeze", metrology.FreezeDraw{ID: d.id, Round: round, Chunks: drawChunks}, `stratum "A"`)
	})
	t.Run("RoundPast", func(t *testing.T) {
		d := filed(t, func([]metrology.FileDrawDirectory) {})
		for _, round := range []int64{-1, 0, 1, d.now.Unix() - d.beacon.Chain().GenesisTime - 60} {
			d.refused(t, metrology.CodeInvalid, regulator, "draw:Freeze", metrology.FreezeDraw{ID: d.id, Round: round, Chunks: drawChunks}, "round")
		}
	})
	t.Run("RevealOfAnotherSecret", func(t *testing.T) {
		d := newLedger(t).planDraw(1).approve().freeze().enact().commit(metrology.DrawOrganizations...).open()
		d.refused(t, metrology.CodeInvalid, regulator, "draw:Reveal", metrology.RevealToDraw{ID: d.id, Secret: salt("another")}, "does not open")
	})
	t.Run("InspectorOfNoDepartment", func(t *testing.T) {
		l := newLedger(t)
		d := drawing{ledger: l, id: "440300-000001", beacon: drawBeacon(t, l)}
		plan := drawPlan(t, pinOf(d.beacon.Chain()), func(p map[string]any) {
			p["departments"] = []metrology.DrawDepartment{{Code: "m", Name: "market"}, {Code: "f", Name: "fire"}}
			p["assign"] = [][]string{{"m"}, {"m"}, {"f"}, {"f"}}
		})
		d.must(d.officer(regulator), "draw:Plan", metrology.PlanDraw{ID: d.id, Plan: plan}, nil)
		d.approve().refused(t, metrology.CodeInvalid, regulator, "draw:Directory", drawDirectory(d.id)[1], "inspectors[0].skills")
	})
}

// TestDrawLateDecisions keeps each transaction of the steps around the freeze
// and of changes until its step has been taken otherwise: none takes effect.
func TestDrawLateDecisions(t *testing.T) {
	const regulator, institute, association, notary = metrology.RegulatorMSP, metrology.InstituteMSP, metrology.AssociationMSP, metrology.NotaryMSP
	keep := func(d drawing, org, function string, request any) *withheld {
		d.count++
		w := &withheld{claimed: d.now, reads: map[string][]byte{}, memoryStub: &memoryStub{
			ledger: d.ledger, creator: d.officer(org), id: fmt.Sprintf("kept-%d", d.count),
			arguments: []string{"draw:" + function, text(t, request), fmt.Sprintf("kept-%d", d.count)},
		}}
		require.EqualValues(t, shim.OK, d.chaincode.Invoke(w).GetStatus(), function)
		return w
	}
	d := newLedger(t).planDraw(1)
	second := metrology.PlanDraw{ID: "440300-000002", Plan: drawPlan(t, pinOf(d.beacon.Chain()), nil)}
	plan := keep(d, regulator, "Plan", second)
	d.planDraw(2)
	require.False(t, plan.submit(), "a number that was given")
	approval := keep(d, association, "Approve", metrology.ApproveDraw{ID: d.id, Hash: d.phase().PlanHash})
	d = d.approve()
	require.False(t, approval.submit())
	for _, chunk := range drawDirectory(d.id) {
		d.must(d.officer(regulator), "draw:Directory", chunk, nil)
	}
	d.round = d.now.Unix() - d.beacon.Chain().GenesisTime + 5*drawMargin
	chunk := keep(d, regulator, "Directory", drawDirectory(d.id)[0])
	later := keep(d, regulator, "Freeze", metrology.FreezeDraw{ID: d.id, Round: d.round + 7, Chunks: drawChunks})
	d.must(d.officer(regulator), "draw:Freeze", metrology.FreezeDraw{ID: d.id, Round: d.round, Chunks: drawChunks}, nil)
	require.False(t, chunk.submit(), "a list changed after the freeze")
	require.False(t, later.submit(), "another round")
	consent := keep(d, association, "ApproveFreeze", metrology.ApproveDraw{ID: d.id, Hash: d.phase().Freeze})
	all := metrology.DrawOrganizations
	d = d.enact()
	require.False(t, consent.submit())
	d = d.commit(all...).open().reveal(all...).close()
	due := time.Unix(d.phase().RoundTime, 0)
	void := keepAt(t, keep, d, due, institute)
	d = d.observe(institute, notary).awaitRound().seed().post()
	require.False(t, void.submit(), "void, from before it was observed")
	object := d.order()[0]
	substitution := keep(d, regulator, "Substitute", metrology.SubstituteObject{ID: d.id, Object: object, Reason: metrology.SubstitutedClosed})
	d.substitute(object)
	require.False(t, substitution.submit(), "a second change while one is open")
	rejection := keep(d, institute, "RejectChange", metrology.DecideDrawChange{ID: d.id, Number: 1})
	d.decide("draw:ApproveChange", 1)
	require.False(t, rejection.submit())
}

// keepAt keeps a void that claims the time of the round, as an adversary whose
// peers' clocks run ahead would.
func keepAt(t *testing.T, keep func(drawing, string, string, any) *withheld, d drawing, at time.Time, org string) *withheld {
	t.Helper()
	ahead := *d.ledger
	ahead.now = at
	early := d
	early.ledger = &ahead
	w := keep(early, org, "Void", metrology.DrawAction{ID: d.id})
	w.ledger = d.ledger
	return w
}
