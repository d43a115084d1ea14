// Package contract is the smart contract: one file per transaction family. A
// method decodes, loads, asks the rule in package metrology, saves, and emits
// one event.
//
// Every writing transaction takes two arguments, a JSON request and an
// operation id; every reading one takes the request alone. What must be
// deletable travels in the transient map.
package contract

import (
	"fmt"
	"log"
	"reflect"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// metadataFunction is answered by the contract API itself.
const metadataFunction = contractapi.SystemContractName + ":GetMetadata"

// families lists the contracts. A family that is not here cannot be called.
func families() []contractapi.ContractInterface {
	return []contractapi.ContractInterface{
		NewMerchant(),
		NewOperation(),
		NewSite(),
		NewRuleset(),
		NewPledge(),
		NewInspection(),
		NewIssuer(),
		NewInstrument(),
		NewCertificate(),
		NewDraw(),
	}
}

// chaincode guards the contract API's router, which alone would accept
// "sign" for "Sign" and ignore surplus arguments.
type chaincode struct {
	router    *contractapi.ContractChaincode
	arguments map[string]int // exact transaction name → number of arguments
}

// New returns the contract as a value that runs as a service on a real network
// and inside the embedded one.
func New() (shim.Chaincode, error) {
	contracts := families()
	router, err := contractapi.NewChaincode(contracts...)
	if err != nil {
		return nil, fmt.Errorf("assemble contracts: %w", err)
	}
	return &chaincode{router: router, arguments: transactionNames(contracts)}, nil
}

// Init does nothing: nothing is written at start-up that nobody signed for.
func (c *chaincode) Init(shim.ChaincodeStubInterface) *peer.Response { return shim.Success(nil) }

// Invoke checks the exact name and the number of arguments, then routes. A
// panic in a rule ends the transaction, not the process.
func (c *chaincode) Invoke(stub shim.ChaincodeStubInterface) (response *peer.Response) {
	name, arguments := stub.GetFunctionAndParameters()
	want, known := c.arguments[name]
	switch {
	case !known:
		return refuse(metrology.CodeInvalid, "there is no transaction %q", name)
	case len(arguments) != want:
		return refuse(metrology.CodeInvalid, "%s takes %d arguments, not %d", name, want, len(arguments))
	}
	defer func() {
		if fault := recover(); fault != nil {
			log.Printf("panic in %s, transaction %s: %v", name, stub.GetTxID(), fault)
			response = refuse(metrology.CodeInternal, "the contract failed in %s", name)
		}
	}()
	return c.router.Invoke(stub)
}

func refuse(code metrology.Code, format string, args ...any) *peer.Response {
	return shim.Error(metrology.Errorf(code, format, args...).Error())
}

// transactionNames finds the transactions of each family as the contract API
// does: exported methods whose first parameter is the context.
func transactionNames(contracts []contractapi.ContractInterface) map[string]int {
	names := map[string]int{metadataFunction: 0}
	context := reflect.TypeOf((*Context)(nil))
	for _, family := range contracts {
		t := reflect.TypeOf(family)
		for i := range t.NumMethod() {
			if m := t.Method(i).Type; m.NumIn() > 1 && m.In(1) == context {
				names[family.GetName()+":"+t.Method(i).Name] = m.NumIn() - 2
			}
		}
	}
	return names
}

// TransactionNames lists every transaction with its number of arguments.
func TransactionNames() map[string]int { return transactionNames(families()) }
