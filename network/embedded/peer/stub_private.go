package peer

import (
	"errors"
	"fmt"

	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/steelyard-ledger/steelyard/network/embedded/msp"
)

var errNoCollection = errors.New("collection must not be an empty string")

// permission is what the transaction's creator may do with a collection that
// is open to its members only.
type permission struct{ read, write bool }

func (s *stub) permission(collection string) permission {
	if known, ok := s.permissions[collection]; ok {
		return known
	}
	allowed := permission{true, true}
	if definition := s.server.cfg.Ledger.Collection(s.namespace, collection); definition != nil {
		member := false
		if creator, err := s.server.cfg.MSP.Deserialize(s.proposal.SignatureHeader.GetCreator()); err == nil {
			member = definition.Distribution.Evaluate([]*msp.Identity{creator}) == nil
		}
		allowed.read = member || !definition.Config.GetMemberOnlyRead()
		allowed.write = member || !definition.Config.GetMemberOnlyWrite()
	}
	s.permissions[collection] = allowed
	return allowed
}

func (s *stub) mayRead(collection string) error {
	if !s.permission(collection).read {
		return fmt.Errorf("tx creator does not have read access permission on privatedata in chaincodeName:%s collectionName: %s", s.namespace, collection)
	}
	return nil
}

func (s *stub) mayWrite(collection string) error {
	if !s.permission(collection).write {
		return fmt.Errorf("tx creator does not have write access permission on privatedata in chaincodeName:%s collectionName: %s", s.namespace, collection)
	}
	return nil
}

// readPrivate checks the collection's name and permission, then reads.
func (s *stub) readPrivate(message pb.ChaincodeMessage_Type, collection string, read func() ([]byte, error)) ([]byte, error) {
	if collection == "" {
		return nil, errNoCollection
	}
	if err := s.mayRead(collection); err != nil {
		return nil, s.failed(message, err)
	}
	value, err := read()
	if err != nil {
		return nil, s.failed(message, err)
	}
	return value, nil
}

// writePrivate checks the collection's name and permission, then writes.
func (s *stub) writePrivate(message pb.ChaincodeMessage_Type, collection string, write func() error) error {
	if collection == "" {
		return errNoCollection
	}
	return s.write(message, func() error {
		if err := s.mayWrite(collection); err != nil {
			return err
		}
		return write()
	})
}

func (s *stub) GetPrivateData(collection, key string) ([]byte, error) {
	return s.readPrivate(pb.ChaincodeMessage_GET_STATE, collection, func() ([]byte, error) {
		return s.simulator.GetPrivateData(s.namespace, collection, key)
	})
}

func (s *stub) GetMultiplePrivateData(collection string, keys ...string) ([][]byte, error) {
	if collection == "" {
		return nil, errNoCollection
	}
	return s.getEach(keys, func(key string) ([]byte, error) { return s.GetPrivateData(collection, key) })
}

// GetPrivateDataHash needs no permission: the hash is on the chain.
func (s *stub) GetPrivateDataHash(collection, key string) ([]byte, error) {
	if collection == "" {
		return nil, errNoCollection
	}
	hash, err := s.simulator.GetPrivateDataHash(s.namespace, collection, key)
	if err != nil {
		return nil, s.failed(pb.ChaincodeMessage_GET_PRIVATE_DATA_HASH, err)
	}
	return hash, nil
}

func (s *stub) PutPrivateData(collection, key string, value []byte) error {
	if collection != "" && key == "" {
		return errEmptyKey
	}
	return s.writePrivate(pb.ChaincodeMessage_PUT_STATE, collection, func() error {
		return s.simulator.SetPrivateData(s.namespace, collection, key, value)
	})
}

func (s *stub) DelPrivateData(collection, key string) error {
	return s.writePrivate(pb.ChaincodeMessage_DEL_STATE, collection, func() error {
		return s.simulator.SetPrivateData(s.namespace, collection, key, nil)
	})
}

func (s *stub) PurgePrivateData(collection, key string) error {
	return s.writePrivate(pb.ChaincodeMessage_PURGE_PRIVATE_DATA, collection, func() error {
		return s.simulator.PurgePrivateData(s.namespace, collection, key)
	})
}

func (s *stub) SetPrivateDataValidationParameter(collection, key string, ep []byte) error {
	return s.writePrivate(pb.ChaincodeMessage_PUT_STATE_METADATA, collection, func() error {
		return s.simulator.SetPrivateDataPolicy(s.namespace, collection, key, ep)
	})
}

func (s *stub) GetPrivateDataValidationParameter(collection, key string) ([]byte, error) {
	return s.readPrivate(pb.ChaincodeMessage_GET_STATE_METADATA, collection, func() ([]byte, error) {
		return s.simulator.GetPrivateDataPolicy(s.namespace, collection, key)
	})
}
