package ledger

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"google.golang.org/protobuf/proto"
)

// ordererUnit is the organisational unit by which Fabric's NodeOUs tell an
// orderer from a client that the same authority certified.
const ordererUnit = "orderer"

// signers checks orderers' signatures against pinned roots. It remembers the
// certificates it has accepted: a network has a handful and every block asks.
type signers struct {
	roots    map[string]*x509.CertPool // by MSP id
	accepted map[string]*signer        // by serialised identity
}

// signer is one accepted orderer.
type signer struct {
	mspID string
	key   *ecdsa.PublicKey
}

func newSigners(authorities map[string]Authority) *signers {
	s := &signers{roots: map[string]*x509.CertPool{}, accepted: map[string]*signer{}}
	for mspID, authority := range authorities {
		pool := x509.NewCertPool()
		for _, root := range authority.Roots {
			pool.AddCert(root)
		}
		s.roots[mspID] = pool
	}
	return s
}

// verifyBlock returns the MSP ids of the orderers that signed the block, each
// orderer once. Signatures that do not hold are passed over, as Fabric does:
// what counts is whether enough hold.
func (s *signers) verifyBlock(block Block, ordering *Ordering) ([]string, error) {
	signatures, err := blockSignatures(block.Raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsigned, err)
	}
	header, err := HeaderBytes(block.Raw.GetHeader())
	if err != nil {
		return nil, err
	}
	var signed []string
	var failed error // why signatures did not hold
	seen := map[string]bool{}
	for _, signature := range signatures.GetSignatures() {
		identity, claim, err := signedBy(signature, ordering)
		if err == nil && seen[string(identity)] {
			continue
		}
		var by *signer
		if err == nil {
			by, err = s.verify(identity, signature.GetSignature(), signatures.GetValue(), claim, header)
		}
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		seen[string(identity)] = true
		signed = append(signed, by.mspID)
	}
	if len(signed) < ordering.Quorum() {
		lacking := fmt.Errorf("%w: %d hold, %d needed under %s", ErrUnsigned, len(signed), ordering.Quorum(), ordering.Consensus)
		return nil, errors.Join(lacking, failed)
	}
	slices.Sort(signed)
	return signed, nil
}

// signedBy returns the serialised identity of who claims to have signed, and
// the header by which it claims so. A BFT consenter gives only its number, to
// be looked up in the configuration.
func signedBy(signature *common.MetadataSignature, ordering *Ordering) (identity, claim []byte, err error) {
	if ordering.Consensus != consensusBFT {
		var header common.SignatureHeader
		if err := proto.Unmarshal(signature.GetSignatureHeader(), &header); err != nil {
			return nil, nil, fmt.Errorf("decode signature header: %w", err)
		}
		return header.GetCreator(), signature.GetSignatureHeader(), nil
	}
	var header common.IdentifierHeader
	if err := proto.Unmarshal(signature.GetIdentifierHeader(), &header); err != nil {
		return nil, nil, fmt.Errorf("decode identifier header: %w", err)
	}
	consenter, ok := ordering.Consenters[header.GetIdentifier()]
	if !ok {
		return nil, nil, fmt.Errorf("consenter %d is not in the configuration", header.GetIdentifier())
	}
	identity, err = proto.MarshalOptions{Deterministic: true}.Marshal(consenter)
	if err != nil {
		return nil, nil, fmt.Errorf("encode consenter %d: %w", header.GetIdentifier(), err)
	}
	return identity, signature.GetIdentifierHeader(), nil
}

// verify checks one signature over value ‖ claim ‖ block header.
func (s *signers) verify(identity, signature, value, claim, header []byte) (*signer, error) {
	by, err := s.accept(identity)
	if err != nil {
		return nil, err
	}
	digest := sha256.New()
	for _, part := range [][]byte{value, claim, header} {
		digest.Write(part)
	}
	if !ecdsa.VerifyASN1(by.key, digest.Sum(nil), signature) {
		return nil, fmt.Errorf("check signature of an orderer of %s: it does not hold", by.mspID)
	}
	return by, nil
}

// accept checks that the identity is an orderer certified by a pinned root. As
// in Fabric's MSP, the chain is judged at the time of issue: an old block
// stays as good as it was.
func (s *signers) accept(identity []byte) (*signer, error) {
	if by, ok := s.accepted[string(identity)]; ok {
		return by, nil
	}
	var serialized msp.SerializedIdentity
	if err := proto.Unmarshal(identity, &serialized); err != nil {
		return nil, fmt.Errorf("decode identity: %w", err)
	}
	roots, ok := s.roots[serialized.GetMspid()]
	if !ok {
		return nil, fmt.Errorf("accept orderer: %q is not a pinned ordering organization", serialized.GetMspid())
	}
	certificate, err := parseCertificate(serialized.GetIdBytes())
	if err != nil {
		return nil, fmt.Errorf("accept orderer of %s: %w", serialized.GetMspid(), err)
	}
	options := x509.VerifyOptions{
		Roots: roots, CurrentTime: certificate.NotBefore.Add(time.Second), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	}
	if _, err := certificate.Verify(options); err != nil {
		return nil, fmt.Errorf("accept orderer of %s: %w", serialized.GetMspid(), err)
	}
	if !slices.Contains(certificate.Subject.OrganizationalUnit, ordererUnit) {
		return nil, fmt.Errorf("accept orderer of %s: the certificate is of %q, not of an orderer", serialized.GetMspid(), certificate.Subject.OrganizationalUnit)
	}
	key, ok := certificate.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("accept orderer of %s: its key is a %T, want ECDSA", serialized.GetMspid(), certificate.PublicKey)
	}
	by := &signer{mspID: serialized.GetMspid(), key: key}
	s.accepted[string(identity)] = by
	return by, nil
}
