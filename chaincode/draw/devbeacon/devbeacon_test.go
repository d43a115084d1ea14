package devbeacon_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/draw/devbeacon"
)

func TestSign(t *testing.T) {
	beacon, err := devbeacon.New(bytes.Repeat([]byte{7}, devbeacon.SeedSize), 2, 1_700_000_000)
	require.NoError(t, err)
	chain := beacon.Chain()
	randomness, err := chain.Verify(5, beacon.Sign(5))
	require.NoError(t, err)
	require.NotZero(t, randomness)
	_, err = chain.Verify(6, beacon.Sign(5))
	require.Error(t, err)
	require.Contains(t, chain.BeaconID, "development")
	require.Equal(t, int64(1_700_000_008), chain.Time(5))

	t.Run("SameSeedSameKey", func(t *testing.T) {
		again, err := devbeacon.New(bytes.Repeat([]byte{7}, devbeacon.SeedSize), 2, 1_700_000_000)
		require.NoError(t, err)
		require.Equal(t, chain.Hash(), again.Chain().Hash())
		require.Equal(t, beacon.Sign(9), again.Sign(9))
	})
}

func TestNew(t *testing.T) {
	t.Run("ErrShortSeed", func(t *testing.T) {
		_, err := devbeacon.New(make([]byte, 31), 2, 0)
		require.ErrorContains(t, err, "31 bytes")
	})
	t.Run("ErrPeriodZero", func(t *testing.T) {
		_, err := devbeacon.New(make([]byte, 32), 0, 0)
		require.ErrorContains(t, err, "period 0")
	})
}
