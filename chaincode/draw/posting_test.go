package draw

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// postedDraw is one draw with its posting.
type postedDraw struct {
	Outcome
	disputed Disputed
	objects  Objects
}

// postSample posts the sample draw under another number, which changes all of
// its tickets.
func postSample(t require.TestingT, number int, change func(*Input)) postedDraw {
	in := sampleInput(t)
	in.Draw = fmt.Sprintf("2026-SAMPLE-%d", number)
	in.Contributions = []Share{share(in.Draw, "NotaryMSP", true)}
	in.Objects[slices.IndexFunc(in.Objects, func(o Object) bool { return o.ID == "B-11" })].Weight = 1000 // outright
	if change != nil {
		change(&in)
	}
	objects, err := NewObjects(in.Objects)
	require.NoError(t, err)
	out, err := Post(in, serial{objects})
	require.NoError(t, err)
	plan, err := ParsePlan(in.Plan)
	require.NoError(t, err)
	return postedDraw{Outcome: out, objects: objects, disputed: Disputed{
		Seed: out.Result.DrawSeed(), Plan: plan, Directories: out.Result.Directories,
		Inspectors: in.Inspectors, Ineligible: in.Ineligible, Posting: out.Posting,
	}}
}

// with posts another list instead.
func (p postedDraw) with(change func(posting *Posting, listed DrawnList) DrawnList) (Disputed, DrawnList) {
	d := p.disputed
	d.Posting.Strata = slices.Clone(d.Posting.Strata)
	for i := range d.Posting.Strata {
		d.Posting.Strata[i].Standby = slices.Clone(d.Posting.Strata[i].Standby)
	}
	d.Posting.Loads = maps.Clone(d.Posting.Loads)
	listed := change(&d.Posting, slices.Clone(p.Drawn))
	slices.SortFunc(listed, func(a, b Drawn) int { return Ranked{ID: a.ID}.compare(Ranked{ID: b.ID}) })
	for i, s := range d.Posting.Strata {
		outright, selected := listed.In(s.Stratum)
		d.Posting.Strata[i] = republish(s, outright, selected)
	}
	d.Posting.AssignmentsRoot = listed.AssignmentsRoot()
	return d, listed
}

// at finds the first object of a list.
func (list DrawnList) at(stratum string, outright bool) int {
	return slices.IndexFunc(list, func(d Drawn) bool { return d.Stratum == stratum && d.Outright == outright })
}

func TestPostAgreesWithCompute(t *testing.T) {
	in := sampleInput(t)
	want, err := Compute(in)
	require.NoError(t, err)
	objects, err := NewObjects(in.Objects)
	require.NoError(t, err)
	got, err := Post(in, serial{objects})
	require.NoError(t, err)
	require.Equal(t, want.Assignment, got.Result.Assignment)
	require.ElementsMatch(t, SelectedIDs(want.Strata), got.Drawn.IDs())
	for _, d := range got.Drawn {
		require.True(t, has(objects, d.Object), "listed as it stands in the directory")
		require.Equal(t, want.Assignment.Inspectors[d.ID], d.Inspectors)
	}
}

// TestRightPostingStands: what the draw gives passes every check, and nothing
// is found against it.
func TestRightPostingStands(t *testing.T) {
	for number := range 8 {
		p := postSample(t, number, nil)
		require.NoError(t, p.Posting.Check(p.disputed.Seed, p.disputed.Plan, p.Sums, p.disputed.Inspectors))
		require.NoError(t, p.Posting.Carries(p.Drawn))
		found, err := FindChallenge(p.Outcome, p.disputed, p.Drawn, p.objects)
		require.NoError(t, err)
		require.Nil(t, found)
		document, err := json.Marshal(p.Posting)
		require.NoError(t, err)
		again, err := ParsePosting(document)
		require.NoError(t, err)
		require.Equal(t, p.Posting, again)
		var file bytes.Buffer
		require.NoError(t, p.Drawn.WriteCSV(&file))
		list, err := ReadDrawn(&file, len(p.Drawn))
		require.NoError(t, err)
		require.NoError(t, p.Posting.Carries(list))
	}
}

// TestWrongPostingIsRefuted posts wrong lists that contradict neither freeze
// nor plan; each has a challenge, which survives its way over a ledger and does
// not hold against the right posting.
func TestWrongPostingIsRefuted(t *testing.T) {
	for _, c := range []struct {
		name   string
		kind   ChallengeKind
		change func(p postedDraw, posting *Posting, list DrawnList) DrawnList
	}{
		{"ThresholdTooHigh", ChallengeOmitted, func(p postedDraw, posting *Posting, list DrawnList) DrawnList {
			high := posting.Strata[0].Key(p.disputed.Seed, posting.Strata[0].Standby[0])
			posting.Strata[0].Threshold = &high
			return list
		}},
		{"ThresholdHigherThanAnyListed", ChallengeList, func(_ postedDraw, posting *Posting, list DrawnList) DrawnList {
			high := *posting.Strata[0].Threshold
			high.Ticket[len(high.Ticket)-1]++
			posting.Strata[0].Threshold = &high
			return list
		}},
		{"ThresholdTooLow", ChallengeListed, func(_ postedDraw, posting *Posting, list DrawnList) DrawnList {
			posting.Strata[0].Threshold = &Key{Weight: 1}
			return list
		}},
		{"NameSwapped", ChallengeListed, func(_ postedDraw, posting *Posting, list DrawnList) DrawnList {
			list[list.at("A", false)].Object = posting.Strata[0].Standby[2]
			return list
		}},
		{"NameSwappedAndThresholdRaised", ChallengeOmitted, func(p postedDraw, posting *Posting, list DrawnList) DrawnList {
			other := posting.Strata[0].Standby[2]
			high := posting.Strata[0].Key(p.disputed.Seed, other)
			posting.Strata[0].Threshold = &high
			list[list.at("A", false)].Object = other
			return list
		}},
		{"Ghost", ChallengeGhost, func(_ postedDraw, _ *Posting, list DrawnList) DrawnList {
			list[list.at("B", false)].ID = "GHOST"
			return list
		}},
		{"WeightAltered", ChallengeAltered, func(_ postedDraw, _ *Posting, list DrawnList) DrawnList {
			list[list.at("B", false)].Weight++
			return list
		}},
		{"OutrightMovedToTheRanked", ChallengeOutright, func(p postedDraw, posting *Posting, list DrawnList) DrawnList {
			at := list.at("B", true)
			list[at].Outright = false
			if key := posting.Strata[1].Key(p.disputed.Seed, list[at].Object); key.Compare(*posting.Strata[1].Threshold) > 0 {
				posting.Strata[1].Threshold = &key
			}
			return list
		}},
		{"RankedMovedToTheOutright", ChallengeOutright, func(_ postedDraw, _ *Posting, list DrawnList) DrawnList {
			list[list.at("B", false)].Outright = true
			return list
		}},
		{"StandbyLeftOut", ChallengeStandby, func(_ postedDraw, posting *Posting, list DrawnList) DrawnList {
			s := posting.Strata[0].Standby
			s[0], posting.Strata[0].Standby = s[1], s[1:]
			return list
		}},
		{"StandbyGhost", ChallengeStandby, func(_ postedDraw, posting *Posting, list DrawnList) DrawnList {
			posting.Strata[0].Standby[1].ID = "GHOST"
			return list
		}},
		{"InspectorsSwapped", ChallengeAssignment, func(_ postedDraw, _ *Posting, list DrawnList) DrawnList {
			list[0].Inspectors = slices.Clone(list[0].Inspectors)
			slices.Reverse(list[0].Inspectors)
			return list
		}},
		{"LoadsShifted", ChallengeAssignment, func(_ postedDraw, posting *Posting, list DrawnList) DrawnList {
			posting.Loads["I-1"]++
			return list
		}},
		{"CalledInfeasible", ChallengeAssignment, func(_ postedDraw, posting *Posting, list DrawnList) DrawnList {
			posting.Infeasible, posting.Loads, posting.CapPlus = "nobody", map[string]uint32{}, 0
			for i := range list {
				list[i].Inspectors = nil
			}
			return list
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for number := range 4 {
				p := postSample(t, number, nil)
				d, listed := p.with(func(posting *Posting, list DrawnList) DrawnList { return c.change(p, posting, list) })
				found, err := FindChallenge(p.Outcome, d, listed, p.objects)
				require.NoError(t, err)
				require.NotNil(t, found)
				require.Equal(t, c.kind, found.Kind, "%d", number)
				document, err := json.Marshal(found)
				require.NoError(t, err)
				sent, err := ParseChallenge(document)
				require.NoError(t, err)
				require.NoError(t, sent.Refute(d))
				require.Error(t, sent.Refute(p.disputed), "the right posting stands")
			}
		})
	}
}

// TestPostingCheck: what contradicts freeze, plan or itself is refused at once.
func TestPostingCheck(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Posting)
		part   string
	}{
		{"StratumMissing", func(p *Posting) { p.Strata = p.Strata[1:] }, "strata"},
		{"OtherStratum", func(p *Posting) { p.Strata[0].Stratum = "B" }, "frozen"},
		{"OtherTotals", func(p *Posting) { p.Strata[1].Weight++ }, "frozen"},
		{"CalledEqual", func(p *Posting) { p.Strata[1].Weighted = false }, "frozen"},
		{"OtherQuota", func(p *Posting) { p.Strata[0].Quota++ }, "quota"},
		{"CountOtherThanTheQuota", func(p *Posting) { p.Strata[0].Selected-- }, "quota"},
		{"NoThreshold", func(p *Posting) { p.Strata[0].Threshold = nil }, "quota"},
		{"ThresholdOfWeightZero", func(p *Posting) { p.Strata[1].Threshold.Weight = 0 }, "threshold"},
		{"OutrightOfEqualWeights", func(p *Posting) { p.Strata[0].Outright, p.Strata[0].Selected = 1, 2 }, "outright"},
		{"FewerStandbys", func(p *Posting) { p.Strata[0].Standby = p.Strata[0].Standby[1:] }, "standby"},
		{"StandbysTurned", func(p *Posting) { slices.Reverse(p.Strata[0].Standby) }, "standby"},
		{"StandbyOfAnotherStratum", func(p *Posting) { p.Strata[0].Standby[0].Stratum = "B" }, "standby"},
		{"LoadAboveTheCap", func(p *Posting) { p.Loads["I-1"] += 90 }, "loads"},
		{"LoadOfAStranger", func(p *Posting) { p.Loads["I-9"] = 1 }, "loads"},
		{"TooFewSlotsFilled", func(p *Posting) { delete(p.Loads, "I-1") }, "loads"},
		{"NoStepOfTheLadder", func(p *Posting) { p.CapPlus = 7 }, "ladder"},
		{"InfeasibleWithLoads", func(p *Posting) { p.Infeasible = "x" }, "infeasible"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := postSample(t, 1, nil)
			c.change(&p.Posting)
			err := p.Posting.Check(p.disputed.Seed, p.disputed.Plan, p.Sums, p.disputed.Inspectors)
			requireKind(t, err, KindProof, c.part)
		})
	}
}

// TestPostInfeasible: the deficient set is posted, and so it stands.
func TestPostInfeasible(t *testing.T) {
	p := postSample(t, 1, func(in *Input) { in.Inspectors = in.Inspectors[:2] })
	require.Contains(t, p.Posting.Infeasible, "infeasible")
	require.NoError(t, p.Posting.Check(p.disputed.Seed, p.disputed.Plan, p.Sums, p.disputed.Inspectors))
	found, err := FindChallenge(p.Outcome, p.disputed, p.Drawn, p.objects)
	require.NoError(t, err)
	require.Nil(t, found)
}

// TestWrongShapeOfAList: lists that no honest program would write.
func TestWrongShapeOfAList(t *testing.T) {
	p := postSample(t, 1, nil)
	s := p.Posting.Strata[0]
	_, selected := p.Drawn.In("A")
	t.Run("Unsorted", func(t *testing.T) {
		turned := Objects{selected[1], selected[0], selected[2]}
		d := p.disputed
		d.Posting.Strata = slices.Clone(d.Posting.Strata)
		d.Posting.Strata[0].SelectedRoot = rootOf(turned, Object.appendLeaf)
		proofs, err := proveAt(turned, 3, 0, 1)
		require.NoError(t, err)
		c := Challenge{Kind: ChallengeOrder, Stratum: "A", Listed: &proofs[0], Next: &proofs[1]}
		require.NoError(t, c.Refute(d))
		require.Error(t, c.Refute(p.disputed))
		c.Listed, c.Next = c.Next, c.Listed
		require.Error(t, c.Refute(d))
	})
	t.Run("MoreThanTheCount", func(t *testing.T) {
		d := p.disputed
		d.Posting.Strata = slices.Clone(d.Posting.Strata)
		more := append(slices.Clone(selected), s.Standby[0])
		slices.SortFunc(more, func(a, b Object) int { return Ranked{ID: a.ID}.compare(Ranked{ID: b.ID}) })
		d.Posting.Strata[0].SelectedRoot = ListRoot(more)
		require.NoError(t, Challenge{Kind: ChallengeList, Stratum: "A", List: more}.Refute(d))
		require.Error(t, Challenge{Kind: ChallengeList, Stratum: "A", List: selected}.Refute(p.disputed))
	})
	t.Run("Twice", func(t *testing.T) {
		d := p.disputed
		d.Posting.Strata = slices.Clone(d.Posting.Strata)
		twice := Objects{selected[0], selected[0], selected[2]}
		d.Posting.Strata[0].SelectedRoot = rootOf(twice, Object.appendLeaf)
		require.NoError(t, Challenge{Kind: ChallengeList, Stratum: "A", List: twice}.Refute(d))
	})
	t.Run("MembersMissing", func(t *testing.T) {
		for _, kind := range []ChallengeKind{
			ChallengeListed, ChallengeOmitted, ChallengeGhost, ChallengeAltered, ChallengeOutright, ChallengeOrder, ChallengeList, ChallengeStandby, ChallengeAssignment, "other",
		} {
			require.Error(t, Challenge{Kind: kind, Stratum: "A"}.Refute(p.disputed), kind)
			require.Error(t, Challenge{Kind: kind, Stratum: "Z"}.Refute(p.disputed), kind)
		}
	})
}

func FuzzParseChallenge(f *testing.F) {
	p := postSample(f, 1, nil)
	d, listed := p.with(func(posting *Posting, list DrawnList) DrawnList {
		list[list.at("A", false)].Object = posting.Strata[0].Standby[2]
		return list
	})
	found, err := FindChallenge(p.Outcome, d, listed, p.objects)
	require.NoError(f, err)
	document, err := json.Marshal(found)
	require.NoError(f, err)
	f.Add(document)
	f.Add([]byte(`{"kind":"standby","stratum":"A","absent":{"id":"X","before":null,"after":null}}`))
	f.Add([]byte(`{"kind":"assignment","lists":[{"outright":[],"selected":[]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseChallenge(data)
		if err == nil {
			require.Error(t, c.Refute(p.disputed), "nothing refutes a right posting")
			return
		}
		var e *Error
		require.ErrorAs(t, err, &e)
	})
}

func FuzzParsePosting(f *testing.F) {
	p := postSample(f, 1, nil)
	document, err := json.Marshal(p.Posting)
	require.NoError(f, err)
	f.Add(document)
	f.Fuzz(func(t *testing.T, data []byte) {
		posting, err := ParsePosting(data)
		var e *Error
		if err == nil {
			err = posting.Check(p.disputed.Seed, p.disputed.Plan, p.Sums, p.disputed.Inspectors)
		}
		if err != nil {
			require.ErrorAs(t, err, &e)
		}
	})
}

func FuzzReadDrawn(f *testing.F) {
	f.Add("id,stratum,weight,list,inspectors\nA,B,1,selected,I-1 I-2\n")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := ReadDrawn(bytes.NewBufferString(text), 100)
		if err != nil {
			var e *Error
			require.ErrorAs(t, err, &e)
			return
		}
		var out bytes.Buffer
		require.NoError(t, list.WriteCSV(&out))
		again, err := ReadDrawn(&out, 100)
		require.NoError(t, err)
		require.Equal(t, list, again)
	})
}
