// Package contract is a chaincode whose transactions each do one thing that a
// Fabric network must answer in a known way. It has no business of its own.
package contract

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
)

// transaction is one function of the contract. A nil error answers 200 with
// the payload, any other 500 with its text.
type transaction func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error)

// Contract dispatches by name.
type Contract struct{ transactions map[string]transaction }

// New returns the contract as the shim wants it.
func New() shim.Chaincode {
	c := &Contract{transactions: map[string]transaction{}}
	for _, family := range []map[string]transaction{basics(), states(), ranges(), policies(), privates()} {
		for name, t := range family {
			c.transactions[name] = t
		}
	}
	return c
}

// Init is never required.
func (c *Contract) Init(shim.ChaincodeStubInterface) *peer.Response { return shim.Success(nil) }

// Invoke runs one transaction. "respond" is apart, since it sets the status itself.
func (c *Contract) Invoke(stub shim.ChaincodeStubInterface) *peer.Response {
	name, args := stub.GetFunctionAndParameters()
	if name == "respond" {
		status, err := strconv.ParseInt(args[0], 10, 32)
		if err != nil {
			return shim.Error(err.Error())
		}
		return &peer.Response{Status: int32(status), Message: args[1], Payload: []byte(args[2])}
	}
	t, ok := c.transactions[name]
	if !ok {
		return shim.Error("no transaction " + name)
	}
	payload, err := t(stub, args)
	if err != nil {
		return shim.Error(err.Error())
	}
	return shim.Success(payload)
}

// basics need no state.
func basics() map[string]transaction {
	return map[string]transaction{
		"echo": func(_ shim.ChaincodeStubInterface, args []string) ([]byte, error) { return []byte(args[0]), nil },
		"args": func(_ shim.ChaincodeStubInterface, args []string) ([]byte, error) { return json.Marshal(args) },
		"fail": func(_ shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			return nil, fmt.Errorf("%s", args[0])
		},
		"transient": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			transient, err := stub.GetTransient()
			return transient[args[0]], err
		},
		"event": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			// Only the last event of a transaction counts.
			for i := 0; i+1 < len(args); i += 2 {
				if err := stub.SetEvent(args[i], []byte(args[i+1])); err != nil {
					return nil, err
				}
			}
			return nil, stub.PutState("event/"+stub.GetTxID(), []byte("x"))
		},
		"context": describe,
		// random answers differently on every peer.
		"random": func(stub shim.ChaincodeStubInterface, _ []string) ([]byte, error) {
			return nil, stub.PutState("random", []byte(rand.Text()))
		},
		"invoke": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			var call [][]byte
			for _, arg := range args[1:] {
				call = append(call, []byte(arg))
			}
			response := stub.InvokeChaincode(args[0], call, "")
			if response.GetStatus() != shim.OK {
				return nil, fmt.Errorf("%d %s", response.GetStatus(), response.GetMessage())
			}
			return response.GetPayload(), nil
		},
	}
}

// Context is what a transaction can know of its call.
type Context struct {
	Channel, TxID string
	Seconds       int64
	Creator       []byte
	Binding       []byte
	Proposal      bool // the signed proposal is there
}

func describe(stub shim.ChaincodeStubInterface, _ []string) ([]byte, error) {
	creator, err := stub.GetCreator()
	if err != nil {
		return nil, err
	}
	timestamp, err := stub.GetTxTimestamp()
	if err != nil {
		return nil, err
	}
	binding, err := stub.GetBinding()
	if err != nil {
		return nil, err
	}
	proposal, err := stub.GetSignedProposal()
	if err != nil {
		return nil, err
	}
	return json.Marshal(Context{
		Channel:  stub.GetChannelID(),
		TxID:     stub.GetTxID(),
		Seconds:  timestamp.GetSeconds(),
		Creator:  creator,
		Binding:  binding,
		Proposal: len(proposal.GetProposalBytes()) > 0,
	})
}
