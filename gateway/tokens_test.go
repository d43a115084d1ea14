package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/gateway/wallet"
)

var twoPosts = []wallet.Identity{{Label: "merchant"}, {Label: "regulator"}}

func TestLoadTokens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.json")
	made, err := loadTokens(path, twoPosts)
	require.NoError(t, err)
	require.Len(t, made, 2)
	require.NotEqual(t, made["merchant"], made["regulator"])
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Zero(t, info.Mode().Perm()&0o077, "tokens are for their owner only")

	again, err := loadTokens(path, twoPosts)
	require.NoError(t, err)
	require.Equal(t, made, again, "a second start keeps them")

	more, err := loadTokens(path, append(twoPosts, wallet.Identity{Label: "notary"}))
	require.NoError(t, err)
	require.Equal(t, made["merchant"], more["merchant"])
	require.NotEmpty(t, more["notary"])
}

func TestLoadTokensRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		content any
		says    string
	}{
		"NotAnObject":  {[]string{"x"}, "tokens.json"},
		"UnknownLabel": {map[string]string{"merchant": "a", "nobody": "b"}, "nobody"},
		"SharedToken":  {map[string]string{"merchant": "a", "regulator": "a"}, "the same token"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "tokens.json")
			raw, err := json.Marshal(test.content)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, raw, 0o600))
			_, err = loadTokens(path, twoPosts)
			require.ErrorContains(t, err, test.says)
		})
	}
}

func TestLoadSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	first, err := loadSecret(path)
	require.NoError(t, err)
	again, err := loadSecret(path)
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.NoError(t, os.WriteFile(path, []byte("short"), 0o600))
	_, err = loadSecret(path)
	require.ErrorContains(t, err, "5 bytes")
}
