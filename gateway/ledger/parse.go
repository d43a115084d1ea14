package ledger

import (
	"errors"
	"fmt"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"
)

// Parse reads a block as a peer's Deliver service sends it, with the private
// data by transaction index (nil when the stream carries none). A private
// value that does not match its hash on chain is an error, and so is a VALID
// transaction that cannot be read. An unreadable invalid one is kept without
// its content: orderers accept envelopes that no peer can parse.
func Parse(raw *common.Block, private map[uint64]*rwset.TxPvtReadWriteSet) (Block, error) {
	if raw.GetHeader() == nil {
		return Block{}, errors.New("parse block: no header")
	}
	block := Block{Number: raw.Header.GetNumber(), Raw: raw}
	if err := block.setHashes(); err != nil {
		return Block{}, fmt.Errorf("parse block %d: %w", block.Number, err)
	}
	envelopes := raw.GetData().GetData()
	codes, err := validationCodes(raw, len(envelopes))
	if err != nil {
		return Block{}, fmt.Errorf("parse block %d: %w", block.Number, err)
	}
	block.Transactions = make([]Transaction, len(envelopes))
	known := creators{}
	for i, envelope := range envelopes {
		t := Transaction{Index: i, Code: codes[i]}
		if err := t.parse(envelope, known, private[uint64(i)]); err != nil {
			if t.Valid() {
				return Block{}, fmt.Errorf("parse block %d: transaction %d: %w", block.Number, i, err)
			}
			t = Transaction{Index: i, ID: t.ID, Code: codes[i]}
		}
		block.Transactions[i] = t
	}
	for i := range private {
		if i >= uint64(len(envelopes)) {
			return Block{}, fmt.Errorf("parse block %d: private data for transaction %d of %d", block.Number, i, len(envelopes))
		}
	}
	return block, nil
}

func (b *Block) setHashes() (err error) {
	if b.Hash, err = HeaderHash(b.Raw.Header); err != nil {
		return err
	}
	if b.PreviousHash, err = toHash("previous hash", b.Raw.Header.GetPreviousHash()); err != nil {
		return err
	}
	b.DataHash, err = toHash("data hash", b.Raw.Header.GetDataHash())
	return err
}

// validationCodes reads the transactions filter that the peer wrote when it
// committed the block: one byte per transaction. A configuration block may
// lack it, as block 0 does before a peer has written it; its one transaction
// is then in force by standing there.
func validationCodes(raw *common.Block, count int) ([]peer.TxValidationCode, error) {
	filter := metadata(raw, common.BlockMetadataIndex_TRANSACTIONS_FILTER)
	codes := make([]peer.TxValidationCode, count)
	if len(filter) == 0 && raw.Header.GetNumber() == 0 {
		return codes, nil
	}
	if len(filter) != count {
		return nil, fmt.Errorf("read transactions filter: %d codes for %d transactions", len(filter), count)
	}
	for i, code := range filter {
		codes[i] = peer.TxValidationCode(code)
	}
	return codes, nil
}

// metadata returns one member of a block's metadata, nil when absent.
func metadata(raw *common.Block, index common.BlockMetadataIndex) []byte {
	members := raw.GetMetadata().GetMetadata()
	if int(index) >= len(members) {
		return nil
	}
	return members[index]
}

func (t *Transaction) parse(envelope []byte, known creators, private *rwset.TxPvtReadWriteSet) error {
	var env common.Envelope
	if err := proto.Unmarshal(envelope, &env); err != nil {
		return fmt.Errorf("decode envelope: %w", err)
	}
	var payload common.Payload
	if err := proto.Unmarshal(env.GetPayload(), &payload); err != nil {
		return fmt.Errorf("decode payload: %w", err)
	}
	var channel common.ChannelHeader
	if err := proto.Unmarshal(payload.GetHeader().GetChannelHeader(), &channel); err != nil {
		return fmt.Errorf("decode channel header: %w", err)
	}
	t.ID, t.Type, t.Channel = channel.GetTxId(), common.HeaderType(channel.GetType()), channel.GetChannelId()
	t.Timestamp = channel.GetTimestamp().AsTime()
	var err error
	if t.Creator, err = known.parse(payload.GetHeader().GetSignatureHeader()); err != nil {
		return err
	}
	if t.Type != common.HeaderType_ENDORSER_TRANSACTION {
		return nil
	}
	return t.parseAction(payload.GetData(), private)
}

// parseAction reads the one action that Fabric allows in a transaction.
func (t *Transaction) parseAction(data []byte, private *rwset.TxPvtReadWriteSet) error {
	var transaction peer.Transaction
	if err := proto.Unmarshal(data, &transaction); err != nil {
		return fmt.Errorf("decode transaction: %w", err)
	}
	if len(transaction.GetActions()) != 1 {
		return fmt.Errorf("decode transaction: %d actions, want 1", len(transaction.GetActions()))
	}
	var payload peer.ChaincodeActionPayload
	if err := proto.Unmarshal(transaction.Actions[0].GetPayload(), &payload); err != nil {
		return fmt.Errorf("decode action: %w", err)
	}
	if err := t.parseInput(payload.GetChaincodeProposalPayload()); err != nil {
		return err
	}
	for _, endorsement := range payload.GetAction().GetEndorsements() {
		var endorser msp.SerializedIdentity
		if err := proto.Unmarshal(endorsement.GetEndorser(), &endorser); err != nil {
			return fmt.Errorf("decode endorser: %w", err)
		}
		t.Endorsers = append(t.Endorsers, endorser.GetMspid())
	}
	return t.parseResponse(payload.GetAction().GetProposalResponsePayload(), private)
}

func (t *Transaction) parseInput(payload []byte) error {
	var proposal peer.ChaincodeProposalPayload
	if err := proto.Unmarshal(payload, &proposal); err != nil {
		return fmt.Errorf("decode proposal: %w", err)
	}
	var invocation peer.ChaincodeInvocationSpec
	if err := proto.Unmarshal(proposal.GetInput(), &invocation); err != nil {
		return fmt.Errorf("decode invocation: %w", err)
	}
	if args := invocation.GetChaincodeSpec().GetInput().GetArgs(); len(args) > 0 {
		t.Function, t.Args = string(args[0]), args[1:]
	}
	return nil
}

func (t *Transaction) parseResponse(payload []byte, private *rwset.TxPvtReadWriteSet) error {
	var response peer.ProposalResponsePayload
	if err := proto.Unmarshal(payload, &response); err != nil {
		return fmt.Errorf("decode response: %w", err)
	}
	var action peer.ChaincodeAction
	if err := proto.Unmarshal(response.GetExtension(), &action); err != nil {
		return fmt.Errorf("decode chaincode action: %w", err)
	}
	t.Chaincode, t.Result = action.GetChaincodeId().GetName(), action.GetResponse().GetPayload()
	if len(action.GetEvents()) > 0 {
		var event peer.ChaincodeEvent
		if err := proto.Unmarshal(action.GetEvents(), &event); err != nil {
			return fmt.Errorf("decode event: %w", err)
		}
		t.Event = &Event{Name: event.GetEventName(), Payload: event.GetPayload()}
	}
	return t.parseWrites(action.GetResults(), private)
}
