package draw

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestProve(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list, err := NewObjects(drawObjects(t))
		require.NoError(t, err)
		root, size := ListRoot(list), uint64(len(list))
		id := rapid.StringMatching(`[A-Z0-9._-]{1,6}`).Draw(t, "id")
		if len(list) > 0 && rapid.Bool().Draw(t, "present") {
			id = rapid.SampledFrom(list).Draw(t, "object").ID
		}
		present, absent, err := Prove(list, id)
		require.NoError(t, err)
		if slices.ContainsFunc(list, func(o Object) bool { return o.ID == id }) {
			require.Nil(t, absent)
			require.Equal(t, id, present.Object.ID)
			require.NoError(t, present.Verify(root, size))
			present.Object.Weight++
			require.Error(t, present.Verify(root, size))
			return
		}
		require.Nil(t, present)
		require.NoError(t, absent.Verify(root, size))
		for _, o := range list { // no id of the directory can be shown absent with it
			forged := *absent
			forged.ID = o.ID
			require.Error(t, forged.Verify(root, size))
		}
	})
}

func TestAbsenceRefuses(t *testing.T) {
	list := Objects{{"B", "S", 1}, {"D", "S", 1}, {"F", "S", 1}, {"H", "S", 1}}
	root := ListRoot(list)
	proofs, err := proveAt(list, 4, 0, 1, 2, 3)
	require.NoError(t, err)
	b, d, f, h := &proofs[0], &proofs[1], &proofs[2], &proofs[3]
	for name, a := range map[string]Absence{
		"NotNeighbours":     {ID: "E", Before: b, After: f},
		"Present":           {ID: "D", Before: b, After: f},
		"Swapped":           {ID: "E", Before: f, After: d},
		"NotFirst":          {ID: "A", After: d},
		"NotLast":           {ID: "I", Before: f},
		"AfterTheEnd":       {ID: "G", Before: f},
		"NothingShown":      {ID: "E"},
		"BeyondNeighbours":  {ID: "I", Before: f, After: h},
		"NotAnIDOfTheRules": {ID: "e", Before: d, After: f},
	} {
		t.Run(name, func(t *testing.T) { require.Error(t, a.Verify(root, 4)) })
	}
	require.NoError(t, Absence{ID: "E", Before: d, After: f}.Verify(root, 4))
	require.Error(t, Absence{ID: "E", Before: d, After: f}.Verify(root, 5), "other size")
	require.Error(t, Absence{ID: "E"}.Verify(root, 0), "other root")
}

// publish posts a stratum's result as a ledger holds it.
func publish(s Stratum, total Total, objects Objects) (p Published, outright, selected Objects) {
	for _, o := range objects {
		switch {
		case slices.Contains(s.Outright, o.ID):
			outright = append(outright, o)
		case slices.Contains(rankedIDs(s.Selected), o.ID):
			selected = append(selected, o)
		}
	}
	return republish(Published{
		Stratum: s.Name, Quota: s.Quota, Weighted: s.Weighted,
		Objects: total.Objects, Weight: total.Weight, Threshold: s.Threshold,
	}, outright, selected), outright, selected
}

func republish(p Published, outright, selected Objects) Published {
	p.OutrightRoot, p.Outright = ListRoot(outright), uint64(len(outright))
	p.SelectedRoot, p.Selected = ListRoot(selected), uint64(len(selected))
	return p
}

func prove(t *testing.T, list Objects, id string) ObjectProof {
	p, _, err := Prove(list, id)
	require.NoError(t, err)
	require.NotNil(t, p)
	return *p
}

func proveAbsent(t *testing.T, list Objects, id string) Absence {
	_, a, err := Prove(list, id)
	require.NoError(t, err)
	require.NotNil(t, a)
	return *a
}

// TestRefute publishes right and wrong lists of a weighted stratum.
func TestRefute(t *testing.T) {
	seed := Digest{5}
	var list Objects
	for i := range 40 {
		list = append(list, Object{fmt.Sprintf("X%02d", i), "S", uint32(1 + i%5)})
	}
	list = append(list, Object{"Y-HEAVY", "S", 500}, Object{"Z-OTHER", "T", 1})
	survey := NewSurvey()
	require.NoError(t, survey.AddAll(list))
	frozen := Directories{ObjectsRoot: survey.Root(), Objects: survey.Count()}
	quotas := []Quota{{Stratum: "S", Count: 10}}
	strata, err := selectWith(serial{list}, survey, seed, quotas, 1)
	require.NoError(t, err)
	right, outright, selected := publish(strata[0], survey.of("S"), list)
	require.Len(t, outright, 1)
	in, standby := selected[3], strata[0].Standby[0].ID
	extra := prove(t, list, standby).Object
	swapped := slices.Clone(selected)
	swapped[3] = extra
	slices.SortFunc(swapped, func(a, b Object) int { return Ranked{ID: a.ID}.compare(Ranked{ID: b.ID}) })

	t.Run("RightListStands", func(t *testing.T) {
		require.Error(t, right.RefuteCount())
		for _, o := range selected {
			require.Error(t, right.RefuteListed(seed, prove(t, selected, o.ID)))
			require.Error(t, right.RefuteAltered(frozen, prove(t, selected, o.ID), prove(t, list, o.ID)))
		}
		for _, o := range list {
			if slices.Contains(outright, o) || slices.Contains(selected, o) {
				continue
			}
			require.Error(t, right.RefuteOmitted(seed, frozen, prove(t, list, o.ID),
				proveAbsent(t, outright, o.ID), proveAbsent(t, selected, o.ID)))
			heavier := prove(t, list, o.ID)
			require.Error(t, right.RefuteOutright(frozen, outright, &heavier))
		}
		require.Error(t, right.RefuteOutright(frozen, outright, nil))
	})
	t.Run("Count", func(t *testing.T) {
		require.NoError(t, republish(right, outright, selected[1:]).RefuteCount())
	})
	t.Run("NameSwapped", func(t *testing.T) {
		wrong := republish(right, outright, swapped)
		require.NoError(t, wrong.RefuteListed(seed, prove(t, swapped, extra.ID)))
		require.NoError(t, wrong.RefuteOmitted(seed, frozen, prove(t, list, in.ID), proveAbsent(t, outright, in.ID), proveAbsent(t, swapped, in.ID)))
	})
	t.Run("ThresholdTooLow", func(t *testing.T) {
		wrong := right
		low := strata[0].Selected[0].Key
		wrong.Threshold = &low
		require.NoError(t, wrong.RefuteListed(seed, prove(t, selected, strata[0].Selected[8].ID)))
	})
	t.Run("ThresholdTooHigh", func(t *testing.T) {
		wrong := right
		high := strata[0].Standby[0].Key
		wrong.Threshold = &high
		require.NoError(t, wrong.RefuteOmitted(seed, frozen, prove(t, list, extra.ID), proveAbsent(t, outright, extra.ID), proveAbsent(t, selected, extra.ID)))
	})
	t.Run("Ghost", func(t *testing.T) {
		ghost := slices.Clone(selected)
		ghost[0] = Object{"A-GHOST", "S", 1}
		wrong := republish(right, outright, ghost)
		require.NoError(t, wrong.RefuteGhost(frozen, prove(t, ghost, "A-GHOST"), proveAbsent(t, list, "A-GHOST")))
		require.Error(t, wrong.RefuteGhost(frozen, prove(t, ghost, ghost[1].ID), proveAbsent(t, list, "A-GHOST")))
	})
	t.Run("WeightAltered", func(t *testing.T) {
		altered := slices.Clone(selected)
		altered[0].Weight = 77
		wrong := republish(right, outright, altered)
		require.NoError(t, wrong.RefuteAltered(frozen, prove(t, altered, altered[0].ID), prove(t, list, altered[0].ID)))
	})
	t.Run("OtherStratumListed", func(t *testing.T) {
		other := append(slices.Clone(selected[1:]), list[len(list)-1])
		require.NoError(t, republish(right, outright, other).RefuteListed(seed, prove(t, other, "Z-OTHER")))
	})
	t.Run("OutrightThatIsNot", func(t *testing.T) {
		both := append(Objects{in}, outright...)
		require.NoError(t, republish(right, both, selected[1:]).RefuteOutright(frozen, both, nil))
		require.Error(t, right.RefuteOutright(frozen, both, nil), "not the published list")
	})
	t.Run("MoreOutrightThanTheQuota", func(t *testing.T) {
		all := list[:12]
		require.NoError(t, republish(right, all, nil).RefuteOutright(frozen, all, nil))
	})
	t.Run("Unweighted", func(t *testing.T) {
		wrong := right
		wrong.Weighted = false
		a, b, other := prove(t, list, "X00"), prove(t, list, "X01"), prove(t, list, "Z-OTHER")
		require.NoError(t, wrong.RefuteUnweighted(frozen, a, b))
		require.Error(t, wrong.RefuteUnweighted(frozen, a, a))
		require.Error(t, wrong.RefuteUnweighted(frozen, a, other))
		require.Error(t, right.RefuteUnweighted(frozen, a, b))
	})
	t.Run("OutrightLeftOut", func(t *testing.T) {
		heavy := prove(t, list, "Y-HEAVY")
		require.NoError(t, republish(right, nil, selected).RefuteOutright(frozen, nil, &heavy))
	})
}
