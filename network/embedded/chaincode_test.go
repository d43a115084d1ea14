package embedded_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/pkg/statebased"
	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
)

// testChaincode has one function for each thing a stub can do.
type testChaincode struct {
	// entered and leave, if set, hold up the function "wait".
	entered, leave chan struct{}
}

func (testChaincode) Init(shim.ChaincodeStubInterface) *pb.Response { return shim.Success(nil) }

func (c testChaincode) Invoke(stub shim.ChaincodeStubInterface) *pb.Response {
	function, args := stub.GetFunctionAndParameters()
	if function == "wait" {
		c.entered <- struct{}{}
		<-c.leave
		return shim.Success(nil)
	}
	do, ok := functions[function]
	if !ok {
		return shim.Error("no function " + function)
	}
	result, err := do(stub, args)
	if err != nil {
		return shim.Error(err.Error())
	}
	return shim.Success(result)
}

var functions = map[string]func(shim.ChaincodeStubInterface, []string) ([]byte, error){
	"put": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
		return []byte(args[1]), stub.PutState(args[0], []byte(args[1]))
	},
	// both writes two keys without reading them.
	"both": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
		if err := stub.PutState(args[0], []byte("x")); err != nil {
			return nil, err
		}
		return nil, stub.PutState(args[1], []byte("x"))
	},
	"get": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) { return stub.GetState(args[0]) },
	"del": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
		return nil, stub.DelState(args[0])
	},
	// update reads, then writes: the usual source of MVCC conflicts.
	"update": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
		if _, err := stub.GetState(args[0]); err != nil {
			return nil, err
		}
		if err := stub.PutState(args[0], []byte(args[1])); err != nil {
			return nil, err
		}
		own, err := stub.GetState(args[0])
		return own, err
	},
	// sum reads a range and writes its size.
	"sum": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
		keys, err := keysOf(stub.GetStateByRange(args[0], args[1]))
		if err != nil {
			return nil, err
		}
		return nil, stub.PutState(args[2], fmt.Append(nil, len(keys)))
	},
	"range": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
		keys, err := keysOf(stub.GetStateByRange(args[0], args[1]))
		return []byte(strings.Join(keys, ",")), err
	},
	"page": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
		iterator, metadata, err := stub.GetStateByRangeWithPagination(args[0], args[1], 3, args[2])
		if err != nil {
			return nil, err
		}
		keys, err := keysOf(iterator, nil)
		return []byte(strings.Join(keys, ",") + "|" + metadata.GetBookmark()), err
	},
	"history": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
		iterator, err := stub.GetHistoryForKey(args[0])
		if err != nil {
			return nil, err
		}
		var values []string
		for iterator.HasNext() {
			modification, err := iterator.Next()
			if err != nil {
				return nil, err
			}
			values = append(values, fmt.Sprintf("%s/%t", modification.GetValue(), modification.GetIsDelete()))
		}
		return []byte(strings.Join(values, ",")), iterator.Close()
	},
	"event": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
		if err := stub.SetEvent("first", nil); err != nil {
			return nil, err
		}
		if err := stub.SetEvent(args[0], []byte(args[1])); err != nil {
			return nil, err
		}
		return nil, stub.PutState("event", []byte(args[1]))
	},
	// policy asks for the named organisations' peers on later writes of the key.
	"policy": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
		policy, err := statebased.NewStateEP(nil)
		if err != nil {
			return nil, err
		}
		if err := policy.AddOrgs(statebased.RoleTypePeer, args[1:]...); err != nil {
			return nil, err
		}
		serialized, err := policy.Policy()
		if err != nil {
			return nil, err
		}
		return nil, stub.SetStateValidationParameter(args[0], serialized)
	},
	"putPrivate": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
		transient, err := stub.GetTransient()
		if err != nil {
			return nil, err
		}
		return nil, stub.PutPrivateData(args[0], args[1], transient["value"])
	},
	"getPrivate": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
		return stub.GetPrivateData(args[0], args[1])
	},
	"getHash": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
		return stub.GetPrivateDataHash(args[0], args[1])
	},
	"delPrivate": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
		return nil, stub.DelPrivateData(args[0], args[1])
	},
	"purge": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
		return nil, stub.PurgePrivateData(args[0], args[1])
	},
	"rich": func(stub shim.ChaincodeStubInterface, _ []string) ([]byte, error) {
		_, err := stub.GetQueryResult("{}")
		return nil, err
	},
	"panic": func(shim.ChaincodeStubInterface, []string) ([]byte, error) { panic("on purpose") },
	"sleep": func(_ shim.ChaincodeStubInterface, args []string) ([]byte, error) {
		duration, err := time.ParseDuration(args[0])
		time.Sleep(duration)
		return nil, err
	},
	// clock answers differently each time, as no chaincode should.
	"clock": func(stub shim.ChaincodeStubInterface, _ []string) ([]byte, error) {
		return nil, stub.PutState("clock", fmt.Append(nil, time.Now().UnixNano()))
	},
	"whoami": func(stub shim.ChaincodeStubInterface, _ []string) ([]byte, error) {
		creator, err := stub.GetCreator()
		if err != nil {
			return nil, err
		}
		return json.Marshal(map[string]any{"txID": stub.GetTxID(), "channel": stub.GetChannelID(), "creator": len(creator)})
	},
}

func keysOf(iterator shim.StateQueryIteratorInterface, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	var keys []string
	for iterator.HasNext() {
		result, err := iterator.Next()
		if err != nil {
			return nil, err
		}
		keys = append(keys, result.GetKey())
	}
	return keys, iterator.Close()
}
