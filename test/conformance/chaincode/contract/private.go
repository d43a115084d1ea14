package contract

import (
	"errors"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
)

// privates work on private data collections; values come in the transient map.
func privates() map[string]transaction {
	return map[string]transaction{
		"putPrivate": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			transient, err := stub.GetTransient()
			if err != nil {
				return nil, err
			}
			value, ok := transient["value"]
			if !ok {
				return nil, errors.New("no transient value")
			}
			return nil, stub.PutPrivateData(args[0], args[1], value)
		},
		"getPrivate": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			return stub.GetPrivateData(args[0], args[1])
		},
		"getManyPrivate": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			return jsonOf(stub.GetMultiplePrivateData(args[0], args[1:]...))
		},
		"privateHash": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			return stub.GetPrivateDataHash(args[0], args[1])
		},
		"privateRange": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			return jsonOf(keys(stub.GetPrivateDataByRange(args[0], args[1], args[2])))
		},
		"deletePrivate": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			return nil, stub.DelPrivateData(args[0], args[1])
		},
		"purgePrivate": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			return nil, stub.PurgePrivateData(args[0], args[1])
		},
		// exchangePrivate reads a private value, then writes another.
		"exchangePrivate": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			old, err := stub.GetPrivateData(args[0], args[1])
			if err != nil {
				return nil, err
			}
			return old, stub.PutPrivateData(args[0], args[1], []byte(args[2]))
		},
	}
}
