package peer

import (
	"context"
	"fmt"

	gp "github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/steelyard-ledger/steelyard/network/embedded/transaction"
)

// Evaluate runs a proposal on one peer and returns the chaincode's answer.
func (s *Server) Evaluate(ctx context.Context, request *gp.EvaluateRequest) (*gp.EvaluateResponse, error) {
	signed := request.GetProposedTransaction()
	proposal, err := readTarget(signed)
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "failed to unpack transaction proposal: %s", err)
	}
	if channel := proposal.ChannelHeader.GetChannelId(); channel != s.cfg.Channel {
		return nil, status.Errorf(codes.Unavailable, "failed to get config for channel [%s]", channel)
	}
	members, err := s.evaluators(s.local(ctx), proposal, request.GetTargetOrganizations())
	if err != nil {
		return nil, err
	}
	var details []*gp.ErrorDetail
	for i, member := range members {
		result := s.execute(ctx, member, signed)
		verdict := judge(result.response, result.err)
		if verdict.code == codes.OK {
			return &gp.EvaluateResponse{Result: result.response.GetResponse()}, nil
		}
		if ctx.Err() != nil {
			return nil, status.Error(codes.DeadlineExceeded, "evaluate timeout expired")
		}
		details = append(details, member.detail(verdict.message))
		if !verdict.retry {
			return nil, failure(verdict.code, "evaluate call to endorser returned error: "+verdict.message, details...)
		}
		if i == len(members)-1 {
			return nil, failure(verdict.code, "failed to evaluate transaction, see attached details for more info", details...)
		}
	}
	return nil, status.Error(codes.Internal, "no peers to evaluate on")
}

// evaluators lists the peers to try, the local one first. Transient data stays
// with the local organisation unless the client names others.
func (s *Server) evaluators(local *Member, proposal *transaction.Proposal, targets []string) ([]*Member, error) {
	protected := len(proposal.Transient) > 0 && len(targets) == 0
	if protected {
		targets = []string{local.MSPID}
	}
	var members []*Member
	if s.runs(proposal) {
		for _, member := range append([]*Member{local}, s.others(local)...) {
			if len(targets) == 0 || contains(targets, member.MSPID) {
				members = append(members, member)
			}
		}
	}
	if len(members) > 0 {
		return members, nil
	}
	message := fmt.Sprintf("no peers available to evaluate chaincode %s in channel %s", proposal.Chaincode, s.cfg.Channel)
	if protected {
		message = "no endorsers found in the gateway's organization; retry specifying target organization(s) to protect transient data: " + message
	}
	return nil, status.Error(codes.FailedPrecondition, message)
}

func (s *Server) others(local *Member) []*Member {
	var others []*Member
	for i := range s.cfg.Members {
		if member := &s.cfg.Members[i]; member != local {
			others = append(others, member)
		}
	}
	return others
}

func contains(list []string, value string) bool {
	for _, each := range list {
		if each == value {
			return true
		}
	}
	return false
}

// readTarget reads a proposal and checks that it names channel and chaincode.
func readTarget(signed *pb.SignedProposal) (*transaction.Proposal, error) {
	if len(signed.GetProposalBytes()) == 0 {
		return nil, fmt.Errorf("a signed proposal is required")
	}
	proposal, err := transaction.ReadProposal(signed)
	if err != nil {
		return nil, err
	}
	if proposal.ChannelHeader.GetChannelId() == "" {
		return nil, fmt.Errorf("no channel id provided")
	}
	return proposal, nil
}
