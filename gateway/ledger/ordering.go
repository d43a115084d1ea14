package ledger

import (
	"errors"
	"fmt"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/orderer"
	"google.golang.org/protobuf/proto"
)

// consensusBFT is how configuration names SmartBFT ordering.
const consensusBFT = "BFT"

// Ordering is who signs blocks, as the configuration in force says.
type Ordering struct {
	Config     uint64                             // number of the block that holds this configuration
	Consensus  string                             // "BFT", "etcdraft", …
	Consenters map[uint32]*msp.SerializedIdentity // by consenter id; under BFT only
}

// Quorum is how many different orderers must have signed a block. BFT wants so
// many of n that any two quorums share an honest one: with f = ⌊(n−1)/3⌋
// faulty, ⌈(n+f+1)/2⌉. Elsewhere blocks carry one signature, and it proves
// only that one orderer made the block.
func (o *Ordering) Quorum() int {
	if o.Consensus != consensusBFT {
		return 1
	}
	n := len(o.Consenters)
	f := (n - 1) / 3
	return (n + f + 2) / 2
}

// ParseOrdering reads the orderers out of a configuration block.
func ParseOrdering(block Block) (*Ordering, error) {
	group, err := configuration(block)
	if err != nil {
		return nil, fmt.Errorf("read configuration of block %d: %w", block.Number, err)
	}
	ordering, err := parseOrdering(group.GetGroups()["Orderer"].GetValues())
	if err != nil {
		return nil, fmt.Errorf("read orderers of block %d: %w", block.Number, err)
	}
	ordering.Config = block.Number
	return ordering, nil
}

// configuration digs out the channel group: block → envelope → payload → ConfigEnvelope.
func configuration(block Block) (*common.ConfigGroup, error) {
	if !block.Configuration() {
		return nil, errors.New("not a configuration block")
	}
	var envelope common.Envelope
	if err := proto.Unmarshal(block.Raw.GetData().GetData()[0], &envelope); err != nil {
		return nil, fmt.Errorf("decode envelope: %w", err)
	}
	var payload common.Payload
	if err := proto.Unmarshal(envelope.GetPayload(), &payload); err != nil {
		return nil, fmt.Errorf("decode payload: %w", err)
	}
	var config common.ConfigEnvelope
	if err := proto.Unmarshal(payload.GetData(), &config); err != nil {
		return nil, fmt.Errorf("decode configuration: %w", err)
	}
	return config.GetConfig().GetChannelGroup(), nil
}

// Configuration reports whether the block holds a channel configuration;
// Fabric puts one into a block of its own.
func (b Block) Configuration() bool {
	return len(b.Transactions) == 1 && b.Transactions[0].Type == common.HeaderType_CONFIG
}

func parseOrdering(values map[string]*common.ConfigValue) (*Ordering, error) {
	var consensus orderer.ConsensusType
	if err := proto.Unmarshal(values["ConsensusType"].GetValue(), &consensus); err != nil {
		return nil, fmt.Errorf("decode consensus type: %w", err)
	}
	ordering := &Ordering{Consensus: consensus.GetType()}
	if ordering.Consensus == "" {
		return nil, errors.New("no consensus type")
	}
	if ordering.Consensus != consensusBFT {
		return ordering, nil
	}
	var mapping common.Orderers
	if err := proto.Unmarshal(values["Orderers"].GetValue(), &mapping); err != nil {
		return nil, fmt.Errorf("decode consenter mapping: %w", err)
	}
	ordering.Consenters = map[uint32]*msp.SerializedIdentity{}
	for _, consenter := range mapping.GetConsenterMapping() {
		if _, ok := ordering.Consenters[consenter.GetId()]; ok {
			return nil, fmt.Errorf("consenter %d appears twice", consenter.GetId())
		}
		ordering.Consenters[consenter.GetId()] = &msp.SerializedIdentity{Mspid: consenter.GetMspId(), IdBytes: consenter.GetIdentity()}
	}
	if len(ordering.Consenters) == 0 {
		return nil, errors.New("BFT without consenters")
	}
	return ordering, nil
}

// LastConfig is the number of the configuration block in force when the block
// was cut; the orderers' signatures cover it.
func (b Block) LastConfig() (uint64, error) {
	if b.Number == 0 {
		return 0, nil
	}
	signatures, err := blockSignatures(b.Raw)
	if err != nil {
		return 0, err
	}
	var value common.OrdererBlockMetadata
	if err := proto.Unmarshal(signatures.GetValue(), &value); err != nil {
		return 0, fmt.Errorf("decode orderer metadata of block %d: %w", b.Number, err)
	}
	if value.GetLastConfig() == nil {
		return 0, fmt.Errorf("read orderer metadata of block %d: no last configuration", b.Number)
	}
	return value.GetLastConfig().GetIndex(), nil
}

func blockSignatures(raw *common.Block) (*common.Metadata, error) {
	var signatures common.Metadata
	if err := proto.Unmarshal(metadata(raw, common.BlockMetadataIndex_SIGNATURES), &signatures); err != nil {
		return nil, fmt.Errorf("decode signatures of block %d: %w", raw.GetHeader().GetNumber(), err)
	}
	return &signatures, nil
}
