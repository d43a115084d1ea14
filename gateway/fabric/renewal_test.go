package fabric_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRenewedIdentity: from the next call on, the new certificate signs.
func TestRenewedIdentity(t *testing.T) {
	n := startNetwork(t)
	g := startGateway(t, n, nil)
	creator := func(key string) []byte {
		receipt, err := g.Submit(t.Context(), key, add("n"))
		require.NoError(t, err)
		return g.shown(t)[receipt.BlockNumber].Transactions[0].Creator.Certificate
	}
	first := creator("k1")
	pair, err := n.Enroll("AssociationMSP", map[string]string{"role": "merchant", "subject": "merchant-1"})
	require.NoError(t, err)
	next := t.TempDir()
	writeIdentity(t, next, "merchant", "AssociationMSP", pair)
	require.NoError(t, os.Rename(filepath.Join(next, "merchant.id"), filepath.Join(n.wallet, "merchant.id")))
	second := creator("k2")
	require.NotEqual(t, first, second)
	require.Equal(t, second, creator("k3"))
	require.Equal(t, 3, g.count(t, "n"))
}
