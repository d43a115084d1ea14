package escrow

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

const drawID = "440300-000001"

func keys(t *testing.T) (Key, Key, []metrology.EscrowKey) {
	t.Helper()
	regulator, err := NewKey([32]byte{1}, metrology.RegulatorMSP)
	require.NoError(t, err)
	notary, err := NewKey([32]byte{2}, metrology.NotaryMSP)
	require.NoError(t, err)
	return regulator, notary, []metrology.EscrowKey{{Org: metrology.NotaryMSP, Key: notary.Public()}, {Org: metrology.RegulatorMSP, Key: regulator.Public()}}
}

// TestBoxes: each holder opens its own box and no other, and only with the
// secret of the plan's seal.
func TestBoxes(t *testing.T) {
	regulator, notary, published := keys(t)
	secret := draw.Digest{7}
	seal := draw.Seal(drawID, secret).String()
	boxes, err := Boxes(drawID, secret, published)
	require.NoError(t, err)
	for i, key := range []Key{regulator, notary} {
		require.Equal(t, metrology.DrawHolders[i], boxes[i].Holder)
		require.Len(t, boxes[i].Box, 160, "the size that the contract checks")
		opened, err := key.Open(drawID, seal, boxes[i])
		require.NoError(t, err)
		require.Equal(t, secret, opened)
	}
	_, err = notary.Open(drawID, seal, boxes[0])
	require.ErrorContains(t, err, "is for key")
	stolen := boxes[0]
	stolen.Holder, stolen.Key = metrology.NotaryMSP, notary.Public()
	_, err = notary.Open(drawID, seal, stolen)
	require.Error(t, err, "another holder's ciphertext")
	_, err = notary.Open("440300-000002", seal, boxes[1])
	require.Error(t, err, "a box of another draw")
	_, err = notary.Open(drawID, draw.Seal(drawID, draw.Digest{8}).String(), boxes[1])
	require.ErrorContains(t, err, "does not open the plan's seal")
	again, err := Boxes(drawID, secret, published)
	require.NoError(t, err)
	require.NotEqual(t, boxes[1].Box, again[1].Box)
}

func TestKeySurvivesARestart(t *testing.T) {
	_, notary, _ := keys(t)
	same, err := NewKey([32]byte{2}, metrology.NotaryMSP)
	require.NoError(t, err)
	require.Equal(t, notary.Public(), same.Public())
	other, err := NewKey([32]byte{2}, metrology.RegulatorMSP)
	require.NoError(t, err)
	require.NotEqual(t, notary.Public(), other.Public(), "one gateway may act for both")
}

func TestBoxRefusals(t *testing.T) {
	_, _, published := keys(t)
	_, err := Boxes(drawID, draw.Digest{7}, published[:1])
	require.ErrorContains(t, err, "RegulatorMSP: it has published no key")
	published[0].Key = "00"
	_, err = Boxes(drawID, draw.Digest{7}, published)
	require.Error(t, err)
	published[0].Key = "zz"
	_, err = Boxes(drawID, draw.Digest{7}, published)
	require.Error(t, err)
}
