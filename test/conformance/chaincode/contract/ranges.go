package contract

import (
	"encoding/json"
	"strconv"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
)

// ranges read many keys at once.
func ranges() map[string]transaction {
	return map[string]transaction{
		"range": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			return jsonOf(keys(stub.GetStateByRange(args[0], args[1])))
		},
		// rangeThenPut reads a range, then writes a key that depends on it.
		"rangeThenPut": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			found, err := keys(stub.GetStateByRange(args[0], args[1]))
			if err != nil {
				return nil, err
			}
			return jsonOf(found, stub.PutState(args[2], []byte(strconv.Itoa(len(found)))))
		},
		"page": page,
		// pageThenPut is refused: a paginated query forbids writes.
		"pageThenPut": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			if _, err := page(stub, args); err != nil {
				return nil, err
			}
			return nil, stub.PutState("after-page", []byte("x"))
		},
		"putComposite": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			key, err := stub.CreateCompositeKey(args[0], args[1:])
			if err != nil {
				return nil, err
			}
			return nil, stub.PutState(key, []byte("x"))
		},
		"composites": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			iterator, err := stub.GetStateByPartialCompositeKey(args[0], args[1:])
			found, err := keys(iterator, err)
			if err != nil {
				return nil, err
			}
			attributes := make([][]string, len(found))
			for i, key := range found {
				if _, attributes[i], err = stub.SplitCompositeKey(key); err != nil {
					return nil, err
				}
			}
			return json.Marshal(attributes)
		},
		"richQuery": func(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
			return jsonOf(keys(stub.GetQueryResult(args[0])))
		},
	}
}

func keys(iterator shim.StateQueryIteratorInterface, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	defer iterator.Close()
	found := []string{}
	for iterator.HasNext() {
		entry, err := iterator.Next()
		if err != nil {
			return nil, err
		}
		found = append(found, entry.GetKey())
	}
	return found, nil
}

// Page is one page of a range and where the next begins.
type Page struct {
	Keys     []string
	Bookmark string
	Fetched  int32
}

// page takes start, end, page size and bookmark.
func page(stub shim.ChaincodeStubInterface, args []string) ([]byte, error) {
	size, err := strconv.ParseInt(args[2], 10, 32)
	if err != nil {
		return nil, err
	}
	iterator, metadata, err := stub.GetStateByRangeWithPagination(args[0], args[1], int32(size), args[3])
	found, err := keys(iterator, err)
	if err != nil {
		return nil, err
	}
	return json.Marshal(Page{Keys: found, Bookmark: metadata.GetBookmark(), Fetched: metadata.GetFetchedRecordsCount()})
}
