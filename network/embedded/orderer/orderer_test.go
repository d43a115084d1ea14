package orderer

import (
	"context"
	"fmt"
	"testing"
	"time"

	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/network/devca"
	"github.com/steelyard-ledger/steelyard/network/embedded/ledger"
	"github.com/steelyard-ledger/steelyard/network/embedded/msp"
	"github.com/steelyard-ledger/steelyard/network/embedded/transaction"
)

func TestQuorum(t *testing.T) {
	for n, want := range map[int]int{1: 1, 2: 2, 3: 2, 4: 3, 5: 4, 6: 4, 7: 5, 8: 6} {
		require.Equal(t, want, quorum(n), "of %d", n)
	}
}

// service is an orderer on a ledger of its own, with a client to sign.
type service struct {
	orderer *Orderer
	ledger  *ledger.Ledger
	client  *msp.Signer
}

func serve(t *testing.T, cfg Config) *service {
	t.Helper()
	ca, err := devca.New("a", "ca")
	require.NoError(t, err)
	manager, err := msp.NewManager([]msp.Organization{{MSPID: "A", Roots: [][]byte{ca.CertificatePEM()}}})
	require.NoError(t, err)
	signer := func(unit string) *msp.Signer {
		pair, err := ca.Node("node", unit)
		require.NoError(t, err)
		s, err := manager.NewSigner("A", pair.Certificate, pair.Key)
		require.NoError(t, err)
		return s
	}
	l, err := ledger.Open(ledger.Config{Dir: t.TempDir(), Channel: "c", MSP: manager})
	require.NoError(t, err)
	genesis, err := Genesis("c", []Member{{MSPID: "A", Root: ca.CertificatePEM()}}, cfg)
	require.NoError(t, err)
	require.NoError(t, l.Commit(genesis))
	o, err := Start(cfg, l, manager, "c", []*msp.Signer{signer("orderer")})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, o.Close())
		require.NoError(t, l.Close())
	})
	return &service{o, l, signer("client")}
}

// envelope makes a signed envelope; spoil may change its header first.
func (s *service) envelope(t *testing.T, spoil func(*cb.ChannelHeader)) *cb.Envelope {
	t.Helper()
	nonce := fmt.Append(nil, time.Now().UnixNano())
	header := &cb.ChannelHeader{
		Type: int32(cb.HeaderType_ENDORSER_TRANSACTION), ChannelId: "c", TxId: transaction.ID(nonce, s.client.Serialized),
	}
	if spoil != nil {
		spoil(header)
	}
	marshal := func(message proto.Message) []byte {
		out, err := proto.Marshal(message)
		require.NoError(t, err)
		return out
	}
	payload := marshal(&cb.Payload{Header: &cb.Header{
		ChannelHeader:   marshal(header),
		SignatureHeader: marshal(&cb.SignatureHeader{Nonce: nonce, Creator: s.client.Serialized}),
	}})
	signature, err := s.client.Sign(payload)
	require.NoError(t, err)
	return &cb.Envelope{Payload: payload, Signature: signature}
}

func TestSubmitRefuses(t *testing.T) {
	later := time.Now()
	s := serve(t, Config{AbsoluteMaxBytes: 20_000, Now: func() time.Time { return later }})
	spoilt := func(spoil func(*cb.ChannelHeader)) func() *cb.Envelope {
		return func() *cb.Envelope { return s.envelope(t, spoil) }
	}
	for name, c := range map[string]struct {
		make func() *cb.Envelope
		want cb.Status
	}{
		"NoPayload":    {func() *cb.Envelope { return &cb.Envelope{} }, cb.Status_BAD_REQUEST},
		"NoHeader":     {func() *cb.Envelope { return &cb.Envelope{Payload: []byte{0xff}} }, cb.Status_BAD_REQUEST},
		"OtherChannel": {spoilt(func(h *cb.ChannelHeader) { h.ChannelId = "other" }), cb.Status_NOT_FOUND},
		"ConfigUpdate": {spoilt(func(h *cb.ChannelHeader) { h.Type = int32(cb.HeaderType_CONFIG_UPDATE) }), cb.Status_BAD_REQUEST},
		"TooLarge":     {spoilt(func(h *cb.ChannelHeader) { h.Extension = make([]byte, 20_000) }), cb.Status_BAD_REQUEST},
		"BadSignature": {func() *cb.Envelope {
			envelope := s.envelope(t, nil)
			envelope.Signature[10] ^= 1
			return envelope
		}, cb.Status_FORBIDDEN},
		"Expired": {func() *cb.Envelope {
			later = time.Now().AddDate(10, 0, 0)
			return s.envelope(t, nil)
		}, cb.Status_BAD_REQUEST},
	} {
		t.Run(name, func(t *testing.T) {
			later = time.Now()
			var refusal *Refusal
			require.ErrorAs(t, s.orderer.Submit(t.Context(), c.make()), &refusal)
			require.Equal(t, c.want.String(), refusal.Status.String())
		})
	}
	require.EqualValues(t, 1, s.ledger.Height())
}

func TestSubmitAfterCloseIsRefused(t *testing.T) {
	s := serve(t, Config{})
	require.NoError(t, s.orderer.Submit(t.Context(), s.envelope(t, nil)))
	require.NoError(t, s.orderer.Close())
	require.EqualValues(t, 2, s.ledger.Height(), "what was taken is committed")
	var refusal *Refusal
	require.ErrorAs(t, s.orderer.Submit(context.Background(), s.envelope(t, nil)), &refusal)
	require.Equal(t, cb.Status_SERVICE_UNAVAILABLE, refusal.Status)
}

// TestBlocksKeepTheirBounds: however fast envelopes come, no block is over its
// count or size, none is lost and their order is kept.
func TestBlocksKeepTheirBounds(t *testing.T) {
	const envelopes = 300
	s := serve(t, Config{MaxCount: 7, MaxBytes: 4000})
	var sent []string
	for range envelopes {
		envelope := s.envelope(t, nil)
		require.NoError(t, s.orderer.Submit(t.Context(), envelope))
		serialized, err := proto.Marshal(envelope)
		require.NoError(t, err)
		sent = append(sent, string(serialized))
	}
	require.NoError(t, s.orderer.Close())
	var found []string
	for number := uint64(1); number < s.ledger.Height(); number++ {
		block, err := s.ledger.Block(number)
		require.NoError(t, err)
		size := 0
		for _, envelope := range block.GetData().GetData() {
			size += len(envelope)
			found = append(found, string(envelope))
		}
		require.LessOrEqual(t, len(block.GetData().GetData()), 7)
		if len(block.GetData().GetData()) > 1 {
			require.LessOrEqual(t, size, 4000)
		}
	}
	require.Equal(t, sent, found)
}
