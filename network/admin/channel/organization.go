package channel

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/hyperledger/fabric-admin-sdk/pkg/chaincode"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"
	"gopkg.in/yaml.v3"
)

// Names in a channel's configuration.
const (
	application   = "Application"
	orderers      = "Orderer"
	keyMSP        = "MSP"
	keyAnchors    = "AnchorPeers"
	keyConsenters = "Orderers"
	keyConsensus  = "ConsensusType"
	admins        = "Admins" // the policy that governs a change
)

// Address is where a peer can be reached by peers of other organisations.
type Address struct {
	Host string
	Port int32
}

// AddOrganization admits an organisation with peers: its MSP, the policies that
// every member has, and the peer that the others ask first.
func AddOrganization(config *common.Config, organization *msp.FabricMSPConfig, anchor Address) error {
	members := config.GetChannelGroup().GetGroups()[application].GetGroups()
	if members == nil {
		return fmt.Errorf("add %s: the configuration has no organisations", organization.GetName())
	}
	if _, ok := members[organization.GetName()]; ok {
		return fmt.Errorf("add %s: it is a member already", organization.GetName())
	}
	group := &common.ConfigGroup{
		ModPolicy: admins,
		Groups:    map[string]*common.ConfigGroup{},
		Values:    map[string]*common.ConfigValue{},
		Policies:  map[string]*common.ConfigPolicy{},
	}
	for name, role := range map[string]string{"Readers": "member", "Writers": "member", admins: "admin", "Endorsement": "peer"} {
		policy, err := anyOf(organization.GetName(), role)
		if err != nil {
			return err
		}
		group.Policies[name] = &common.ConfigPolicy{ModPolicy: admins, Policy: policy}
	}
	value, err := mspValue(organization)
	if err != nil {
		return err
	}
	group.Values[keyMSP] = &common.ConfigValue{ModPolicy: admins, Value: value}
	anchors, err := proto.Marshal(&peer.AnchorPeers{AnchorPeers: []*peer.AnchorPeer{{Host: anchor.Host, Port: anchor.Port}}})
	if err != nil {
		return fmt.Errorf("encode anchor peer: %w", err)
	}
	group.Values[keyAnchors] = &common.ConfigValue{ModPolicy: admins, Value: anchors}
	members[organization.GetName()] = group
	return nil
}

// SetMSP replaces an organisation's MSP wherever the configuration has it: its
// roots and revocation lists. The organisation must be a member.
func SetMSP(config *common.Config, organization *msp.FabricMSPConfig) error {
	value, err := mspValue(organization)
	if err != nil {
		return err
	}
	found := false
	for _, name := range []string{application, orderers} {
		member, ok := config.GetChannelGroup().GetGroups()[name].GetGroups()[organization.GetName()]
		if !ok {
			continue
		}
		found = true
		member.Values[keyMSP].Value = value
	}
	if !found {
		return fmt.Errorf("set MSP of %s: it is no member of the channel", organization.GetName())
	}
	return nil
}

// Members lists the organisations with peers, sorted.
func Members(config *common.Config) []string {
	var names []string
	for name := range config.GetChannelGroup().GetGroups()[application].GetGroups() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func mspValue(organization *msp.FabricMSPConfig) ([]byte, error) {
	config, err := proto.Marshal(organization)
	if err != nil {
		return nil, fmt.Errorf("encode MSP of %s: %w", organization.GetName(), err)
	}
	value, err := proto.Marshal(&msp.MSPConfig{Config: config}) // type 0: X.509
	if err != nil {
		return nil, fmt.Errorf("encode MSP of %s: %w", organization.GetName(), err)
	}
	return value, nil
}

func anyOf(mspID, role string) (*common.Policy, error) {
	policy, err := chaincode.NewApplicationPolicy("OR('"+mspID+"."+role+"')", "")
	if err != nil {
		return nil, fmt.Errorf("make policy of %s: %w", mspID, err)
	}
	value, err := proto.Marshal(policy.GetSignaturePolicy())
	if err != nil {
		return nil, fmt.Errorf("encode policy of %s: %w", mspID, err)
	}
	return &common.Policy{Type: int32(common.Policy_SIGNATURE), Value: value}, nil
}

// units is config.yaml of an MSP directory, as far as node units go.
type units struct {
	NodeOUs struct {
		Enable  bool `yaml:"Enable"`
		Client  unit `yaml:"ClientOUIdentifier"`
		Peer    unit `yaml:"PeerOUIdentifier"`
		Admin   unit `yaml:"AdminOUIdentifier"`
		Orderer unit `yaml:"OrdererOUIdentifier"`
	} `yaml:"NodeOUs"`
}

type unit struct {
	Name        string `yaml:"OrganizationalUnitIdentifier"`
	Certificate string `yaml:"Certificate"` // of the only issuer that counts; empty: any
}

// ReadMSP reads the public part of an MSP directory, in Fabric's layout:
// config.yaml, cacerts, intermediatecerts, tlscacerts, tlsintermediatecerts, crls.
func ReadMSP(dir, mspID string) (*msp.FabricMSPConfig, error) {
	config := &msp.FabricMSPConfig{
		Name:         mspID,
		CryptoConfig: &msp.FabricCryptoConfig{SignatureHashFamily: "SHA2", IdentityIdentifierHashFunction: "SHA256"},
	}
	for name, target := range map[string]*[][]byte{
		"cacerts":              &config.RootCerts,
		"intermediatecerts":    &config.IntermediateCerts,
		"tlscacerts":           &config.TlsRootCerts,
		"tlsintermediatecerts": &config.TlsIntermediateCerts,
		"crls":                 &config.RevocationList,
	} {
		files, err := filepath.Glob(filepath.Join(dir, name, "*"))
		if err != nil {
			return nil, fmt.Errorf("read MSP %s: %w", dir, err)
		}
		for _, file := range files { // sorted by name
			data, err := os.ReadFile(file)
			if err != nil {
				return nil, fmt.Errorf("read MSP %s: %w", dir, err)
			}
			*target = append(*target, data)
		}
	}
	if len(config.RootCerts) == 0 || len(config.TlsRootCerts) == 0 {
		return nil, fmt.Errorf("read MSP %s: cacerts and tlscacerts must hold a certificate each", dir)
	}
	data, err := os.ReadFile(filepath.Join(dir, "config.yaml"))
	if err != nil {
		return nil, fmt.Errorf("read MSP %s: %w", dir, err)
	}
	if config.FabricNodeOus, err = nodeUnits(data); err != nil {
		return nil, fmt.Errorf("read MSP %s: config.yaml: %w", dir, err)
	}
	return config, nil
}

func nodeUnits(data []byte) (*msp.FabricNodeOUs, error) {
	var file units
	if err := yaml.Unmarshal(data, &file); err != nil {
		return nil, err
	}
	if !file.NodeOUs.Enable {
		return nil, fmt.Errorf("NodeOUs must be enabled: peers and administrators are told apart by them")
	}
	result := &msp.FabricNodeOUs{Enable: true}
	for target, source := range map[**msp.FabricOUIdentifier]unit{
		&result.ClientOuIdentifier:  file.NodeOUs.Client,
		&result.PeerOuIdentifier:    file.NodeOUs.Peer,
		&result.AdminOuIdentifier:   file.NodeOUs.Admin,
		&result.OrdererOuIdentifier: file.NodeOUs.Orderer,
	} {
		if source.Name == "" {
			return nil, fmt.Errorf("the units of client, peer, admin and orderer are all needed")
		}
		if source.Certificate != "" {
			return nil, fmt.Errorf("unit %s is tied to the issuer %s; leave the issuer out, so that a second root can be added", source.Name, source.Certificate)
		}
		*target = &msp.FabricOUIdentifier{OrganizationalUnitIdentifier: source.Name}
	}
	return result, nil
}
