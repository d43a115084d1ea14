package fabric_test

import (
	"context"
	"crypto/tls"
	"net"
	"path/filepath"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/orderer"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/gateway/fabric"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/ledger/ledgertest"
	"github.com/steelyard-ledger/steelyard/network/devca"
)

// blockServer serves the blocks of a made-up chain, which can do what the
// embedded network does not: exchange its orderers.
type blockServer struct {
	peer.UnimplementedDeliverServer
	blocks []*common.Block
}

func (s *blockServer) DeliverWithPrivateData(stream peer.Deliver_DeliverWithPrivateDataServer) error {
	envelope, err := stream.Recv()
	if err != nil {
		return err
	}
	var payload common.Payload
	var seek orderer.SeekInfo
	if err := proto.Unmarshal(envelope.GetPayload(), &payload); err != nil {
		return err
	}
	if err := proto.Unmarshal(payload.GetData(), &seek); err != nil {
		return err
	}
	for _, block := range s.blocks[min(len(s.blocks), int(seek.GetStart().GetSpecified().GetNumber())):] {
		if err := stream.Send(&peer.DeliverResponse{Type: &peer.DeliverResponse_BlockAndPrivateData{
			BlockAndPrivateData: &peer.BlockAndPrivateData{Block: block},
		}}); err != nil {
			return err
		}
	}
	<-stream.Context().Done()
	return nil
}

// serveChain returns a client of a server of blocks.
func serveChain(t *testing.T, chain *ledgertest.Chain, blocks []*common.Block) *fabric.Client {
	authority, err := devca.New("Regulator", "tlsca")
	require.NoError(t, err)
	pair, err := authority.TLS("localhost", "127.0.0.1")
	require.NoError(t, err)
	certificate, err := tls.X509KeyPair(pair.Certificate, pair.Key)
	require.NoError(t, err)
	server := grpc.NewServer(grpc.Creds(credentials.NewServerTLSFromCert(&certificate)))
	peer.RegisterDeliverServer(server, &blockServer{blocks: blocks})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)

	wallet := t.TempDir()
	user, err := chain.CA.User(nil)
	require.NoError(t, err)
	writeIdentity(t, wallet, "regulator", "RegulatorMSP", user)
	return connect(t, fabric.Config{
		Channel: ledgertest.Channel, Chaincode: "metrology", Wallet: wallet, Trust: chain.Trust(blocks[0]),
		Outbox: openOutbox(t, filepath.Join(t.TempDir(), "o.db")),
		Peers:  []fabric.Peer{{MSPID: "RegulatorMSP", Endpoint: listener.Addr().String(), TLSRoots: authority.CertificatePEM()}},
	})
}

// changingChain has new orderers from block 3 on. sign signs block 2, which
// names them, by some of the old and the new.
func changingChain(t *testing.T, sign func(old, next []ledgertest.Node) []ledgertest.Node) (*ledgertest.Chain, []*common.Block) {
	chain := ledgertest.New(t, "BFT", 4)
	old := chain.Consenters
	var next []ledgertest.Node
	for range old {
		next = append(next, chain.Node("new", "orderer"))
	}
	blocks := []*common.Block{chain.ConfigBlock(), chain.Block(chain.Transaction("tx1"))}
	chain.Consenters = next
	change := chain.ConfigBlock()
	chain.Consenters = sign(old, next)
	chain.SignBlock(change, len(old))
	chain.Consenters = next
	return chain, append(blocks, change, chain.Block(chain.Transaction("tx2")), chain.Block(chain.Transaction("tx3")))
}

func TestFollowResumesWithOrderers(t *testing.T) {
	chain, blocks := changingChain(t, func(old, _ []ledgertest.Node) []ledgertest.Node { return old })
	client := serveChain(t, chain, blocks)
	for last := range len(blocks) - 1 {
		ctx, cancel := context.WithCancel(t.Context())
		hash, err := ledger.HeaderHash(blocks[last].Header)
		require.NoError(t, err)
		var numbers []int
		err = client.Follow(ctx, &ledger.Position{Number: uint64(last), Hash: hash}, func(_ context.Context, group ...ledger.Block) error {
			for _, block := range group {
				if numbers = append(numbers, int(block.Number)); int(block.Number) == len(blocks)-1 {
					cancel()
				}
			}
			return nil
		})
		require.ErrorIs(t, err, context.Canceled, "after block %d", last)
		require.Len(t, numbers, len(blocks)-1-last)
	}
}

// TestFollowRefusesOrderersOfTheirOwnMaking: new orderers must have been put in
// by the old ones, also when the block that names them was not followed.
func TestFollowRefusesOrderersOfTheirOwnMaking(t *testing.T) {
	chain, blocks := changingChain(t, func(_, next []ledgertest.Node) []ledgertest.Node { return next })
	client := serveChain(t, chain, blocks)
	nothing := func(context.Context, ...ledger.Block) error { return nil }
	require.ErrorIs(t, client.Follow(t.Context(), nil, nothing), ledger.ErrUnsigned)
	hash, err := ledger.HeaderHash(blocks[3].Header)
	require.NoError(t, err)
	require.ErrorIs(t, client.Follow(t.Context(), &ledger.Position{Number: 3, Hash: hash}, nothing), ledger.ErrUnsigned)
}

// TestFollowRefusesAnOldConfiguration: a peer cannot keep replaced orderers in
// force by what it puts beside a block.
func TestFollowRefusesAnOldConfiguration(t *testing.T) {
	chain, blocks := changingChain(t, func(old, _ []ledgertest.Node) []ledgertest.Node { return old })
	var signatures common.Metadata
	beside := blocks[3].Metadata.Metadata
	require.NoError(t, proto.Unmarshal(beside[common.BlockMetadataIndex_SIGNATURES], &signatures))
	signatures.Value = ledgertest.Marshal(t, &common.OrdererBlockMetadata{LastConfig: &common.LastConfig{Index: 0}})
	beside[common.BlockMetadataIndex_SIGNATURES] = ledgertest.Marshal(t, &signatures)
	hash, err := ledger.HeaderHash(blocks[3].Header)
	require.NoError(t, err)
	err = serveChain(t, chain, blocks).Follow(t.Context(), &ledger.Position{Number: 3, Hash: hash}, nil)
	require.ErrorIs(t, err, ledger.ErrUnsigned)
}
