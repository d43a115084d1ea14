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
	if function == "GetChainInfo" {
		info, err := s.chainInfo()
		return answer("Failed to get block info with error", info, err)
	}
	return s.lookUp(function, args[2])
}

func (s *Server) lookUp(function string, key []byte) *pb.Response {
	switch function {
	case "GetBlockByNumber":
		number, err := strconv.ParseUint(string(key), 10, 64)
		if err != nil {
			return shim.Error(fmt.Sprintf("Failed to parse block number with error %s", err))
		}
		block, err := s.cfg.Ledger.Block(number)
		return answer(fmt.Sprintf("Failed to get block number %d, error", number), block, err)
	case "GetBlockByHash":
		block, err := s.cfg.Ledger.BlockByHash(key)
		return answer(fmt.Sprintf("Failed to get block hash %s, error", key), block, err)
	case "GetTransactionByID":
		processed, err := s.cfg.Ledger.Processed(string(key))
		return answer(fmt.Sprintf("Failed to get transaction with id %s, error", key), processed, err)
	case "GetBlockByTxID":
		block, err := s.blockOf(string(key))
		return answer(fmt.Sprintf("Failed to get block for txID %s, error", key), block, err)
	default:
		return shim.Error(fmt.Sprintf("Requested function %s not found.", function))
	}
}

// answer serializes what was found, or says in a peer's words what was not.
func answer(failed string, found proto.Message, err error) *pb.Response {
	if err != nil {
		return shim.Error(fmt.Sprintf("%s %s", failed, err))
	}
	serialized, err := proto.Marshal(found)
	if err != nil {
		return shim.Error(err.Error())
	}
	return shim.Success(serialized)
}

func (s *Server) blockOf(txID string) (*cb.Block, error) {
	height, _, err := s.cfg.Ledger.Transaction(txID)
	if err != nil {
		return nil, err
	}
	return s.cfg.Ledger.Block(height.Block)
}

func (s *Server) chainInfo() (*cb.BlockchainInfo, error) {
	height, current := s.cfg.Ledger.Tip()
	last, err := s.cfg.Ledger.Block(height - 1)
	if err != nil {
		return nil, err
	}
	return &cb.BlockchainInfo{
		Height: height, CurrentBlockHash: current, PreviousBlockHash: last.GetHeader().GetPreviousHash(),
	}, nil
}
