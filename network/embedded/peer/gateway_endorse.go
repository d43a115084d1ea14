package peer

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	gp "github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/steelyard-ledger/steelyard/network/embedded/ledger"
	"github.com/steelyard-ledger/steelyard/network/embedded/transaction"
)

// Endorse collects the endorsements a proposal needs and returns the
// transaction for the client to sign.
func (s *Server) Endorse(ctx context.Context, request *gp.EndorseRequest) (*gp.EndorseResponse, error) {
	signed := request.GetProposedTransaction()
	if len(signed.GetProposalBytes()) == 0 {
		return nil, status.Error(codes.InvalidArgument, "the proposed transaction must contain a signed proposal")
	}
	proposal, err := transaction.ReadProposal(signed)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	round := &endorsementRound{server: s, signed: signed, proposal: proposal}
	if organizations := request.GetEndorsingOrganizations(); len(organizations) > 0 {
		err = round.asTold(ctx, organizations)
	} else {
		err = round.asNeeded(ctx)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, status.Error(codes.DeadlineExceeded, "endorsement timeout expired while collecting endorsements")
		}
		return nil, err
	}
	envelope, err := proposal.Assemble(round.payload, round.endorsements)
	if err != nil {
		return nil, status.Errorf(codes.Aborted, "failed to assemble transaction: %s", err)
	}
	return &gp.EndorseResponse{PreparedTransaction: envelope}, nil
}

// endorsementRound is one collection of endorsements.
type endorsementRound struct {
	server       *Server
	signed       *pb.SignedProposal
	proposal     *transaction.Proposal
	shared       *execution // of the first peer; the others sign it unless strict
	executor     *Member    // whose peer that was
	payload      []byte
	endorsements []*pb.Endorsement
	details      []*gp.ErrorDetail
}

// asTold asks the organisations the client names, who answers for the choice.
func (r *endorsementRound) asTold(ctx context.Context, organizations []string) error {
	s := r.server
	var members []*Member
	var missing []string
	for _, mspID := range organizations {
		member := s.member(mspID)
		if member == nil || !s.runs(r.proposal) {
			missing = append(missing, mspID)
		} else if !containsMember(members, member) {
			members = append(members, member)
		}
	}
	if len(missing) > 0 {
		return status.Errorf(codes.Unavailable, "failed to find any endorsing peers for org(s): %s", strings.Join(missing, ", "))
	}
	return r.collect(ctx, members)
}

// runs reports whether the proposal names our channel and a chaincode of it.
func (s *Server) runs(proposal *transaction.Proposal) bool {
	if proposal.ChannelHeader.GetChannelId() != s.cfg.Channel {
		return false
	}
	return s.cfg.Chaincodes[proposal.Chaincode] != nil || systemChaincode(proposal.Chaincode)
}

func containsMember(members []*Member, member *Member) bool {
	for _, each := range members {
		if each == member {
			return true
		}
	}
	return false
}

// asNeeded runs the proposal on the local peer, sees what it touched, and asks
// whoever the policies require.
func (r *endorsementRound) asNeeded(ctx context.Context) error {
	s := r.server
	if !s.runs(r.proposal) {
		return status.Errorf(codes.FailedPrecondition,
			"no combination of peers can be derived which satisfy the endorsement policy: No metadata was found for chaincode %s in channel %s",
			r.proposal.Chaincode, r.proposal.ChannelHeader.GetChannelId())
	}
	local := s.local(ctx)
	r.shared, r.executor = s.execute(ctx, local, r.signed), local
	if verdict := judge(r.shared.response, r.shared.err); verdict.code != codes.OK {
		return failure(codes.Aborted, "failed to endorse transaction, see attached details for more info", local.detail(verdict.message))
	}
	interest := r.shared.interest
	if interest == nil || len(interest.ChaincodePolicy) == 0 && len(interest.Collections) == 0 && len(interest.KeyPolicies) == 0 {
		interest = &ledger.Interest{ChaincodePolicy: map[string]bool{r.proposal.Chaincode: true}}
	}
	members, err := r.choose(interest, local)
	if err != nil {
		return status.Error(codes.FailedPrecondition, err.Error())
	}
	return r.collect(ctx, members)
}

// choose plans the endorsers. With transient data, only members of the
// collections touched may see the proposal.
func (r *endorsementRound) choose(interest *ledger.Interest, local *Member) ([]*Member, error) {
	cautious := len(r.proposal.Transient) > 0
	members, err := r.server.plan(interest, local, cautious)
	if err == nil || !cautious {
		return members, err
	}
	if _, open := r.server.plan(interest, local, false); open != nil {
		return nil, err
	}
	var names []string
	for name, use := range interest.Collections {
		if !use.Read {
			names = append(names, name.Collection)
		}
	}
	return nil, fmt.Errorf("requires endorsement from organisation(s) that are not in the distribution policy of the private data collection(s): %v; retry specifying trusted endorsing organizations to protect transient data", names)
}

// collect has every member endorse; they must agree to the byte.
func (r *endorsementRound) collect(ctx context.Context, members []*Member) error {
	for _, member := range members {
		if err := r.ask(ctx, member); err != nil {
			return err
		}
	}
	if len(r.endorsements) < len(members) {
		return failure(codes.Aborted, "failed to collect enough transaction endorsements, see attached details for more info", r.details...)
	}
	return nil
}

func (r *endorsementRound) ask(ctx context.Context, member *Member) error {
	result := r.shared
	if result == nil || r.server.cfg.Strict && member != r.executor {
		result = r.server.execute(ctx, member, r.signed)
	}
	if r.shared == nil {
		r.shared, r.executor = result, member
	}
	response, err := result.response, result.err
	if err == nil {
		response, err = r.server.endorse(member, result)
	}
	if verdict := judge(response, err); verdict.code != codes.OK {
		r.details = append(r.details, member.detail(verdict.message))
		return ctx.Err()
	}
	if r.payload == nil {
		r.payload = response.GetPayload()
	}
	if !bytes.Equal(r.payload, response.GetPayload()) {
		r.details = append(r.details, member.detail("ProposalResponsePayloads do not match"))
		return nil
	}
	r.endorsements = append(r.endorsements, response.GetEndorsement())
	return nil
}
