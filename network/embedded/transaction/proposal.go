// Package transaction reads and builds Fabric's nested transaction messages:
// signed proposals, envelopes, and what both say about one another.
package transaction

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"
)

// Proposal is a signed proposal taken apart. Every field is set.
type Proposal struct {
	Signed          *pb.SignedProposal
	Header          *cb.Header
	ChannelHeader   *cb.ChannelHeader
	SignatureHeader *cb.SignatureHeader
	// Chaincode is the name in the header extension, which is what is run.
	Chaincode string
	Input     *pb.ChaincodeInput
	Transient map[string][]byte
	// PublicPayload is the payload without transient data, as it goes into the
	// transaction.
	PublicPayload []byte
	// Hash covers header and public payload; endorsers sign it.
	Hash []byte
}

// ReadProposal takes a signed proposal apart without judging it.
func ReadProposal(signed *pb.SignedProposal) (*Proposal, error) {
	var message pb.Proposal
	if err := unmarshal("Proposal", signed.GetProposalBytes(), &message); err != nil {
		return nil, err
	}
	p := &Proposal{Signed: signed}
	var err error
	p.Header, p.ChannelHeader, p.SignatureHeader, err = readHeaderBytes(message.GetHeader())
	if err != nil {
		return nil, err
	}
	var extension pb.ChaincodeHeaderExtension
	if err := unmarshal("ChaincodeHeaderExtension", p.ChannelHeader.GetExtension(), &extension); err != nil {
		return nil, err
	}
	if extension.GetChaincodeId() == nil {
		return nil, errors.New("ChaincodeHeaderExtension.ChaincodeId is nil")
	}
	p.Chaincode = extension.GetChaincodeId().GetName()
	if p.Chaincode == "" {
		return nil, errors.New("ChaincodeHeaderExtension.ChaincodeId.Name is empty")
	}
	return p, p.readPayload(message.GetPayload())
}

func (p *Proposal) readPayload(serialized []byte) error {
	var payload pb.ChaincodeProposalPayload
	if err := unmarshal("ChaincodeProposalPayload", serialized, &payload); err != nil {
		return err
	}
	var spec pb.ChaincodeInvocationSpec
	if err := unmarshal("ChaincodeInvocationSpec", payload.GetInput(), &spec); err != nil {
		return err
	}
	if spec.GetChaincodeSpec() == nil {
		return errors.New("chaincode invocation spec did not contain chaincode spec")
	}
	if spec.GetChaincodeSpec().GetInput() == nil {
		return errors.New("chaincode input did not contain any input")
	}
	p.Input = spec.GetChaincodeSpec().GetInput()
	p.Transient = payload.GetTransientMap()
	public, err := proto.Marshal(&pb.ChaincodeProposalPayload{Input: payload.GetInput()})
	if err != nil {
		return fmt.Errorf("could not marshal non-transient portion of payload: %w", err)
	}
	p.PublicPayload = public
	p.Hash = proposalHash(p.Header.GetChannelHeader(), p.Header.GetSignatureHeader(), public)
	return nil
}

// Check tests what the proposal says about itself: header type, epoch, nonce,
// creator and transaction id. The signature is the caller's to verify.
func (p *Proposal) Check() error {
	switch kind := cb.HeaderType(p.ChannelHeader.GetType()); kind {
	case cb.HeaderType_ENDORSER_TRANSACTION, cb.HeaderType_CONFIG:
	default:
		return fmt.Errorf("invalid header type %s", kind)
	}
	if p.ChannelHeader.GetEpoch() != 0 {
		return errors.New("epoch is non-zero")
	}
	if len(p.SignatureHeader.GetNonce()) == 0 {
		return errors.New("nonce is empty")
	}
	if len(p.SignatureHeader.GetCreator()) == 0 {
		return errors.New("creator is empty")
	}
	expected := ID(p.SignatureHeader.GetNonce(), p.SignatureHeader.GetCreator())
	if p.ChannelHeader.GetTxId() != expected {
		return fmt.Errorf("incorrectly computed txid '%s' -- expected '%s'", p.ChannelHeader.GetTxId(), expected)
	}
	if p.Signed.GetSignature() == nil {
		return errors.New("empty signature bytes")
	}
	return nil
}

// ID is the transaction id: hex of SHA-256 over nonce and creator.
func ID(nonce, creator []byte) string {
	sum := sha256.Sum256(append(bytes.Clone(nonce), creator...))
	return hex.EncodeToString(sum[:])
}

func proposalHash(channelHeader, signatureHeader, publicPayload []byte) []byte {
	hash := sha256.New()
	hash.Write(channelHeader)
	hash.Write(signatureHeader)
	hash.Write(publicPayload)
	return hash.Sum(nil)
}

func readHeaderBytes(serialized []byte) (*cb.Header, *cb.ChannelHeader, *cb.SignatureHeader, error) {
	var header cb.Header
	if err := unmarshal("Header", serialized, &header); err != nil {
		return nil, nil, nil, err
	}
	channel, signature, err := readHeader(&header)
	return &header, channel, signature, err
}

func readHeader(header *cb.Header) (*cb.ChannelHeader, *cb.SignatureHeader, error) {
	var channel cb.ChannelHeader
	if err := unmarshal("ChannelHeader", header.GetChannelHeader(), &channel); err != nil {
		return nil, nil, err
	}
	var signature cb.SignatureHeader
	if err := unmarshal("SignatureHeader", header.GetSignatureHeader(), &signature); err != nil {
		return nil, nil, err
	}
	return &channel, &signature, nil
}

// unmarshal names the message that could not be read.
func unmarshal(name string, serialized []byte, message proto.Message) error {
	if err := proto.Unmarshal(serialized, message); err != nil {
		return fmt.Errorf("error unmarshalling %s: %w", name, err)
	}
	return nil
}

// Assemble builds the transaction a client signs: the proposal without its
// transient data, the agreed response payload and the endorsements.
func (p *Proposal) Assemble(responsePayload []byte, endorsements []*pb.Endorsement) (*cb.Envelope, error) {
	action, err := proto.Marshal(&pb.ChaincodeActionPayload{
		ChaincodeProposalPayload: p.PublicPayload,
		Action: &pb.ChaincodeEndorsedAction{
			ProposalResponsePayload: responsePayload, Endorsements: endorsements,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("encode action: %w", err)
	}
	data, err := proto.Marshal(&pb.Transaction{Actions: []*pb.TransactionAction{{
		Header: p.Header.GetSignatureHeader(), Payload: action,
	}}})
	if err != nil {
		return nil, fmt.Errorf("encode transaction: %w", err)
	}
	payload, err := proto.Marshal(&cb.Payload{Header: p.Header, Data: data})
	if err != nil {
		return nil, fmt.Errorf("encode payload: %w", err)
	}
	return &cb.Envelope{Payload: payload}, nil
}
