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

// fileObjects is a directory as it would stand in a file: stratum A of equal
// weights, B of different ones with an outright object.
func fileObjects() draw.Objects {
	var list draw.Objects
	for i := range 60 {
		list = append(list, draw.Object{ID: fmt.Sprintf("S-%02d", i), Stratum: "A", Weight: 1},
			draw.Object{ID: fmt.Sprintf("T-%02d", i), Stratum: "B", Weight: uint32(1 + i%7)})
	}
	list[len(list)-1].Weight = 5000
	slices.SortFunc(list, func(a, b draw.Object) int { return compareText(a.ID, b.ID) })
	return list
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// fileOf states a directory that stands in a file.
func fileOf(t *testing.T, list draw.Objects) *metrology.DrawObjectsFile {
	survey := draw.NewSurvey()
	require.NoError(t, survey.AddAll(list))
	file := &metrology.DrawObjectsFile{Root: survey.Root().String(), Objects: int64(survey.Count())}
	for _, s := range survey.Sums() {
		file.Strata = append(file.Strata, metrology.DrawTotal{Stratum: s.Stratum, Objects: int64(s.Objects), Weight: int64(s.Weight), Weighted: s.Weighted})
	}
	return file
}

var fileChunks = metrology.DrawChunks{Inspectors: 1, Ineligible: 1, Exclusions: 1}

// planByFile files a draw of another authority and the lists that stand on the ledger.
func (l *ledger) planByFile(number int) drawing {
	l.t.Helper()
	d := drawing{ledger: l, id: metrology.DrawID("440500", number), beacon: drawBeacon(l.t, l)}
	plan := drawPlan(l.t, pinOf(d.beacon.Chain()), func(p map[string]any) {
		p["authority"], p["quota"] = "440500", map[string]int{"A": 3, "B": 3}
	})
	d.must(d.officer(metrology.RegulatorMSP), "draw:Plan", metrology.PlanDraw{ID: d.id, Plan: plan}, nil)
	d = d.approve()
	for _, chunk := range drawDirectory(d.id)[1:] {
		d.must(d.officer(metrology.RegulatorMSP), "draw:Directory", chunk, nil)
	}
	d.round = d.now.Unix() - d.beacon.Chain().GenesisTime + 5*drawMargin
	return d
}

func (d drawing) freezeByFile() metrology.FreezeDraw {
	return metrology.FreezeDraw{ID: d.id, Round: d.round, Chunks: fileChunks, File: fileOf(d.t, fileObjects())}
}

// closedByFile walks a draw to its close.
func (l *ledger) closedByFile(number int) drawing {
	l.t.Helper()
	all := metrology.DrawOrganizations
	d := l.planByFile(number)
	d.must(d.officer(metrology.RegulatorMSP), "draw:Freeze", d.freezeByFile(), nil)
	return d.enact().commit(all...).open().reveal(all...).close().observe(metrology.InstituteMSP, metrology.NotaryMSP)
}

func (l *ledger) seededByFile(number int) drawing {
	l.t.Helper()
	return l.closedByFile(number).awaitRound().seed()
}

// outcomeByFile computes the draw from the file, as anybody can.
func (d drawing) outcomeByFile() draw.Outcome {
	d.t.Helper()
	lists := drawDirectory(d.id)
	in := draw.Input{
		Draw: d.id, Plan: d.state[metrology.DrawKey(d.id, metrology.DrawPartPlan)],
		Inspectors: must(inspectorsOf(lists[1].Inspectors)), Ineligible: must(ineligibleOf(lists[2].Ineligible)),
		Beacon: draw.Beacon{Chain: d.beacon.Chain(), Round: uint64(d.round), Signature: d.beacon.Sign(uint64(d.round))},
	}
	for _, org := range metrology.DrawOrganizations {
		secret := drawSecret(d.id, org)
		in.Contributions = append(in.Contributions, draw.Share{Org: org, Commitment: draw.Commitment(d.id, org, secret), Secret: &secret})
	}
	out, err := draw.Post(in, directoryPasses{fileObjects()})
	require.NoError(d.t, err)
	return out
}

// directoryPasses walk a directory one after the other.
type directoryPasses struct{ draw.Objects }

func (p directoryPasses) Survey() (*draw.Survey, error) {
	survey := draw.NewSurvey()
	return survey, survey.AddAll(p.Objects)
}

func (p directoryPasses) Select(s *draw.Selector) error { return s.AddAll(p.Objects) }

func (d drawing) posting(posting draw.Posting) metrology.PostDraw {
	document, err := json.Marshal(posting)
	require.NoError(d.t, err)
	return metrology.PostDraw{ID: d.id, Posting: document}
}

func (d drawing) challenge(number int, c draw.Challenge) metrology.ChallengeDraw {
	document, err := json.Marshal(c)
	require.NoError(d.t, err)
	return metrology.ChallengeDraw{ID: d.id, Number: number, Challenge: document}
}

// disputedBy gives what a challenger needs of a posting.
func (d drawing) disputedBy(own draw.Outcome, posting draw.Posting) draw.Disputed {
	plan, err := draw.ParsePlan(d.state[metrology.DrawKey(d.id, metrology.DrawPartPlan)])
	require.NoError(d.t, err)
	lists := drawDirectory(d.id)
	return draw.Disputed{
		Seed: own.Result.Seed, Plan: plan, Directories: own.Result.Directories, Posting: posting,
		Inspectors: must(inspectorsOf(lists[1].Inspectors)), Ineligible: must(ineligibleOf(lists[2].Ineligible)),
	}
}

// TestWrongListIsRefuted: a wrong list with a threshold too high, too low, one
// name swapped and more is posted, refuted on the ledger and replaced by the
// right one, which stands.
func TestWrongListIsRefuted(t *testing.T) {
	l := newLedger(t)
	d := l.seededByFile(1)
	own := d.outcomeByFile()
	relist := func(p *draw.Posting, list draw.DrawnList) {
		for i := range p.Strata {
			outright, selected := list.In(p.Strata[i].Stratum)
			p.Strata[i].OutrightRoot, p.Strata[i].SelectedRoot = draw.ListRoot(outright), draw.ListRoot(selected)
		}
		p.AssignmentsRoot = list.AssignmentsRoot()
	}
	wrong := []struct {
		name, kind string
		change     func(p *draw.Posting, list draw.DrawnList)
	}{
		{"ThresholdTooHigh", "omitted", func(p *draw.Posting, _ draw.DrawnList) {
			key := p.Strata[0].Key(own.Result.Seed, p.Strata[0].Standby[0])
			p.Strata[0].Threshold = &key
		}},
		{"ThresholdTooLow", "listed", func(p *draw.Posting, _ draw.DrawnList) { p.Strata[1].Threshold = &draw.Key{Weight: 1} }},
		{"NameSwapped", "listed", func(p *draw.Posting, list draw.DrawnList) {
			at := slices.IndexFunc(list, func(o draw.Drawn) bool { return o.Stratum == "A" })
			list[at].Object = p.Strata[0].Standby[5]
		}},
		{"Ghost", "ghost", func(_ *draw.Posting, list draw.DrawnList) { list[0].ID = "A-GHOST" }},
		{"InspectorsSwapped", "assignment", func(_ *draw.Posting, list draw.DrawnList) {
			list[0].Inspectors = []string{list[0].Inspectors[1], list[0].Inspectors[0]}
		}},
	}
	for number, w := range wrong {
		posting := own.Posting
		posting.Strata = slices.Clone(posting.Strata)
		list := slices.Clone(own.Drawn)
		w.change(&posting, list)
		slices.SortFunc(list, func(a, b draw.Drawn) int { return compareText(a.ID, b.ID) })
		relist(&posting, list)
		d.must(d.officer(metrology.RegulatorMSP), "draw:Post", d.posting(posting), nil)
		require.Equal(t, metrology.DrawDrawn, d.phase().Phase)

		found, err := draw.FindChallenge(own, d.disputedBy(own, posting), list, fileObjects())
		require.NoError(t, err, w.name)
		require.Equal(t, w.kind, string(found.Kind), w.name)
		event := d.must(l.as(metrology.RoleMerchant, "m-1"), "draw:Challenge", d.challenge(number+1, *found), nil)
		require.Equal(t, metrology.EventDrawRefuted, event.Type)
		require.Equal(t, metrology.DrawSeeded, d.phase().Phase)
		voided := load[metrology.DrawResult](l, metrology.DrawRefutedKey(d.id, number+1))
		require.Equal(t, w.kind, voided.Refuted.Kind)
		require.NotEmpty(t, voided.Posting)
		require.Empty(t, load[metrology.DrawResult](l, metrology.DrawKey(d.id, metrology.DrawPartResult)).Posting)
		d.refused(t, metrology.CodeState, metrology.NotaryMSP, "draw:Challenge", d.challenge(number+1, *found), "challenge")
	}
	d.must(d.officer(metrology.NotaryMSP), "draw:Post", d.posting(own.Posting), nil)
	require.Equal(t, metrology.DrawDrawn, d.phase().Phase)
	standing := load[metrology.DrawResult](l, metrology.DrawKey(d.id, metrology.DrawPartResult))
	require.Equal(t, own.Result.Seed.String(), standing.Seed)
	require.Equal(t, metrology.NotaryMSP, standing.PostedBy)
	posted, err := draw.ParsePosting(standing.Posting)
	require.NoError(t, err)
	require.Equal(t, own.Posting, posted)
	found, err := draw.FindChallenge(own, d.disputedBy(own, own.Posting), own.Drawn, fileObjects())
	require.NoError(t, err)
	require.Nil(t, found)
}

// TestRightListStands: a challenge that does not refute, or is of another
// posting, changes nothing; nor does a second posting.
func TestRightListStands(t *testing.T) {
	l := newLedger(t)
	d := l.seededByFile(1)
	const notary = metrology.NotaryMSP
	own := d.outcomeByFile()
	_, selected := own.Drawn.In("A")
	proof, _, err := draw.Prove(selected, selected[0].ID)
	require.NoError(t, err)
	challenge := draw.Challenge{Kind: draw.ChallengeListed, Stratum: "A", Listed: proof}
	d.refused(t, metrology.CodeState, notary, "draw:Challenge", d.challenge(1, challenge), "challenge")
	d.refused(t, metrology.CodeState, notary, "draw:Result", metrology.DrawAction{ID: d.id}, "by roots")
	d.must(d.officer(notary), "draw:Post", d.posting(own.Posting), nil)
	d.refused(t, metrology.CodeInvalid, notary, "draw:Challenge", d.challenge(1, challenge), "within the threshold")
	d.refused(t, metrology.CodeConflict, notary, "draw:Challenge", d.challenge(2, challenge), "number 1")
	d.refused(t, metrology.CodeInvalid, notary, "draw:Challenge",
		metrology.ChallengeDraw{ID: d.id, Number: 1, Challenge: json.RawMessage(`{"kind":"listed","extra":1}`)}, "extra")
	d.refused(t, metrology.CodeState, notary, "draw:Post", d.posting(own.Posting), "result")
	d.refused(t, metrology.CodeState, metrology.RegulatorMSP, "draw:Substitute",
		metrology.SubstituteObject{ID: d.id, Object: selected[0].ID, Reason: metrology.SubstitutedClosed}, "by roots")
	require.Equal(t, metrology.DrawDrawn, d.phase().Phase)
}

// TestPostRefuses: what contradicts the freeze is not taken at all.
func TestPostRefuses(t *testing.T) {
	d := newLedger(t).seededByFile(1)
	own := d.outcomeByFile()
	refuse := func(part string, change func(*draw.Posting)) {
		posting := own.Posting
		posting.Strata = slices.Clone(posting.Strata)
		change(&posting)
		d.refused(t, metrology.CodeInvalid, metrology.NotaryMSP, "draw:Post", d.posting(posting), part)
	}
	refuse("quota", func(p *draw.Posting) { p.Strata[0].Selected++ })
	refuse("frozen", func(p *draw.Posting) { p.Strata[1].Weight-- })
	refuse("standby", func(p *draw.Posting) { p.Strata[0].Standby = nil })
	refuse("ladder", func(p *draw.Posting) { p.CapPlus = 1 })
	recomputed := drawnDraw(t)
	recomputed.refused(t, metrology.CodeState, metrology.NotaryMSP, "draw:Post", metrology.PostDraw{ID: recomputed.id}, "result")
	recomputed.refused(t, metrology.CodeState, metrology.NotaryMSP, "draw:Challenge", metrology.ChallengeDraw{ID: recomputed.id, Number: 1}, "itself")
}

func TestFreezeByFile(t *testing.T) {
	d := newLedger(t).planByFile(1)
	for _, c := range []struct {
		name   string
		change func(*metrology.FreezeDraw)
		part   string
	}{
		{"ChunksBesideAFile", func(f *metrology.FreezeDraw) { f.Chunks.Objects = 1 }, "either"},
		{"Neither", func(f *metrology.FreezeDraw) { f.File = nil }, "either"},
		{"RootInUpperCase", func(f *metrology.FreezeDraw) { f.File.Root = "AB" + f.File.Root[2:] }, "root"},
		{"NoStrata", func(f *metrology.FreezeDraw) { f.File.Strata = nil }, "strata"},
		{"StrataOutOfOrder", func(f *metrology.FreezeDraw) { slices.Reverse(f.File.Strata) }, "bytewise"},
		{"CountsDoNotAddUp", func(f *metrology.FreezeDraw) { f.File.Objects++ }, "more than"},
		{"CountsAddUpToTooMany", func(f *metrology.FreezeDraw) {
			f.File.Strata[1].Objects += 9
		}, "part of"},
		{"TooManyObjects", func(f *metrology.FreezeDraw) { f.File.Objects = 1 << 40 }, "at most"},
		{"WeightBelowTheCount", func(f *metrology.FreezeDraw) { f.File.Strata[1].Weight = 60 }, "weight"},
		{"EqualWeightsThatDoNotDivide", func(f *metrology.FreezeDraw) { f.File.Strata[0].Weight++ }, "weighted"},
		{"QuotaAboveTheStratum", func(f *metrology.FreezeDraw) {
			f.File.Strata[0].Objects, f.File.Strata[0].Weight, f.File.Objects = 2, 2, 62
		}, "quota"},
	} {
		t.Run(c.name, func(t *testing.T) {
			request := d.freezeByFile()
			c.change(&request)
			d.refused(t, metrology.CodeInvalid, metrology.RegulatorMSP, "draw:Freeze", request, c.part)
		})
	}
	d.must(d.officer(metrology.RegulatorMSP), "draw:Freeze", d.freezeByFile(), nil)
	survey := draw.NewSurvey()
	require.NoError(t, survey.AddAll(fileObjects()))
	frozen := load[metrology.DrawFreeze](d.ledger, metrology.DrawKey(d.id, metrology.DrawPartFreeze))
	require.Equal(t, survey.Root().String(), frozen.ObjectsRoot)
	require.EqualValues(t, survey.Count(), frozen.Objects)
}
