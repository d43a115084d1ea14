package draw

import (
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"
)

func sortBy[T any](list []T, key func(T) string) {
	slices.SortFunc(list, func(a, b T) int { return strings.Compare(key(a), key(b)) })
}

func shareDocument(shares []Share) []any {
	out := []any{}
	for _, s := range shares {
		out = append(out, map[string]any{"org": s.Org, "commitment": s.Commitment, "secret": s.Secret})
	}
	return out
}

func beaconDocument(b Beacon) any {
	c := b.Chain
	return map[string]any{
		"chain": map[string]any{
			"scheme": c.Scheme, "publicKey": hex.EncodeToString(c.PublicKey), "period": c.Period,
			"genesisTime": c.GenesisTime, "genesisSeed": hex.EncodeToString(c.GenesisSeed), "beaconId": c.BeaconID,
		},
		"round": b.Round, "signature": hex.EncodeToString(b.Signature),
	}
}

func pairsDocument(pairs []Pair) [][]string {
	out := [][]string{}
	for _, p := range pairs {
		out = append(out, []string{p.Inspector, p.Object})
	}
	return out
}

// document writes an input as draw compute reads it.
func (in Input) document(t require.TestingT) []byte {
	doc := map[string]any{
		"draw": in.Draw, "plan": json.RawMessage(in.Plan), "objects": in.Objects, "inspectors": in.Inspectors,
		"ineligible": pairsDocument(in.Ineligible), "contributions": shareDocument(in.Contributions),
		"beacon": beaconDocument(in.Beacon),
	}
	if in.SealedSecret != nil {
		doc["sealedSecret"] = in.SealedSecret
	}
	b, err := json.Marshal(doc)
	require.NoError(t, err)
	return b
}
