package ledger_test

import (
	"encoding/pem"
	"slices"
	"testing"

	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/network/embedded/msp"
)

// revoke puts the signer's certificate on its organisation's list.
func (b *bench) revoke(signer *msp.Signer) {
	b.t.Helper()
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signer.Certificate.Raw})
	list, err := b.authorities[signer.MSPID].RevocationList(text)
	require.NoError(b.t, err)
	organizations := slices.Clone(b.organizations)
	for i := range organizations {
		if organizations[i].MSPID == signer.MSPID {
			organizations[i].RevocationLists = [][]byte{list}
		}
	}
	require.NoError(b.t, b.manager.Update(organizations))
}

// TestRevoked: what was endorsed and signed before the revocation and is not
// yet in a block is judged by the list; what is in a block keeps its verdict.
func TestRevoked(t *testing.T) {
	t.Run("Creator/BAD_CREATOR_SIGNATURE", func(t *testing.T) {
		b := newBench(t)
		require.Equal(t, []pb.TxValidationCode{valid}, b.commit(b.transaction("AB", b.put("k", "1"))))
		late := b.transaction("AB", b.put("k", "2"))
		b.revoke(b.client)
		require.Equal(t, []pb.TxValidationCode{pb.TxValidationCode_BAD_CREATOR_SIGNATURE}, b.commit(late))
		require.Equal(t, "1", b.get("k"))
	})
	t.Run("Endorser/ENDORSEMENT_POLICY_FAILURE", func(t *testing.T) {
		b := newBench(t)
		late, enough := b.transaction("AB", b.put("k", "1")), b.transaction("ABC", b.put("l", "1"))
		b.revoke(b.peers["B"])
		require.Equal(t, []pb.TxValidationCode{policy, valid}, b.commit(late, enough))
	})
}
