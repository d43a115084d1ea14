package contract

import (
	"crypto/sha256"
	"encoding/json"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// memoryStub is what one transaction sees of a ledger. The embedded interface
// is nil: a method that is not below ends the test that calls it.
type memoryStub struct {
	shim.ChaincodeStubInterface
	ledger    *ledger
	arguments []string
	creator   []byte
	id        string
	transient map[string][]byte
	writes    []func()
	event     *metrology.Event
}

func (s *memoryStub) GetFunctionAndParameters() (string, []string) {
	return s.arguments[0], s.arguments[1:]
}
func (s *memoryStub) GetTxID() string                          { return s.id }
func (s *memoryStub) GetCreator() ([]byte, error)              { return s.creator, nil }
func (s *memoryStub) GetTransient() (map[string][]byte, error) { return s.transient, nil }

func (s *memoryStub) GetTxTimestamp() (*timestamppb.Timestamp, error) {
	return timestamppb.New(s.ledger.now), nil
}

func (s *memoryStub) GetState(key string) ([]byte, error) { return s.ledger.state[key], nil }

func (s *memoryStub) GetMultipleStates(keys ...string) ([][]byte, error) {
	values := make([][]byte, len(keys))
	for i, key := range keys {
		values[i] = s.ledger.state[key]
	}
	return values, nil
}

func (s *memoryStub) StartWriteBatch() {}

func (s *memoryStub) PutState(key string, value []byte) error {
	s.writes = append(s.writes, func() { s.ledger.state[key] = value })
	return nil
}

func (s *memoryStub) SetStateValidationParameter(key string, policy []byte) error {
	s.writes = append(s.writes, func() { s.ledger.policies[key] = policy })
	return nil
}

func (s *memoryStub) GetPrivateData(collection, key string) ([]byte, error) {
	return s.ledger.private[collection+"/"+key], nil
}

func (s *memoryStub) GetPrivateDataHash(collection, key string) ([]byte, error) {
	value, found := s.ledger.private[collection+"/"+key]
	if !found {
		return nil, nil
	}
	hash := sha256.Sum256(value)
	return hash[:], nil
}

func (s *memoryStub) PutPrivateData(collection, key string, value []byte) error {
	s.writes = append(s.writes, func() { s.ledger.private[collection+"/"+key] = value })
	return nil
}

func (s *memoryStub) PurgePrivateData(collection, key string) error {
	s.writes = append(s.writes, func() { delete(s.ledger.private, collection+"/"+key) })
	return nil
}

func (s *memoryStub) SetEvent(_ string, payload []byte) error {
	s.event = new(metrology.Event)
	return json.Unmarshal(payload, s.event)
}
