package differential

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/cloudflare/circl/ecc/bls12381"
	"github.com/stretchr/testify/require"
)

const (
	scheme = "bls-unchained-g1-rfc9380"
	domain = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"
)

// object is a JSON object on its way into an input.
type object = map[string]any

// signer is a beacon with one key, as the definition's section 2 describes it.
type signer struct {
	secret bls12381.Scalar
	chain  object
}

// newSigner makes a chain. Its key is of no value, so a seeded source will do
// and the same seed gives the same cases.
func newSigner(rng *rand.Rand, beaconID string) signer {
	var s signer
	s.secret.SetUint64(2 + rng.Uint64()>>1)
	key := new(bls12381.G2)
	key.ScalarMult(&s.secret, bls12381.G2Generator())
	s.chain = object{
		"scheme": scheme, "publicKey": hex.EncodeToString(key.BytesCompressed()), "period": 1 + rng.IntN(60),
		"genesisTime": rng.Int64N(1<<40) - 1<<20, "genesisSeed": hexBytes(rng, 32), "beaconId": beaconID,
	}
	return s
}

// sign returns the beacon of the round: S·H(H(u64(round))) in G1.
func (s signer) sign(round uint64) object {
	message := sha256.Sum256(binary.BigEndian.AppendUint64(nil, round))
	point := new(bls12381.G1)
	point.Hash(message[:], []byte(domain))
	point.ScalarMult(&s.secret, point)
	return object{"chain": s.chain, "round": round, "signature": hex.EncodeToString(point.BytesCompressed())}
}

// quicknet is drand's public chain and its round 1000.
func quicknet() object {
	return object{
		"chain": object{
			"scheme":    scheme,
			"publicKey": "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",
			"period":    3, "genesisTime": 1692803367, "beaconId": "quicknet",
			"genesisSeed": "f477d5c89f21a17c863a7f937c6a6d15859414d2be09cd448d4279af331c5d3e",
		},
		"round":     uint64(1000),
		"signature": "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39",
	}
}

// beacons are good ones to choose from: few, since each costs JavaScript a pairing.
func beacons(rng *rand.Rand) []object {
	list := []object{quicknet()}
	for _, name := range []string{"default", "", "quicknet", "市监局-1"} {
		s := newSigner(rng, name)
		for range 5 {
			list = append(list, s.sign(1+rng.Uint64N(1<<53-1)))
		}
	}
	return list
}

// signatureAt encodes the smallest positive x that lies on G1's curve y² = x³+4,
// outside the subgroup since that holds less than 2⁻¹²⁵ of all points, or that has
// no y at all.
func signatureAt(t *testing.T, onCurve bool) string {
	t.Helper()
	p, ok := new(big.Int).SetString("1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab", 16)
	require.True(t, ok)
	x := big.NewInt(1)
	for ; ; x.Add(x, big.NewInt(1)) {
		square := new(big.Int).Exp(x, big.NewInt(3), p)
		square.Add(square, big.NewInt(4))
		if (big.Jacobi(square, p) == 1) == onCurve {
			break
		}
	}
	encoded := x.FillBytes(make([]byte, 48))
	encoded[0] |= 0x80
	return hex.EncodeToString(encoded)
}

// anyPoint encodes a random x: one time in two it lies on no curve, else outside
// the subgroup, and now and then outside the field.
func anyPoint(rng *rand.Rand, n int) string {
	flags := []string{"8", "9", "a", "b"}
	return flags[rng.IntN(len(flags))] + hexBytes(rng, n)[1:]
}

const hexDigits = "0123456789abcdef"

func hexBytes(rng *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return hex.EncodeToString(b)
}
