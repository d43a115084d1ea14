package draw

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestCheckFeasible(t *testing.T) {
	people := Inspectors{
		{"I1", 2, []string{"lead"}}, {"I2", 2, []string{"lead", "fuel"}}, {"I3", 5, nil}, {"I4", 0, []string{"lead"}},
	}
	list := Objects{{"A", "S", 1}, {"B", "S", 1}}
	slots := func(s ...[]string) Plan { return Plan{Slots: s} }
	for _, c := range []struct {
		name  string
		plan  Plan
		drawn uint64
		pairs Ineligible
		says  string
	}{
		{"Covered", slots([]string{"lead"}, nil), 4, nil, ""},
		{"NothingDrawn", slots([]string{"x"}, []string{"x"}), 0, nil, ""},
		{"TooManyDrawn", slots([]string{"lead"}, nil), 5, nil, "slots for [lead]: 5 objects are drawn, which makes 5 such slots; the caps of 2 inspectors [I1 I2] leave room for 4"},
		{"NobodyHasTheSkill", slots([]string{"x"}, nil), 1, nil, "slots for [x]: 1 objects are drawn, which makes 1 such slots; the caps of 0 inspectors leave room for 0"},
		{"OneInspectorTwice", slots([]string{"fuel"}, []string{"fuel"}), 1, nil, "slots for [fuel]"},
		{"SkillsCompete", slots([]string{"lead"}, []string{"fuel"}, []string{"lead"}), 1, nil, "slots for [lead], slots for [fuel]: 1 objects are drawn, which makes 3 such slots; the caps of 2 inspectors [I1 I2]"},
		{"ObjectLosesItsLeads", slots([]string{"lead"}, nil), 1, Ineligible{{"I1", "B"}, {"I2", "B"}}, `object "B": too few eligible inspectors remain for its slots for [lead]: 1 such slots, and 0 inspectors`},
		{"PairsElsewhere", slots([]string{"lead"}, nil), 1, Ineligible{{"I1", "Z"}, {"I2", "Z"}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := CheckFeasible(c.plan, c.drawn, list, people, c.pairs)
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			requireKind(t, err, KindInfeasible, c.says)
		})
	}
}

// TestCheckFeasibleIsSoundWithoutPairs: without ineligible pairs, a plan that
// passes can be assigned, and one that fails cannot.
func TestCheckFeasibleIsSoundWithoutPairs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawAssignCase(t)
		c.ineligible, c.plan.Ladder = nil, nil
		list := make(Objects, len(c.objects))
		for i := range list {
			list[i] = Object{fmt.Sprintf("O%d", i), "S", 1}
		}
		_, err := Assign(c.seed, c.plan, c.inspectors, nil, c.objects)
		checked := CheckFeasible(c.plan, uint64(len(list)), list, c.inspectors, nil)
		require.Equal(t, err == nil, checked == nil, "assign: %v, check: %v", err, checked)
	})
}
