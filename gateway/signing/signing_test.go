package signing

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/signature"
)

func TestSign(t *testing.T) {
	for _, scheme := range []string{signature.SchemeP256, signature.SchemeSM2} {
		t.Run(scheme, func(t *testing.T) {
			keys := NewDirectory(filepath.Join(t.TempDir(), "keys"))
			public, err := keys.Generate("N-1", scheme)
			require.NoError(t, err)
			require.Equal(t, scheme, public.Scheme())

			id, first, err := keys.Sign(context.Background(), "N-1", []byte("message"))
			require.NoError(t, err)
			require.Equal(t, public.ID(), id)
			require.NoError(t, public.Verify([]byte("message"), first))
			for range 20 { // SM2 reads an extra byte of entropy half of the time
				_, again, err := keys.Sign(context.Background(), "N-1", []byte("message"))
				require.NoError(t, err)
				require.Equal(t, first, again, "a retry is the same request")
			}
			_, other, err := keys.Sign(context.Background(), "N-1", []byte("massage"))
			require.NoError(t, err)
			require.NotEqual(t, first[:36], other[:36], "the nonce differs with the message")
		})
	}
}

func TestSign_Refuses(t *testing.T) {
	directory := t.TempDir()
	keys := NewDirectory(directory)
	_, err := keys.Generate("N-1", signature.SchemeP256)
	require.NoError(t, err)

	t.Run("ErrNoKey", func(t *testing.T) {
		_, _, err := keys.Sign(context.Background(), "N-2", []byte("m"))
		var rule *metrology.Error
		require.ErrorAs(t, err, &rule)
		require.Equal(t, metrology.CodeInvalid, rule.Code)
		require.Equal(t, "signature", rule.Field)
	})
	t.Run("ErrPathInIssuer", func(t *testing.T) {
		_, _, err := keys.Sign(context.Background(), "../N-1", []byte("m"))
		require.Equal(t, metrology.CodeInvalid, metrology.ErrorCode(err))
	})
	t.Run("ErrKeyKept", func(t *testing.T) {
		_, err := keys.Generate("N-1", signature.SchemeSM2)
		require.ErrorIs(t, err, os.ErrExist)
	})
	t.Run("ErrUnknownScheme", func(t *testing.T) {
		_, err := keys.Generate("N-3", "rsa")
		require.ErrorContains(t, err, `scheme "rsa" is unknown`)
	})
	t.Run("ErrNotAKey", func(t *testing.T) {
		require.NoError(t, os.WriteFile(filepath.Join(directory, "N-4.pem"), []byte("no key"), 0o600))
		_, _, err := keys.Sign(context.Background(), "N-4", []byte("m"))
		require.ErrorContains(t, err, "no PEM block")
	})
	t.Run("ErrReadableByOthers", func(t *testing.T) {
		require.NoError(t, os.Chmod(filepath.Join(directory, "N-1.pem"), 0o644))
		_, _, err := keys.Sign(context.Background(), "N-1", []byte("m"))
		require.ErrorContains(t, err, "others can read the file")
	})
}
