package embedded

import (
	"fmt"

	mb "github.com/hyperledger/fabric-protos-go-apiv2/msp"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/network/embedded/ledger"
	"github.com/steelyard-ledger/steelyard/network/embedded/msp"
)

// define turns the configured chaincodes into what the channel knows of them.
func define(manager *msp.Manager, chaincodes []Chaincode) (map[string]*ledger.Definition, error) {
	definitions := map[string]*ledger.Definition{}
	for _, chaincode := range chaincodes {
		definition, err := defineOne(manager, chaincode)
		if err != nil {
			return nil, fmt.Errorf("define chaincode %s: %w", chaincode.Name, err)
		}
		definitions[chaincode.Name] = definition
	}
	return definitions, nil
}

func defineOne(manager *msp.Manager, chaincode Chaincode) (*ledger.Definition, error) {
	definition := &ledger.Definition{
		Name: chaincode.Name, Version: chaincode.Version, Collections: map[string]*ledger.Collection{},
	}
	if definition.Version == "" {
		definition.Version = "1.0"
	}
	var err error
	if chaincode.Policy == nil {
		definition.Policy, err = manager.Reference(msp.Endorsement)
	} else {
		definition.Policy, err = manager.ApplicationPolicy(chaincode.Policy)
	}
	if err != nil {
		return nil, err
	}
	for _, config := range chaincode.Collections {
		collection, err := defineCollection(manager, config)
		if err != nil {
			return nil, fmt.Errorf("collection %s: %w", config.GetName(), err)
		}
		definition.Collections[config.GetName()] = collection
	}
	return definition, nil
}

func defineCollection(manager *msp.Manager, config *pb.StaticCollectionConfig) (*ledger.Collection, error) {
	members := config.GetMemberOrgsPolicy().GetSignaturePolicy()
	distribution, err := msp.NewSignaturePolicy(members)
	if err != nil {
		return nil, err
	}
	collection := &ledger.Collection{Config: config, Distribution: distribution}
	for _, principal := range members.GetIdentities() {
		var role mb.MSPRole
		if err := proto.Unmarshal(principal.GetPrincipal(), &role); err != nil {
			return nil, fmt.Errorf("read member: %w", err)
		}
		collection.Members = append(collection.Members, role.GetMspIdentifier())
	}
	if config.GetEndorsementPolicy() != nil {
		if collection.Endorsement, err = manager.ApplicationPolicy(config.GetEndorsementPolicy()); err != nil {
			return nil, err
		}
	}
	return collection, nil
}
