package peer

import (
	"fmt"
	"strconv"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/network/embedded/transaction"
)

// ledgerQueries is the system chaincode that answers queries about the ledger.
const ledgerQueries = "qscc"

func systemChaincode(name string) bool { return name == ledgerQueries }

// query answers a ledger query: function, channel, and for most a key.
func (s *Server) query(proposal *transaction.Proposal) *pb.Response {
	args := proposal.Input.GetArgs()
	if len(args) < 2 {
		return shim.Error(fmt.Sprintf("Incorrect number of arguments, %d", len(args)))
	}
	function, channel := string(args[0]), string(args[1])
	if function != "GetChainInfo" && len(args) < 3 {
		return shim.Error(fmt.Sprintf("missing 3rd argument for %s", function))
	}
	if channel != s.cfg.Channel {
		return shim.Error(fmt.Sprintf("Invalid chain ID, %s", channel))
	}
	err := s.checkPolicy(s.readers, proposal.Signed.GetProposalBytes(),
		proposal.SignatureHeader.GetCreator(), proposal.Signed.GetSignature())
	if err != nil {
		return shim.Error(fmt.Sprintf("access denied for [%s][%s]: [%s]", function, channel, err))
	}
	var key []byte
	if len(args) > 2 {
		key = args[2]
	}
	answer, err := s.lookUp(function, key)
	if err != nil {
		return shim.Error(err.Error())
	}
	serialized, err := proto.Marshal(answer)
	if err != nil {
		return shim.Error(err.Error())
	}
	return shim.Success(serialized)
}

func (s *Server) lookUp(function string, key []byte) (proto.Message, error) {
	switch function {
	case "GetChainInfo":
		return s.chainInfo()
	case "GetBlockByNumber":
		number, err := strconv.ParseUint(string(key), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("Failed to parse block number with error %w", err) //nolint:staticcheck // a peer's wording
		}
		block, err := s.cfg.Ledger.Block(number)
		if err != nil {
			return nil, fmt.Errorf("Failed to get block number %d, error %w", number, err) //nolint:staticcheck // a peer's wording
		}
		return block, nil
	case "GetBlockByHash":
		block, err := s.cfg.Ledger.BlockByHash(key)
		if err != nil {
			return nil, fmt.Errorf("Failed to get block hash %s, error %w", key, err) //nolint:staticcheck // a peer's wording
		}
		return block, nil
	case "GetTransactionByID":
		processed, err := s.cfg.Ledger.Processed(string(key))
		if err != nil {
			return nil, fmt.Errorf("Failed to get transaction with id %s, error %w", key, err) //nolint:staticcheck // a peer's wording
		}
		return processed, nil
	case "GetBlockByTxID":
		height, _, err := s.cfg.Ledger.Transaction(string(key))
		if err != nil {
			return nil, fmt.Errorf("Failed to get block for txID %s, error %w", key, err) //nolint:staticcheck // a peer's wording
		}
		return s.cfg.Ledger.Block(height.Block)
	default:
		return nil, fmt.Errorf("Requested function %s not found.", function) //nolint:staticcheck // a peer's wording
	}
}

func (s *Server) chainInfo() (proto.Message, error) {
	height, current := s.cfg.Ledger.Tip()
	last, err := s.cfg.Ledger.Block(height - 1)
	if err != nil {
		return nil, fmt.Errorf("Failed to get block info with error %w", err) //nolint:staticcheck // a peer's wording
	}
	return &cb.BlockchainInfo{
		Height: height, CurrentBlockHash: current, PreviousBlockHash: last.GetHeader().GetPreviousHash(),
	}, nil
}
