package contract

import (
	"encoding/json"
	"sort"

	"github.com/hyperledger/fabric-chaincode-go/v2/pkg/statebased"
	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"google.golang.org/protobuf/proto"
)

// policies set and read key-level endorsement policies.
func policies() map[string]transaction {
	return map[string]transaction{
		// setPolicy requires a peer of every named organisation for the key.
		"setPolicy": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			policy, err := allOf(args[1:])
			if err != nil {
				return nil, err
			}
			return nil, stub.SetStateValidationParameter(args[0], policy)
		},
		// createWithPolicy writes a key and its policy in one transaction.
		"createWithPolicy": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			policy, err := allOf(args[2:])
			if err != nil {
				return nil, err
			}
			if err := stub.PutState(args[0], []byte(args[1])); err != nil {
				return nil, err
			}
			return nil, stub.SetStateValidationParameter(args[0], policy)
		},
		// createWithAnyOf is createWithPolicy for a peer of any one of the organisations.
		"createWithAnyOf": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			policy, err := anyOf(args[2:])
			if err != nil {
				return nil, err
			}
			if err := stub.PutState(args[0], []byte(args[1])); err != nil {
				return nil, err
			}
			return nil, stub.SetStateValidationParameter(args[0], policy)
		},
		// putThrough writes a key and, blindly, the gates named after it.
		"putThrough": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			for _, gate := range args[2:] {
				if err := stub.PutState(gate, []byte("open")); err != nil {
					return nil, err
				}
			}
			return nil, stub.PutState(args[0], []byte(args[1]))
		},
		"clearPolicy": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			return nil, stub.SetStateValidationParameter(args[0], nil)
		},
		"policy": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			data, err := stub.GetStateValidationParameter(args[0])
			if err != nil {
				return nil, err
			}
			policy, err := statebased.NewStateEP(data)
			if err != nil {
				return nil, err
			}
			organizations := policy.ListOrgs()
			sort.Strings(organizations)
			return json.Marshal(organizations)
		},
		"setPrivatePolicy": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			policy, err := allOf(args[2:])
			if err != nil {
				return nil, err
			}
			return nil, stub.SetPrivateDataValidationParameter(args[0], args[1], policy)
		},
	}
}

func allOf(organizations []string) ([]byte, error) {
	policy, err := statebased.NewStateEP(nil)
	if err != nil {
		return nil, err
	}
	if err := policy.AddOrgs(statebased.RoleTypePeer, organizations...); err != nil {
		return nil, err
	}
	return policy.Policy()
}

// anyOf builds what the shim's own package cannot: one of several.
func anyOf(organizations []string) ([]byte, error) {
	policy := &common.SignaturePolicyEnvelope{}
	one := &common.SignaturePolicy_NOutOf{N: 1}
	for i, organization := range organizations {
		role, err := proto.Marshal(&msp.MSPRole{MspIdentifier: organization, Role: msp.MSPRole_PEER})
		if err != nil {
			return nil, err
		}
		policy.Identities = append(policy.Identities, &msp.MSPPrincipal{
			PrincipalClassification: msp.MSPPrincipal_ROLE, Principal: role,
		})
		one.Rules = append(one.Rules, &common.SignaturePolicy{Type: &common.SignaturePolicy_SignedBy{SignedBy: int32(i)}})
	}
	policy.Rule = &common.SignaturePolicy{Type: &common.SignaturePolicy_NOutOf_{NOutOf: one}}
	return proto.Marshal(policy)
}
