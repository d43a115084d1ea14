package peer

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/steelyard-ledger/steelyard/network/embedded/ledger"
	"github.com/steelyard-ledger/steelyard/network/embedded/transaction"
)

// stub is what a running chaincode sees of the ledger: the shim's interface on
// a simulator. Errors read as those that reach a chaincode from a real peer.
type stub struct {
	server    *Server
	simulator *ledger.Simulator
	proposal  *transaction.Proposal
	namespace string
	args      [][]byte
	event     *pb.ChaincodeEvent
	// batch holds postponed writes while a write batch is open.
	batch    []func() error
	batching bool
	// permissions caches who may read and write which collection.
	permissions map[string]permission
}

var _ shim.ChaincodeStubInterface = (*stub)(nil)

// failed words an error of the peer as the shim hands it to a chaincode.
func (s *stub) failed(message pb.ChaincodeMessage_Type, err error) error {
	return fmt.Errorf("%s failed: transaction ID: %s: %w", message, s.GetTxID(), err)
}

func (s *stub) GetArgs() [][]byte { return s.args }

func (s *stub) GetStringArgs() []string {
	args := make([]string, len(s.args))
	for i, arg := range s.args {
		args[i] = string(arg)
	}
	return args
}

func (s *stub) GetFunctionAndParameters() (string, []string) {
	args := s.GetStringArgs()
	if len(args) == 0 {
		return "", []string{}
	}
	return args[0], args[1:]
}

func (s *stub) GetArgsSlice() ([]byte, error) { return slices.Concat(s.args...), nil }

func (s *stub) GetTxID() string { return s.proposal.ChannelHeader.GetTxId() }

func (s *stub) GetChannelID() string { return s.proposal.ChannelHeader.GetChannelId() }

func (s *stub) GetCreator() ([]byte, error) { return s.proposal.SignatureHeader.GetCreator(), nil }

func (s *stub) GetTransient() (map[string][]byte, error) { return s.proposal.Transient, nil }

// GetBinding is the SHA-256 of nonce, creator and epoch (8 bytes, little-endian).
func (s *stub) GetBinding() ([]byte, error) {
	header := s.proposal.SignatureHeader
	epoch := binary.LittleEndian.AppendUint64(nil, s.proposal.ChannelHeader.GetEpoch())
	sum := sha256.Sum256(slices.Concat(header.GetNonce(), header.GetCreator(), epoch))
	return sum[:], nil
}

func (s *stub) GetDecorations() map[string][]byte { return s.proposal.Input.GetDecorations() }

func (s *stub) GetSignedProposal() (*pb.SignedProposal, error) { return s.proposal.Signed, nil }

func (s *stub) GetTxTimestamp() (*timestamppb.Timestamp, error) {
	return s.proposal.ChannelHeader.GetTimestamp(), nil
}

// SetEvent keeps the last event set: a transaction has one.
func (s *stub) SetEvent(name string, payload []byte) error {
	if name == "" {
		return errors.New("event name can not be empty string")
	}
	s.event = &pb.ChaincodeEvent{EventName: name, Payload: payload}
	return nil
}

// InvokeChaincode runs another chaincode of the channel in this transaction.
// Its reads and writes become part of it; its event does not.
func (s *stub) InvokeChaincode(name string, args [][]byte, channel string) *pb.Response {
	if channel != "" && channel != s.GetChannelID() {
		return shim.Error(s.failed(pb.ChaincodeMessage_INVOKE_CHAINCODE,
			fmt.Errorf("failed to find ledger for channel: %s", channel)).Error())
	}
	if systemChaincode(name) {
		return shim.Error(fmt.Sprintf("Rejecting invoke of QSCC from another chaincode because of potential for deadlocks, original invocation for '%s'",
			s.proposal.Chaincode))
	}
	chaincode, ok := s.server.cfg.Chaincodes[name]
	if !ok {
		return shim.Error(s.failed(pb.ChaincodeMessage_INVOKE_CHAINCODE,
			fmt.Errorf("execute failed: could not get chaincode code: chaincode %s not found", name)).Error())
	}
	called := &stub{
		server: s.server, simulator: s.simulator, proposal: s.proposal,
		namespace: name, args: args, permissions: map[string]permission{},
	}
	return called.invoke(chaincode)
}

// invoke runs the chaincode and closes a batch it left open.
func (s *stub) invoke(chaincode shim.Chaincode) *pb.Response {
	response := chaincode.Invoke(s)
	if err := s.FinishWriteBatch(); err != nil {
		return shim.Error(err.Error())
	}
	if response == nil {
		return shim.Error("nil response from chaincode")
	}
	return response
}

// StartWriteBatch postpones writes until FinishWriteBatch or the end.
func (s *stub) StartWriteBatch() { s.batching = true }

func (s *stub) FinishWriteBatch() error {
	writes := s.batch
	s.batch, s.batching = nil, false
	for _, write := range writes {
		if err := write(); err != nil {
			return s.failed(pb.ChaincodeMessage_WRITE_BATCH_STATE, err)
		}
	}
	return nil
}

// write performs a write, or postpones it while a batch is open.
func (s *stub) write(message pb.ChaincodeMessage_Type, do func() error) error {
	if s.batching {
		s.batch = append(s.batch, do)
		return nil
	}
	if err := do(); err != nil {
		return s.failed(message, err)
	}
	return nil
}
