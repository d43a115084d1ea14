package fabric

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/network/devca"
)

// writeIdentity puts an identity into a wallet directory.
func writeIdentity(t testing.TB, directory, label, mspID string, pair devca.Pair) {
	data, err := json.Marshal(map[string]any{
		"credentials": map[string]string{"certificate": string(pair.Certificate), "privateKey": string(pair.Key)},
		"mspId":       mspID, "type": "X.509", "version": 1,
	})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(directory, label+".id"), data, 0o600))
}

func TestWallet(t *testing.T) {
	directory := t.TempDir()
	ca, err := devca.New("Regulator", "ca")
	require.NoError(t, err)
	for label, mspID := range map[string]string{"merchant": "AssociationMSP", "regulator": "RegulatorMSP", "inspector": "RegulatorMSP"} {
		pair, err := ca.User(map[string]string{"role": label})
		require.NoError(t, err)
		writeIdentity(t, directory, label, mspID, pair)
	}
	require.NoError(t, os.WriteFile(filepath.Join(directory, "README"), []byte("not an identity"), 0o600))

	w := newWallet(directory)
	s, err := w.load("merchant")
	require.NoError(t, err)
	require.Equal(t, "AssociationMSP", s.MspID())
	signature, err := s.sign(make([]byte, 32))
	require.NoError(t, err)
	require.NotEmpty(t, signature)
	same, err := w.load("merchant")
	require.NoError(t, err)
	require.Same(t, s, same)

	label, err := w.ofOrganization("RegulatorMSP")
	require.NoError(t, err)
	require.Equal(t, "inspector", label, "the first by name")
	_, err = w.ofOrganization("NotaryMSP")
	require.ErrorIs(t, err, ErrNoIdentity)

	for _, label := range []string{"", "nobody", "../wallet/merchant", "a/b"} {
		_, err = w.load(label)
		require.ErrorIs(t, err, ErrNoIdentity, label)
	}
}

// TestWalletFollowsItsFiles: renewed, taken out, put back, given to another.
func TestWalletFollowsItsFiles(t *testing.T) {
	directory := t.TempDir()
	ca, err := devca.New("Association", "ca")
	require.NoError(t, err)
	put := func(subject string) {
		pair, err := ca.User(map[string]string{"role": "merchant", "subject": subject})
		require.NoError(t, err)
		next := t.TempDir()
		writeIdentity(t, next, "merchant", "AssociationMSP", pair)
		require.NoError(t, os.Rename(filepath.Join(next, "merchant.id"), filepath.Join(directory, "merchant.id")))
	}
	put("p-1")
	w := newWallet(directory)
	first, err := w.load("merchant")
	require.NoError(t, err)
	put("p-1")
	renewed, err := w.load("merchant")
	require.NoError(t, err)
	require.NotEqual(t, first.Credentials(), renewed.Credentials())
	require.NoError(t, os.Remove(filepath.Join(directory, "merchant.id")))
	_, err = w.load("merchant")
	require.ErrorIs(t, err, ErrNoIdentity)
	put("p-2")
	_, err = w.load("merchant")
	require.ErrorContains(t, err, "another holder's")
	put("p-1")
	_, err = w.load("merchant")
	require.NoError(t, err)
}

func TestParseIdentityRefuses(t *testing.T) {
	for _, c := range []struct{ name, data, want string }{
		{"not JSON", `x`, "decode identity"},
		{"type", `{"mspId":"A","type":"HSM-X.509","version":1}`, "want X.509"},
		{"version", `{"mspId":"A","type":"X.509","version":2}`, "version 2"},
		{"organization", `{"type":"X.509","version":1}`, `organization ""`},
		{"certificate", `{"mspId":"A","type":"X.509","version":1,"credentials":{"certificate":"x"}}`, "decode certificate"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parseIdentity([]byte(c.data))
			require.ErrorContains(t, err, c.want)
		})
	}
}
