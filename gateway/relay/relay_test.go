package relay

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fp"
	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/draw/devbeacon"
)

const round = 1000

// beacon is a consortium's own network of one, for tests.
func beacon(t testing.TB, seed byte) *devbeacon.Beacon {
	b, err := devbeacon.New(bytes.Repeat([]byte{seed}, devbeacon.SeedSize), 3, 1700000000)
	require.NoError(t, err)
	return b
}

// serve starts a relay that answers every question alike.
func serve(t *testing.T, handle http.HandlerFunc) string {
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	return server.URL
}

func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
}

func roundJSON(number int, signature []byte) string {
	return fmt.Sprintf(`{"round":%d,"signature":"%x"}`, number, signature)
}

// honest answers as drand does, on one version of the interface alone.
func honest(t *testing.T, b *devbeacon.Beacon, version int) http.HandlerFunc {
	path := fmt.Sprintf("/v2/chains/%s/rounds/%d", b.Chain().Hash(), round)
	if version == 1 {
		path = fmt.Sprintf("/%s/public/%d", b.Chain().Hash(), round)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, roundJSON(round, b.Sign(round)))
	}
}

func fetch(t *testing.T, chain draw.Chain, addresses ...string) ([]byte, error) {
	relays, err := New(addresses)
	require.NoError(t, err)
	return relays.Fetch(context.Background(), chain, round)
}

func TestFetch(t *testing.T) {
	b := beacon(t, 1)
	for version := 1; version <= 2; version++ {
		signature, err := fetch(t, b.Chain(), serve(t, honest(t, b, version))+"/")
		require.NoError(t, err)
		require.Equal(t, b.Sign(round), signature)
	}
}

// TestLyingRelays: whatever a relay says, the true signature alone is taken,
// from the next relay that has it; and where none has it, nothing is.
func TestLyingRelays(t *testing.T) {
	b, other := beacon(t, 1), beacon(t, 2)
	truth := b.Sign(round)
	negated := bytes.Clone(truth)
	negated[0] ^= 0x20
	uncompressed := bytes.Clone(truth)
	uncompressed[0] &^= 0x80
	// Quicknet's own round of this number.
	foreign, err := hex.DecodeString("b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39")
	require.NoError(t, err)
	for _, lie := range []struct {
		name   string
		handle http.HandlerFunc
		says   string
	}{
		{"RandomnessWithoutSignature", says(`{"round":1000,"randomness":"` + strings.Repeat("ab", 32) + `"}`), "no signature"},
		{"RandomnessInTheSignaturesPlace", says(`{"round":1000,"signature":"` + strings.Repeat("ab", 32) + `"}`), "32 bytes"},
		{"RandomnessNotOfTheSignature", says(fmt.Sprintf(`{"round":1000,"signature":"%x","randomness":"%064d"}`, truth, 7)), "not the hash"},
		{"NextRound", says(roundJSON(round+1, b.Sign(round+1))), "gives round 1001"},
		{"NextRoundUnderThisNumber", says(roundJSON(round, b.Sign(round+1))), "not that of round 1000"},
		{"EarlierRoundUnderThisNumber", says(roundJSON(round, b.Sign(round-1))), "not that of round 1000"},
		{"AnotherChain", says(roundJSON(round, other.Sign(round))), "not that of round 1000"},
		{"QuicknetsRound", says(roundJSON(round, foreign)), "not that of round 1000"},
		{"OffTheCurve", says(roundJSON(round, point(t, false))), "not a point"},
		{"OutsideTheSubgroup", says(roundJSON(round, point(t, true))), "not a point"},
		{"Identity", says(roundJSON(round, append([]byte{0xc0}, make([]byte, 47)...))), "identity"},
		{"TheOtherRoot", says(roundJSON(round, negated)), "not that of round 1000"},
		{"Uncompressed", says(roundJSON(round, uncompressed)), "not a point"},
		{"Short", says(roundJSON(round, truth[:47])), "47 bytes"},
		{"Long", says(roundJSON(round, append(bytes.Clone(truth), 0))), "49 bytes"},
		{"NotHex", says(`{"round":1000,"signature":"zz"}`), "not hex"},
		{"NotJSON", says(`<html>`), "not a round"},
		{"Nothing", says(``), "not a round"},
		{"TooLong", says(`{"round":1000,"signature":"` + hex.EncodeToString(truth) + `","pad":"` + strings.Repeat("x", maxAnswer) + `"}`), "longer than"},
		{"Elsewhere", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, "302"},
		{"NotYet", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooEarly) }, "425"},
		{"BreaksOff", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "500")
			fmt.Fprint(w, roundJSON(round, truth)[:20])
		}, "read answer"},
	} {
		t.Run(lie.name, func(t *testing.T) {
			liar := serve(t, lie.handle)
			_, err := fetch(t, b.Chain(), liar)
			require.ErrorContains(t, err, lie.says)
			signature, err := fetch(t, b.Chain(), liar, serve(t, honest(t, b, 2)))
			require.NoError(t, err)
			require.Equal(t, truth, signature)
		})
	}
}

// point encodes a small x that has no point on the curve, or one whose point is
// outside the subgroup.
func point(t *testing.T, onCurve bool) []byte {
	for x := uint64(1); x < 100; x++ {
		var fx, fy, square, b fp.Element
		fx.SetUint64(x)
		b.SetUint64(4)
		square.Square(&fx).Mul(&square, &fx).Add(&square, &b)
		found := fy.Sqrt(&square) != nil
		p := bls12381.G1Affine{X: fx, Y: fy}
		switch {
		case found != onCurve || found && p.IsInSubGroup():
		case found:
			encoded := p.Bytes()
			return encoded[:]
		default:
			encoded := fx.Bytes()
			encoded[0] |= 0x80
			return encoded[:]
		}
	}
	t.Fatal("no such x")
	return nil
}

func TestNewRefuses(t *testing.T) {
	for _, address := range []string{"", "api.drand.sh", "ftp://api.drand.sh", "https://", "https://a@b", "https://b?c", "https://b#c", ":"} {
		_, err := New([]string{address})
		require.Error(t, err, address)
	}
	_, err := fetch(t, beacon(t, 1).Chain())
	require.ErrorIs(t, err, errNoRelay)
}

// TestWatch: a round is fetched once it is due, and a relay that fails is asked
// again only after a while.
func TestWatch(t *testing.T) {
	b := beacon(t, 1)
	asked := make(chan struct{}, 100)
	broken := true
	relay := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		if broken {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		honest(t, b, 2)(w, r)
	})
	relays, err := New([]string{relay})
	require.NoError(t, err)
	now := time.Unix(b.Chain().Time(round)-1, 0)
	w := NewWatch(relays, func() time.Time { return now }, slog.New(slog.NewTextHandler(io.Discard, nil)))
	settle := func() {
		select {
		case wanted := <-w.wanted:
			w.fetch(context.Background(), wanted)
		default:
		}
	}
	look := func() bool {
		_, known := w.Round(b.Chain(), round)
		settle()
		return known
	}
	require.False(t, look())
	require.Empty(t, asked, "a round that is not due is not asked for")
	now = now.Add(time.Second)
	require.False(t, look())
	require.Len(t, asked, 2, "both versions")
	require.False(t, look())
	require.Len(t, asked, 2, "not again at once")
	broken = false
	now = now.Add(again)
	require.False(t, look())
	signature, known := w.Round(b.Chain(), round)
	require.True(t, known)
	require.Equal(t, b.Sign(round), signature)
	require.Len(t, asked, 3)
}

func TestParseInfo(t *testing.T) {
	quicknet := draw.Quicknet()
	key, seed, hash := hex.EncodeToString(quicknet.PublicKey), hex.EncodeToString(quicknet.GenesisSeed), quicknet.Hash().String()
	first := map[string]any{
		"public_key": key, "period": 3, "genesis_time": 1692803367, "hash": hash, "groupHash": seed,
		"schemeID": draw.BeaconScheme, "metadata": map[string]any{"beaconID": "quicknet"},
	}
	second := map[string]any{
		"public_key": key, "period": 3, "genesis_time": 1692803367, "chain_hash": hash, "genesis_seed": seed,
		"scheme": draw.BeaconScheme, "beacon_id": "quicknet",
	}
	parse := func(document map[string]any) (draw.Chain, error) {
		encoded, err := json.Marshal(document)
		require.NoError(t, err)
		return ParseInfo(encoded)
	}
	for _, document := range []map[string]any{first, second} {
		chain, err := parse(document)
		require.NoError(t, err)
		require.Equal(t, quicknet, chain)
	}
	for member, wrong := range map[string]any{
		"public_key": key[2:] + "00", "period": 30, "genesis_time": 1, "hash": strings.Repeat("00", 32), "groupHash": "zz", "schemeID": "pedersen-bls-chained",
	} {
		right := first[member]
		first[member] = wrong
		_, err := parse(first)
		require.Error(t, err, member)
		first[member] = right
	}
	_, err := ParseInfo([]byte(`[]`))
	require.Error(t, err)
}

func FuzzParseInfo(f *testing.F) {
	f.Add([]byte(`{"public_key":"83cf","period":3,"genesis_time":1,"hash":"00","groupHash":"f477","schemeID":"bls-unchained-g1-rfc9380","metadata":{"beaconID":"quicknet"}}`))
	f.Add([]byte(`{"public_key":"","period":3}`))
	f.Fuzz(func(t *testing.T, document []byte) {
		chain, err := ParseInfo(document)
		if err == nil {
			_, err = draw.Pinned(chain.Pin())
			require.NoError(t, err)
		}
	})
}

func FuzzCheck(f *testing.F) {
	b := beacon(f, 1)
	f.Add([]byte(roundJSON(round, b.Sign(round))))
	f.Fuzz(func(t *testing.T, body []byte) {
		if signature, err := check(body, b.Chain(), round); err == nil {
			require.Equal(t, b.Sign(round), signature)
		}
	})
}
