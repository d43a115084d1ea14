package web_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// What others wrote is as VENDORED.md says, to the byte.
func TestVendored(t *testing.T) {
	content, err := os.ReadFile("assets/qr.js")
	require.NoError(t, err)
	said, err := os.ReadFile("VENDORED.md")
	require.NoError(t, err)
	sum := sha256.Sum256(content)
	require.Contains(t, string(said), "`assets/qr.js` has the SHA-256 `"+hex.EncodeToString(sum[:])+"`")
}
