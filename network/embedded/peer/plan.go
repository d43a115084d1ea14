package peer

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/steelyard-ledger/steelyard/network/embedded/ledger"
	"github.com/steelyard-ledger/steelyard/network/embedded/msp"
)

// plan chooses the fewest members whose endorsements satisfy every policy the
// transaction has to meet, the first endorser among them if possible. cautious
// says that no organisation outside a collection may see the transient data.
func (s *Server) plan(interest *ledger.Interest, first *Member, cautious bool) ([]*Member, error) {
	policies, err := s.required(interest)
	if err != nil {
		return nil, err
	}
	candidates := []*Member{first}
	for i := range s.cfg.Members {
		if member := &s.cfg.Members[i]; member != first {
			candidates = append(candidates, member)
		}
	}
	candidates = slices.DeleteFunc(candidates, func(member *Member) bool {
		for name, use := range interest.Collections {
			collection := s.cfg.Ledger.Collection(name.Chaincode, name.Collection)
			if (use.Read || cautious) && collection != nil && !collection.Member(member.MSPID) {
				return true
			}
		}
		return false
	})
	if chosen := smallest(candidates, policies); chosen != nil {
		return chosen, nil
	}
	return nil, fmt.Errorf("no combination of peers can be derived which satisfy the endorsement policy: %s",
		"no peer combination can satisfy the endorsement policy")
}

// required collects the policies of the chaincodes, collections and keys touched.
func (s *Server) required(interest *ledger.Interest) ([]msp.Policy, error) {
	var policies []msp.Policy
	for chaincode := range interest.ChaincodePolicy {
		if definition := s.cfg.Definitions[chaincode]; definition != nil {
			policies = append(policies, definition.Policy)
		}
	}
	for name, use := range interest.Collections {
		definition := s.cfg.Definitions[name.Chaincode]
		if definition == nil || !use.PolicyRequired && !use.Read {
			continue
		}
		if collection := definition.Collections[name.Collection]; collection != nil && collection.Endorsement != nil {
			policies = append(policies, collection.Endorsement)
		} else {
			policies = append(policies, definition.Policy)
		}
	}
	for _, keys := range interest.KeyPolicies {
		for _, serialized := range keys {
			policy, err := s.cfg.MSP.KeyPolicy(serialized)
			if err != nil {
				return nil, err
			}
			policies = append(policies, policy)
		}
	}
	return policies, nil
}

// smallest tries the subsets of the candidates, fewer members first, and among
// equals those that hold earlier candidates. Start bounds their number.
func smallest(candidates []*Member, policies []msp.Policy) []*Member {
	var best uint
	for set := uint(1); set < 1<<len(candidates); set++ {
		if best != 0 && bits.OnesCount(set) >= bits.OnesCount(best) {
			continue
		}
		if satisfies(subset(candidates, set), policies) {
			best = set
		}
	}
	if best == 0 {
		return nil
	}
	return subset(candidates, best)
}

func subset(candidates []*Member, set uint) []*Member {
	var chosen []*Member
	for i, member := range candidates {
		if set&(1<<i) != 0 {
			chosen = append(chosen, member)
		}
	}
	return chosen
}

func satisfies(members []*Member, policies []msp.Policy) bool {
	identities := make([]*msp.Identity, len(members))
	for i, member := range members {
		identities[i] = member.Signer.Identity
	}
	for _, policy := range policies {
		if policy.Evaluate(identities) != nil {
			return false
		}
	}
	return true
}
