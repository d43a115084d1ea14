package orderer

import (
	"crypto/rand"
	"fmt"

	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	mb "github.com/hyperledger/fabric-protos-go-apiv2/msp"
	ab "github.com/hyperledger/fabric-protos-go-apiv2/orderer"
	"github.com/hyperledger/fabric-protos-go-apiv2/orderer/smartbft"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/steelyard-ledger/steelyard/network/embedded/ledger"
	"github.com/steelyard-ledger/steelyard/network/embedded/msp"
	"github.com/steelyard-ledger/steelyard/network/embedded/transaction"
)

// Member is an organisation as the configuration block describes it.
type Member struct {
	MSPID string
	// Root and TLSRoot are PEM certificates.
	Root, TLSRoot []byte
	// Consenter is the PEM certificate of the organisation's ordering node,
	// ConsenterTLS that of its server.
	Consenter, ConsenterTLS []byte
	// PeerHost and OrdererHost, on one port, are the nodes' addresses.
	PeerHost, OrdererHost string
	Port                  int
}

// Genesis makes block 0: the channel's configuration, with every organisation
// as a member and as a consenter.
func Genesis(channel string, members []Member, cfg Config) (*cb.Block, error) {
	group, err := channelGroup(members, cfg.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("describe channel %s: %w", channel, err)
	}
	envelope, err := configEnvelope(channel, group)
	if err != nil {
		return nil, fmt.Errorf("describe channel %s: %w", channel, err)
	}
	block := ledger.NewBlock(0, nil, [][]byte{envelope})
	value, err := orderingMetadata(block)
	if err != nil {
		return nil, err
	}
	block.Metadata.Metadata[cb.BlockMetadataIndex_SIGNATURES], err = proto.Marshal(&cb.Metadata{Value: value})
	return block, err
}

func configEnvelope(channel string, group *cb.ConfigGroup) ([]byte, error) {
	nonce := make([]byte, 24)
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("draw a nonce: %w", err)
	}
	var e encoder
	header := &cb.Header{
		ChannelHeader: e.marshal(&cb.ChannelHeader{
			Type: int32(cb.HeaderType_CONFIG), Version: 1, Timestamp: timestamppb.Now(),
			ChannelId: channel, TxId: transaction.ID(nonce, nil),
		}),
		SignatureHeader: e.marshal(&cb.SignatureHeader{Nonce: nonce}),
	}
	payload := e.marshal(&cb.Payload{
		Header: header,
		Data:   e.marshal(&cb.ConfigEnvelope{Config: &cb.Config{ChannelGroup: group}}),
	})
	return e.marshal(&cb.Envelope{Payload: payload}), e.err
}

// encoder marshals nested messages and keeps the first error.
type encoder struct{ err error }

func (e *encoder) marshal(message proto.Message) []byte {
	out, err := proto.Marshal(message)
	if err != nil && e.err == nil {
		e.err = fmt.Errorf("encode configuration: %w", err)
	}
	return out
}

const admins = "Admins"

func (e *encoder) value(message proto.Message) *cb.ConfigValue {
	return &cb.ConfigValue{Value: e.marshal(message), ModPolicy: admins}
}

func (e *encoder) meta(rule cb.ImplicitMetaPolicy_Rule, name string) *cb.ConfigPolicy {
	return &cb.ConfigPolicy{ModPolicy: admins, Policy: &cb.Policy{
		Type:  int32(cb.Policy_IMPLICIT_META),
		Value: e.marshal(&cb.ImplicitMetaPolicy{SubPolicy: name, Rule: rule}),
	}}
}

func (e *encoder) signature(envelope *cb.SignaturePolicyEnvelope) *cb.ConfigPolicy {
	return &cb.ConfigPolicy{ModPolicy: admins, Policy: &cb.Policy{
		Type: int32(cb.Policy_SIGNATURE), Value: e.marshal(envelope),
	}}
}

// group makes a configuration group with the three policies all groups have.
func (e *encoder) group() *cb.ConfigGroup {
	return &cb.ConfigGroup{
		Groups: map[string]*cb.ConfigGroup{}, Values: map[string]*cb.ConfigValue{}, ModPolicy: admins,
		Policies: map[string]*cb.ConfigPolicy{
			"Readers": e.meta(cb.ImplicitMetaPolicy_ANY, "Readers"),
			"Writers": e.meta(cb.ImplicitMetaPolicy_ANY, "Writers"),
			admins:    e.meta(cb.ImplicitMetaPolicy_MAJORITY, admins),
		},
	}
}

func capabilities(name string) *cb.Capabilities {
	return &cb.Capabilities{Capabilities: map[string]*cb.Capability{name: {}}}
}

func channelGroup(members []Member, cfg Config) (*cb.ConfigGroup, error) {
	var e encoder
	group := e.group()
	group.Values["HashingAlgorithm"] = e.value(&cb.HashingAlgorithm{Name: "SHA256"})
	// The width of the (single-level) Merkle tree over a block's data.
	group.Values["BlockDataHashingStructure"] = e.value(&cb.BlockDataHashingStructure{Width: 1<<32 - 1})
	group.Values["Capabilities"] = e.value(capabilities("V3_0"))
	application, err := e.application(members)
	if err != nil {
		return nil, err
	}
	ordering, err := e.ordering(members, cfg)
	if err != nil {
		return nil, err
	}
	group.Groups["Application"], group.Groups["Orderer"] = application, ordering
	return group, e.err
}

func (e *encoder) application(members []Member) (*cb.ConfigGroup, error) {
	group := e.group()
	group.Values["Capabilities"] = e.value(capabilities("V2_5"))
	group.Policies["Endorsement"] = e.meta(cb.ImplicitMetaPolicy_MAJORITY, "Endorsement")
	group.Policies["LifecycleEndorsement"] = e.meta(cb.ImplicitMetaPolicy_MAJORITY, "Endorsement")
	for _, member := range members {
		organization, err := e.organization(member)
		if err != nil {
			return nil, err
		}
		organization.Values["AnchorPeers"] = e.value(&pb.AnchorPeers{AnchorPeers: []*pb.AnchorPeer{
			{Host: member.PeerHost, Port: int32(member.Port)},
		}})
		group.Groups[member.MSPID] = organization
	}
	return group, nil
}

func (e *encoder) ordering(members []Member, cfg Config) (*cb.ConfigGroup, error) {
	group := e.group()
	group.Values["Capabilities"] = e.value(capabilities("V2_0"))
	group.Values["ConsensusType"] = e.value(&ab.ConsensusType{Type: "BFT", Metadata: e.marshal(bftOptions(cfg))})
	group.Values["BatchSize"] = e.value(&ab.BatchSize{
		MaxMessageCount: uint32(cfg.MaxCount), AbsoluteMaxBytes: uint32(cfg.AbsoluteMaxBytes), PreferredMaxBytes: uint32(cfg.MaxBytes),
	})
	group.Values["BatchTimeout"] = e.value(&ab.BatchTimeout{Timeout: "1ms"})
	group.Values["ChannelRestrictions"] = e.value(&ab.ChannelRestrictions{})
	consenters := &cb.Orderers{}
	validation := &cb.SignaturePolicyEnvelope{}
	var rules []*cb.SignaturePolicy
	for i, member := range members {
		consenters.ConsenterMapping = append(consenters.ConsenterMapping, &cb.Consenter{
			Id: uint32(i + 1), Host: member.OrdererHost, Port: uint32(member.Port), MspId: member.MSPID,
			Identity: member.Consenter, ClientTlsCert: member.ConsenterTLS, ServerTlsCert: member.ConsenterTLS,
		})
		validation.Identities = append(validation.Identities, &mb.MSPPrincipal{
			PrincipalClassification: mb.MSPPrincipal_IDENTITY,
			Principal:               e.marshal(&mb.SerializedIdentity{Mspid: member.MSPID, IdBytes: member.Consenter}),
		})
		rules = append(rules, &cb.SignaturePolicy{Type: &cb.SignaturePolicy_SignedBy{SignedBy: int32(i)}})
		organization, err := e.organization(member)
		if err != nil {
			return nil, err
		}
		organization.Values["Endpoints"] = e.value(&cb.OrdererAddresses{
			Addresses: []string{fmt.Sprintf("%s:%d", member.OrdererHost, member.Port)},
		})
		group.Groups[member.MSPID] = organization
	}
	validation.Rule = &cb.SignaturePolicy{Type: &cb.SignaturePolicy_NOutOf_{
		NOutOf: &cb.SignaturePolicy_NOutOf{N: int32(quorum(len(members))), Rules: rules},
	}}
	group.Values["Orderers"] = e.value(consenters)
	group.Policies["BlockValidation"] = e.signature(validation)
	return group, nil
}

// bftOptions are there for readers of the block; nothing here runs a consensus.
func bftOptions(cfg Config) *smartbft.Options {
	return &smartbft.Options{
		RequestBatchMaxCount: uint64(cfg.MaxCount), RequestBatchMaxBytes: uint64(cfg.AbsoluteMaxBytes),
		RequestBatchMaxInterval: "1ms", IncomingMessageBufferSize: 200, RequestPoolSize: uint64(cfg.Queue),
		RequestForwardTimeout: "2s", RequestComplainTimeout: "20s", RequestAutoRemoveTimeout: "3m0s",
		RequestMaxBytes: uint64(cfg.AbsoluteMaxBytes), ViewChangeResendInterval: "5s", ViewChangeTimeout: "20s",
		LeaderHeartbeatTimeout: "1m0s", LeaderHeartbeatCount: 10, CollectTimeout: "1s",
		LeaderRotation: smartbft.Options_ROTATION_OFF,
	}
}

// organization makes the group of one member: its MSP and its own policies.
func (e *encoder) organization(member Member) (*cb.ConfigGroup, error) {
	unit := func(name string) *mb.FabricOUIdentifier {
		return &mb.FabricOUIdentifier{Certificate: member.Root, OrganizationalUnitIdentifier: name}
	}
	config := &mb.FabricMSPConfig{
		Name: member.MSPID, RootCerts: [][]byte{member.Root}, TlsRootCerts: [][]byte{member.TLSRoot},
		CryptoConfig: &mb.FabricCryptoConfig{SignatureHashFamily: "SHA2", IdentityIdentifierHashFunction: "SHA256"},
		FabricNodeOus: &mb.FabricNodeOUs{
			Enable: true, ClientOuIdentifier: unit("client"), PeerOuIdentifier: unit("peer"),
			AdminOuIdentifier: unit("admin"), OrdererOuIdentifier: unit("orderer"),
		},
	}
	group := e.group()
	group.Values["MSP"] = e.value(&mb.MSPConfig{Config: e.marshal(config)})
	for name, roles := range msp.OrgRoles() {
		envelope, err := msp.AnyRole(member.MSPID, roles)
		if err != nil {
			return nil, err
		}
		group.Policies[name] = e.signature(envelope)
	}
	return group, nil
}
