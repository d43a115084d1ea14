package peer

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/network/embedded/ledger"
	"github.com/steelyard-ledger/steelyard/network/embedded/transaction"
)

// ProcessProposal endorses one proposal with the peer the client connected to.
func (s *Server) ProcessProposal(ctx context.Context, signed *pb.SignedProposal) (*pb.ProposalResponse, error) {
	result := s.execute(ctx, s.local(ctx), signed)
	if result.err != nil {
		return result.response, result.err
	}
	return s.endorse(s.local(ctx), result)
}

// execution is a proposal's result before anybody has signed it.
type execution struct {
	proposal *transaction.Proposal
	// response has no endorsement yet. It is nil if the proposal did not get
	// as far as a peer's endorser.
	response *pb.ProposalResponse
	interest *ledger.Interest
	// err is set if the proposal itself was refused.
	err error
}

// endorsable reports whether the chaincode's answer may become a transaction.
func (e *execution) endorsable() bool {
	return e.err == nil && e.response.GetResponse().GetStatus() < shim.ERRORTHRESHOLD && e.response.GetPayload() != nil
}

// execute checks the proposal and runs it on the member's peer. What the
// client did wrong is in err; what went wrong in execution is in the response,
// with status 500 and no payload, as a peer reports it.
func (s *Server) execute(ctx context.Context, member *Member, signed *pb.SignedProposal) *execution {
	proposal, err := transaction.ReadProposal(signed)
	if err != nil {
		return &execution{response: refusal(err), err: err}
	}
	result := &execution{proposal: proposal}
	if result.err = s.authorize(proposal); result.err != nil {
		return result
	}
	if proposal.ChannelHeader.GetChannelId() != s.cfg.Channel {
		result.response = refusal(fmt.Errorf("channel '%s' not found", proposal.ChannelHeader.GetChannelId()))
		return result
	}
	if err := s.checkProposal(proposal); err != nil {
		result.response, result.err = refusal(err), err
		return result
	}
	if err := s.run(ctx, member, result); err != nil {
		result.response = refusal(err)
	}
	return result
}

func refusal(err error) *pb.ProposalResponse {
	return &pb.ProposalResponse{Response: &pb.Response{Status: shim.ERROR, Message: err.Error()}}
}

// authorize applies the filters that stand before a peer's endorser: the
// creator's certificate must be in its term, the proposal's time near ours.
func (s *Server) authorize(proposal *transaction.Proposal) error {
	now := s.cfg.Now()
	if creator, err := s.cfg.MSP.Deserialize(proposal.SignatureHeader.GetCreator()); err == nil && creator.ExpiredAt(now) {
		return errors.New("proposal client identity expired")
	}
	stamp := proposal.ChannelHeader.GetTimestamp().AsTime()
	if stamp.Before(now.Add(-s.cfg.TimeWindow)) || stamp.After(now.Add(s.cfg.TimeWindow)) {
		return fmt.Errorf("request unauthorized due to incorrect timestamp %s, peer time %s",
			stamp.Format(time.RFC3339), now.Format(time.RFC3339))
	}
	return nil
}

// checkProposal verifies the proposal, its creator and that it is new.
func (s *Server) checkProposal(proposal *transaction.Proposal) error {
	if err := s.verify(proposal); err != nil {
		return fmt.Errorf("error validating proposal: %w", err)
	}
	txID := proposal.ChannelHeader.GetTxId()
	if _, _, err := s.cfg.Ledger.Transaction(txID); err == nil {
		return fmt.Errorf("duplicate transaction found [%s]. Creator [%x]", txID, proposal.SignatureHeader.GetCreator())
	}
	if systemChaincode(proposal.Chaincode) {
		return nil
	}
	return s.checkPolicy(s.writers, proposal.Signed.GetProposalBytes(),
		proposal.SignatureHeader.GetCreator(), proposal.Signed.GetSignature())
}

func (s *Server) verify(proposal *transaction.Proposal) error {
	if err := proposal.Check(); err != nil {
		return err
	}
	creator, err := s.cfg.MSP.Deserialize(proposal.SignatureHeader.GetCreator())
	if err != nil {
		return fmt.Errorf("access denied: channel [%s] creator org unknown, creator is malformed", s.cfg.Channel)
	}
	if creator.Validate() != nil || creator.Verify(proposal.Signed.GetProposalBytes(), proposal.Signed.GetSignature()) != nil {
		// The reason is not told: who is refused should not learn what to forge next.
		return fmt.Errorf("access denied: channel [%s] creator org [%s]", s.cfg.Channel, creator.MSPID)
	}
	return nil
}

// run simulates the proposal and fills in the response.
func (s *Server) run(ctx context.Context, member *Member, result *execution) error {
	proposal := result.proposal
	if systemChaincode(proposal.Chaincode) {
		return s.finish(result, s.query(proposal), nil, nil)
	}
	chaincode := s.cfg.Chaincodes[proposal.Chaincode]
	if chaincode == nil {
		return fmt.Errorf("make sure the chaincode %s has been successfully defined on channel %s and try again: chaincode %s not found",
			proposal.Chaincode, s.cfg.Channel, proposal.Chaincode)
	}
	simulator, err := s.cfg.Ledger.NewSimulator(proposal.ChannelHeader.GetTxId(), member.MSPID)
	if err != nil {
		return err
	}
	defer func() { _ = simulator.Close() }() // a read-only snapshot has nothing to lose
	stub := &stub{
		server: s, simulator: simulator, proposal: proposal, namespace: proposal.Chaincode,
		args: proposal.Input.GetArgs(), permissions: map[string]permission{},
	}
	response, err := s.invoke(ctx, stub, chaincode)
	if err != nil {
		return fmt.Errorf("error in simulation: failed to execute transaction %s: %w", proposal.ChannelHeader.GetTxId(), err)
	}
	public, private, interest, err := simulator.Results()
	if err != nil {
		return fmt.Errorf("error in simulation: %w", err)
	}
	result.interest = interest
	if private != nil && response.GetStatus() < shim.ERRORTHRESHOLD {
		if err := s.cfg.Ledger.KeepPrivate(proposal.ChannelHeader.GetTxId(), private); err != nil {
			return fmt.Errorf("error in simulation: %w", err)
		}
	}
	results, err := proto.Marshal(public)
	if err != nil {
		return fmt.Errorf("encode read/write set: %w", err)
	}
	return s.finish(result, response, results, stub.event)
}

// Errors of a chaincode process, as a peer words them.
var (
	errStreamTerminated = errors.New("chaincode stream terminated")
	errExecutionTimeout = errors.New("timeout expired while executing transaction")
)

// invoke runs the chaincode, which may panic or run on. A real chaincode's
// process would die or be ignored; here its simulator is closed under it.
func (s *Server) invoke(ctx context.Context, stub *stub, chaincode shim.Chaincode) (*pb.Response, error) {
	type outcome struct {
		response *pb.Response
		err      error
	}
	done := make(chan outcome, 1)
	go func() {
		defer func() {
			if cause := recover(); cause != nil {
				s.cfg.Logger.Error("chaincode panicked", "chaincode", stub.namespace, "txID", stub.GetTxID(),
					"cause", cause, "stack", string(debug.Stack()))
				done <- outcome{err: errStreamTerminated}
			}
		}()
		done <- outcome{response: stub.invoke(chaincode)}
	}()
	limit := time.NewTimer(s.cfg.ExecuteTimeout)
	defer limit.Stop()
	select {
	case result := <-done:
		return result.response, result.err
	case <-limit.C:
		return nil, errExecutionTimeout
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// finish builds the payload that endorsers sign. A status from 400 to 499 gets
// none; from 500 it gets one that is not endorsed.
func (s *Server) finish(result *execution, response *pb.Response, results []byte, event *pb.ChaincodeEvent) error {
	result.response = &pb.ProposalResponse{Response: response}
	if response.GetStatus() >= shim.ERRORTHRESHOLD && response.GetStatus() < shim.ERROR {
		return nil
	}
	action := &pb.ChaincodeAction{
		Results: results, Response: response,
		ChaincodeId: &pb.ChaincodeID{Name: result.proposal.Chaincode, Version: s.version(result.proposal.Chaincode)},
	}
	var err error
	if event != nil && response.GetStatus() < shim.ERRORTHRESHOLD {
		event.ChaincodeId, event.TxId = result.proposal.Chaincode, result.proposal.ChannelHeader.GetTxId()
		if action.Events, err = proto.Marshal(event); err != nil {
			return fmt.Errorf("failed to marshal chaincode event: %w", err)
		}
	}
	extension, err := proto.Marshal(action)
	if err != nil {
		return fmt.Errorf("failed to create the proposal response: %w", err)
	}
	result.response.Payload, err = proto.Marshal(&pb.ProposalResponsePayload{
		ProposalHash: result.proposal.Hash, Extension: extension,
	})
	return err
}

func (s *Server) version(chaincode string) string {
	if definition := s.cfg.Definitions[chaincode]; definition != nil {
		return definition.Version
	}
	return "syscc"
}

// endorse signs the result with the member's peer, if it may be signed.
func (s *Server) endorse(member *Member, result *execution) (*pb.ProposalResponse, error) {
	if !result.endorsable() {
		return result.response, nil
	}
	payload := result.response.GetPayload()
	signature, err := member.Signer.Sign(append(append([]byte{}, payload...), member.Signer.Serialized...))
	if err != nil {
		return refusal(fmt.Errorf("endorsing with plugin failed: %w", err)), nil
	}
	return &pb.ProposalResponse{
		Version: 1, Response: result.response.GetResponse(), Payload: payload,
		Endorsement: &pb.Endorsement{Endorser: member.Signer.Serialized, Signature: signature},
	}, nil
}
