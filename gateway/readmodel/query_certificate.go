package readmodel

import (
	"context"
	"encoding/base64"
	"fmt"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// failedLater finds the notice that an instrument of this certificate failed a
// later verification.
const failedLater = `COALESCE((SELECT later.certificate FROM certificate_instruments mine
	JOIN certificate_instruments later ON later.instrument = mine.instrument AND later.performed > mine.performed
	JOIN certificates notice ON notice.id = later.certificate AND notice.state = 'anchored'
	WHERE mine.certificate = e.id AND later.verification = 1 AND later.pass = 0
	ORDER BY later.performed DESC, later.certificate LIMIT 1), '')`

const certificateColumns = `SELECT e.id, e.leaf, e.record, b.count, b.key_id, b.signature, ` + failedLater + `,
	COALESCE((SELECT s.id FROM certificates s WHERE s.issuer = e.issuer AND s.number = e.successor), ''),
	e.anchored_block, e.anchored_tx, e.anchored_claimed, e.block, e.tx_id, e.claimed
	FROM certificates e JOIN batches b ON b.issuer = e.issuer AND b.root = e.root`

func scanCertificate(today metrology.Date) func(scanner) (public.Certificate, error) {
	return func(row scanner) (public.Certificate, error) {
		c := public.Certificate{Day: today}
		var leaf, record, signature string
		err := row.Scan(append([]any{
			&c.ID, &leaf, &record, &c.Batch.Count, &c.Batch.Key, &signature, &c.FailedLater, &c.Successor,
			&c.Anchored.Block, &c.Anchored.TransactionID, &c.Anchored.Time,
		}, asOf(&c.AsOf)...)...)
		if err != nil {
			return c, err
		}
		if c.Leaf, err = read[metrology.Leaf]([]byte(leaf)); err != nil { // its form was checked when it was applied
			return c, fmt.Errorf("leaf of %s: %w", c.ID, err)
		}
		if c.Batch.Signature, err = base64.StdEncoding.DecodeString(signature); err != nil {
			return c, fmt.Errorf("batch signature of %s: %w", c.ID, err)
		}
		r, err := read[metrology.Certificate]([]byte(record))
		if err != nil {
			return c, err
		}
		c.State, c.Reason, c.Changed, c.ChangedBy, c.Renditions = r.State, r.Reason, r.Changed, r.ChangedBy, r.Renditions
		c.Batch.Root, c.Batch.Index = r.Batch, r.Index
		c.Status = public.CertificateStatusOn(c.Leaf, c.State, c.FailedLater, today)
		return c, nil
	}
}

// Certificates lists certificates by their ids.
func (s *Store) Certificates(ctx context.Context, f public.CertificateFilter, today metrology.Date) (public.Page[public.Certificate], error) {
	var w where
	w.equal("e.issuer", f.Issuer)
	w.equal("e.number", f.Number)
	if f.Instrument != "" {
		w.add(`e.id IN (SELECT certificate FROM certificate_instruments WHERE instrument = ?)`, f.Instrument)
	}
	scope := f.Issuer + "\x00" + f.Number + "\x00" + f.Instrument
	return list(ctx, s, "certificates", certificateColumns, "e.id", w, f.PageRequest, scope,
		func(v public.Certificate) string { return v.ID }, scanCertificate(today))
}

// Certificate returns one certificate by its leaf hash.
func (s *Store) Certificate(ctx context.Context, id string, today metrology.Date) (public.Certificate, error) {
	return one(ctx, s, "certificate", id, certificateColumns+` WHERE e.id = ?`, scanCertificate(today), id)
}

// CertificatesByDigest finds the certificates that a digest was anchored with,
// at most public.DefaultLimit; none is an empty list.
func (s *Store) CertificatesByDigest(ctx context.Context, algorithm, value string, today metrology.Date) ([]public.Certificate, error) {
	query := certificateColumns + fmt.Sprintf(` JOIN certificate_digests g ON g.certificate = e.id
		WHERE g.value = ? AND g.algorithm = ? ORDER BY e.anchored_block, e.id LIMIT %d`, public.DefaultLimit)
	return all(ctx, s, "certificates by digest", query, scanCertificate(today), value, algorithm)
}

// BatchLeaves returns the leaf hashes of a batch in their order, in hex.
func (s *Store) BatchLeaves(ctx context.Context, issuer, root string) ([]string, error) {
	const query = `SELECT id FROM certificates WHERE issuer = ? AND root = ? ORDER BY idx`
	return all(ctx, s, "leaves", query, func(row scanner) (string, error) {
		var id string
		err := row.Scan(&id)
		return id, err
	}, issuer, root)
}
