package differential

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Labels that programs sort or store differently when they are careless: numbers
// as names, names of JavaScript's own, UTF-16 against UTF-8 order, several scripts.
var labels = []string{"A", "B", "10", "2", "__proto__", "constructor", "加油站", "集贸市场", "\uff21", "\U0001f600", "é", "a b\"\\", "\u2028"}

// generator makes inputs. Everything random comes from rng, so that a seed and a
// number name a case.
type generator struct {
	rng     *rand.Rand
	beacons []object
}

func newGenerator(seed uint64) *generator {
	rng := rand.New(rand.NewPCG(seed, 1))
	return &generator{rng: rng, beacons: beacons(rng)}
}

// pick takes each entry with the given chance in a hundred.
func pick[T any](rng *rand.Rand, list []T, percent int) []T {
	some := []T{}
	for _, entry := range list {
		if rng.IntN(100) < percent {
			some = append(some, entry)
		}
	}
	return some
}

// valid makes an input that breaks no rule, though its slots may be unfillable.
func (g *generator) valid() object {
	strata := labels[:1]
	if g.rng.IntN(3) > 0 {
		strata = append(pick(g.rng, labels, 30), "A")
	}
	input := object{
		"draw":   fmt.Sprintf("计-%d", g.rng.IntN(1000)),
		"beacon": g.beacons[g.rng.IntN(len(g.beacons))],
	}
	objects, sizes := g.objects(strata)
	input["objects"] = objects
	plan, places := g.plan(strata, sizes)
	input["plan"] = plan
	inspectors := g.inspectors(places)
	input["inspectors"] = inspectors
	input["ineligible"] = g.ineligible(inspectors, objects)
	input["contributions"] = g.contributions(input["draw"].(string))
	if g.rng.IntN(4) == 0 {
		g.seal(input)
	}
	return input
}

// objects spreads a directory over the strata and returns the size of each.
func (g *generator) objects(strata []string) ([]object, map[string]int) {
	n := 1 + g.rng.IntN(40)
	if g.rng.IntN(50) == 0 {
		n = 500
	}
	heaviest := []uint32{1, 1, 2, 9, 1000, math.MaxUint32}[g.rng.IntN(6)]
	base := uint32(1)
	if g.rng.IntN(10) == 0 {
		base, heaviest = 7, 1
	}
	list, sizes := []object{}, map[string]int{}
	for _, i := range g.rng.Perm(n) {
		weight := base + g.rng.Uint32N(heaviest)
		if heaviest == math.MaxUint32 { // a few giants among dwarfs
			weight = max(1, heaviest>>g.rng.IntN(33))
		}
		stratum := strata[g.rng.IntN(len(strata))]
		sizes[stratum]++
		list = append(list, object{"id": fmt.Sprintf("S%d-%s", i, strings.Repeat("X", i%5*12)), "stratum": stratum, "weight": weight})
	}
	return list, sizes
}

// plan asks for part of every stratum and returns how many slots that opens at most.
func (g *generator) plan(strata []string, sizes map[string]int) (object, int) {
	slots := make([][]string, 2+g.rng.IntN(2))
	for i := range slots {
		slots[i] = pick(g.rng, []string{"lead", "计量"}, 25)
	}
	plan := object{"assign": slots}
	quota, rates, drawn := object{}, object{}, 0
	for _, stratum := range strata {
		size := sizes[stratum]
		share := []int{0, 1, 2, 3, 10}[g.rng.IntN(5)]
		quota[stratum] = size * share / 10
		rates[stratum] = []int{share, 10 + g.rng.IntN(5)}
		drawn += size * share / 10
		if share == 10 && g.rng.IntN(2) == 0 {
			rates[stratum] = []uint64{1 << 52, 1<<52 + 1}
		}
	}
	plan["quota"] = quota
	if g.rng.IntN(3) == 0 {
		delete(plan, "quota")
		plan["rates"] = rates
	}
	if g.rng.IntN(2) == 0 {
		plan["ladder"] = [][]int{{}, {1}, {1, 2}, {3}, {2, 1, 4}}[g.rng.IntN(5)]
	}
	for _, name := range pick(g.rng, []string{"scope", "\u0080", "\r", "\uff21", "\U0001f600", "note"}, 30) {
		plan[name] = []any{g.rng.Int64N(1<<54) - 1<<53 + 1, "\u0001\t/<é>", nil, true, object{"b": []int{}, "a": object{}}, 0}[g.rng.IntN(6)]
	}
	return plan, drawn * len(slots)
}

// inspectors have about the capacity that so many slots need: often barely enough,
// where taking the first candidate would leave a later slot open, or too little.
func (g *generator) inspectors(places int) []object {
	n := 3 + g.rng.IntN(12)
	spare := []int{0, 0, 1, 2, places/n + 1}[g.rng.IntN(5)]
	list := []object{}
	for _, i := range g.rng.Perm(n) {
		limit := (places+n-1)/n + spare
		if g.rng.IntN(12) == 0 {
			limit = g.rng.IntN(3)
		}
		list = append(list, object{"id": fmt.Sprintf("I.%d", i), "cap": limit, "skills": pick(g.rng, []string{"计量", "lead", "油"}, 80)})
	}
	return list
}

// ineligible also names some who stand in no directory.
func (g *generator) ineligible(inspectors, objects []object) [][]any {
	percent := []int{0, 2, 8, 25}[g.rng.IntN(4)]
	list := [][]any{}
	for _, inspector := range inspectors {
		for _, o := range pick(g.rng, objects, percent) {
			list = append(list, []any{inspector["id"], o["id"]})
		}
	}
	if g.rng.IntN(4) == 0 {
		list = append(list, []any{"I.GONE", "S-GONE"})
	}
	g.rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

func (g *generator) contributions(draw string) []object {
	list := []object{}
	for _, org := range pick(g.rng, append([]string{"RegulatorMSP", "InstituteMSP", "NotaryMSP"}, labels...), 40) {
		secret := hexBytes(g.rng, 32)
		share := object{"org": org, "commitment": tagged("DR1/commit", draw, org, secret), "secret": any(secret)}
		if g.rng.IntN(4) == 0 {
			share["secret"] = nil
		}
		list = append(list, share)
	}
	if len(list) == 0 {
		return g.contributions(draw)
	}
	return list
}

// seal turns the input into a sealed draw.
func (g *generator) seal(input object) {
	secret := hexBytes(g.rng, 32)
	input["sealedSecret"] = secret
	input["plan"].(object)["seal"] = tagged("DR1/seal", input["draw"].(string), "", secret)
}

// tagged is the hash of a commitment (with an organisation) or of a seal (without).
func tagged(tag, draw, org, secret string) string {
	message := []byte{}
	for _, text := range []string{tag, draw, org} {
		if text != "" {
			message = binary.BigEndian.AppendUint32(message, uint32(len(text)))
			message = append(message, text...)
		}
	}
	raw, err := hex.DecodeString(secret)
	if err != nil {
		panic(err) // made by hexBytes
	}
	sum := sha256.Sum256(append(message, raw...))
	return hex.EncodeToString(sum[:])
}

// encode writes a value as JSON with the members of every object in random order,
// which must make no difference.
func (g *generator) encode(t *testing.T, value any) string {
	t.Helper()
	members, isObject := value.(object)
	list, isList := value.([]object)
	switch {
	case isObject:
		parts := []string{}
		for _, name := range slices.Sorted(maps.Keys(members)) {
			parts = append(parts, g.encode(t, name)+":"+g.encode(t, members[name]))
		}
		g.rng.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		return "{" + strings.Join(parts, ", ") + "}"
	case isList:
		parts := []string{}
		for _, entry := range list {
			parts = append(parts, g.encode(t, entry))
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	text, err := json.Marshal(value)
	require.NoError(t, err)
	return string(text)
}
