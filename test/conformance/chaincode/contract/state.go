package contract

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
)

// states read and write single keys of the public state.
func states() map[string]transaction {
	return map[string]transaction{
		"put": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			return nil, stub.PutState(args[0], []byte(args[1]))
		},
		"get": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) { return stub.GetState(args[0]) },
		"delete": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			return nil, stub.DelState(args[0])
		},
		"getMany": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			return jsonOf(stub.GetMultipleStates(args...))
		},
		// exchange writes and answers the value that stood there before.
		"exchange": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			old, err := stub.GetState(args[0])
			if err != nil {
				return nil, err
			}
			return old, stub.PutState(args[0], []byte(args[1]))
		},
		// putThenGet shows that a transaction does not read its own writes.
		"putThenGet": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			if err := stub.PutState(args[0], []byte(args[1])); err != nil {
				return nil, err
			}
			return stub.GetState(args[0])
		},
		// putUpper writes what its arguments do not contain.
		"putUpper": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			return nil, stub.PutState(args[0], []byte(strings.ToUpper(args[1])))
		},
		"putBatch": putBatch,
		"history":  history,
	}
}

func jsonOf(value any, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return json.Marshal(value)
}

// putBatch writes args[1] keys with prefix args[0] in one write batch.
func putBatch(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
	count, err := strconv.Atoi(args[1])
	if err != nil {
		return nil, err
	}
	stub.StartWriteBatch()
	for i := range count {
		number := strconv.Itoa(i)
		if err := stub.PutState(args[0]+number, []byte(number)); err != nil {
			return nil, err
		}
	}
	return nil, stub.FinishWriteBatch()
}

// Version is one entry of a key's history, newest first.
type Version struct {
	TxID    string
	Value   string
	Deleted bool
	Seconds int64
}

func history(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
	iterator, err := stub.GetHistoryForKey(args[0])
	if err != nil {
		return nil, err
	}
	defer iterator.Close()
	var versions []Version
	for iterator.HasNext() {
		entry, err := iterator.Next()
		if err != nil {
			return nil, err
		}
		versions = append(versions, Version{
			TxID:    entry.GetTxId(),
			Value:   string(entry.GetValue()),
			Deleted: entry.GetIsDelete(),
			Seconds: entry.GetTimestamp().GetSeconds(),
		})
	}
	return json.Marshal(versions)
}
