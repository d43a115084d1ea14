package draw

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/transparency-dev/merkle/rfc6962"
	"pgregory.net/rapid"
)

func drawObjects(t *rapid.T) []Object {
	maxWeight := rapid.SampledFrom([]uint32{1, 3, 50, 1<<32 - 1}).Draw(t, "maxWeight")
	ids := rapid.SliceOfNDistinct(rapid.StringMatching(`[A-Z0-9._-]{1,6}`), 0, 40, rapid.ID).Draw(t, "ids")
	list := make([]Object, len(ids))
	for i, id := range ids {
		list[i] = Object{id, rapid.SampledFrom([]string{"甲", "B"}).Draw(t, "stratum"), rapid.Uint32Range(1, maxWeight).Draw(t, "weight")}
	}
	return list
}

func drawQuotas(t *rapid.T, list []Object) []Quota {
	quotas := []Quota{{Stratum: "B"}, {Stratum: "甲"}}
	for i := range quotas {
		size := 0
		for _, o := range list {
			if o.Stratum == quotas[i].Stratum {
				size++
			}
		}
		quotas[i].Count = uint64(rapid.IntRange(0, size).Draw(t, "quota"))
	}
	return quotas
}

func selectFrom(t require.TestingT, seed Digest, list []Object, quotas []Quota, standby int) []Stratum {
	objects, err := NewObjects(list)
	require.NoError(t, err)
	strata, err := Select(seed, objects, quotas, standby)
	require.NoError(t, err)
	return strata
}

// naive selects one stratum by the words of section 3, with rationals.
func naive(seed Digest, list []Object, q Quota) (outright []string, ranked []string) {
	var rest []Object
	weighted := false
	for _, o := range list {
		if o.Stratum == q.Stratum {
			rest = append(rest, o)
			weighted = weighted || o.Weight != rest[0].Weight
		}
	}
	n := new(big.Int).SetUint64(q.Count)
	for again := weighted; again; {
		again = false
		sum := new(big.Int)
		for _, o := range rest {
			sum.Add(sum, big.NewInt(int64(o.Weight)))
		}
		var left []Object
		for _, o := range rest {
			if new(big.Int).Mul(n, big.NewInt(int64(o.Weight))).Cmp(sum) >= 0 {
				outright, again = append(outright, o.ID), true
			} else {
				left = append(left, o)
			}
		}
		n.SetUint64(q.Count - uint64(len(outright)))
		rest = left
	}
	quotient := func(o Object) *big.Rat {
		ticket := Ticket(seed, o.ID)
		return new(big.Rat).SetFrac(new(big.Int).SetBytes(ticket[:]), big.NewInt(int64(o.Weight)))
	}
	slices.SortFunc(rest, func(a, b Object) int { return quotient(a).Cmp(quotient(b)) })
	for _, o := range rest {
		ranked = append(ranked, o.ID)
	}
	slices.Sort(outright)
	return outright, ranked
}

func rankedIDs(list []Ranked) []string {
	var out []string
	for _, r := range list {
		out = append(out, r.ID)
	}
	return out
}

// requireSame compares lists of ids, nil being as good as empty.
func requireSame(t require.TestingT, want, got []string) {
	require.Equal(t, strings.Join(want, " "), strings.Join(got, " "))
}

func TestSelect(t *testing.T) {
	t.Run("EqualsDefinition", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			list := drawObjects(t)
			quotas := drawQuotas(t, list)
			seed := digestOf(rapid.String().Draw(t, "seed"))
			standby := rapid.IntRange(0, 50).Draw(t, "standby")
			for i, s := range selectFrom(t, seed, list, quotas, standby) {
				outright, ranked := naive(seed, list, quotas[i])
				n := int(quotas[i].Count) - len(outright)
				requireSame(t, outright, s.Outright)
				requireSame(t, ranked[:n], rankedIDs(s.Selected))
				requireSame(t, ranked[n:min(n+standby, len(ranked))], rankedIDs(s.Standby))
			}
		})
	})
	t.Run("ThresholdAnswersWasISelected", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			list := drawObjects(t)
			quotas := drawQuotas(t, list)
			seed := digestOf(rapid.String().Draw(t, "seed"))
			for _, s := range selectFrom(t, seed, list, quotas, 0) {
				for _, o := range list {
					if o.Stratum != s.Name || slices.Contains(s.Outright, o.ID) {
						continue
					}
					key := Key{Ticket(seed, o.ID), 1}
					if s.Weighted {
						key.Weight = o.Weight
					}
					within := s.Threshold != nil && key.Compare(*s.Threshold) <= 0
					require.Equal(t, slices.Contains(rankedIDs(s.Selected), o.ID), within)
				}
			}
		})
	})
	t.Run("OrderOfTheListDoesNotMatter", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			list := drawObjects(t)
			quotas := drawQuotas(t, list)
			shuffled := rapid.Permutation(list).Draw(t, "shuffled")
			a, b := selectFrom(t, Digest{}, list, quotas, 3), selectFrom(t, Digest{}, shuffled, quotas, 3)
			require.Equal(t, a, b)
		})
	})
	t.Run("ErrOtherDirectory", func(t *testing.T) {
		survey := NewSurvey()
		require.NoError(t, survey.AddAll(Objects{{"A", "S", 1}, {"B", "S", 1}}))
		s, err := NewSelector(Digest{}, survey, []Quota{{Stratum: "S", Count: 2}}, 0)
		require.NoError(t, err)
		require.NoError(t, s.Add(Object{"A", "S", 1}))
		_, err = s.Strata()
		require.ErrorContains(t, err, "not the one surveyed")
	})
}

// TestCutKeepsTheSmallest drives a stratum through many cuts.
func TestCutKeepsTheSmallest(t *testing.T) {
	var list []Object
	for i := range 5000 {
		list = append(list, Object{fmt.Sprintf("X%05d", i), "B", 1 + uint32(i%7)})
	}
	for _, n := range []uint64{1, 10, 500, 4000} {
		q := Quota{Stratum: "B", Count: n}
		s := selectFrom(t, Digest{9}, list, []Quota{q}, 5)[0]
		outright, ranked := naive(Digest{9}, list, q)
		left := int(n) - len(outright)
		requireSame(t, outright, s.Outright)
		requireSame(t, ranked[:left], rankedIDs(s.Selected))
		requireSame(t, ranked[left:left+5], rankedIDs(s.Standby))
	}
}

// mth is the recursive definition of RFC 6962 section 2.1.
func mth(leaves [][]byte) []byte {
	h := rfc6962.DefaultHasher
	switch len(leaves) {
	case 0:
		return h.EmptyRoot()
	case 1:
		return h.HashLeaf(leaves[0])
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	return h.HashChildren(mth(leaves[:k]), mth(leaves[k:]))
}

func TestRoots(t *testing.T) {
	t.Run("EqualDefinitionAtEverySize", func(t *testing.T) {
		var list Objects
		var leaves [][]byte
		for n := range 1100 {
			if n < 70 || n > 250 && n < 260 || n > 510 && n < 515 || n > 1020 {
				survey := NewSurvey()
				require.NoError(t, survey.AddAll(list))
				require.Equal(t, mth(leaves), bytes.Clone(digestBytes(survey.Root())), "size %d", n)
			}
			o := Object{fmt.Sprintf("ID-%06d", n), "S", uint32(n + 1)}
			list, leaves = append(list, o), append(leaves, o.Leaf())
		}
	})
	t.Run("RootMayBeAskedMidway", func(t *testing.T) {
		survey := NewSurvey()
		var leaves [][]byte
		for n := range 600 {
			o := Object{fmt.Sprintf("ID-%06d", n), "S", 1}
			leaves = append(leaves, o.Leaf())
			require.NoError(t, survey.Add(o))
			if n%97 == 0 {
				require.Equal(t, mth(leaves), digestBytes(survey.Root()))
			}
		}
		require.Equal(t, mth(leaves), digestBytes(survey.Root()))
		require.Equal(t, uint64(600), survey.Count())
	})
	t.Run("LeafBytes", func(t *testing.T) {
		require.Equal(t, "\x00\x00\x00\x01A\x00\x00\x00\x03\xe7\x94\xb2\x00\x00\x01\x00", string(Object{"A", "甲", 256}.Leaf()))
		require.Equal(t, "\x00\x00\x00\x01I\x00\x00\x00\x02\x00\x00\x00\x01a\x00\x00\x00\x01b",
			string(Inspector{"I", 2, []string{"b", "a"}}.Leaf()))
		require.Equal(t, "\x00\x00\x00\x01I\x00\x00\x00\x01A", string(Pair{"I", "A"}.Leaf()))
	})
	t.Run("Empty", func(t *testing.T) {
		require.Equal(t, Digest(sha256.Sum256(nil)), Inspectors{}.Root())
	})
}

func digestBytes(d Digest) []byte { return d[:] }

func TestSurveyRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		kind Kind
		list Objects
	}{
		{"Unsorted", KindOrder, Objects{{"B", "S", 1}, {"A", "S", 1}}},
		{"Twice", KindDuplicate, Objects{{"B", "S", 1}, {"B", "S", 1}}},
		{"WeightZero", KindWeight, Objects{{"A", "S", 1}, {"B", "S", 0}}},
		{"EmptyStratum", KindName, Objects{{"A", "S", 1}, {"B", "", 1}}},
		{"LowerCase", KindName, Objects{{"A", "S", 1}, {"b", "S", 1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			requireKind(t, NewSurvey().AddAll(c.list), c.kind, "objects[1]")
		})
	}
}

func TestKeyCompare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) (Key, *big.Rat) {
			var k Key
			copy(k.Ticket[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, name))
			k.Weight = rapid.Uint32Min(1).Draw(t, name+"Weight")
			return k, new(big.Rat).SetFrac(new(big.Int).SetBytes(k.Ticket[:]), big.NewInt(int64(k.Weight)))
		}
		a, ra := draw("a")
		b, rb := draw("b")
		require.Equal(t, ra.Cmp(rb), a.Compare(b))
	})
}

func TestCSV(t *testing.T) {
	visit := func(text string) (Objects, error) {
		var list Objects
		err := readCSV(strings.NewReader(text), func(o Object) error { list = append(list, o); return nil })
		return list, err
	}
	list, err := visit("id,stratum,weight\nA,\"x,y\",3\nB,甲,1\n")
	require.NoError(t, err)
	require.Equal(t, Objects{{"A", "x,y", 3}, {"B", "甲", 1}}, list)
	for name, text := range map[string]string{
		"Empty": "", "NoHeader": "A,B,1\n", "SignedWeight": "id,stratum,weight\nA,B,+1\n", "LeadingZero": "id,stratum,weight\nA,B,01\n",
		"HugeWeight": "id,stratum,weight\nA,B,4294967296\n", "FourFields": "id,stratum,weight\nA,B,1,2\n", "Quote": "id,stratum,weight\nA,\"B,1\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := visit(text)
			requireKind(t, err, KindSyntax, "objects file")
		})
	}
}
