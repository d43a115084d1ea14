package readmodel

import (
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
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
	records, err := certificateRecords(c)
	if err != nil {
		return err
	}
	if err := a.row(`SELECT COALESCE(MAX(seq), 0) FROM certificates`).Scan(&c.before); err != nil {
		return fmt.Errorf("count certificates: %w", err)
	}
	for part := range decodeLeaves(leafPlace{c.before + 1, a.block.Number, c.ID, c.claimed}, leaves, records) {
		if part.err != nil {
			return part.err
		}
		for _, key := range part.keys {
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

// leafPlace is where the leaves of a transaction stand.
type leafPlace struct {
	first   int64 // seq of the first
	block   uint64
	tx      string
	claimed string
}

// decodeLeaves makes the rows of leaves, a chunk at a time and ahead of who
// inserts them, since reading them takes as long as a third of storing them.
func decodeLeaves(place leafPlace, leaves []json.RawMessage, records map[string]written) <-chan leafRows {
	parts := make(chan leafRows, len(leaves)/chunk+1) // all, so that nobody need take them
	go func() {
		defer close(parts)
		for from := 0; from < len(leaves); from += chunk {
			part := leafRows{}
			for i := from; i < min(from+chunk, len(leaves)) && part.err == nil; i++ {
				if err := part.add(place, i, leaves[i], records); err != nil {
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

// written is the record of a certificate as a transaction wrote it.
type written struct {
	metrology.Certificate
	raw []byte
}

// certificateRecords are the records a transaction wrote, by their keys.
func certificateRecords(c *change) (map[string]written, error) {
	records := make(map[string]written, len(c.Writes))
	for _, w := range c.Writes {
		if kind, _, _ := strings.Cut(w.Key, "/"); metrology.Kind(kind) != metrology.KindCertificate {
			continue
		}
		record, err := read[metrology.Certificate](w.Value)
		if err != nil {
			return nil, err
		}
		records[w.Key] = written{record, w.Value}
	}
	return records, nil
}

// leafRows are the rows of some leaves of one transaction, or why they could
// not be made.
type leafRows struct {
	certificates, digests, instruments [][]any
	verifications                      []verification
	keys                               []string // of the certificates
	err                                error
}

func (r *leafRows) add(place leafPlace, index int, raw []byte, records map[string]written) error {
	leaf, err := read[metrology.Leaf](raw)
	if err != nil {
		return err
	}
	key := metrology.CertificateKey(leaf.Issuer, leaf.Number)
	record, ok := records[key]
	if !ok {
		return fmt.Errorf("the transaction wrote no record of certificate %s of %s", leaf.Number, leaf.Issuer)
	}
	// The hash on the ledger vouches that these are the bytes whose form the
	// contract has checked.
	if hash := leafHash(raw); hash != record.LeafHash {
		return fmt.Errorf("its hash is %s, on the ledger %s", hash, record.LeafHash)
	}
	seq := place.first + int64(index)
	r.keys = append(r.keys, key)
	r.certificates = append(r.certificates, []any{
		seq, place.first, record.LeafHash, leaf.Issuer, leaf.Number,
		string(raw), string(record.raw), string(record.State), "", "", place.block, place.tx, place.claimed,
	})
	for _, instrument := range leaf.Instruments {
		if instrument.ID == "" {
			continue
		}
		passed := passes(leaf, instrument)
		r.instruments = append(r.instruments, []any{
			instrument.ID, string(leaf.Performed), seq, flag(leaf.Kind.Verification()), flag(passed), string(leaf.ValidUntil),
		})
		r.verifications = append(r.verifications, verification{
			instrument.ID, record.LeafHash, string(leaf.Performed), string(leaf.ValidUntil), passed && leaf.Kind.Verification(),
		})
	}
	digests, err := digestRows(seq, leaf.Digests)
	r.digests = append(r.digests, digests...)
	return err
}

func (r *leafRows) insert(a *applier) error {
	if err := a.insert(`certificates (seq, batch, id, issuer, number, leaf, record, state, successor, failed_later, block, tx_id, claimed)`, ``, r.certificates); err != nil {
		return err
	}
	if err := a.insertDigests(r.digests); err != nil {
		return err
	}
	return a.insert(`certificate_instruments (instrument, performed, certificate, verification, pass, valid_until)`,
		`ON CONFLICT DO NOTHING`, r.instruments)
}

// settle brings the standing of the instruments up to date, or notes those
// that take a closer look.
func (r *leafRows) settle(a *applier, c *change) error {
	for _, v := range r.verifications {
		settled := false
		if v.passed && v.until != "" && !c.touched[v.instrument] {
			var err error
			if settled, err = a.advanceStanding(v); err != nil {
				return err
			}
		}
		if !settled {
			c.touched[v.instrument] = true
		}
	}
	return nil
}

// passes reports whether a document says that an instrument conforms.
func passes(leaf metrology.Leaf, instrument metrology.LeafInstrument) bool {
	return leaf.Kind != metrology.KindResultNotice &&
		(instrument.Conclusion == metrology.ConclusionPass || instrument.Conclusion == metrology.ConclusionClass)
}

func digestRows(certificate int64, digests []metrology.Digest) ([][]any, error) {
	rows := make([][]any, len(digests))
	for i, digest := range digests {
		value, err := hex.DecodeString(digest.Value)
		if err != nil {
			return nil, fmt.Errorf("read digest %s: %w", digest.Value, err)
		}
		rows[i] = []any{value, digest.Algorithm, certificate}
	}
	return rows, nil
}

func (a *applier) insertDigests(rows [][]any) error {
	return a.insert(`certificate_digests (value, algorithm, certificate)`, `ON CONFLICT DO NOTHING`, rows)
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
	digests, err := digestRows(seq, record.Renditions)
	if err != nil {
		return err
	}
	if err := a.insertDigests(digests); err != nil {
		return err
	}
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
