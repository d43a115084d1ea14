package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestConfig(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) string {
		path := filepath.Join(dir, "enroll.yaml")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	c, err := loadConfig(write("msp: NotaryMSP\nca: {url: 'https://ca', tlsRoots: tls.pem}\nwallet: /wallet\n"))
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "tls.pem"), c.CA.TLSRoots)
	require.Equal(t, filepath.Join(dir, "registrar"), c.Registrar)
	require.Equal(t, "/wallet", c.Wallet)
	for name, c := range map[string]struct{ text, want string }{
		"Unknown":  {"msp: M\nca: {url: 'https://ca', password: x}\n", "field password not found"},
		"NoURL":    {"msp: M\n", "msp and ca.url must be given"},
		"NotYAML":  {"{", "enroll.yaml"},
		"NoSecret": {"msp: M\nsecret: s\nca: {url: 'https://ca'}\n", "field secret not found"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := loadConfig(write(c.text))
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err = loadConfig(filepath.Join(dir, "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}
