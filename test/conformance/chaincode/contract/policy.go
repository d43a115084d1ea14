package contract

import (
	"encoding/json"
	"sort"

	"github.com/hyperledger/fabric-chaincode-go/v2/pkg/statebased"
	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
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
