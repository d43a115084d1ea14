package differential

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
)

// Round 1000 of drand's quicknet, as published.
const (
	publicRound     = 1000
	publicSignature = "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"
	publicChainHash = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
	sampleDraw      = "310115-000007"
)

// sampleTranscript is the complete transcript of a small draw as a JSON tree: open,
// sealed and opened, or sealed and still shut.
func sampleTranscript(t *testing.T, kind string) object {
	t.Helper()
	in := sampleInput(kind != "open")
	objects, err := draw.NewObjects(in.Objects)
	require.NoError(t, err)
	r, err := draw.ComputeFrom(in, objects, 2)
	require.NoError(t, err)
	result, err := r.JSON()
	require.NoError(t, err)
	closed := in.Beacon.Chain.Time(publicRound) - 90000
	shown := func(org string) object {
		return object{"org": org, "freeze": r.Freeze, "contribution": r.Contribution, "time": closed + 60}
	}
	lists := r.Directories
	a := r.Strata[0]
	doc := object{
		"definition": "DR-1", "draw": in.Draw, "plan": json.RawMessage(in.Plan),
		"approvals": []object{
			{"step": "plan", "org": "NotaryMSP", "hash": r.PlanHash}, {"step": "freeze", "org": "NotaryMSP", "hash": r.Freeze},
			{"step": "freeze", "org": "AssociationMSP", "hash": r.Freeze},
		},
		"directories": object{"objects": in.Objects, "inspectors": in.Inspectors, "ineligible": [][]string{{"I-1", "A-02"}, {"I-2", "B-01"}}},
		"freeze": object{
			"planHash": r.PlanHash, "objectsRoot": lists.ObjectsRoot, "objects": lists.Objects, "inspectorsRoot": lists.InspectorsRoot,
			"inspectors": lists.Inspectors, "ineligibleRoot": lists.IneligibleRoot, "ineligible": lists.Ineligible, "freeze": r.Freeze, "round": publicRound,
		},
		"commitments":  []object{{"org": "NotaryMSP", "commitment": in.Contributions[0].Commitment}, {"org": "RegulatorMSP", "commitment": in.Contributions[1].Commitment}},
		"reveals":      []object{{"org": "NotaryMSP", "secret": in.Contributions[0].Secret}},
		"close":        object{"freeze": r.Freeze, "contribution": r.Contribution, "time": closed},
		"observations": []object{shown("NotaryMSP"), shown("AssociationMSP")},
		"beacon": object{"round": publicRound, "signature": publicSignature, "chain": object{
			"scheme": in.Beacon.Chain.Scheme, "publicKey": hex.EncodeToString(in.Beacon.Chain.PublicKey), "period": in.Beacon.Chain.Period,
			"genesisTime": in.Beacon.Chain.GenesisTime, "genesisSeed": hex.EncodeToString(in.Beacon.Chain.GenesisSeed), "beaconId": in.Beacon.Chain.BeaconID,
		}},
	}
	if kind != "shut" {
		doc["result"] = json.RawMessage(result)
		doc["substitutions"] = []object{
			{"stratum": "A", "object": a.Selected[1].ID, "by": a.Standby[0].ID, "reason": "closed"},
			{"stratum": "A", "object": a.Standby[0].ID, "by": a.Standby[1].ID, "reason": "moved"},
		}
	}
	if kind != "open" {
		leaves := draw.SealedLeaves(*in.SealedSecret, r.Assignment)
		doc["leaves"] = []object{{"org": "NotaryMSP", "root": draw.SealedRoot(leaves), "leaves": len(leaves)}}
		doc["sealedSecret"] = in.SealedSecret
		if kind == "shut" {
			doc["sealedSecret"] = nil
		}
	}
	return tree(t, doc).(object)
}

// sampleInput draws from a stratum of equal and one of unequal weights.
func sampleInput(sealed bool) draw.Input {
	secret := draw.Digest(sha256.Sum256([]byte("sealed secret")))
	plan := fmt.Sprintf(`{"quota":{"A":2,"B":2},"assign":[["lead"],[]],"ladder":[1],"scope":"集贸市场","regulator":"RegulatorMSP","observations":2,`+
		`"margin":86400,"timeWindow":900,"demonstration":false,"beacon":{"chainHash":"%s"}`, publicChainHash)
	signature, _ := hex.DecodeString(publicSignature) // the constant is hex
	in := draw.Input{
		Draw: sampleDraw,
		Inspectors: []draw.Inspector{
			{ID: "I-1", Cap: 3, Skills: []string{"lead"}}, {ID: "I-2", Cap: 3, Skills: []string{"fuel", "lead"}}, {ID: "I-3", Cap: 3, Skills: []string{}},
		},
		Ineligible: []draw.Pair{{Inspector: "I-1", Object: "A-02"}, {Inspector: "I-2", Object: "B-01"}},
		Beacon:     draw.Beacon{Chain: draw.Quicknet(), Round: publicRound, Signature: signature},
	}
	if sealed {
		in.SealedSecret = &secret
		plan += `,"seal":"` + draw.Seal(sampleDraw, secret).String() + `"`
	}
	in.Plan = []byte(plan + "}")
	for i := range 5 {
		in.Objects = append(in.Objects,
			draw.Object{ID: fmt.Sprintf("A-%02d", i), Stratum: "A", Weight: 1}, draw.Object{ID: fmt.Sprintf("B-%02d", i), Stratum: "B", Weight: uint32(1 + 2*i*i)})
	}
	for i, org := range []string{"NotaryMSP", "RegulatorMSP"} {
		own := draw.Digest(sha256.Sum256([]byte("secret of " + org)))
		in.Contributions = append(in.Contributions, draw.Share{Org: org, Commitment: draw.Commitment(sampleDraw, org, own)})
		if i == 0 {
			in.Contributions[i].Secret = &own
		}
	}
	return in
}

// tree turns a document into maps, slices and numbers that keep their digits.
func tree(t *testing.T, doc any) any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(write(t, doc)))
	decoder.UseNumber()
	var out any
	require.NoError(t, decoder.Decode(&out))
	return out
}

func write(t *testing.T, doc any) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, json.NewEncoder(&out).Encode(doc))
	return out.String()
}

// changesOf alters each value of the tree in turn, in every way of alter, and puts
// times on either side of the borders.
func changesOf(t *testing.T, whole object) []change {
	t.Helper()
	var changes []change
	keep := func(name string) { changes = append(changes, change{name, write(t, whole)}) }
	var walk func(path string, value any, set func(any))
	walk = func(path string, value any, set func(any)) {
		for _, other := range alter(value) {
			set(other)
			keep(fmt.Sprintf("%s = %.40v", path, other))
			set(value)
		}
		switch v := value.(type) {
		case object:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				member := v[name]
				walk(path+"."+name, member, func(other any) { v[name] = other })
				delete(v, name)
				keep(path + " without " + name)
				v[name] = member
			}
			v["surplus"] = "1"
			keep(path + " with one member more")
			delete(v, "surplus")
		case []any:
			for i := range v {
				walk(fmt.Sprintf("%s[%d]", path, i), v[i], func(other any) { v[i] = other })
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(whole)) {
		member := whole[name]
		walk(name, member, func(other any) { whole[name] = other })
		delete(whole, name)
		keep("without " + name)
		whole[name] = member
	}
	whole["surplus"] = "1"
	keep("with one member more")
	delete(whole, "surplus")
	return append(changes, onTheBorder(t, whole)...)
}

// alter lists other values in the place of one.
func alter(value any) []any {
	switch v := value.(type) {
	case string:
		others := []any{"", v + "X", v + "00", json.Number("7"), nil}
		if v != "" {
			first := "0"
			if v[0] == '0' {
				first = "1"
			}
			others = append(others, first+v[1:])
		}
		if upper := strings.ToUpper(v); upper != v {
			others = append(others, upper)
		}
		return others
	case json.Number:
		n, _ := v.Int64() // a sample's numbers are small
		whole := func(n int64) json.Number { return json.Number(fmt.Sprint(n)) }
		return []any{whole(n + 1), whole(n - 1), whole(-n - 1), whole(0), json.Number("9007199254740991"), json.Number("9007199254740992"), v + ".5", v + ".0", v.String(), nil}
	case bool:
		return []any{!v, "true", nil}
	case []any:
		others := []any{[]any{}, object{}, nil, append(slices.Clone(v), "surplus"), append(slices.Clone(v), nil)}
		if len(v) > 0 {
			others = append(others, append(slices.Clone(v), v[0]))
		}
		for i := range v {
			others = append(others, slices.Delete(slices.Clone(v), i, i+1))
		}
		if len(v) > 1 {
			turned := slices.Clone(v)
			slices.Reverse(turned)
			others = append(others, turned)
		}
		return others
	case object:
		return []any{[]any{}, object{}, "text", nil}
	}
	return []any{false, "", json.Number("0"), object{}}
}

// onTheBorder sets times to the last that is good and the first that is not.
func onTheBorder(t *testing.T, whole object) []change {
	t.Helper()
	limit := draw.Quicknet().Time(publicRound) - 86400
	closed, err := whole["close"].(object)["time"].(json.Number).Int64()
	require.NoError(t, err)
	var changes []change
	try := func(in object, name string, values ...int64) {
		old := in[name]
		for _, value := range values {
			in[name] = json.Number(fmt.Sprint(value))
			changes = append(changes, change{fmt.Sprintf("border: %s = %d", name, value), write(t, whole)})
		}
		in[name] = old
	}
	try(whole["close"].(object), "time", limit-1, limit, closed+60, closed+61)
	try(whole["observations"].([]any)[0].(object), "time", closed-1, closed, closed+1, limit-1, limit)
	try(whole["plan"].(object), "margin", 1800, 1801)
	try(whole["plan"].(object), "timeWindow", 43199, 43200)
	return changes
}
