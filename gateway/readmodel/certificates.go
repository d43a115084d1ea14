package readmodel

import (
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

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
	for i, raw := range leaves {
		leaf, err := metrology.ParseLeaf(raw)
		if err != nil {
			return fmt.Errorf("leaf %d: %w", i, err)
		}
		record, ok := records[metrology.CertificateKey(leaf.Issuer, leaf.Number)]
		if !ok {
			return fmt.Errorf("leaf %d: the transaction wrote no record of certificate %s of %s", i, leaf.Number, leaf.Issuer)
		}
		if err := a.insertCertificate(c, leaf, raw, record); err != nil {
			return fmt.Errorf("leaf %d: %w", i, err)
		}
	}
	return nil
}

func firstArgument(c *change) []byte {
	if len(c.Args) == 0 {
		return nil
	}
	return c.Args[0]
}

// certificateRecords are the records a transaction wrote, by their keys.
func certificateRecords(c *change) (map[string]metrology.Certificate, error) {
	records := map[string]metrology.Certificate{}
	for _, w := range c.Writes {
		if kind, _ := metrology.SplitKey(w.Key); kind != metrology.KindCertificate {
			continue
		}
		record, err := read[metrology.Certificate](w.Value)
		if err != nil {
			return nil, err
		}
		records[w.Key] = record
	}
	return records, nil
}

func (a *applier) insertCertificate(c *change, leaf metrology.Leaf, raw []byte, record metrology.Certificate) error {
	key := metrology.CertificateID(leaf.Issuer, leaf.Number)
	if err := a.exec(`INSERT INTO certificates (id, state_key, issuer, number, root, idx, leaf, record, state, successor,
		anchored_block, anchored_tx, anchored_claimed, block, tx_id, claimed) VALUES (?, ?, ?, ?, ?, ?, ?, '', '', '', ?, ?, ?, ?, ?, ?)`,
		record.LeafHash, key, leaf.Issuer, leaf.Number, record.Batch, record.Index, string(raw),
		a.block.Number, c.ID, c.claimed, a.block.Number, c.ID, c.claimed); err != nil {
		return err
	}
	if err := a.insertDigests(record.LeafHash, leaf.Digests); err != nil {
		return err
	}
	for _, instrument := range leaf.Instruments {
		if instrument.ID == "" {
			continue
		}
		c.touched[instrument.ID] = true
		if err := a.exec(`INSERT INTO certificate_instruments (instrument, performed, certificate, verification, pass, valid_until)
			VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			instrument.ID, string(leaf.Performed), record.LeafHash, flag(leaf.Kind.Verification()), flag(passes(leaf, instrument)), string(leaf.ValidUntil)); err != nil {
			return err
		}
	}
	return nil
}

// passes reports whether a document says that an instrument conforms.
func passes(leaf metrology.Leaf, instrument metrology.LeafInstrument) bool {
	return leaf.Kind != metrology.KindResultNotice &&
		(instrument.Conclusion == metrology.ConclusionPass || instrument.Conclusion == metrology.ConclusionClass)
}

func (a *applier) insertDigests(certificate string, digests []metrology.Digest) error {
	for _, digest := range digests {
		if err := a.exec(`INSERT INTO certificate_digests (value, algorithm, certificate) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
			digest.Value, digest.Algorithm, certificate); err != nil {
			return err
		}
	}
	return nil
}

// certificate brings the record of an anchored certificate up to date.
func (a *applier) certificate(c *change, stateKey string, raw []byte) error {
	record, err := read[metrology.Certificate](raw)
	if err != nil {
		return err
	}
	result, err := a.tx.ExecContext(a.ctx, a.rebind(`UPDATE certificates SET record = ?, state = ?, successor = ?, block = ?, tx_id = ?, claimed = ? WHERE state_key = ?`),
		string(raw), string(record.State), record.Successor, a.block.Number, c.ID, c.claimed, stateKey)
	if err != nil {
		return fmt.Errorf("update certificate: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, fmt.Errorf("%d certificates are known under this key", n))
	}
	if err := a.insertDigests(record.LeafHash, record.Renditions); err != nil {
		return err
	}
	return a.touchInstruments(c, record.LeafHash)
}

// touchInstruments notes the instruments whose verification rests on a
// certificate that has changed.
func (a *applier) touchInstruments(c *change, certificate string) error {
	rows, err := a.tx.QueryContext(a.ctx, a.rebind(`SELECT instrument FROM certificate_instruments WHERE certificate = ?`), certificate)
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

// refreshVerifications finds the newest verification that stands for each
// instrument touched: of kind 检定, not revoked or superseded.
func (a *applier) refreshVerifications(c *change) error {
	const newest = `SELECT ci.certificate, ci.performed, ci.pass, ci.valid_until
		FROM certificate_instruments ci JOIN certificates c ON c.id = ci.certificate
		WHERE ci.instrument = ? AND ci.verification = 1 AND c.state = 'anchored'
		ORDER BY ci.performed DESC, c.anchored_block DESC, ci.certificate DESC LIMIT 1`
	for id := range c.touched {
		var certificate, performed, until string
		var pass int
		err := a.tx.QueryRowContext(a.ctx, a.rebind(newest), id).Scan(&certificate, &performed, &pass, &until)
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
	err := a.tx.QueryRowContext(a.ctx, a.rebind(`SELECT doc FROM instruments WHERE id = ?`), id).Scan(&doc)
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
	return a.exec(`INSERT INTO batches (issuer, root, count, key_id, signature, block, tx_id, claimed) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (issuer, root) DO NOTHING`,
		b.Issuer, b.Root, b.Count, b.Key, base64.StdEncoding.EncodeToString(b.Signature), a.block.Number, c.ID, c.claimed)
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
