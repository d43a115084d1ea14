package conformance

import (
	"testing"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
)

// testKeyLevelPolicy holds the chaincode's policy (three of four) against
// policies set on single keys.
func testKeyLevelPolicy(t *testing.T, n *testnet) {
	m := n.connect(t, "RegulatorMSP")
	put := func(t *testing.T, key, value string, organizations ...string) string {
		code, err := m.trySubmit(t, "put", client.WithArguments(key, value),
			client.WithEndorsingOrganizations(organizations...))
		require.NoError(t, describe(err))
		return code.String()
	}
	majority := []string{"RegulatorMSP", "AssociationMSP", "NotaryMSP"}
	t.Run("PolicyIsReadBack", func(t *testing.T) {
		key := newKey()
		require.Equal(t, []string{}, decode[[]string](t, m.evaluate(t, "policy", key)))
		m.submit(t, "createWithPolicy", key, "x", "InstituteMSP", "NotaryMSP")
		require.Equal(t, []string{"InstituteMSP", "NotaryMSP"}, decode[[]string](t, m.evaluate(t, "policy", key)))
	})
	t.Run("FirstWriteIsUnderTheChaincodesPolicy", func(t *testing.T) {
		code, err := m.trySubmit(t, "createWithPolicy", client.WithArguments(newKey(), "x", "RegulatorMSP"),
			client.WithEndorsingOrganizations("RegulatorMSP"))
		requireCode(t, peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE, code, err)
	})
	t.Run("MajorityWithoutTheNamedOrganization/ENDORSEMENT_POLICY_FAILURE", func(t *testing.T) {
		key := newKey()
		m.submit(t, "createWithPolicy", key, "x", "InstituteMSP")
		require.Equal(t, peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE.String(), put(t, key, "y", majority...))
		require.Equal(t, "x", m.evaluate(t, "get", key))
	})
	t.Run("NamedOrganizationAloneIsEnoughForItsKey", func(t *testing.T) {
		key := newKey()
		m.submit(t, "createWithPolicy", key, "x", "InstituteMSP")
		require.Equal(t, peer.TxValidationCode_VALID.String(), put(t, key, "y", "InstituteMSP"))
		require.Equal(t, "y", m.evaluate(t, "get", key))
	})
	t.Run("GatewayFindsTheNamedOrganizationItself", func(t *testing.T) {
		key := newKey()
		m.submit(t, "createWithPolicy", key, "x", "InstituteMSP", "NotaryMSP")
		m.submit(t, "put", key, "y")
		require.Equal(t, "y", m.evaluate(t, "get", key))
	})
	t.Run("PolicyItselfIsUnderItsPolicy", func(t *testing.T) {
		key := newKey()
		m.submit(t, "createWithPolicy", key, "x", "InstituteMSP")
		code, err := m.trySubmit(t, "setPolicy", client.WithArguments(key, "RegulatorMSP"),
			client.WithEndorsingOrganizations(majority...))
		requireCode(t, peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE, code, err)
		require.Equal(t, []string{"InstituteMSP"}, decode[[]string](t, m.evaluate(t, "policy", key)))
	})
	t.Run("ClearedPolicyGivesWayToTheChaincodes", func(t *testing.T) {
		key := newKey()
		m.submit(t, "createWithPolicy", key, "x", "InstituteMSP")
		m.submit(t, "clearPolicy", key)
		require.Equal(t, peer.TxValidationCode_VALID.String(), put(t, key, "y", majority...))
	})
	t.Run("PolicySurvivesAWriteOfTheValue", func(t *testing.T) {
		key := newKey()
		m.submit(t, "createWithPolicy", key, "x", "InstituteMSP")
		m.submit(t, "put", key, "y")
		require.Equal(t, peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE.String(), put(t, key, "z", majority...))
	})
	t.Run("DeletionTakesThePolicyWithIt", func(t *testing.T) {
		key := newKey()
		m.submit(t, "createWithPolicy", key, "x", "InstituteMSP")
		m.submit(t, "delete", key)
		require.Equal(t, peer.TxValidationCode_VALID.String(), put(t, key, "y", majority...))
	})
	t.Run("PolicyOnAnAbsentKeyIsNotKept", func(t *testing.T) {
		key := newKey()
		m.submit(t, "setPolicy", key, "InstituteMSP")
		require.Equal(t, []string{}, decode[[]string](t, m.evaluate(t, "policy", key)))
		require.Equal(t, peer.TxValidationCode_VALID.String(), put(t, key, "y", majority...))
	})
	t.Run("ReadersOfAPolicyConflictWithItsChange", func(t *testing.T) {
		key := newKey()
		m.submit(t, "put", key, "x")
		late, err := m.tryEndorse(t, "exchange", client.WithArguments(key, "y"),
			client.WithEndorsingOrganizations("RegulatorMSP", "InstituteMSP", "AssociationMSP"))
		require.NoError(t, describe(err))
		m.submit(t, "setPolicy", key, "RegulatorMSP", "InstituteMSP", "AssociationMSP")
		require.Equal(t, peer.TxValidationCode_MVCC_READ_CONFLICT.String(), m.commit(t, late).Code.String())
	})
}
