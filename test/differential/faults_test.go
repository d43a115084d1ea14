package differential

import (
	"strings"
	"testing"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
)

// fault breaks one rule of a valid input. Both programs must refuse it with the
// kind, and name the entry.
type fault struct {
	name  string
	kind  draw.Kind
	entry string // a part of both messages
	apply func(g *generator, input object)
	text  func(text string) string // a change to the written JSON instead
}

// first returns the first entry of a list of the input.
func first(input object, list string) object { return input[list].([]object)[0] }

// double adds a copy of the first entry, changed, to a list of the input.
func double(input object, list string, changes object) {
	entry := object{}
	for name, value := range first(input, list) {
		entry[name] = value
	}
	for name, value := range changes {
		entry[name] = value
	}
	input[list] = append(input[list].([]object), entry)
}

// beaconWith replaces members of the beacon, and of its chain, by others.
func beaconWith(input, changes, chain object) {
	beacon, copied := object{}, object{}
	for name, value := range input["beacon"].(object) {
		beacon[name] = value
	}
	for name, value := range beacon["chain"].(object) {
		copied[name] = value
	}
	for name, value := range changes {
		beacon[name] = value
	}
	for name, value := range chain {
		copied[name] = value
	}
	beacon["chain"] = copied
	input["beacon"] = beacon
}

func faults(t *testing.T) []fault {
	t.Helper()
	return append(append(directoryFaults(), planFaults()...), append(seedFaults(t), syntaxFaults()...)...)
}

func directoryFaults() []fault {
	with := func(list string, changes object) func(*generator, object) {
		return func(_ *generator, input object) { double(input, list, changes) }
	}
	pair := func(inspector, id string, times int) func(*generator, object) {
		return func(_ *generator, input object) {
			for range times {
				input["ineligible"] = append(input["ineligible"].([][]any), []any{inspector, id})
			}
		}
	}
	return []fault{
		{name: "object twice", kind: draw.KindDuplicate, entry: "S", apply: with("objects", nil)},
		{name: "object twice in another stratum", kind: draw.KindDuplicate, entry: "S", apply: with("objects", object{"stratum": "Q"})},
		{name: "inspector twice", kind: draw.KindDuplicate, entry: "I.", apply: with("inspectors", nil)},
		{name: "pair twice", kind: draw.KindDuplicate, entry: "I.TWICE", apply: pair("I.TWICE", "S-0", 2)},
		{name: "organisation twice", kind: draw.KindDuplicate, entry: "", apply: with("contributions", nil)},
		{name: "skill twice", kind: draw.KindDuplicate, entry: "I.NEW", apply: with("inspectors", object{"id": "I.NEW", "skills": []string{"a", "b", "a"}})},
		{name: "empty object id", kind: draw.KindName, entry: `""`, apply: with("objects", object{"id": ""})},
		{name: "lower-case object id", kind: draw.KindName, entry: "s-1", apply: with("objects", object{"id": "s-1"})},
		{name: "object id with a blank", kind: draw.KindName, entry: "S 1", apply: with("objects", object{"id": "S 1"})},
		{name: "over-long inspector id", kind: draw.KindName, entry: "IIII", apply: with("inspectors", object{"id": strings.Repeat("I", 65)})},
		{name: "id of a pair in lower case", kind: draw.KindName, entry: "i.1", apply: pair("i.1", "S-0", 1)},
		{name: "empty stratum", kind: draw.KindName, entry: "S-NEW", apply: with("objects", object{"id": "S-NEW", "stratum": ""})},
		{name: "stratum of 66 bytes", kind: draw.KindName, entry: "S-NEW", apply: with("objects", object{"id": "S-NEW", "stratum": strings.Repeat("量", 22)})},
		{name: "stratum not in NFC", kind: draw.KindName, entry: "S-NEW", apply: with("objects", object{"id": "S-NEW", "stratum": "e\u0301"})},
		{name: "skill not in NFC", kind: draw.KindName, entry: "I.NEW", apply: with("inspectors", object{"id": "I.NEW", "skills": []string{"e\u0301"}})},
		{name: "organisation without a name", kind: draw.KindName, entry: "", apply: with("contributions", object{"org": ""})},
		{name: "draw without a name", kind: draw.KindName, entry: "draw", apply: func(_ *generator, input object) { input["draw"] = "" }},
		{name: "weight 0", kind: draw.KindWeight, entry: "S-NEW", apply: with("objects", object{"id": "S-NEW", "weight": 0})},
	}
}

func planFaults() []fault {
	set := func(name string, value any) func(*generator, object) {
		return func(_ *generator, input object) { input["plan"].(object)[name] = value }
	}
	counts := func(name string, value any) func(*generator, object) {
		return func(_ *generator, input object) {
			plan := input["plan"].(object)
			delete(plan, "quota")
			delete(plan, "rates")
			plan[name] = object{"A": value}
		}
	}
	return []fault{
		{name: "quota above the stratum", kind: draw.KindQuota, entry: "A", apply: counts("quota", 501)},
		{name: "quota of a stratum without objects", kind: draw.KindQuota, entry: "Z", apply: func(_ *generator, input object) {
			counts("quota", 0)(nil, input)
			input["plan"].(object)["quota"].(object)["Z"] = 1
		}},
		{name: "rate above one", kind: draw.KindQuota, entry: "A", apply: func(_ *generator, input object) {
			double(input, "objects", object{"id": "S-NEW", "stratum": "A"})
			counts("rates", []int{1001, 1})(nil, input)
		}},
		{name: "rate without denominator", kind: draw.KindPlan, entry: "A", apply: counts("rates", []int{1, 0})},
		{name: "neither quota nor rates", kind: draw.KindPlan, entry: "plan", apply: func(_ *generator, input object) {
			delete(input["plan"].(object), "quota")
			delete(input["plan"].(object), "rates")
		}},
		{name: "quota and rates", kind: draw.KindPlan, entry: "plan", apply: func(_ *generator, input object) {
			set("quota", object{})(nil, input)
			set("rates", object{})(nil, input)
		}},
		{name: "text not in NFC", kind: draw.KindPlan, entry: "plan", apply: set("note", "e\u0301")},
		{name: "one slot", kind: draw.KindPlan, entry: "assign", apply: set("assign", [][]string{{}})},
		{name: "no slots", kind: draw.KindPlan, entry: "assign", apply: set("assign", [][]string{})},
	}
}

func seedFaults(t *testing.T) []fault {
	t.Helper()
	beacon := func(changes, chain object) func(*generator, object) {
		return func(_ *generator, input object) { beaconWith(input, changes, chain) }
	}
	infinity := "c0" + strings.Repeat("00", 47)
	return []fault{
		{name: "wrong secret", kind: draw.KindCommitment, entry: "OrgX", apply: func(g *generator, input object) {
			double(input, "contributions", object{"org": "OrgX", "secret": hexBytes(g.rng, 32)})
		}},
		{name: "commitment of another draw", kind: draw.KindCommitment, entry: "OrgX", apply: func(g *generator, input object) {
			secret := hexBytes(g.rng, 32)
			double(input, "contributions", object{"org": "OrgX", "secret": secret, "commitment": tagged("DR1/commit", "D-0", "OrgX", secret)})
		}},
		{name: "signature of another round", kind: draw.KindBeacon, entry: "round", apply: beacon(object{"round": 77}, nil)},
		{name: "signature outside the subgroup", kind: draw.KindBeacon, entry: "", apply: beacon(object{"signature": signatureAt(t, true)}, nil)},
		{name: "signature off the curve", kind: draw.KindBeacon, entry: "", apply: beacon(object{"signature": signatureAt(t, false)}, nil)},
		{name: "signature at infinity", kind: draw.KindBeacon, entry: "", apply: beacon(object{"signature": infinity}, nil)},
		{name: "no signature", kind: draw.KindSyntax, entry: "signature", apply: beacon(object{"signature": ""}, nil)},
		{name: "key at infinity", kind: draw.KindBeacon, entry: "", apply: beacon(nil, object{"publicKey": infinity + strings.Repeat("00", 48)})},
		{name: "short key", kind: draw.KindSyntax, entry: "publicKey", apply: beacon(nil, object{"publicKey": infinity})},
		{name: "any signature", kind: draw.KindBeacon, entry: "", apply: func(g *generator, input object) {
			beaconWith(input, object{"signature": anyPoint(g.rng, 48)}, nil)
		}},
		{name: "any key", kind: draw.KindBeacon, entry: "", apply: func(g *generator, input object) {
			beaconWith(input, nil, object{"publicKey": anyPoint(g.rng, 96)})
		}},
		{name: "negated signature", kind: draw.KindBeacon, entry: "", apply: func(_ *generator, input object) {
			signature := input["beacon"].(object)["signature"].(string)
			flipped := hexDigits[strings.IndexByte(hexDigits, signature[0])^2] // the third bit tells which root y is
			beaconWith(input, object{"signature": string(flipped) + signature[1:]}, nil)
		}},
		{name: "key of another chain", kind: draw.KindBeacon, entry: "", apply: func(g *generator, input object) {
			beaconWith(input, nil, object{"publicKey": newSigner(g.rng, "x").chain["publicKey"]})
		}},
		{name: "unknown scheme", kind: draw.KindBeacon, entry: "scheme", apply: beacon(nil, object{"scheme": "pedersen-bls-chained"})},
		{name: "wrong seal", kind: draw.KindSeal, entry: "seal", apply: func(g *generator, input object) {
			g.seal(input)
			input["sealedSecret"] = hexBytes(g.rng, 32)
		}},
		{name: "sealed without its secret", kind: draw.KindSeal, entry: "seal", apply: func(g *generator, input object) {
			g.seal(input)
			delete(input, "sealedSecret")
		}},
		{name: "secret without a seal", kind: draw.KindSeal, entry: "seal", apply: func(g *generator, input object) {
			input["sealedSecret"] = hexBytes(g.rng, 32)
			delete(input["plan"].(object), "seal")
		}},
	}
}

func syntaxFaults() []fault {
	replace := func(old, with string) func(string) string {
		return func(text string) string { return strings.Replace(text, old, with, 1) }
	}
	change := func(apply func(input object)) func(*generator, object) {
		return func(_ *generator, input object) { apply(input) }
	}
	return []fault{
		{name: "unknown member", kind: draw.KindSyntax, entry: "extra", apply: change(func(input object) { input["extra"] = 1 })},
		{name: "unknown member of an object", kind: draw.KindSyntax, entry: "name", apply: change(func(input object) { first(input, "objects")["name"] = "x" })},
		{name: "member twice", kind: draw.KindSyntax, entry: "draw", text: replace(`"draw":`, `"draw":"D-1","draw":`)},
		{name: "member twice in the plan", kind: draw.KindSyntax, entry: "zz", text: replace(`"assign":`, `"zz":0,"zz":0,"assign":`)},
		{name: "fraction in the plan", kind: draw.KindSyntax, entry: "", text: replace(`"assign":`, `"zz":1.5,"assign":`)},
		{name: "exponent in the plan", kind: draw.KindSyntax, entry: "", text: replace(`"assign":`, `"zz":1e2,"assign":`)},
		{name: "integer beyond 2^53 in the plan", kind: draw.KindSyntax, entry: "", text: replace(`"assign":`, `"zz":9007199254740992,"assign":`)},
		{name: "minus zero in the plan", kind: draw.KindSyntax, entry: "", text: replace(`"assign":`, `"zz":-0,"assign":`)},
		{name: "half a surrogate pair", kind: draw.KindSyntax, entry: "", text: replace(`"assign":`, `"zz":"\ud800","assign":`)},
		{name: "cut short", kind: draw.KindSyntax, entry: "", text: func(text string) string { return text[:len(text)-1] }},
		{name: "more after the end", kind: draw.KindSyntax, entry: "", text: func(text string) string { return text + "{}" }},
		{name: "weight beyond 32 bits", kind: draw.KindSyntax, entry: "", apply: change(func(input object) { first(input, "objects")["weight"] = 1 << 32 })},
		{name: "negative cap", kind: draw.KindSyntax, entry: "", apply: change(func(input object) { first(input, "inspectors")["cap"] = -1 })},
		{name: "fractional weight", kind: draw.KindSyntax, entry: "", apply: change(func(input object) { first(input, "objects")["weight"] = 1.5 })},
		{name: "member missing", kind: draw.KindSyntax, entry: "inspectors", apply: change(func(input object) { delete(input, "inspectors") })},
		{name: "object without weight", kind: draw.KindSyntax, entry: "weight", apply: change(func(input object) { delete(first(input, "objects"), "weight") })},
		{name: "upper-case hex", kind: draw.KindSyntax, entry: "commitment", apply: change(func(input object) {
			double(input, "contributions", object{"org": "OrgX", "commitment": strings.Repeat("AB", 32), "secret": nil})
		})},
		{name: "short commitment", kind: draw.KindSyntax, entry: "commitment", apply: change(func(input object) {
			double(input, "contributions", object{"org": "OrgX", "commitment": "ab", "secret": nil})
		})},
	}
}
