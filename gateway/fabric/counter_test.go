package fabric_test

import (
	"encoding/json"
	"strconv"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
)

// counter is a chaincode that counts business actions, so that a test can see
// on the ledger whether one was lost or doubled. It keeps the rule of the real
// contract: every write reads and writes its operation key.
type counter struct{}

func (counter) Init(shim.ChaincodeStubInterface) *peer.Response { return shim.Success(nil) }

func (counter) Invoke(stub shim.ChaincodeStubInterface) *peer.Response {
	args := stub.GetArgs()
	switch string(args[0]) {
	case "count:Get":
		value, err := stub.GetState(string(args[1]))
		if err != nil {
			return shim.Error(err.Error())
		}
		return shim.Success(value)
	case "count:Add":
		return once(stub, args, func() error { return nil })
	case "count:Tell":
		return once(stub, args, func() error {
			transient, err := stub.GetTransient()
			if err != nil {
				return err
			}
			return stub.PutPrivateData("disclosed", "told/"+string(args[2]), transient["told"])
		})
	case "count:Purge":
		return once(stub, args, func() error { return stub.PurgePrivateData("disclosed", string(args[1])) })
	case "count:Refuse":
		return shim.Error("STATE term: the pledge is withdrawn")
	}
	return shim.Error("Function " + string(args[0]) + " not found")
}

// once adds one to the key named by the request, unless the operation has.
func once(stub shim.ChaincodeStubInterface, args [][]byte, work func() error) *peer.Response {
	key, operation := string(args[1]), "operation/"+string(args[2])
	earlier, err := stub.GetState(operation)
	if err != nil {
		return shim.Error(err.Error())
	}
	if earlier != nil {
		return shim.Success(earlier)
	}
	value, err := stub.GetState(key)
	if err != nil {
		return shim.Error(err.Error())
	}
	count, _ := strconv.Atoi(string(value)) // absent is 0
	result := []byte(strconv.Itoa(count + 1))
	event, err := json.Marshal(map[string]string{"key": key})
	if err != nil {
		return shim.Error(err.Error())
	}
	for _, step := range []func() error{
		func() error { return stub.PutState(key, result) },
		func() error { return stub.PutState(operation, result) },
		func() error { return stub.SetEvent("counted", event) },
		work,
	} {
		if err := step(); err != nil {
			return shim.Error(err.Error())
		}
	}
	return shim.Success(result)
}
