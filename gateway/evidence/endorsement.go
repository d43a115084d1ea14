package evidence

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/gateway/ledger"
)

// peerUnit is the organisational unit by which Fabric's NodeOUs tell a peer
// from a client that the same authority certified.
const peerUnit = "peer"

// readersNeeded is how many organisations must confirm a reading.
const readersNeeded = 2

// peers checks signatures of peers and clients against pinned roots.
type peers struct {
	roots    map[string]*x509.CertPool // by MSP id
	accepted map[string]member         // by serialised identity; its chain holds
}

// member is an accepted identity.
type member struct {
	mspID string
	units []string
	key   *ecdsa.PublicKey
}

func newPeers(authorities map[string]ledger.Authority) peers {
	p := peers{roots: make(map[string]*x509.CertPool, len(authorities)), accepted: map[string]member{}}
	for mspID, authority := range authorities {
		p.roots[mspID] = x509.NewCertPool()
		for _, root := range authority.Roots {
			p.roots[mspID].AddCert(root)
		}
	}
	return p
}

// majority is the chaincode's endorsement policy: so many organisations.
func (p peers) majority() int { return len(p.roots)/2 + 1 }

// verifyTransaction checks what peers check of an envelope and what binds its
// parts: transaction id, submitter's signature, proposal hash, endorsements.
// It returns the endorsing organisations.
func verifyTransaction(encoded []byte, id string, p peers) ([]string, error) {
	var envelope common.Envelope
	var payload common.Payload
	var header common.SignatureHeader
	if err := errors.Join(proto.Unmarshal(encoded, &envelope), proto.Unmarshal(envelope.GetPayload(), &payload),
		proto.Unmarshal(payload.GetHeader().GetSignatureHeader(), &header)); err != nil {
		return nil, fmt.Errorf("decode envelope: %w", err)
	}
	sum := sha256.Sum256(append(bytes.Clone(header.GetNonce()), header.GetCreator()...))
	if hex.EncodeToString(sum[:]) != id {
		return nil, errors.New("the transaction id is not that of its nonce and creator")
	}
	if _, err := p.verify(header.GetCreator(), "", envelope.GetPayload(), envelope.GetSignature()); err != nil {
		return nil, fmt.Errorf("check submitter: %w", err)
	}
	var transaction peer.Transaction
	if err := proto.Unmarshal(payload.GetData(), &transaction); err != nil {
		return nil, fmt.Errorf("decode transaction: %w", err)
	}
	var action peer.ChaincodeActionPayload
	if err := proto.Unmarshal(transaction.GetActions()[0].GetPayload(), &action); err != nil { // package ledger wants exactly one
		return nil, fmt.Errorf("decode action: %w", err)
	}
	response := action.GetAction().GetProposalResponsePayload()
	hash := sha256.Sum256(slices.Concat(payload.GetHeader().GetChannelHeader(), payload.GetHeader().GetSignatureHeader(),
		action.GetChaincodeProposalPayload()))
	if err := checkResponse(response, hash[:]); err != nil {
		return nil, err
	}
	endorsements := make([]Endorsement, 0, len(action.GetAction().GetEndorsements()))
	for _, endorsement := range action.GetAction().GetEndorsements() {
		endorsements = append(endorsements, Endorsement{endorsement.GetEndorser(), endorsement.GetSignature()})
	}
	return p.endorsed(response, endorsements, p.majority())
}

// checkResponse checks that the endorsed response is a success and answers the
// proposal of the given hash.
func checkResponse(encoded, proposalHash []byte) error {
	var response peer.ProposalResponsePayload
	var action peer.ChaincodeAction
	if err := errors.Join(proto.Unmarshal(encoded, &response), proto.Unmarshal(response.GetExtension(), &action)); err != nil {
		return fmt.Errorf("decode response: %w", err)
	}
	if !bytes.Equal(response.GetProposalHash(), proposalHash) {
		return errors.New("the endorsed response answers another proposal")
	}
	if status := action.GetResponse().GetStatus(); status < 200 || status >= 400 { // as Fabric's shim counts success
		return fmt.Errorf("the chaincode answered %d", status)
	}
	return nil
}

// endorsed checks that every endorsement holds and that they come from enough
// organisations, which it returns.
func (p peers) endorsed(response []byte, endorsements []Endorsement, needed int) ([]string, error) {
	var organizations []string
	for _, endorsement := range endorsements {
		signed := append(bytes.Clone(response), endorsement.Endorser...)
		mspID, err := p.verify(endorsement.Endorser, peerUnit, signed, endorsement.Signature)
		if err != nil {
			return nil, fmt.Errorf("check endorsement: %w", err)
		}
		organizations = append(organizations, mspID)
	}
	slices.Sort(organizations)
	organizations = slices.Compact(organizations)
	if len(organizations) < needed {
		return nil, fmt.Errorf("%d organisations endorsed, %d needed", len(organizations), needed)
	}
	return organizations, nil
}

// verifyReading checks a reading, if there is one: endorsed by peers of two
// organisations, and that they found at the given keys values written by this
// very transaction.
func verifyReading(bundle Bundle, keys []string, p peers) ([]string, error) {
	if bundle.Reading == nil {
		return nil, nil
	}
	organizations, err := p.endorsed(bundle.Reading.Response, bundle.Reading.Endorsements, readersNeeded)
	if err != nil {
		return nil, fmt.Errorf("check reading: %w", err)
	}
	reads, err := readsOf(bundle.Reading.Response)
	if err != nil {
		return nil, fmt.Errorf("check reading: %w", err)
	}
	found := false
	for _, read := range reads {
		if !slices.Contains(keys, read.GetKey()) {
			continue
		}
		version := read.GetVersion()
		if version == nil || version.GetBlockNum() != bundle.Block.Number || version.GetTxNum() != uint64(bundle.Transaction) {
			return nil, fmt.Errorf("check reading: %q has version %v, not this transaction's", read.GetKey(), version)
		}
		found = true
	}
	if !found {
		return nil, errors.New("check reading: it read neither the batch's key nor the certificate's")
	}
	return organizations, nil
}

// readsOf lists what an endorsed response read of the chaincode's own keys.
func readsOf(encoded []byte) ([]*kvrwset.KVRead, error) {
	var response peer.ProposalResponsePayload
	var action peer.ChaincodeAction
	var sets rwset.TxReadWriteSet
	if err := errors.Join(proto.Unmarshal(encoded, &response), proto.Unmarshal(response.GetExtension(), &action),
		proto.Unmarshal(action.GetResults(), &sets)); err != nil {
		return nil, fmt.Errorf("decode response: %w", err)
	}
	var reads []*kvrwset.KVRead
	for _, namespace := range sets.GetNsRwset() {
		if namespace.GetNamespace() != chaincodeName {
			continue
		}
		var set kvrwset.KVRWSet
		if err := proto.Unmarshal(namespace.GetRwset(), &set); err != nil {
			return nil, fmt.Errorf("decode read set: %w", err)
		}
		reads = append(reads, set.GetReads()...)
	}
	return reads, nil
}

// verify checks one signature by an accepted identity, in the given
// organisational unit unless that is empty.
func (p peers) verify(identity []byte, unit string, message, signature []byte) (mspID string, err error) {
	signer, err := p.accept(identity)
	if err != nil {
		return "", err
	}
	if unit != "" && !slices.Contains(signer.units, unit) {
		return "", fmt.Errorf("a certificate of %s is of %q, want %q", signer.mspID, signer.units, unit)
	}
	sum := sha256.Sum256(message)
	if !isLowS(signer.key, signature) || !ecdsa.VerifyASN1(signer.key, sum[:], signature) {
		return "", fmt.Errorf("a signature of %s does not hold", signer.mspID)
	}
	return signer.mspID, nil
}

// accept checks that a pinned root certified the identity. As in Fabric's MSP
// the chain is judged at the time of issue: old evidence stays as good as it
// was.
func (p peers) accept(identity []byte) (member, error) {
	if known, found := p.accepted[string(identity)]; found {
		return known, nil
	}
	var serialized msp.SerializedIdentity
	if err := proto.Unmarshal(identity, &serialized); err != nil {
		return member{}, fmt.Errorf("decode identity: %w", err)
	}
	mspID := serialized.GetMspid()
	roots, pinned := p.roots[mspID]
	if !pinned {
		return member{}, fmt.Errorf("%q is not a pinned organisation", mspID)
	}
	block, _ := pem.Decode(serialized.GetIdBytes())
	if block == nil {
		return member{}, fmt.Errorf("an identity of %s without a certificate", mspID)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return member{}, fmt.Errorf("parse certificate of %s: %w", mspID, err)
	}
	key, isECDSA := certificate.PublicKey.(*ecdsa.PublicKey)
	if !isECDSA {
		return member{}, fmt.Errorf("a certificate of %s has a key of type %T, want ECDSA", mspID, certificate.PublicKey)
	}
	_, err = certificate.Verify(x509.VerifyOptions{
		Roots: roots, CurrentTime: certificate.NotBefore.Add(time.Second), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return member{}, fmt.Errorf("check certificate of %s: %w", mspID, err)
	}
	accepted := member{mspID: mspID, units: certificate.Subject.OrganizationalUnit, key: key}
	p.accepted[string(identity)] = accepted
	return accepted, nil
}

// isLowS reports whether s is at most half the group order, as Fabric demands,
// so that nobody can turn one valid signature into a second.
func isLowS(key *ecdsa.PublicKey, signature []byte) bool {
	var pair struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(signature, &pair); err != nil || len(rest) > 0 {
		return false
	}
	half := new(big.Int).Rsh(key.Curve.Params().N, 1)
	return pair.S.Cmp(half) <= 0
}
