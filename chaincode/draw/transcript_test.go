package draw

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// sampleTranscript is a complete transcript as a JSON tree.
func sampleTranscript(t *testing.T, sealed bool) map[string]any {
	in := sampleInput(t)
	terms := fmt.Sprintf(`"regulator":"RegulatorMSP","margin":86400,"timeWindow":900,"beacon":{"chainHash":"%s"},"scope"`, quicknetChainHash)
	if sealed {
		in = sealedInput(t)
	}
	in.Plan = []byte(strings.Replace(string(in.Plan), `"scope"`, terms, 1))
	objects, err := NewObjects(in.Objects)
	require.NoError(t, err)
	r, err := ComputeFrom(in, objects, 1)
	require.NoError(t, err)
	result, err := r.JSON()
	require.NoError(t, err)
	closed := in.Beacon.Chain.Time(quicknetRound) - 90000
	d := r.Directories
	doc := map[string]any{
		"definition": "DR-1", "draw": in.Draw, "plan": json.RawMessage(in.Plan),
		"approvals": []any{
			map[string]any{"step": "plan", "org": "NotaryMSP", "hash": r.PlanHash},
			map[string]any{"step": "freeze", "org": "NotaryMSP", "hash": r.Freeze},
			map[string]any{"step": "freeze", "org": "AssociationMSP", "hash": r.Freeze},
		},
		"directories": map[string]any{"objects": in.Objects, "inspectors": in.Inspectors, "ineligible": pairsDocument(in.Ineligible)},
		"freeze": map[string]any{
			"planHash": r.PlanHash, "objectsRoot": d.ObjectsRoot, "objects": d.Objects, "inspectorsRoot": d.InspectorsRoot,
			"inspectors": d.Inspectors, "ineligibleRoot": d.IneligibleRoot, "ineligible": d.Ineligible, "freeze": r.Freeze, "round": quicknetRound,
		},
		"close":  map[string]any{"freeze": r.Freeze, "contribution": r.Contribution, "time": closed},
		"beacon": beaconDocument(in.Beacon), "result": json.RawMessage(result),
		"substitutions": []any{map[string]any{"stratum": "A", "object": r.Strata[0].Selected[1].ID, "by": r.Strata[0].Standby[0].ID, "reason": "closed"}},
	}
	var commitments, reveals, observations []any
	for _, s := range in.Contributions {
		commitments = append(commitments, map[string]any{"org": s.Org, "commitment": s.Commitment})
		if s.Secret != nil {
			reveals = append(reveals, map[string]any{"org": s.Org, "secret": s.Secret})
		}
		observations = append(observations, map[string]any{"org": s.Org, "freeze": r.Freeze, "contribution": r.Contribution, "time": closed + 60})
	}
	doc["commitments"], doc["reveals"], doc["observations"] = commitments, reveals, observations
	if sealed {
		doc["sealedSecret"] = in.SealedSecret
		leaves := SealedLeaves(*in.SealedSecret, r.Assignment)
		doc["leaves"] = []any{map[string]any{"org": "NotaryMSP", "root": SealedRoot(leaves), "leaves": len(leaves)}}
	}
	return asTree(t, doc).(map[string]any)
}

// asTree turns a document into maps, slices and numbers that keep their digits.
func asTree(t *testing.T, doc any) any {
	b, err := json.Marshal(doc)
	require.NoError(t, err)
	dec := json.NewDecoder(strings.NewReader(string(b)))
	dec.UseNumber()
	var tree any
	require.NoError(t, dec.Decode(&tree))
	return tree
}

// verifyTree gives the status of each step; a transcript that is refused as a
// whole fails "transcript".
func verifyTree(t *testing.T, tree any) map[string]Status {
	b, err := json.Marshal(tree)
	require.NoError(t, err)
	transcript, err := ParseTranscript(b)
	if err != nil {
		return map[string]Status{"transcript": Fail}
	}
	out := make(map[string]Status)
	for _, s := range (Verifier{}).Verify(transcript) {
		out[s.Name] = s.Status
	}
	return out
}

func TestVerify(t *testing.T) {
	for _, sealed := range []bool{false, true} {
		steps := verifyTree(t, sampleTranscript(t, sealed))
		require.Equal(t, sealed, steps["sealed leaves"] != "")
		for name, status := range steps {
			if name == "ledger" {
				require.Equal(t, NotShown, status)
				continue
			}
			require.Equal(t, Pass, status, "sealed %v: %s", sealed, name)
		}
	}
	t.Run("MissingMembersAreNotShown", func(t *testing.T) {
		whole := sampleTranscript(t, false)
		for name := range whole {
			if name == "definition" || name == "draw" || name == "plan" {
				continue
			}
			part := maps.Clone(whole)
			delete(part, name)
			steps := slices.Collect(maps.Values(verifyTree(t, part)))
			require.NotContains(t, steps, Fail, name)
			require.Contains(t, steps, NotShown, name)
		}
	})
	t.Run("SealedAndNotYetOpened", func(t *testing.T) {
		tree := sampleTranscript(t, true)
		tree["sealedSecret"] = nil
		delete(tree, "result")
		steps := verifyTree(t, tree)
		require.Equal(t, NotShown, steps["seed"])
		require.Equal(t, NotShown, steps["selection"])
		require.Equal(t, NotShown, steps["sealed leaves"])
		require.Equal(t, Pass, steps["observations"])
	})
	t.Run("LeavesOfAnOpenDraw", func(t *testing.T) {
		tree := sampleTranscript(t, false)
		tree["leaves"] = []any{map[string]any{"org": "NotaryMSP", "root": Digest{}, "leaves": 1}}
		require.Equal(t, Fail, verifyTree(t, tree)["sealed leaves"])
	})
}

// owners says which step must fail when a member is changed.
var owners = map[string][]string{
	"plan": {"plan"}, "approvals": {"plan approval", "freeze approval"}, "directories": {"directories"},
	"freeze": {"plan", "directories", "freeze", "beacon"}, "commitments": {"commitments", "reveals", "close"}, "reveals": {"reveals"},
	"close": {"close", "observations"}, "observations": {"observations"}, "beacon": {"beacon"}, "sealedSecret": {"seed"}, "leaves": {"sealed leaves"},
	"result": {"seed", "selection", "assignment"}, "substitutions": {"substitutions"},
	"draw": {"freeze"}, "definition": {"transcript"},
}

// TestVerifyTamperedTranscript changes each scalar of a transcript, one at a
// time, and each list entry is dropped once.
func TestVerifyTamperedTranscript(t *testing.T) {
	for _, sealed := range []bool{false, true} {
		tree := sampleTranscript(t, sealed)
		changes := 0
		for _, member := range slices.Sorted(maps.Keys(tree)) {
			tamper(tree[member], func(v any) { tree[member] = v }, member, func(path string) {
				changes++
				steps := verifyTree(t, tree)
				failed := slices.ContainsFunc(append(owners[member], "transcript"), func(s string) bool { return steps[s] == Fail })
				if !failed && harmless(path) {
					return
				}
				require.True(t, failed, "sealed %v, %s: %v", sealed, path, steps)
			})
		}
		require.Greater(t, changes, 250)
	}
}

// harmless are changes that state something else without contradiction: who
// approved, observed or committed, when within the margin, which selected object was
// replaced and why. Only the ledger itself can tell these.
func harmless(path string) bool {
	return strings.HasSuffix(path, ".org") && (strings.HasPrefix(path, "approvals") || strings.HasPrefix(path, "observations") || strings.HasPrefix(path, "leaves")) ||
		strings.HasSuffix(path, ".time") || strings.HasSuffix(path, ".reason") || strings.HasSuffix(path, "substitutions[0].object")
}

// tamper calls check after each change of a value below v and undoes it.
func tamper(v any, set func(any), path string, check func(string)) {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			tamper(v[k], func(n any) { v[k] = n }, path+"."+k, check)
		}
		return
	case []any:
		for i := range v {
			tamper(v[i], func(n any) { v[i] = n }, fmt.Sprintf("%s[%d]", path, i), check)
		}
		if len(v) > 0 && !strings.HasPrefix(path, "substitutions") && !strings.HasPrefix(path, "reveals") && path != "leaves" {
			set(slices.Clone(v[1:]))
			check(path + " without its first entry")
			set(v)
		}
		return
	case string:
		set(otherText(v))
	case json.Number:
		set(json.Number(string(v) + "0"))
		if v == "0" {
			set(json.Number("1"))
		}
	case bool:
		set(!v)
	case nil:
		set(strings.Repeat("00", 32))
	}
	check(path)
	set(v)
}

// otherText changes the last character, within its alphabet.
func otherText(s string) string {
	if s == "" {
		return "x"
	}
	last := s[len(s)-1]
	other := byte('1')
	if last == '1' {
		other = '2'
	}
	return s[:len(s)-1] + string(other)
}

func TestVerifyFailsByName(t *testing.T) {
	number := func(n int64) json.Number { return json.Number(fmt.Sprint(n)) }
	late := Quicknet().Time(quicknetRound) - 86400
	entry := func(tree map[string]any, member string, i int) map[string]any {
		return tree[member].([]any)[i].(map[string]any)
	}
	for _, c := range []struct {
		name, step string
		change     func(map[string]any)
	}{
		{"LateClose", "close", func(m map[string]any) { m["close"].(map[string]any)["time"] = number(late) }},
		{"LateObservation", "observations", func(m map[string]any) { entry(m, "observations", 0)["time"] = number(late) }},
		{"ObservationBeforeClose", "observations", func(m map[string]any) { entry(m, "observations", 0)["time"] = number(1) }},
		{"OneObservationTwice", "observations", func(m map[string]any) { entry(m, "observations", 0)["org"] = "AssociationMSP" }},
		{"RegulatorObserves", "observations", func(m map[string]any) { entry(m, "observations", 0)["org"] = "RegulatorMSP" }},
		{"RegulatorApprovesItsPlan", "plan approval", func(m map[string]any) { entry(m, "approvals", 0)["org"] = "RegulatorMSP" }},
		{"OneFreezeApproval", "freeze approval", func(m map[string]any) { entry(m, "approvals", 1)["org"] = "AssociationMSP" }},
		{"UnknownApproval", "plan approval", func(m map[string]any) { entry(m, "approvals", 1)["step"] = "close" }},
		{"SubstituteOutOfRank", "substitutions", func(m map[string]any) { entry(m, "substitutions", 0)["by"] = "A-00" }},
		{"SubstitutionWithoutReason", "substitutions", func(m map[string]any) { entry(m, "substitutions", 0)["reason"] = "" }},
		{"RevealTwice", "reveals", func(m map[string]any) { m["reveals"] = append(m["reveals"].([]any), entry(m, "reveals", 0)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := sampleTranscript(t, false)
			c.change(tree)
			require.Equal(t, Fail, verifyTree(t, tree)[c.step])
		})
	}
}
