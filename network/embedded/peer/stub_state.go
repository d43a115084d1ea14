package peer

import (
	"errors"

	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
)

var errEmptyKey = errors.New("key must not be an empty string")

func (s *stub) GetState(key string) ([]byte, error) {
	value, err := s.simulator.GetState(s.namespace, key)
	if err != nil {
		return nil, s.failed(pb.ChaincodeMessage_GET_STATE, err)
	}
	return value, nil
}

func (s *stub) GetMultipleStates(keys ...string) ([][]byte, error) {
	return s.getEach(keys, s.GetState)
}

func (s *stub) getEach(keys []string, get func(string) ([]byte, error)) ([][]byte, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	values := make([][]byte, len(keys))
	for i, key := range keys {
		value, err := get(key)
		if err != nil {
			return nil, err
		}
		values[i] = value
	}
	return values, nil
}

func (s *stub) PutState(key string, value []byte) error {
	if key == "" {
		return errEmptyKey
	}
	return s.write(pb.ChaincodeMessage_PUT_STATE, func() error {
		return s.simulator.SetState(s.namespace, key, value)
	})
}

func (s *stub) DelState(key string) error {
	return s.write(pb.ChaincodeMessage_DEL_STATE, func() error {
		return s.simulator.SetState(s.namespace, key, nil)
	})
}

func (s *stub) SetStateValidationParameter(key string, ep []byte) error {
	return s.write(pb.ChaincodeMessage_PUT_STATE_METADATA, func() error {
		return s.simulator.SetStatePolicy(s.namespace, key, ep)
	})
}

func (s *stub) GetStateValidationParameter(key string) ([]byte, error) {
	policy, err := s.simulator.GetStatePolicy(s.namespace, key)
	if err != nil {
		return nil, s.failed(pb.ChaincodeMessage_GET_STATE_METADATA, err)
	}
	return policy, nil
}
