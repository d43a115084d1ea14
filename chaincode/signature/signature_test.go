package signature

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

func signers(t *testing.T) map[string]*Signer {
	p256, err := GenerateP256()
	require.NoError(t, err)
	sm2, err := GenerateSM2()
	require.NoError(t, err)
	return map[string]*Signer{SchemeP256: p256, SchemeSM2: sm2}
}

func TestVerify(t *testing.T) {
	message := metrology.BatchMessage("INST-001", [32]byte{1}, 3)
	for scheme, signer := range signers(t) {
		t.Run(scheme, func(t *testing.T) {
			signature, err := signer.Sign(message)
			require.NoError(t, err)
			key, err := ParseKey(signer.Key().SPKI())
			require.NoError(t, err)
			require.Equal(t, scheme, key.Scheme())
			require.Len(t, key.ID(), 64)
			require.NoError(t, key.Verify(message, signature))

			other := metrology.BatchMessage("INST-001", [32]byte{1}, 4)
			require.Equal(t, metrology.CodeSignature, metrology.ErrorCode(key.Verify(other, signature)))
			for bit := range len(signature) * 8 {
				flipped := append([]byte(nil), signature...)
				flipped[bit/8] ^= 1 << (bit % 8)
				require.Error(t, key.Verify(message, flipped), "bit %d", bit)
			}
			require.Error(t, key.Verify(message, append(signature, 0)))
			require.Error(t, key.Verify(message, nil))
		})
	}
	t.Run("the schemes do not accept each other", func(t *testing.T) {
		all := signers(t)
		signature, err := all[SchemeSM2].Sign(message)
		require.NoError(t, err)
		require.Error(t, all[SchemeP256].Key().Verify(message, signature))
	})
	t.Run("the zero key verifies nothing", func(t *testing.T) {
		require.Equal(t, metrology.CodeSignature, metrology.ErrorCode(Key{}.Verify(message, nil)))
	})
}

func TestSign(t *testing.T) {
	for scheme, signer := range signers(t) {
		t.Run(scheme+" says the same again", func(t *testing.T) {
			first, err := signer.Sign([]byte("message"))
			require.NoError(t, err)
			for range 64 { // a library that discards a byte does so every other time
				again, err := signer.Sign([]byte("message"))
				require.NoError(t, err)
				require.Equal(t, first, again)
			}
			other, err := signer.Sign([]byte("another message"))
			require.NoError(t, err)
			require.NotEqual(t, first[:36], other[:36], "another message has another nonce")
		})
	}
}

func TestParseKey(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	wrongCurve, err := x509.MarshalPKIXPublicKey(p384.Public())
	require.NoError(t, err)
	edwards, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	wrongType, err := x509.MarshalPKIXPublicKey(edwards)
	require.NoError(t, err)
	good := signers(t)[SchemeP256].Key().SPKI()
	offCurve := append([]byte(nil), good...)
	offCurve[len(offCurve)-1] ^= 1
	for name, spki := range map[string][]byte{
		"empty": nil, "not DER": []byte("key"), "P-384": wrongCurve, "Ed25519": wrongType,
		"point off the curve": offCurve, "trailing bytes": append(append([]byte(nil), good...), 0),
		"too long": make([]byte, 129),
	} {
		_, err := ParseKey(spki)
		require.Equal(t, metrology.CodeInvalid, metrology.ErrorCode(err), name)
	}
}

func TestParseSigner(t *testing.T) {
	for scheme, signer := range signers(t) {
		pkcs8, err := signer.PKCS8()
		require.NoError(t, err)
		again, err := ParseSigner(pkcs8)
		require.NoError(t, err, scheme)
		require.Equal(t, signer.Key().ID(), again.Key().ID())
	}
	_, err := ParseSigner([]byte("key"))
	require.Error(t, err)
}

func FuzzParseKey(f *testing.F) {
	signer, err := GenerateSM2()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signer.Key().SPKI())
	f.Fuzz(func(t *testing.T, spki []byte) {
		if key, err := ParseKey(spki); err == nil {
			require.Equal(t, spki, key.SPKI())
			require.Error(t, key.Verify([]byte("message"), spki))
		}
	})
}
