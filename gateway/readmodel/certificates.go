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
	rows := leafRows{}
	for i, raw := range leaves {
		leaf, err := read[metrology.Leaf](raw)
		if err != nil {
			return fmt.Errorf("leaf %d: %w", i, err)
		}
		key := metrology.CertificateKey(leaf.Issuer, leaf.Number)
		record, ok := records[key]
		if !ok {
			return fmt.Errorf("leaf %d: the transaction wrote no record of certificate %s of %s", i, leaf.Number, leaf.Issuer)
		}
		// The hash on the ledger vouches that these are the bytes whose form the
		// contract has checked.
		if hash := leafHash(raw); hash != record.LeafHash {
			return fmt.Errorf("leaf %d: its hash is %s, on the ledger %s", i, hash, record.LeafHash)
		}
		c.anchored[key] = true
		if err := rows.add(a, c, leaf, raw, record); err != nil {
			return fmt.Errorf("leaf %d: %w", i, err)
		}
	}
	return rows.insert(a)
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

// leafRows are the rows of the leaves of one transaction.
type leafRows struct{ certificates, digests, instruments [][]any }

func (r *leafRows) add(a *applier, c *change, leaf metrology.Leaf, raw []byte, record written) error {
	seq := c.before + int64(len(r.certificates)) + 1
	r.certificates = append(r.certificates, []any{
		seq, c.before + 1, record.LeafHash, metrology.CertificateID(leaf.Issuer, leaf.Number), leaf.Issuer, leaf.Number,
		string(raw), string(record.raw), string(record.State), "", a.block.Number, c.ID, c.claimed,
	})
	for _, instrument := range leaf.Instruments {
		if instrument.ID == "" {
			continue
		}
		c.touched[instrument.ID] = true
		r.instruments = append(r.instruments, []any{
			instrument.ID, string(leaf.Performed), seq, flag(leaf.Kind.Verification()), flag(passes(leaf, instrument)), string(leaf.ValidUntil),
		})
	}
	digests, err := digestRows(seq, leaf.Digests)
	r.digests = append(r.digests, digests...)
	return err
}

func (r *leafRows) insert(a *applier) error {
	if err := a.insert(`INSERT INTO certificates (seq, batch, id, state_key, issuer, number, leaf, record, state, successor, block, tx_id, claimed)`, ``, r.certificates); err != nil {
		return err
	}
	if err := a.insertDigests(r.digests); err != nil {
		return err
	}
	return a.insert(`INSERT INTO certificate_instruments (instrument, performed, certificate, verification, pass, valid_until)`,
		`ON CONFLICT DO NOTHING`, r.instruments)
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
	return a.insert(`INSERT INTO certificate_digests (value, algorithm, certificate)`, `ON CONFLICT DO NOTHING`, rows)
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
	stateKey := strings.TrimPrefix(key, string(metrology.KindCertificate)+"/")
	var seq int64
	var issuer, successor string
	switch err := a.row(`SELECT seq, issuer FROM certificates WHERE state_key = ?`, stateKey).Scan(&seq, &issuer); {
	case errors.Is(err, sql.ErrNoRows):
		return errors.New("no certificate was anchored under this key")
	case err != nil:
		return fmt.Errorf("find certificate: %w", err)
	}
	if record.Successor != "" {
		successor = metrology.CertificateID(issuer, record.Successor)
	}
	if err := a.exec(`UPDATE certificates SET record = ?, state = ?, successor = ?, block = ?, tx_id = ?, claimed = ? WHERE seq = ?`,
		string(raw), string(record.State), successor, a.block.Number, c.ID, c.claimed, seq); err != nil {
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

// refreshVerifications finds the newest verification that stands for each
// instrument touched: of kind 检定, not revoked or superseded, and not signed
// with a key that somebody else may have.
func (a *applier) refreshVerifications(c *change) error {
	const newest = `SELECT c.id, ci.performed, ci.pass, ci.valid_until
		FROM certificate_instruments ci JOIN certificates c ON c.seq = ci.certificate JOIN batches b ON b.first = c.batch
		WHERE ci.instrument = ? AND ci.verification = 1 AND c.state = 'anchored' AND b.doubtful = 0
		ORDER BY ci.performed DESC, ci.certificate DESC LIMIT 1`
	for id := range c.touched {
		var certificate, performed, until string
		var pass int
		err := a.row(newest, id).Scan(&certificate, &performed, &pass, &until)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("find the newest verification of %s: %w", id, err)
		}
		if until == "" && pass == 1 {
			if until, err = a.cycleEnd(id, metrology.Date(performed)); err != nil {
				return err
			}
		}
		if err := a.exec(`UPDATE instruments SET verified_by = ?, verified_until = ?, verified_pass = ? WHERE id = ?`, certificate, until, pass, id); err != nil {
			return err
		}
	}
	return nil
}

// cycleEnd is the last day of an instrument's verification cycle where the
// document, such as a mark, names no end itself.
func (a *applier) cycleEnd(id string, performed metrology.Date) (string, error) {
	var doc string
	err := a.row(`SELECT doc FROM instruments WHERE id = ?`, id).Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read instrument %s: %w", id, err)
	}
	instrument, err := read[metrology.Instrument]([]byte(doc))
	if err != nil || instrument.CycleMonths == 0 {
		return "", err
	}
	return string(performed.AddMonths(instrument.CycleMonths)), nil
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
