package consortium

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hyperledger/fabric-admin-sdk/pkg/chaincode"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
)

//go:embed collections.json
var collections []byte

// collection is one entry of collections.json, the format that Fabric's own
// peer command reads too.
type collection struct {
	Name              string `json:"name"`
	Policy            string `json:"policy"`
	RequiredPeerCount int32  `json:"requiredPeerCount"`
	MaxPeerCount      int32  `json:"maxPeerCount"`
	BlockToLive       uint64 `json:"blockToLive"`
	MemberOnlyRead    bool   `json:"memberOnlyRead"`
	MemberOnlyWrite   bool   `json:"memberOnlyWrite"`
}

// Collections returns the private data collections of the metrology
// chaincode among the founders, for the embedded network and the real one alike.
func Collections() ([]*peer.StaticCollectionConfig, error) { return collectionsWith(nil) }

// Collections returns the collections among the members: who joined later
// belongs to those that all founders belong to, and to no other.
func (p *Plan) Collections() ([]*peer.StaticCollectionConfig, error) {
	return collectionsWith(p.Members()[len(Organizations()):])
}

func (c *collection) add(organization Organization) {
	for _, founder := range Organizations() {
		if !strings.Contains(c.Policy, "'"+founder.MSPID+".member'") {
			return
		}
	}
	c.Policy = strings.TrimSuffix(c.Policy, ")") + ", '" + organization.MSPID + ".member')"
	c.MaxPeerCount++
}

func collectionsWith(joined []Organization) ([]*peer.StaticCollectionConfig, error) {
	var entries []collection
	if err := json.Unmarshal(collections, &entries); err != nil {
		return nil, fmt.Errorf("decode collections.json: %w", err)
	}
	for i := range entries {
		for _, organization := range joined {
			entries[i].add(organization)
		}
	}
	configs := make([]*peer.StaticCollectionConfig, len(entries))
	for i, entry := range entries {
		policy, err := chaincode.NewApplicationPolicy(entry.Policy, "")
		if err != nil {
			return nil, fmt.Errorf("collection %s: parse policy: %w", entry.Name, err)
		}
		configs[i] = &peer.StaticCollectionConfig{
			Name: entry.Name,
			MemberOrgsPolicy: &peer.CollectionPolicyConfig{
				Payload: &peer.CollectionPolicyConfig_SignaturePolicy{SignaturePolicy: policy.GetSignaturePolicy()},
			},
			RequiredPeerCount: entry.RequiredPeerCount,
			MaximumPeerCount:  entry.MaxPeerCount,
			BlockToLive:       entry.BlockToLive,
			MemberOnlyRead:    entry.MemberOnlyRead,
			MemberOnlyWrite:   entry.MemberOnlyWrite,
		}
	}
	return configs, nil
}
