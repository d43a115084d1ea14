package wallet

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/network/devca"
)

func issue(t *testing.T, attributes map[string]string) devca.Pair {
	t.Helper()
	ca, err := devca.New("regulator.example.com", "ca.regulator.example.com")
	require.NoError(t, err)
	pair, err := ca.User(attributes)
	require.NoError(t, err)
	return pair
}

func TestPutAndList(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "wallet")
	pair := issue(t, map[string]string{"role": "inspector", "subject": "p-1"})
	require.False(t, Has(directory, "inspector"))
	require.NoError(t, Put(directory, "inspector", "RegulatorMSP", pair.Certificate, pair.Key))
	require.True(t, Has(directory, "inspector"))
	plain := issue(t, nil)
	require.NoError(t, Put(directory, "admin", "RegulatorMSP", plain.Certificate, plain.Key))
	require.NoError(t, os.WriteFile(filepath.Join(directory, "README"), []byte("not an identity"), 0o600))

	identities, err := List(directory)
	require.NoError(t, err)
	require.Equal(t, []Identity{
		{Label: "admin", MSPID: "RegulatorMSP"},
		{Label: "inspector", MSPID: "RegulatorMSP", Role: "inspector", Subject: "p-1"},
	}, identities)

	info, err := os.Stat(filepath.Join(directory, "inspector.id"))
	require.NoError(t, err)
	require.Zero(t, info.Mode().Perm()&0o077, "a key is for its owner only")
}

func TestPut(t *testing.T) {
	t.Run("ErrTaken", func(t *testing.T) {
		directory := t.TempDir()
		pair := issue(t, nil)
		require.NoError(t, Put(directory, "a", "RegulatorMSP", pair.Certificate, pair.Key))
		require.ErrorIs(t, Put(directory, "a", "RegulatorMSP", pair.Certificate, pair.Key), os.ErrExist)
	})
}

func TestList(t *testing.T) {
	for name, content := range map[string]string{
		"ErrNotJSON":       "x",
		"ErrNoCertificate": `{"credentials":{"certificate":"","privateKey":""},"mspId":"RegulatorMSP","type":"X.509","version":1}`,
	} {
		t.Run(name, func(t *testing.T) {
			directory := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(directory, "bad.id"), []byte(content), 0o600))
			_, err := List(directory)
			require.ErrorContains(t, err, "bad")
		})
	}
	t.Run("ErrNoDirectory", func(t *testing.T) {
		_, err := List(filepath.Join(t.TempDir(), "nowhere"))
		require.ErrorIs(t, err, os.ErrNotExist)
	})
}
