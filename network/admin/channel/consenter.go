package channel

import (
	"fmt"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/orderer"
	"github.com/hyperledger/fabric-protos-go-apiv2/orderer/etcdraft"
	"google.golang.org/protobuf/proto"
)

// Names of the kinds of ordering, and of the policy that says whose signatures
// make a block.
const (
	bft             = "BFT"
	raft            = "etcdraft"
	blockValidation = "BlockValidation"
)

// Certificates are what the configuration holds of an ordering node, in PEM.
type Certificates struct {
	Identity []byte // that it signs blocks with; under BFT only
	TLS      []byte // that it shows to the other ordering nodes
}

// SetConsenter gives the ordering node at an address new certificates. Under
// BFT blocks then count with the new identity only, so that the node must have
// it by then; the others go on without it meanwhile.
func SetConsenter(config *common.Config, at Address, certificates Certificates) error {
	group := config.GetChannelGroup().GetGroups()[orderers]
	var consensus orderer.ConsensusType
	if err := proto.Unmarshal(group.GetValues()[keyConsensus].GetValue(), &consensus); err != nil {
		return fmt.Errorf("decode consensus type: %w", err)
	}
	switch consensus.GetType() {
	case bft:
		return setBFT(group, at, certificates)
	case raft:
		return setRaft(group, &consensus, at, certificates)
	default:
		return fmt.Errorf("set consenter: consensus type %q, want %s or %s", consensus.GetType(), bft, raft)
	}
}

func setBFT(group *common.ConfigGroup, at Address, certificates Certificates) error {
	var mapping common.Orderers
	if err := proto.Unmarshal(group.Values[keyConsenters].GetValue(), &mapping); err != nil {
		return fmt.Errorf("decode consenters: %w", err)
	}
	for i, consenter := range mapping.GetConsenterMapping() {
		if consenter.GetHost() != at.Host || consenter.GetPort() != uint32(at.Port) {
			continue
		}
		consenter.Identity = certificates.Identity
		consenter.ClientTlsCert, consenter.ServerTlsCert = certificates.TLS, certificates.TLS
		value, err := proto.Marshal(&mapping)
		if err != nil {
			return fmt.Errorf("encode consenters: %w", err)
		}
		group.Values[keyConsenters].Value = value
		return setSigner(group, i, consenter)
	}
	return fmt.Errorf("set consenter: no ordering node at %s:%d", at.Host, at.Port)
}

// setSigner keeps the policy on blocks in step with the consenters: it names
// each identity, in their order, and ordering nodes refuse a difference.
func setSigner(group *common.ConfigGroup, index int, consenter *common.Consenter) error {
	policy := group.GetPolicies()[blockValidation].GetPolicy()
	var envelope common.SignaturePolicyEnvelope
	if err := proto.Unmarshal(policy.GetValue(), &envelope); err != nil {
		return fmt.Errorf("decode policy on blocks: %w", err)
	}
	if index >= len(envelope.GetIdentities()) {
		return fmt.Errorf("policy on blocks names %d ordering nodes, want more than %d", len(envelope.GetIdentities()), index)
	}
	identity, err := proto.Marshal(&msp.SerializedIdentity{Mspid: consenter.GetMspId(), IdBytes: consenter.GetIdentity()})
	if err != nil {
		return fmt.Errorf("encode identity: %w", err)
	}
	envelope.Identities[index].Principal = identity
	if policy.Value, err = proto.Marshal(&envelope); err != nil {
		return fmt.Errorf("encode policy on blocks: %w", err)
	}
	return nil
}

func setRaft(group *common.ConfigGroup, consensus *orderer.ConsensusType, at Address, certificates Certificates) error {
	var metadata etcdraft.ConfigMetadata
	if err := proto.Unmarshal(consensus.GetMetadata(), &metadata); err != nil {
		return fmt.Errorf("decode consenters: %w", err)
	}
	for _, consenter := range metadata.GetConsenters() {
		if consenter.GetHost() != at.Host || consenter.GetPort() != uint32(at.Port) {
			continue
		}
		consenter.ClientTlsCert, consenter.ServerTlsCert = certificates.TLS, certificates.TLS
		var err error
		if consensus.Metadata, err = proto.Marshal(&metadata); err != nil {
			return fmt.Errorf("encode consenters: %w", err)
		}
		if group.Values[keyConsensus].Value, err = proto.Marshal(consensus); err != nil {
			return fmt.Errorf("encode consensus type: %w", err)
		}
		return nil
	}
	return fmt.Errorf("set consenter: no ordering node at %s:%d", at.Host, at.Port)
}
