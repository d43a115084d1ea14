package draw

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// publishedRound is a round of quicknet that somebody has published.
type publishedRound struct {
	Round      uint64 `json:"round"`
	Signature  string `json:"signature"`
	Randomness string `json:"randomness"` // where the source gives it
	Source     string `json:"source"`
}

// TestPublishedRounds: every round of quicknet that was found published
// verifies, with both libraries, and none of them is that of another round.
func TestPublishedRounds(t *testing.T) {
	data, err := os.ReadFile("testdata/quicknet.json")
	require.NoError(t, err)
	var published struct {
		ChainHash string           `json:"chainHash"`
		Rounds    []publishedRound `json:"rounds"`
	}
	require.NoError(t, json.Unmarshal(data, &published))
	require.Equal(t, published.ChainHash, Quicknet().Hash().String())
	require.NotEmpty(t, published.Rounds)
	for _, r := range published.Rounds {
		t.Run(fmt.Sprint(r.Round), func(t *testing.T) {
			require.NotEmpty(t, r.Source)
			signature := unhex(t, r.Signature)
			randomness, err := Quicknet().Verify(r.Round, signature)
			require.NoError(t, err)
			if r.Randomness != "" {
				require.Equal(t, r.Randomness, randomness.String())
			}
			require.True(t, gnarkVerify(t, Quicknet(), r.Round, signature))
			for _, other := range []uint64{r.Round - 1, r.Round + 1} {
				_, err = Quicknet().Verify(other, signature)
				requireKind(t, err, KindBeacon, "not that of round")
			}
		})
	}
}
