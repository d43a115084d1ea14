package evidence

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
)

// scene is a network with one anchored batch, in a block with a stranger's
// transaction and rubbish that no peer could read.
type scene struct {
	*consortium
	anchoring
	from Anchoring
}

// newScene anchors a batch of three leaves after change had its way with it.
func newScene(t testing.TB, consensus string, change func(*consortium, *anchoring)) scene {
	c := newConsortium(t, consensus)
	a := c.anchoring(leaf(1), leaf(2), leaf(3))
	if change != nil {
		change(c, &a)
	}
	configurations := []ledger.Block{parse(t, c.genesis)}
	c.block(c.envelope(common.HeaderType_MESSAGE, []byte("rubbish")))
	configurations = append(configurations, parse(t, c.configBlock()))
	block := c.block(c.envelope(common.HeaderType_MESSAGE, []byte("rubbish")), c.transaction(a.call))
	block.Metadata.Metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER] = []byte{notValidated, 0}
	from := Anchoring{Block: parse(t, block), Transaction: 1, Configurations: configurations, IssuerKey: a.spki}
	return scene{c, a, from}
}

// reading is a query endorsed by these peers that found the batch at a version.
func (s scene) reading(block, transaction uint64, endorsers ...node) *Reading {
	prepared := s.transaction(call{
		chaincode: chaincodeName, function: "certificate:Batch", request: []byte("{}"), status: 200, endorsers: endorsers,
		set: &kvrwset.KVRWSet{Reads: []*kvrwset.KVRead{
			{Key: "batch/INST-001/" + s.batch.Root, Version: &kvrwset.Version{BlockNum: block, TxNum: transaction}},
		}},
	})
	reading, err := ReadingOf(prepared)
	require.NoError(s.t, err)
	return reading
}

func TestVerify(t *testing.T) {
	for _, consensus := range []string{"BFT", "etcdraft"} {
		t.Run(consensus, func(t *testing.T) {
			s := newScene(t, consensus, nil)
			s.from.Reading = s.reading(3, 1, s.peers["RegulatorMSP"], s.peers["AssociationMSP"])
			bundle, err := Build(s.trust(), s.from, "JL2026-0002")
			require.NoError(t, err)

			encoded, err := bundle.Encode()
			require.NoError(t, err)
			again, err := Parse(encoded)
			require.NoError(t, err)
			result, err := Verify(again, s.trust(), leaf(2).Digests)
			require.NoError(t, err)
			require.Equal(t, leaf(2), result.Leaf)
			require.Equal(t, leaf(2).Digests, result.Matched)
			require.EqualValues(t, 3, result.Block)
			require.Equal(t, s.from.Block.Hash, result.BlockHash)
			require.Equal(t, []string{"InstituteMSP", "NotaryMSP", "RegulatorMSP"}, result.Endorsers)
			require.Equal(t, []string{"AssociationMSP", "RegulatorMSP"}, result.Readers)
			require.Len(t, result.Orderers, map[string]int{"BFT": 3, "etcdraft": 1}[consensus])
			require.Equal(t, "2026-03-02T08:00:00Z", result.Claimed.Format("2006-01-02T15:04:05Z07:00"))
		})
	}
	s := newScene(t, "BFT", nil)
	bundle, err := Build(s.trust(), s.from, "JL2026-0002")
	require.NoError(t, err)
	t.Run("no file, no match", func(t *testing.T) {
		result, err := Verify(bundle, s.trust(), nil)
		require.NoError(t, err)
		require.Empty(t, result.Matched)
		require.Empty(t, result.Readers)
	})
	t.Run("another file", func(t *testing.T) {
		result, err := Verify(bundle, s.trust(), leaf(1).Digests)
		require.ErrorIs(t, err, ErrOtherFile)
		require.Equal(t, "JL2026-0002", result.Leaf.Number)
	})
	t.Run("another ledger's trust file", func(t *testing.T) {
		_, err := Verify(bundle, newConsortium(t, "BFT").trust(), nil)
		require.ErrorIs(t, err, ErrNotProven)
	})
	t.Run("same organisations, another block 0", func(t *testing.T) {
		trust := s.trust()
		trust.Genesis[0]++
		_, err := Verify(bundle, trust, nil)
		require.ErrorIs(t, err, ledger.ErrForeignLedger)
	})
}

// forgeries is what a forger may try who controls everything but the keys of a
// majority.
func forgeries() map[string]func(*consortium, *anchoring) {
	return map[string]func(*consortium, *anchoring){
		"two of four organisations endorsed": func(_ *consortium, a *anchoring) { a.endorsers = a.endorsers[:2] },
		"one peer endorsed three times": func(_ *consortium, a *anchoring) {
			a.endorsers = []node{a.endorsers[1], a.endorsers[1], a.endorsers[1]}
		},
		"the gate's owner did not endorse": func(c *consortium, a *anchoring) {
			a.endorsers = []node{c.peers["RegulatorMSP"], c.peers["AssociationMSP"], c.peers["NotaryMSP"]}
		},
		"no gate passed":    func(_ *consortium, a *anchoring) { a.set.Writes = a.set.Writes[:1] },
		"a client endorsed": func(c *consortium, a *anchoring) { a.endorsers[1] = c.user },
		"a stranger's certificate": func(c *consortium, a *anchoring) {
			a.endorsers[1] = newConsortium(c.t, "BFT").peers["InstituteMSP"]
		},
		"a foreign endorsement beside enough good ones": func(c *consortium, a *anchoring) {
			a.endorsers = append(a.endorsers, newConsortium(c.t, "BFT").peers["AssociationMSP"])
		},
		"response of another proposal": func(_ *consortium, a *anchoring) { a.stranger = true },
		"the chaincode refused":        func(_ *consortium, a *anchoring) { a.status = 500 },
		"another chaincode":            func(_ *consortium, a *anchoring) { a.chaincode = "other" },
		"no batch written":             func(_ *consortium, a *anchoring) { a.set.Writes = a.set.Writes[1:] },
		"the batch deleted":            func(_ *consortium, a *anchoring) { a.set.Writes[0].IsDelete = true },
		"record of another root": func(_ *consortium, a *anchoring) {
			root := a.batch.Root
			a.batch.Root = strings.Repeat("0", 64)
			a.write()
			a.set.Writes[0].Key = "batch/INST-001/" + root
		},
		"record of another issuer":  func(_ *consortium, a *anchoring) { a.batch.Issuer = "INST-002"; a.write() },
		"record with another count": func(_ *consortium, a *anchoring) { a.batch.Count = 4; a.write() },
		"record with no count":      func(_ *consortium, a *anchoring) { a.batch.Count = 0; a.write() },
		"signed with another key":   func(_ *consortium, a *anchoring) { a.batch.Key = strings.Repeat("0", 64); a.write() },
		"no issuer's signature":     func(_ *consortium, a *anchoring) { a.batch.Signature = nil; a.write() },
	}
}

func TestVerify_ErrNotProven(t *testing.T) {
	for name, change := range forgeries() {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, "BFT", change)
			_, err := Build(s.trust(), s.from, "JL2026-0002")
			require.ErrorIs(t, err, ErrNotProven)
		})
	}
}

// falseReadings say nothing of this transaction.
func (s scene) falseReadings() map[string]*Reading {
	regulator, institute := s.peers["RegulatorMSP"], s.peers["InstituteMSP"]
	return map[string]*Reading{
		"one organisation only":      s.reading(3, 1, regulator),
		"the key's version is older": s.reading(2, 1, regulator, institute),
		"another transaction's":      s.reading(3, 0, regulator, institute),
		"a client's word":            s.reading(3, 1, regulator, s.user),
		"nothing signed":             {},
	}
}

func TestVerify_Reading(t *testing.T) {
	s := newScene(t, "BFT", nil)
	for name, reading := range s.falseReadings() {
		t.Run(name, func(t *testing.T) {
			s.from.Reading = reading
			_, err := Build(s.trust(), s.from, "JL2026-0002")
			require.ErrorIs(t, err, ErrNotProven)
		})
	}
}

// patchworks put a good bundle's parts together otherwise.
func patchworks() map[string]func(*Bundle) {
	return map[string]func(*Bundle){
		"none":                          func(b *Bundle) { b.Configurations = nil },
		"not from block 0":              func(b *Bundle) { b.Configurations = b.Configurations[1:] },
		"not the one in force":          func(b *Bundle) { b.Configurations = b.Configurations[:1] },
		"twice the same":                func(b *Bundle) { b.Configurations = append(b.Configurations, b.Configurations[1]) },
		"the block itself for one":      func(b *Bundle) { b.Configurations[1] = b.Block },
		"a block 0 with a signature":    func(b *Bundle) { b.Configurations[0].Signatures = b.Block.Signatures },
		"a block without signatures":    func(b *Bundle) { b.Block.Signatures = nil },
		"envelopes cut at another seam": func(b *Bundle) { b.Block.Envelopes = moveSeam(b.Block.Envelopes) },
		"a transaction that is not":     func(b *Bundle) { b.Transaction = 2 },
		"a negative transaction":        func(b *Bundle) { b.Transaction = -1 },
		"the stranger's transaction":    func(b *Bundle) { b.Transaction = 0 },
		"another key":                   func(b *Bundle) { b.IssuerKey = nil },
		"another format":                func(b *Bundle) { b.Format = "" },
	}
}

// patched is a copy of the bundle after change had its way with it.
func (b Bundle) patched(change func(*Bundle)) Bundle {
	b.Configurations = append([]Block(nil), b.Configurations...)
	change(&b)
	return b
}

func TestVerify_Configurations(t *testing.T) {
	s := newScene(t, "BFT", nil)
	bundle, err := Build(s.trust(), s.from, "JL2026-0002")
	require.NoError(t, err)
	for name, change := range patchworks() {
		t.Run(name, func(t *testing.T) {
			_, err := Verify(bundle.patched(change), s.trust(), nil)
			require.ErrorIs(t, err, ErrNotProven)
		})
	}
}

func moveSeam(envelopes [][]byte) [][]byte {
	first := append(bytes.Clone(envelopes[0]), envelopes[1][0])
	return [][]byte{first, envelopes[1][1:]}
}

func TestBuild(t *testing.T) {
	s := newScene(t, "BFT", nil)
	t.Run("a number that the batch lacks", func(t *testing.T) {
		_, err := Build(s.trust(), s.from, "JL2026-0009")
		require.ErrorContains(t, err, "does not anchor")
	})
	t.Run("an invalid transaction", func(t *testing.T) {
		from := s.from
		from.Block.Transactions = append([]ledger.Transaction(nil), from.Block.Transactions...)
		from.Block.Transactions[1].Code = 11
		_, err := Build(s.trust(), from, "JL2026-0002")
		require.ErrorContains(t, err, "MVCC_READ_CONFLICT")
	})
	t.Run("a single certificate is a batch of one", func(t *testing.T) {
		s := newScene(t, "etcdraft", func(c *consortium, a *anchoring) {
			*a = c.anchoring(leaf(7))
			encoded, _ := leaf(7).Bytes()
			a.function = functionSingle
			a.request = encodeJSON(t, metrology.AnchorCertificate{Issuer: "INST-001", Leaf: encoded})
		})
		bundle, err := Build(s.trust(), s.from, "JL2026-0007")
		require.NoError(t, err)
		require.Empty(t, bundle.Hashes)
	})
}

func TestParse(t *testing.T) {
	s := newScene(t, "BFT", nil)
	bundle, err := Build(s.trust(), s.from, "JL2026-0002")
	require.NoError(t, err)
	good, err := bundle.Encode()
	require.NoError(t, err)
	for name, text := range map[string]string{
		"unknown member":  strings.Replace(string(good), `{"format"`, `{"x":1,"format"`, 1),
		"member twice":    strings.Replace(string(good), `{"format"`, `{"index":1,"format"`, 1),
		"another case":    strings.Replace(string(good), `"format"`, `"Format"`, 1),
		"white space":     " " + string(good),
		"trailing bytes":  string(good) + " ",
		"another format":  strings.Replace(string(good), Format, "steelyard-evidence/2", 1),
		"not JSON":        "evidence",
		"padding bits":    strings.Replace(string(good), `="`, `-"`, 1),
		"indented":        indent(t, good),
		"a member absent": strings.Replace(string(good), `"index":1,`, "", 1),
	} {
		_, err := Parse([]byte(text))
		require.Error(t, err, name)
	}
}

func indent(t *testing.T, encoded []byte) string {
	var out bytes.Buffer
	require.NoError(t, json.Indent(&out, encoded, "", " "))
	return out.String()
}

// No single flipped bit of the file leaves it holding. -short tries one in 13.
func TestFlippedBits(t *testing.T) {
	c := newConsortium(t, "etcdraft")
	a := c.anchoring(leaf(1), leaf(2))
	block := parse(t, c.block(c.transaction(a.call)))
	s := scene{c, a, Anchoring{Block: block, Configurations: []ledger.Block{parse(t, c.genesis)}, IssuerKey: a.spki}}
	s.from.Reading = s.reading(1, 0, s.peers["RegulatorMSP"], s.peers["AssociationMSP"])
	bundle, err := Build(s.trust(), s.from, "JL2026-0002")
	require.NoError(t, err)
	encoded, err := bundle.Encode()
	require.NoError(t, err)

	trust, bits, workers, stride := s.trust(), len(encoded)*8, runtime.GOMAXPROCS(0), 1
	if testing.Short() {
		stride = 13
	}
	var tried atomic.Int64
	var group errgroup.Group
	for worker := range workers {
		group.Go(func() error {
			flipped, verifier := bytes.Clone(encoded), NewVerifier(trust)
			for bit := worker * stride; bit < bits; bit += workers * stride {
				flipped[bit/8] ^= 1 << (bit % 8)
				tried.Add(1)
				changed, err := Parse(flipped)
				if err == nil {
					_, err = verifier.Verify(changed, leaf(2).Digests)
				}
				if err == nil {
					return fmt.Errorf("the evidence still holds with bit %d flipped", bit)
				}
				flipped[bit/8] ^= 1 << (bit % 8)
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	t.Logf("%d of %d bits flipped, none unseen", tried.Load(), bits)
}

// The same below the file's encoding, where a flip is not caught by base64 or
// JSON: in the leaf, the proof, the key and the signatures.
func TestFlippedBits_Parts(t *testing.T) {
	s := newScene(t, "BFT", nil)
	bundle, err := Build(s.trust(), s.from, "JL2026-0002")
	require.NoError(t, err)
	require.Len(t, bundle.Hashes, 2)
	trust := s.trust()
	verifier := NewVerifier(trust)
	parts := map[string][]byte{
		"leaf": bundle.Leaf, "proof 0": bundle.Hashes[0], "proof 1": bundle.Hashes[1], "key": bundle.IssuerKey,
		"signatures": bundle.Block.Signatures, "configuration's signatures": bundle.Configurations[1].Signatures,
		"previous hash": bundle.Block.PreviousHash,
	}
	for name, part := range parts {
		for bit := range len(part) * 8 {
			part[bit/8] ^= 1 << (bit % 8)
			_, err := verifier.Verify(bundle, leaf(2).Digests)
			require.Error(t, err, "%s bit %d", name, bit)
			part[bit/8] ^= 1 << (bit % 8)
		}
	}
	for bit := range 64 {
		changed := bundle
		changed.Index ^= 1 << bit
		_, err := Verify(changed, trust, nil)
		require.Error(t, err)
		changed = bundle
		changed.Block.Number ^= 1 << bit
		_, err = Verify(changed, trust, nil)
		require.Error(t, err)
	}
	_, err = Verify(bundle, trust, leaf(2).Digests)
	require.NoError(t, err, "all bits are back")
}

func FuzzParse(f *testing.F) {
	s := newScene(f, "etcdraft", nil)
	bundle, err := Build(s.trust(), s.from, "JL2026-0001")
	if err != nil {
		f.Fatal(err)
	}
	encoded, err := bundle.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(encoded)
	trust := s.trust()
	f.Fuzz(func(t *testing.T, data []byte) {
		if changed, err := Parse(data); err == nil && !bytes.Equal(data, encoded) {
			_, err := Verify(changed, trust, nil)
			require.Error(t, err)
		}
	})
}
