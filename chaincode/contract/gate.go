package contract

import (
	"fmt"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// gates lists the keys with an endorsement policy of their own and the
// organisations of which one peer must have endorsed whatever writes the key.
//
// Chaincode-level endorsement is a majority of organisations, which says
// nothing about which ones. A transaction that writes a gate also needs a peer
// of the gate's organisation. A gate is written blindly and never read, so
// that two anchors in one block do not conflict.
var gates = map[string][]string{
	metrology.GateInstitute: {metrology.InstituteMSP},
	metrology.GateRegulator: {metrology.RegulatorMSP},
	metrology.GateWitness:   {metrology.AssociationMSP, metrology.NotaryMSP},
}

// passGate makes the transaction need the gate's organisation.
func (t *transaction) passGate(gate string) error {
	return t.Put(metrology.Key(metrology.KindGate, gate), t.ID)
}

// Bootstrap gives the gates their policies, once, by the regulator. Before it
// a gate holds nothing back, since a key's policy does not govern writes that
// were endorsed before it stood.
func (*Operation) Bootstrap(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, bootstrap)
}

func bootstrap(t *transaction, _ metrology.Bootstrap) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventOperationBootstrapped, metrology.BootstrapID)
	if err := t.Caller.Require(metrology.RoleRegulator); err != nil {
		return event, err
	}
	key := metrology.Key(metrology.KindOperation, metrology.BootstrapID)
	done, err := t.Has(key)
	if err != nil {
		return event, err
	}
	if done {
		return event, metrology.Errorf(metrology.CodeState, "the gates already stand")
	}
	for _, gate := range metrology.Gates {
		policy, err := peerOfAny(gates[gate])
		if err != nil {
			return event, err
		}
		if err := t.passGate(gate); err != nil {
			return event, err
		}
		if err := t.SetPolicy(metrology.Key(metrology.KindGate, gate), policy); err != nil {
			return event, err
		}
	}
	return event, t.Put(key, metrology.Operation{Function: "operation:Bootstrap", TransactionID: t.ID, Event: &event})
}

// peerOfAny builds the policy "a peer of at least one of the organisations".
// Fabric's own builder for key-level policies makes only AND.
func peerOfAny(organizations []string) ([]byte, error) {
	envelope := &common.SignaturePolicyEnvelope{}
	rules := make([]*common.SignaturePolicy, len(organizations))
	for i, organization := range organizations {
		role, err := deterministic.Marshal(&msp.MSPRole{MspIdentifier: organization, Role: msp.MSPRole_PEER})
		if err != nil {
			return nil, fmt.Errorf("encode principal: %w", err)
		}
		envelope.Identities = append(envelope.Identities, &msp.MSPPrincipal{
			PrincipalClassification: msp.MSPPrincipal_ROLE, Principal: role,
		})
		rules[i] = &common.SignaturePolicy{Type: &common.SignaturePolicy_SignedBy{SignedBy: int32(i)}}
	}
	envelope.Rule = &common.SignaturePolicy{Type: &common.SignaturePolicy_NOutOf_{
		NOutOf: &common.SignaturePolicy_NOutOf{N: 1, Rules: rules},
	}}
	policy, err := deterministic.Marshal(envelope)
	if err != nil {
		return nil, fmt.Errorf("encode gate policy: %w", err)
	}
	return policy, nil
}

// deterministic gives every endorsing peer the same bytes.
var deterministic = proto.MarshalOptions{Deterministic: true}
