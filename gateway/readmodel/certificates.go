package readmodel

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// anchorLeaves stores the leaves that an anchoring transaction carries in its
// request; world state holds only their hashes.
func (a *applier) anchorLeaves(c *change) error {
	var leaves []json.RawMessage
	switch c.Function {
	case "certificate:AnchorBatch":
		request, err := read[metrology.AnchorBatch](firstArgument(c))
		if err != nil {
			return err
		}
		leaves = request.Leaves
	case "certificate:Anchor":
		request, err := read[metrology.AnchorCertificate](firstArgument(c))
		if err != nil {
			return err
		}
		leaves = []json.RawMessage{request.Leaf}
	default:
		return nil
	}
	if len(c.Writes) == 0 {
		return nil // a second commit under the same operation id
	}
	place := leafPlace{records: make(map[string][]byte, len(c.Writes))}
	for _, w := range c.Writes {
		switch kind, rest, _ := strings.Cut(w.Key, "/"); metrology.Kind(kind) {
		case metrology.KindCertificate:
			place.records[w.Key] = w.Value
		case metrology.KindBatch:
			place.root = rest[strings.LastIndexByte(rest, '/')+1:]
		}
	}
	if err := a.row(`SELECT COALESCE(MAX(seq), 0) FROM certificates`).Scan(&c.before); err != nil {
		return fmt.Errorf("count certificates: %w", err)
	}
	place.first = c.before + 1
	for part := range decodeLeaves(place, leaves) {
		if part.err != nil {
			return part.err
		}
		for _, key := range part.plain {
			c.anchored[key] = true
		}
		if err := part.insert(a); err != nil {
			return err
		}
		if err := part.settle(a, c); err != nil {
			return err
		}
	}
	return nil
}

// leafPlace is where the leaves of a transaction stand, and what it wrote of them.
type leafPlace struct {
	first   int64  // seq of the first
	root    string // of the batch
	records map[string][]byte
}

// decodeLeaves makes the rows of leaves, a chunk at a time and ahead of who
// inserts them, since reading them takes as long as a third of storing them.
func decodeLeaves(place leafPlace, leaves []json.RawMessage) <-chan leafRows {
	parts := make(chan leafRows, len(leaves)/chunk+1) // all, so that nobody need take them
	go func() {
		defer close(parts)
		for from := 0; from < len(leaves); from += chunk {
			part := leafRows{}
			for i := from; i < min(from+chunk, len(leaves)) && part.err == nil; i++ {
				if err := part.add(place, i, leaves[i]); err != nil {
					part.err = fmt.Errorf("leaf %d: %w", i, err)
				}
			}
			parts <- part
			if part.err != nil {
				return
			}
		}
	}()
	return parts
}

func firstArgument(c *change) []byte {
	if len(c.Args) == 0 {
		return nil
	}
	return c.Args[0]
}

// leafHash is the hex RFC 6962 leaf hash of a leaf's bytes.
func leafHash(raw []byte) string {
	digest := sha256.New()
	digest.Write([]byte{0})
	digest.Write(raw)
	return hex.EncodeToString(digest.Sum(nil))
}

// leafRows are the rows of some leaves of one transaction, or why they could
// not be made.
type leafRows struct {
	certificates, instruments [][]any
	digests                   []digestRow
	verifications             []verification
	plain                     []string // keys of the certificates whose records tell no more than that
	err                       error
}

func (r *leafRows) add(place leafPlace, index int, raw []byte) error {
	leaf, err := read[metrology.Leaf](raw)
	if err != nil {
		return err
	}
	key := metrology.CertificateKey(leaf.Issuer, leaf.Number)
	record, ok := place.records[key]
	if !ok {
		return fmt.Errorf("the transaction wrote no record of certificate %s of %s", leaf.Number, leaf.Issuer)
	}
	// The hash on the ledger vouches that these are the bytes whose form the
	// contract has checked.
	hash := leafHash(raw)
	if plain, err := isPlain(record, metrology.Certificate{Batch: place.root, Index: index, LeafHash: hash, State: metrology.CertificateAnchored}); err != nil {
		return err
	} else if plain {
		r.plain = append(r.plain, key)
	}
	seq := place.first + int64(index)
	id, _ := keyOf(hash)
	r.certificates = append(r.certificates, []any{seq, place.first, hash, id, leaf.Issuer, leaf.Number, string(raw)})
	for _, instrument := range leaf.Instruments {
		if instrument.ID == "" {
			continue
		}
		passed := passes(leaf, instrument)
		r.instruments = append(r.instruments, []any{
			instrument.ID, string(leaf.Performed), seq, flag(leaf.Kind.Verification()), flag(passed), string(leaf.ValidUntil),
		})
		r.verifications = append(r.verifications, verification{
			instrument.ID, hash, string(leaf.Performed), string(leaf.ValidUntil), passed && leaf.Kind.Verification(),
		})
	}
	r.digests = append(r.digests, digestRows(seq, leaf.Digests)...)
	return nil
}

// isPlain reports whether a record is, byte by byte, what the contract writes of
// a certificate that it anchors. One of another leaf is an error.
func isPlain(raw []byte, expected metrology.Certificate) (bool, error) {
	plain, err := json.Marshal(expected)
	if err != nil || bytes.Equal(raw, plain) {
		return true, err
	}
	record, err := read[metrology.Certificate](raw)
	if err == nil && record.LeafHash != expected.LeafHash {
		err = fmt.Errorf("its hash is %s, on the ledger %s", expected.LeafHash, record.LeafHash)
	}
	return false, err
}

func (r *leafRows) insert(a *applier) error {
	if err := a.insert(`certificates (seq, batch, id, id_key, issuer, number, leaf)`, ``, r.certificates); err != nil {
		return err
	}
	a.digests = append(a.digests, r.digests...)
	return a.insert(`certificate_instruments (instrument, performed, certificate, verification, pass, valid_until)`,
		`ON CONFLICT DO NOTHING`, r.instruments)
}

// settle brings the standing of the instruments up to date, or notes those
// that take a closer look.
func (r *leafRows) settle(a *applier, c *change) error {
	var passed []verification
	seen := make(map[string]bool, len(r.verifications))
	for _, v := range r.verifications {
		if !v.passed || v.until == "" || seen[v.instrument] {
			c.touched[v.instrument] = true
		}
		seen[v.instrument] = true
	}
	for _, v := range r.verifications {
		if !c.touched[v.instrument] {
			passed = append(passed, v)
		}
	}
	return a.advanceStandings(c, passed)
}

// passes reports whether a document says that an instrument conforms.
func passes(leaf metrology.Leaf, instrument metrology.LeafInstrument) bool {
	return leaf.Kind != metrology.KindResultNotice &&
		(instrument.Conclusion == metrology.ConclusionPass || instrument.Conclusion == metrology.ConclusionClass)
}

func digestRows(certificate int64, digests []metrology.Digest) []digestRow {
	rows := make([]digestRow, 0, len(digests))
	for _, digest := range digests {
		if key, ok := keyOf(digest.Value); ok { // the contract takes no other
			rows = append(rows, digestRow{key, certificate})
		}
	}
	return rows
}

// digestRow is an entry of the index over digests. Entries are inserted when
// all of a database transaction are known, in the order of their keys: that
// takes many fewer pages than in the order of the ledger.
type digestRow struct{ key, certificate int64 }

func (a *applier) insertDigests() error {
	slices.SortFunc(a.digests, func(x, y digestRow) int {
		return cmp.Or(cmp.Compare(x.key, y.key), cmp.Compare(x.certificate, y.certificate))
	})
	rows := make([][]any, len(a.digests))
	for i, row := range a.digests {
		rows[i] = []any{row.key, row.certificate}
	}
	return a.insert(`certificate_digests (digest_key, certificate)`, `ON CONFLICT DO NOTHING`, rows)
}

// certificate brings the record of a certificate anchored earlier up to date.
func (a *applier) certificate(c *change, key string, raw []byte) error {
	if c.anchored[key] {
		return nil // its row was made with this record
	}
	record, err := read[metrology.Certificate](raw)
	if err != nil {
		return err
	}
	issuer, number, err := certificateOf(key)
	if err != nil {
		return err
	}
	var seq int64
	switch err := a.row(`SELECT seq FROM certificates WHERE number = ? AND issuer = ?`, number, issuer).Scan(&seq); {
	case errors.Is(err, sql.ErrNoRows):
		return errors.New("no certificate was anchored under this key")
	case err != nil:
		return fmt.Errorf("find certificate: %w", err)
	}
	if err := a.exec(`UPDATE certificates SET record = ?, state = ?, successor = ?, block = ?, tx_id = ?, claimed = ? WHERE seq = ?`,
		string(raw), string(record.State), record.Successor, a.block.Number, c.ID, c.claimed, seq); err != nil {
		return err
	}
	a.digests = append(a.digests, digestRows(seq, record.Renditions)...)
	return a.touchInstruments(c, seq)
}

// certificateOf reads issuer and number from the key of a certificate.
func certificateOf(key string) (issuer, number string, err error) {
	_, parts := metrology.SplitKey(key)
	if len(parts) != 2 {
		return "", "", errors.New("is not the key of a certificate")
	}
	number, err = metrology.UnescapeKeyPart(parts[1])
	return parts[0], number, err
}

// touchInstruments notes the instruments whose verification rests on a
// certificate that has changed.
func (a *applier) touchInstruments(c *change, certificate int64) error {
	return a.touch(c, `SELECT instrument FROM certificate_instruments WHERE certificate = ?`, certificate)
}

// touch notes the instruments that a query names.
func (a *applier) touch(c *change, query string, args ...any) error {
	rows, err := a.tx.QueryContext(a.ctx, a.rebind(query), args...)
	if err != nil {
		return fmt.Errorf("find instruments: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err is checked
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return fmt.Errorf("find instruments: %w", err)
		}
		c.touched[id] = true
	}
	return rows.Err()
}

// doubt marks the batches that an issuer signed with keys that it has since
// reported compromised.
func (a *applier) doubt(c *change, issuer metrology.Issuer) error {
	for _, key := range issuer.Keys {
		if key.Reason != metrology.KeyCompromised {
			continue
		}
		if err := a.touch(c, `SELECT DISTINCT ci.instrument FROM batches b JOIN certificates c ON c.seq >= b.first AND c.seq < b.first + b.count
			JOIN certificate_instruments ci ON ci.certificate = c.seq
			WHERE b.issuer = ? AND b.key_id = ? AND b.doubtful = 0`, issuer.ID, key.ID); err != nil {
			return err
		}
		if err := a.exec(`UPDATE batches SET doubtful = 1 WHERE issuer = ? AND key_id = ? AND doubtful = 0`, issuer.ID, key.ID); err != nil {
			return err
		}
	}
	return nil
}

func (a *applier) batch(c *change, raw []byte) error {
	b, err := read[metrology.Batch](raw)
	if err != nil {
		return err
	}
	return a.exec(`INSERT INTO batches (first, issuer, root, count, key_id, signature, doubtful, block, tx_id, claimed) VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?)
		ON CONFLICT (issuer, root) DO NOTHING`,
		c.before+1, b.Issuer, b.Root, b.Count, b.Key, base64.StdEncoding.EncodeToString(b.Signature), a.block.Number, c.ID, c.claimed)
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
