package draw

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// Directories are the three frozen lists as the freeze names them.
type Directories struct {
	ObjectsRoot    Digest `json:"objectsRoot"`
	Objects        uint64 `json:"objects"`
	InspectorsRoot Digest `json:"inspectorsRoot"`
	Inspectors     uint64 `json:"inspectors"`
	IneligibleRoot Digest `json:"ineligibleRoot"`
	Ineligible     uint64 `json:"ineligible"`
}

// planHash is H(LP("DR1/plan") ‖ LP(JCS(plan))).
func planHash(canonical []byte) Digest {
	return sha256.Sum256(appendLP(tagged("DR1/plan"), canonical))
}

// Freeze binds the draw's number, plan and directories: F.
func Freeze(draw string, plan Digest, dirs Directories) Digest {
	b := appendLP(tagged("DR1/freeze"), draw)
	b = append(b, plan[:]...)
	b = append(b, dirs.ObjectsRoot[:]...)
	b = binary.BigEndian.AppendUint64(b, dirs.Objects)
	b = append(b, dirs.InspectorsRoot[:]...)
	b = binary.BigEndian.AppendUint64(b, dirs.Inspectors)
	b = append(b, dirs.IneligibleRoot[:]...)
	b = binary.BigEndian.AppendUint64(b, dirs.Ineligible)
	return sha256.Sum256(b)
}

// Commitment is c_k, what an organisation publishes before it reveals secret.
func Commitment(draw, org string, secret Digest) Digest {
	b := appendLP(appendLP(tagged("DR1/commit"), draw), org)
	return sha256.Sum256(append(b, secret[:]...))
}

// Share is one organisation's part of the seed. Secret is nil if it was never
// revealed; its commitment then enters the seed as it is.
type Share struct {
	Org        string
	Commitment Digest
	Secret     *Digest
}

// Contribution combines the shares of a draw: C. Every revealed secret must
// open its commitment; no organisation may occur twice.
func Contribution(draw string, shares []Share) (Digest, error) {
	shares = slices.Clone(shares)
	for i, s := range shares {
		entry := fmt.Sprintf("contributions[%d] %q", i, s.Org)
		if err := checkLabel("organisation", s.Org); err != nil {
			return Digest{}, inEntry(err, entry)
		}
		if s.Secret != nil && Commitment(draw, s.Org, *s.Secret) != s.Commitment {
			return Digest{}, refuse(KindCommitment, entry, "secret does not open the commitment")
		}
	}
	slices.SortStableFunc(shares, func(a, b Share) int { return strings.Compare(a.Org, b.Org) })
	b := binary.BigEndian.AppendUint32(tagged("DR1/contrib"), uint32(len(shares)))
	for i, s := range shares {
		if i > 0 && shares[i-1].Org == s.Org {
			return Digest{}, refuse(KindDuplicate, fmt.Sprintf("contributions %q", s.Org), "occurs twice")
		}
		b = appendLP(b, s.Org)
		if s.Secret != nil {
			b = append(append(b, 1), s.Secret[:]...)
		} else {
			b = append(append(b, 0), s.Commitment[:]...)
		}
	}
	return sha256.Sum256(b), nil
}

// Seed joins what was frozen, contributed and drawn from the beacon: S.
func Seed(freeze, contribution, chainHash Digest, round uint64, randomness Digest) Digest {
	b := tagged("DR1/seed")
	b = append(b, freeze[:]...)
	b = append(b, contribution[:]...)
	b = append(b, chainHash[:]...)
	b = binary.BigEndian.AppendUint64(b, round)
	return sha256.Sum256(append(b, randomness[:]...))
}

// Seal is what a sealed draw's plan states about its secret.
func Seal(draw string, secret Digest) Digest {
	b := appendLP(tagged("DR1/seal"), draw)
	return sha256.Sum256(append(b, secret[:]...))
}

// SealedSeed is the seed that a sealed draw selects and assigns with.
func SealedSeed(seed, secret Digest) Digest {
	b := append(tagged("DR1/sealed"), seed[:]...)
	return sha256.Sum256(append(b, secret[:]...))
}

// targetSeed is seedT, from which tickets come.
func targetSeed(seed Digest) Digest {
	return sha256.Sum256(append(tagged("DR1/target"), seed[:]...))
}

// assignSeed is sA, from which the order and the inspectors come.
func assignSeed(seed Digest) Digest {
	return sha256.Sum256(append(tagged("DR1/assign"), seed[:]...))
}
