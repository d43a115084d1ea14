package draw

import (
	"crypto/sha256"
	"testing"

	circl "github.com/cloudflare/circl/ecc/bls12381"
	"github.com/cloudflare/circl/sign/bls"
	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fp"
	"github.com/stretchr/testify/require"
)

func TestChain(t *testing.T) {
	t.Run("QuicknetHash", func(t *testing.T) {
		require.Equal(t, quicknetChainHash, Quicknet().Hash().String())
	})
	t.Run("DefaultBeaconIDIsNotHashed", func(t *testing.T) {
		c := Quicknet()
		c.BeaconID = "default"
		named := c.Hash()
		c.BeaconID = ""
		require.Equal(t, c.Hash(), named)
	})
	t.Run("TimeOfRounds", func(t *testing.T) {
		require.Equal(t, int64(1692803367), Quicknet().Time(1))
		require.Equal(t, int64(1692803367+999*3), Quicknet().Time(1000))
	})
}

func TestVerifyBeacon(t *testing.T) {
	signature := unhex(t, quicknetSignature)
	changed := func(change func([]byte)) []byte {
		b := append([]byte{}, signature...)
		change(b)
		return b
	}
	t.Run("Quicknet1000", func(t *testing.T) {
		randomness, err := Quicknet().Verify(quicknetRound, signature)
		require.NoError(t, err)
		require.Equal(t, quicknetRandomness, randomness.String())
	})
	for _, c := range []struct {
		name      string
		round     uint64
		signature []byte
		chain     func(*Chain)
		says      string
	}{
		{"NextRound", 1001, signature, nil, "not that of round 1001"},
		{"RoundZero", 0, signature, nil, "count from 1"},
		{"OtherScheme", 1000, signature, func(c *Chain) { c.Scheme = "pedersen-bls-chained" }, "scheme"},
		{"PeriodZero", 1000, signature, func(c *Chain) { c.Period = 0 }, "period"},
		{"Short", 1000, signature[:47], nil, "47 bytes"},
		{"Empty", 1000, nil, nil, "0 bytes"},
		{"Uncompressed", 1000, changed(func(b []byte) { b[0] &^= 0x80 }), nil, "not a point"},
		{"Negated", 1000, changed(func(b []byte) { b[0] ^= 0x20 }), nil, "not that of round"},
		{"Identity", 1000, append([]byte{0xc0}, make([]byte, 47)...), nil, "identity"},
		{"IdentityWithSign", 1000, append([]byte{0xe0}, make([]byte, 47)...), nil, ""},
		{"XNotBelowP", 1000, unreduced(), nil, "not a point"},
		{"OffCurve", 1000, offCurve(t), nil, "not a point"},
		{"OutsideSubgroup", 1000, outsideSubgroup(t), nil, "not a point"},
		{"KeyShort", 1000, signature, func(c *Chain) { c.PublicKey = c.PublicKey[:95] }, "95 bytes"},
		{"KeyIdentity", 1000, signature, func(c *Chain) { c.PublicKey = append([]byte{0xc0}, make([]byte, 95)...) }, "public key"},
		{"KeyOffCurve", 1000, signature, func(c *Chain) { c.PublicKey[95] ^= 1 }, ""},
		{"OtherKey", 1000, signature, func(c *Chain) { c.PublicKey = circl.G2Generator().BytesCompressed() }, "not that of round"},
	} {
		t.Run(c.name, func(t *testing.T) {
			chain := Quicknet()
			if c.chain != nil {
				c.chain(&chain)
			}
			_, err := chain.Verify(c.round, c.signature)
			requireKind(t, err, KindBeacon, c.says)
		})
	}
}

// unreduced spells x = 0 as p.
func unreduced() []byte {
	b := fp.Modulus().FillBytes(make([]byte, 48))
	b[0] |= 0x80
	return b
}

// offCurve searches an x without a y.
func offCurve(t *testing.T) []byte {
	for x := byte(1); x < 100; x++ {
		b := make([]byte, 48)
		b[0], b[47] = 0x80, x
		if _, _, found := curvePoint(uint64(x)); !found {
			return b
		}
	}
	t.Fatal("every x has a y")
	return nil
}

// curvePoint finds the affine point with this x, if there is one.
func curvePoint(x uint64) (fx, fy fp.Element, found bool) {
	fx.SetUint64(x)
	var square, b fp.Element
	b.SetUint64(4)
	square.Square(&fx).Mul(&square, &fx).Add(&square, &b)
	return fx, fy, fy.Sqrt(&square) != nil
}

// outsideSubgroup searches a point of the curve that is not in G1.
func outsideSubgroup(t *testing.T) []byte {
	for x := uint64(1); x < 100; x++ {
		fx, fy, found := curvePoint(x)
		if !found {
			continue
		}
		p := bls12381.G1Affine{X: fx, Y: fy}
		if !p.IsInSubGroup() {
			b := p.Bytes()
			return b[:]
		}
	}
	t.Fatal("every point is in the subgroup")
	return nil
}

// gnarkVerify checks a signature with the second library.
func gnarkVerify(t *testing.T, chain Chain, round uint64, signature []byte) bool {
	var key bls12381.G2Affine
	_, err := key.SetBytes(chain.PublicKey)
	require.NoError(t, err)
	var point bls12381.G1Affine
	if _, err := point.SetBytes(signature); err != nil {
		return false
	}
	message := RoundMessage(round)
	hashed, err := bls12381.HashToG1(message[:], []byte("BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"))
	require.NoError(t, err)
	_, _, _, generator := bls12381.Generators()
	generator.Neg(&generator)
	ok, err := bls12381.PairingCheck([]bls12381.G1Affine{point, hashed}, []bls12381.G2Affine{generator, key})
	require.NoError(t, err)
	return ok
}

func TestVerifyBeaconAgreesWithSecondLibrary(t *testing.T) {
	require.True(t, gnarkVerify(t, Quicknet(), 1000, unhex(t, quicknetSignature)))
	require.False(t, gnarkVerify(t, Quicknet(), 1001, unhex(t, quicknetSignature)))
	for i := range byte(8) {
		seed := sha256.Sum256([]byte{i})
		key, err := bls.KeyGen[bls.KeyG2SigG1](seed[:], nil, nil)
		require.NoError(t, err)
		public, err := key.PublicKey().MarshalBinary()
		require.NoError(t, err)
		c := Chain{Scheme: BeaconScheme, PublicKey: public, Period: 1}
		for _, round := range []uint64{1, 2, 1 << 40} {
			message := RoundMessage(round)
			signature := bls.Sign(key, message[:])
			_, err := c.Verify(round, signature)
			require.NoError(t, err)
			require.True(t, gnarkVerify(t, c, round, signature))
			_, err = c.Verify(round+1, signature)
			require.Error(t, err)
			require.False(t, gnarkVerify(t, c, round+1, signature))
		}
	}
}

func BenchmarkVerifyBeacon(b *testing.B) {
	chain, signature := Quicknet(), unhex(b, quicknetSignature)
	for b.Loop() {
		_, err := chain.Verify(quicknetRound, signature)
		require.NoError(b, err)
	}
}

func FuzzVerifyBeacon(f *testing.F) {
	f.Add(uint64(1000), unhex(f, quicknetSignature))
	f.Add(uint64(1), make([]byte, 48))
	f.Fuzz(func(t *testing.T, round uint64, signature []byte) {
		randomness, err := Quicknet().Verify(round, signature)
		if err == nil {
			require.Equal(t, Digest(sha256.Sum256(signature)), randomness)
			require.Equal(t, signature, unhex(t, quicknetSignature))
		}
	})
}
