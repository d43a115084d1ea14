package readmodel_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/readmodel"
)

const (
	channel   = "steelyard"
	chaincode = "metrology"
	today     = metrology.Date("2026-03-15")
)

var genesis = sha256.Sum256([]byte("block 0"))

// onEach runs a test on every database that can be had.
func onEach(t *testing.T, test func(t *testing.T, r *register)) {
	t.Run("SQLite", func(t *testing.T) {
		test(t, newRegister(t, readmodel.Config{Driver: "sqlite", DSN: filepath.Join(t.TempDir(), "a ?%#db")}))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		test(t, newRegister(t, readmodel.Config{Driver: "pgx", DSN: postgresSchema(t)}))
	})
}

// register is a read model with the synthetic ledger it follows.
type register struct {
	*readmodel.Store
	t      testing.TB
	config readmodel.Config
	blocks []ledger.Block
}

func newRegister(t testing.TB, config readmodel.Config) *register {
	config.Channel, config.Chaincode = channel, chaincode
	if config.Holder == "" {
		config.Holder = "the gateway" // the same when it is opened again
	}
	if config.Genesis.Zero() {
		config.Genesis = genesis
	}
	r := &register{t: t, config: config}
	r.open()
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return r
}

func (r *register) open() {
	store, err := readmodel.Open(context.Background(), r.config)
	require.NoError(r.t, err)
	r.Store = store
}

// next makes the block that follows, without applying it.
func (r *register) next(transactions ...ledger.Transaction) ledger.Block {
	block := ledger.Block{Number: uint64(len(r.blocks)), Hash: genesis, Transactions: transactions}
	if block.Number > 0 {
		block.PreviousHash = r.blocks[block.Number-1].Hash
		block.Hash = sha256.Sum256(fmt.Appendf(nil, "block %d", block.Number))
	}
	for i := range transactions {
		transactions[i].Index = i
	}
	return block
}

// apply adds a block to the ledger and to the read model.
func (r *register) apply(transactions ...ledger.Transaction) ledger.Block {
	r.t.Helper()
	if len(r.blocks) == 0 {
		r.take(r.next(ledger.Transaction{ID: "config", Type: 1}))
	}
	block := r.next(transactions...)
	r.take(block)
	return block
}

func (r *register) take(block ledger.Block) {
	r.t.Helper()
	require.NoError(r.t, r.Apply(r.t.Context(), block))
	r.blocks = append(r.blocks, block)
}

func (r *register) dump() map[string][]string {
	r.t.Helper()
	tables, err := r.Dump(r.t.Context())
	require.NoError(r.t, err)
	return tables
}

// refuses applies a block that must be refused, and checks that nothing changed.
func (r *register) refuses(block ledger.Block, says string) error {
	r.t.Helper()
	before := r.dump()
	err := r.Apply(r.t.Context(), block)
	require.ErrorContains(r.t, err, says)
	require.Equal(r.t, before, r.dump())
	return err
}

// act is a valid transaction of the contract.
func act(event metrology.EventType, entity string, parts ...any) ledger.Transaction {
	family, action, _ := cutEvent(event)
	t := ledger.Transaction{
		ID: "tx-" + family + "-" + action + "-" + entity, Chaincode: chaincode, Function: family + ":" + action, Channel: channel, Type: 3,
		Args: [][]byte{[]byte(`{}`), []byte("op")}, Creator: ledger.Creator{MSPID: metrology.RegulatorMSP, Role: "regulator", Subject: "p-1"},
		Timestamp: time.Date(2026, 3, 15, 8, 0, 0, 0, time.UTC), Endorsers: []string{metrology.RegulatorMSP, metrology.NotaryMSP},
		Event: &ledger.Event{Name: string(event), Payload: encode(metrology.NewEvent(event, entity))},
	}
	for _, part := range parts {
		switch part := part.(type) {
		case ledger.Write:
			t.Writes = append(t.Writes, part)
		case ledger.PrivateWrite:
			t.Private = append(t.Private, part)
		default:
			panic(part)
		}
	}
	return t
}

func cutEvent(event metrology.EventType) (family, action string, ok bool) {
	for i, c := range event {
		if c == '.' {
			return string(event[:i]), string(event[i+1:]), true
		}
	}
	return string(event), "", false
}

func encode(value any) []byte {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return raw
}

func put(key string, value any) ledger.Write {
	return ledger.Write{Namespace: chaincode, Key: key, Value: encode(value)}
}

// disclose writes a private value.
func disclose(key string, value any) ledger.PrivateWrite {
	w := privately(key)
	w.Key, w.Value = key, encode(value)
	sum := sha256.Sum256(w.Value)
	w.ValueHash = sum[:]
	return w
}

// absent is the same write without its value.
func absent(w ledger.PrivateWrite) ledger.PrivateWrite {
	w.Key, w.Value, w.Missing = "", nil, true
	return w
}

func purge(key string) ledger.PrivateWrite {
	w := privately(key)
	w.Delete, w.Purge, w.Missing = true, true, true
	return w
}

func privately(key string) ledger.PrivateWrite {
	sum := sha256.Sum256([]byte(key))
	return ledger.PrivateWrite{Namespace: chaincode, Collection: metrology.CollectionDisclosed, KeyHash: sum[:]}
}

func invalid(t ledger.Transaction, code peer.TxValidationCode) ledger.Transaction {
	t.Code = code
	return t
}

func profileKey(kind metrology.Kind, id string) string {
	return metrology.Key(metrology.KindProfile, string(kind), id)
}

func profile(name string) metrology.Profile {
	return metrology.Profile{Salt: hex.EncodeToString(make([]byte, 32)), Name: name, Phone: "000-" + name}
}

func merchant(id string) metrology.Merchant {
	return metrology.Merchant{ID: id, Kind: metrology.MerchantStall, Sector: metrology.SectorMarket, Region: "310115", State: metrology.MerchantActive, Profile: true}
}

// registers is the registration of a merchant with its profile.
func registers(m metrology.Merchant, name string) ledger.Transaction {
	return act(metrology.EventMerchantRegistered, m.ID, put(metrology.Key(metrology.KindMerchant, m.ID), m),
		disclose(profileKey(metrology.KindMerchant, m.ID), profile(name)))
}

func digestOf(text string) metrology.Digest {
	sum := sha256.Sum256([]byte(text))
	return metrology.Digest{Algorithm: metrology.AlgorithmSHA256, Value: hex.EncodeToString(sum[:])}
}

// leaf is a verification certificate of an instrument, with the file "file <number>".
func leaf(number, instrument string, change ...func(*metrology.Leaf)) metrology.Leaf {
	l := metrology.Leaf{
		Issuer: "lab", Kind: metrology.KindVerification, Number: number, Regulation: "JJG 443-2023", Performed: "2026-01-10", Issued: "2026-01-11",
		ValidUntil: "2026-07-09", Digests: []metrology.Digest{digestOf("file " + number)},
		Instruments: []metrology.LeafInstrument{{Category: "24-2", ID: instrument, Serial: "S-" + number, Conclusion: metrology.ConclusionPass}},
	}
	for _, c := range change {
		c(&l)
	}
	return l
}

func leafHash(raw []byte) string {
	sum := sha256.Sum256(append([]byte{0}, raw...))
	return hex.EncodeToString(sum[:])
}

func leafID(l metrology.Leaf) string {
	raw, err := l.Bytes()
	if err != nil {
		panic(err)
	}
	return leafHash(raw)
}

func recordOf(l metrology.Leaf, root string, index int) metrology.Certificate {
	return metrology.Certificate{Batch: root, Index: index, LeafHash: leafID(l), State: metrology.CertificateAnchored}
}

// anchors is a batch. The root is no RFC 6962 root: the read model leaves that
// to the contract and to those who verify.
func anchors(root string, leaves ...metrology.Leaf) ledger.Transaction {
	request := metrology.AnchorBatch{Issuer: "lab", Root: root, Key: "k", Signature: []byte("s")}
	t := act(metrology.EventCertificatesAnchored, metrology.BatchID("lab", root))
	for i, l := range leaves {
		raw, err := l.Bytes()
		if err != nil {
			panic(err)
		}
		request.Leaves = append(request.Leaves, raw)
		t.Writes = append(t.Writes, put(metrology.CertificateKey("lab", l.Number), recordOf(l, root, i)))
	}
	t.Function, t.Args = "certificate:AnchorBatch", [][]byte{encode(request), []byte("op")}
	t.Writes = append(t.Writes,
		put(metrology.Key(metrology.KindGate, metrology.GateInstitute), "x"), put(metrology.Key(metrology.KindOperation, "M", "s", "op"), "x"),
		put(metrology.Key(metrology.KindBatch, "lab", root), metrology.Batch{Issuer: "lab", Root: root, Count: len(leaves), Key: "k", Signature: []byte("s")}))
	return t
}

func ledgerHash(text string) (hash ledger.Hash) {
	raw, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	copy(hash[:], raw)
	return hash
}
