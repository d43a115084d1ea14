package contract

import (
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/signature"
)

func TestBootstrap(t *testing.T) {
	l := newLedger(t)
	for _, role := range []metrology.Role{metrology.RoleInspector, metrology.RoleInstitute, metrology.RoleNotary} {
		_, err := l.submit(l.as(role, "x"), "operation:Bootstrap", metrology.Bootstrap{}, nil)
		require.Equal(t, metrology.CodeForbidden, metrology.ErrorCode(err))
	}
	regulator := l.as(metrology.RoleRegulator, "reg")
	l.must(regulator, "operation:Bootstrap", metrology.Bootstrap{}, nil)
	_, err := l.submit(regulator, "operation:Bootstrap", metrology.Bootstrap{}, nil)
	require.Equal(t, metrology.CodeState, metrology.ErrorCode(err), "a gate's policy is never written again")

	require.Len(t, l.policies, len(metrology.Gates))
	for key, organizations := range map[string][]string{
		"gate/InstituteMSP": {metrology.InstituteMSP},
		"gate/RegulatorMSP": {metrology.RegulatorMSP},
		"gate/Witness":      {metrology.AssociationMSP, metrology.NotaryMSP},
	} {
		require.Contains(t, l.state, key, "a policy needs a value to hold on to")
		require.Equal(t, organizations, peersOfAny(t, l.policies[key]), key)
	}
}

// peersOfAny reads "a peer of one of these organisations" out of a policy and
// fails on any other policy.
func peersOfAny(t *testing.T, policy []byte) (organizations []string) {
	t.Helper()
	var envelope common.SignaturePolicyEnvelope
	require.NoError(t, proto.Unmarshal(policy, &envelope))
	require.EqualValues(t, 1, envelope.GetRule().GetNOutOf().GetN())
	for i, rule := range envelope.GetRule().GetNOutOf().GetRules() {
		require.EqualValues(t, i, rule.GetSignedBy())
		var role msp.MSPRole
		require.Equal(t, msp.MSPPrincipal_ROLE, envelope.GetIdentities()[i].GetPrincipalClassification())
		require.NoError(t, proto.Unmarshal(envelope.GetIdentities()[i].GetPrincipal(), &role))
		require.Equal(t, msp.MSPRole_PEER, role.GetRole())
		organizations = append(organizations, role.GetMspIdentifier())
	}
	return organizations
}

// TestAnchorNeverReadsItsGate keeps two anchors in one block apart: a gate that
// was read would make the second invalid.
func TestAnchorNeverReadsItsGate(t *testing.T) {
	l := newLedger(t)
	at := l.addIssuer("inst-1", signature.GenerateP256)
	batch := at.batch(t, at.leaf(t, "1", nil))
	stub := &memoryStub{ledger: l, creator: at.officer, id: "tx", arguments: []string{"certificate:AnchorBatch", text(t, batch), "op"}}
	watched := &readWatch{memoryStub: stub, read: map[string]bool{}}
	require.EqualValues(t, 200, l.chaincode.Invoke(watched).GetStatus())
	require.NotContains(t, watched.read, "gate/InstituteMSP")
	require.Contains(t, watched.read, "certificate/inst-1/1", "a number is read so that it cannot be taken twice in one block")
}

// readWatch notes the keys that a transaction reads.
type readWatch struct {
	*memoryStub
	read map[string]bool
}

func (w *readWatch) GetState(key string) ([]byte, error) {
	w.read[key] = true
	return w.memoryStub.GetState(key)
}

func (w *readWatch) GetMultipleStates(keys ...string) ([][]byte, error) {
	for _, key := range keys {
		w.read[key] = true
	}
	return w.memoryStub.GetMultipleStates(keys...)
}
