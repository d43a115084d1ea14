package password

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPasswords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "passwords.json")
	f := At(path)
	good, err := f.Check("regulator", "correct horse battery")
	require.NoError(t, err)
	require.False(t, good, "there is no file yet")

	require.NoError(t, f.Set("regulator", "correct horse battery"))
	require.NoError(t, f.Set("notary", "correct horse battery"))
	for password, want := range map[string]bool{"correct horse battery": true, "correct horse batterz": false, "": false} {
		good, err := f.Check("regulator", password)
		require.NoError(t, err)
		require.Equal(t, want, good, password)
	}
	good, err = f.Check("nobody", "correct horse battery")
	require.NoError(t, err)
	require.False(t, good)

	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NotContains(t, string(content), "horse")
	all, err := f.read()
	require.NoError(t, err)
	require.NotEqual(t, all["regulator"].Hash, all["notary"].Hash, "each has its salt")
	information, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), information.Mode().Perm())
}

func TestRefusedPasswords(t *testing.T) {
	f := At(filepath.Join(t.TempDir(), "passwords.json"))
	require.ErrorContains(t, f.Set("notary", "short"), "at least 12")
	require.ErrorContains(t, f.Set("notary", strings.Repeat("x", Longest+1)), "at most 512")
	require.NoError(t, os.WriteFile(f.path, []byte(`{"notary": {"scheme": "plain", "rounds": 1, "salt": "", "hash": ""}}`), 0o600))
	good, err := f.Check("notary", "correct horse battery")
	require.Error(t, err)
	require.False(t, good)
}
