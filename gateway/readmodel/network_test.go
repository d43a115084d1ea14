package readmodel_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/contract"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/signature"
	"github.com/steelyard-ledger/steelyard/gateway/fabric"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/outbox"
	"github.com/steelyard-ledger/steelyard/gateway/readmodel"
	"github.com/steelyard-ledger/steelyard/gateway/wallet"
	"github.com/steelyard-ledger/steelyard/network/consortium"
	"github.com/steelyard-ledger/steelyard/network/embedded"
)

// chain is an embedded network with the real contract, and the blocks that a
// client of it has followed.
type chain struct {
	t      *testing.T
	client *fabric.Client
	trust  ledger.Trust
	mutex  sync.Mutex
	blocks []ledger.Block
}

func startChain(t *testing.T) *chain {
	metrologyContract, err := contract.New()
	require.NoError(t, err)
	collections, err := consortium.Collections()
	require.NoError(t, err)
	network, err := embedded.Start(t.Context(), embedded.Config{
		Dir: t.TempDir(), Listen: "127.0.0.1:0", Channel: channel,
		Chaincodes: []embedded.Chaincode{{Name: chaincode, Contract: metrologyContract, Collections: collections}},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, network.Close()) })
	c := &chain{t: t}
	c.trust, err = ledger.ParseTrust(network.Trust())
	require.NoError(t, err)
	identities := t.TempDir()
	for _, role := range []metrology.Role{metrology.RoleRegulator, metrology.RoleInstitute} {
		msp := metrology.RoleOrganizations[role]
		pair, err := network.Enroll(msp, map[string]string{"role": string(role), "subject": string(role) + "-1"})
		require.NoError(t, err)
		require.NoError(t, wallet.Put(identities, string(role), msp, pair.Certificate, pair.Key))
	}
	c.connect(network, identities)
	return c
}

func (c *chain) connect(network *embedded.Network, identities string) {
	box, err := outbox.Open(context.Background(), filepath.Join(c.t.TempDir(), "outbox.db"))
	require.NoError(c.t, err)
	c.t.Cleanup(func() { require.NoError(c.t, box.Close()) })
	config := fabric.Config{Channel: channel, Chaincode: chaincode, Wallet: identities, Trust: c.trust, Outbox: box}
	for _, p := range network.Peers() {
		config.Peers = append(config.Peers, fabric.Peer{MSPID: p.MSPID, Endpoint: p.Endpoint, ServerName: p.ServerName, TLSRoots: p.TLSRootsPEM})
	}
	c.client, err = fabric.Connect(context.Background(), config)
	require.NoError(c.t, err)
	c.t.Cleanup(func() { require.NoError(c.t, c.client.Close()) })
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.client.Follow(ctx, nil, c.apply) }()
	c.t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			c.t.Errorf("follow ended: %v", err)
		}
	})
}

func (c *chain) apply(_ context.Context, blocks ...ledger.Block) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.blocks = append(c.blocks, blocks...)
	return nil
}

func (c *chain) followed() []ledger.Block {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return slices.Clone(c.blocks)
}

// submit commits a transaction and returns the number of its block.
func (c *chain) submit(as metrology.Role, function string, request any, profile *metrology.Profile) uint64 {
	c.t.Helper()
	raw, err := json.Marshal(request)
	require.NoError(c.t, err)
	call := fabric.Call{Identity: string(as), Function: function, Request: raw}
	if profile != nil {
		call.Transient = map[string][]byte{"profile": encode(profile)}
	}
	receipt, err := c.client.Submit(c.t.Context(), "op-"+time.Now().Format("150405.000000000"), call)
	require.NoError(c.t, err, function)
	return receipt.BlockNumber
}

// play uses every kind of write that the read model treats in its own way: a
// profile that stays, one that is replaced, one that is purged, a batch, a
// revocation. It returns the block of the profile that stays.
func (c *chain) play() (stays uint64) {
	day := metrology.DateOf(time.Now())
	signer, err := signature.GenerateP256()
	require.NoError(c.t, err)
	named := func(name string) *metrology.Profile { p := profile(name); return &p }
	c.submit(metrology.RoleRegulator, "operation:Bootstrap", metrology.Bootstrap{}, nil)
	for _, id := range []string{"stays", "replaced", "purged"} {
		block := c.submit(metrology.RoleRegulator, "merchant:Register",
			metrology.RegisterMerchant{ID: id, Kind: metrology.MerchantStall, Sector: metrology.SectorMarket, Region: "310115"}, named(id))
		if id == "stays" {
			stays = block
		}
	}
	c.submit(metrology.RoleRegulator, "merchant:Amend",
		metrology.AmendMerchant{ID: "replaced", Sector: metrology.SectorShop, Region: "310115", Profile: true}, named("second"))
	c.submit(metrology.RoleRegulator, "merchant:PurgeProfile", metrology.MerchantAction{ID: "purged"}, nil)
	c.submit(metrology.RoleRegulator, "issuer:Register", metrology.RegisterIssuer{ID: "lab", Region: "310115", Grants: []metrology.Grant{{
		Authority: metrology.AuthorityAuthorized, From: day.AddDays(-9), Until: day.AddDays(9), Scope: []metrology.ScopeItem{{Category: "24-2", Regulation: "JJG 443-2023"}},
	}}}, named("Laboratory"))
	c.submit(metrology.RoleRegulator, "issuer:AddKey", metrology.AddIssuerKey{ID: "lab", SPKI: signer.Key().SPKI(), From: day.AddDays(-9), Until: day.AddDays(9)}, nil)
	c.submit(metrology.RoleRegulator, "issuer:Appoint", metrology.AppointAgent{ID: "lab", Subject: "institute-1"}, nil)
	l := leaf("N-1", "", func(l *metrology.Leaf) { l.Performed, l.Issued, l.ValidUntil = day, day, day.AddDays(90) })
	raw, err := l.Bytes()
	require.NoError(c.t, err)
	root := leafHash(raw) // of a batch of one
	signed, err := signer.Sign(metrology.BatchMessage("lab", ledgerHash(root), 1))
	require.NoError(c.t, err)
	c.submit(metrology.RoleInstitute, "certificate:AnchorBatch",
		metrology.AnchorBatch{Issuer: "lab", Leaves: []json.RawMessage{raw}, Root: root, Key: signer.Key().ID(), Signature: signed}, nil)
	c.submit(metrology.RoleRegulator, "certificate:Revoke", metrology.RevokeCertificate{Issuer: "lab", Number: "N-1", Reason: metrology.RevokedByCourt}, nil)
	return stays
}

// The same blocks of the real contract give the same rows in either database,
// and a private value that comes late gives the row it would have given.
func TestEmbeddedNetwork(t *testing.T) {
	c := startChain(t)
	stays := c.play()
	config := readmodel.Config{Driver: "sqlite", DSN: filepath.Join(t.TempDir(), "reference.db"), Genesis: c.trust.Genesis}
	reference := newRegister(t, config)
	for _, block := range c.followed() {
		reference.take(block)
	}
	want := reference.dump()
	onEach(t, func(t *testing.T, r *register) {
		own := r.config
		own.Genesis = c.trust.Genesis
		r = newRegister(t, own)
		for _, block := range c.followed() {
			r.take(withoutPrivate(block))
		}
		require.Empty(t, r.dump()["disclosed"])
		require.Len(t, r.missing(), 3, "what was replaced or purged is not waited for")
		require.Contains(t, r.missing(), stays)
		for _, number := range r.missing() {
			block, err := c.client.Block(t.Context(), number)
			require.NoError(t, err)
			require.Equal(t, 1, r.fill(block))
		}
		require.Empty(t, r.missing())
		require.Equal(t, want, r.dump())
		require.Equal(t, "stays", r.name("stays"))
		require.Equal(t, "second", r.name("replaced"))
		require.Equal(t, "", r.name("purged"))
	})
}

// withoutPrivate is the block as a peer gives it before the values reached it.
func withoutPrivate(block ledger.Block) ledger.Block {
	block.Transactions = slices.Clone(block.Transactions)
	for i := range block.Transactions {
		private := slices.Clone(block.Transactions[i].Private)
		for k := range private {
			private[k] = absent(private[k])
		}
		block.Transactions[i].Private = private
	}
	return block
}
