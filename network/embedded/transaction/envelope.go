package transaction

import (
	"bytes"
	"errors"
	"fmt"

	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
)

// Envelope is a submitted transaction with its headers read. For an endorser
// transaction Action is set as well.
type Envelope struct {
	Raw             *cb.Envelope
	Payload         *cb.Payload
	ChannelHeader   *cb.ChannelHeader
	SignatureHeader *cb.SignatureHeader
}

// ReadEnvelope reads payload and headers. The code tells which part was bad.
func ReadEnvelope(raw *cb.Envelope) (*Envelope, pb.TxValidationCode, error) {
	var payload cb.Payload
	if err := unmarshal("Payload", raw.GetPayload(), &payload); err != nil {
		return nil, pb.TxValidationCode_BAD_PAYLOAD, err
	}
	if payload.GetHeader() == nil {
		return nil, pb.TxValidationCode_BAD_COMMON_HEADER, errors.New("nil header")
	}
	channel, signature, err := readHeader(payload.GetHeader())
	if err != nil {
		return nil, pb.TxValidationCode_BAD_COMMON_HEADER, err
	}
	return &Envelope{Raw: raw, Payload: &payload, ChannelHeader: channel, SignatureHeader: signature},
		pb.TxValidationCode_VALID, nil
}

// Type is the header type.
func (e *Envelope) Type() cb.HeaderType { return cb.HeaderType(e.ChannelHeader.GetType()) }

// CheckHeader tests the fields every envelope must have.
func (e *Envelope) CheckHeader() error {
	switch e.Type() {
	case cb.HeaderType_ENDORSER_TRANSACTION, cb.HeaderType_CONFIG_UPDATE, cb.HeaderType_CONFIG:
	default:
		return fmt.Errorf("invalid header type %s", e.Type())
	}
	if e.ChannelHeader.GetEpoch() != 0 {
		return fmt.Errorf("invalid Epoch in ChannelHeader. Expected 0, got [%d]", e.ChannelHeader.GetEpoch())
	}
	return checkSignatureHeader(e.SignatureHeader)
}

func checkSignatureHeader(header *cb.SignatureHeader) error {
	if len(header.GetNonce()) == 0 {
		return errors.New("invalid nonce specified in the header")
	}
	if len(header.GetCreator()) == 0 {
		return errors.New("invalid creator specified in the header")
	}
	return nil
}

// Action is what an endorser transaction carries: the result and who stands for it.
type Action struct {
	// ResponsePayload is what the endorsers signed, with their identity appended.
	ResponsePayload []byte
	Endorsements    []*pb.Endorsement
	Chaincode       *pb.ChaincodeAction
}

// ReadAction reads the one action of an endorser transaction and checks that
// its proposal hash fits the headers.
func (e *Envelope) ReadAction() (*Action, error) {
	var tx pb.Transaction
	if err := unmarshal("Transaction", e.Payload.GetData(), &tx); err != nil {
		return nil, err
	}
	if len(tx.GetActions()) != 1 {
		return nil, fmt.Errorf("only one action per transaction is supported, tx contains %d", len(tx.GetActions()))
	}
	first := tx.GetActions()[0]
	var header cb.SignatureHeader
	if err := unmarshal("SignatureHeader", first.GetHeader(), &header); err != nil {
		return nil, err
	}
	if err := checkSignatureHeader(&header); err != nil {
		return nil, err
	}
	var payload pb.ChaincodeActionPayload
	if err := unmarshal("ChaincodeActionPayload", first.GetPayload(), &payload); err != nil {
		return nil, err
	}
	var response pb.ProposalResponsePayload
	if err := unmarshal("ProposalResponsePayload", payload.GetAction().GetProposalResponsePayload(), &response); err != nil {
		return nil, err
	}
	hash := proposalHash(e.Payload.GetHeader().GetChannelHeader(), first.GetHeader(), payload.GetChaincodeProposalPayload())
	if !bytes.Equal(hash, response.GetProposalHash()) {
		return nil, errors.New("proposal hash does not match")
	}
	var action pb.ChaincodeAction
	if err := unmarshal("ChaincodeAction", response.GetExtension(), &action); err != nil {
		return nil, err
	}
	return &Action{
		ResponsePayload: payload.GetAction().GetProposalResponsePayload(),
		Endorsements:    payload.GetAction().GetEndorsements(),
		Chaincode:       &action,
	}, nil
}

// Results reads the read/write set.
func (a *Action) Results() (*rwset.TxReadWriteSet, error) {
	var set rwset.TxReadWriteSet
	if err := unmarshal("TxReadWriteSet", a.Chaincode.GetResults(), &set); err != nil {
		return nil, err
	}
	return &set, nil
}

// Event reads the chaincode event, or returns nil if there is none.
func (a *Action) Event() (*pb.ChaincodeEvent, error) {
	if len(a.Chaincode.GetEvents()) == 0 {
		return nil, nil
	}
	var event pb.ChaincodeEvent
	if err := unmarshal("ChaincodeEvent", a.Chaincode.GetEvents(), &event); err != nil {
		return nil, err
	}
	return &event, nil
}
