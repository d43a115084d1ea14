package readmodel

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

const certificateColumns = `SELECT e.seq, e.batch, e.leaf, e.record, e.failed_later,
	CASE WHEN e.successor = '' THEN '' ELSE (SELECT s.id FROM certificates s WHERE s.issuer = e.issuer AND s.number = e.successor) END,
	e.block, e.tx_id, e.claimed FROM certificates e`

// certificateRow is a certificate with its place in the order of the ledger.
type certificateRow struct {
	public.Certificate
	seq     int64
	batch   int64 // seq of the first of its batch
	changed bool  // its record is no longer as it was anchored
}

func scanCertificate(today metrology.Date) func(scanner) (certificateRow, error) {
	return func(row scanner) (certificateRow, error) {
		c := certificateRow{Certificate: public.Certificate{Day: today}}
		var leaf, record []byte
		err := row.Scan(append([]any{&c.seq, &c.batch, &leaf, &record, &c.FailedLater, &c.Successor}, asOf(&c.AsOf)...)...)
		if err != nil {
			return c, err
		}
		if err := c.readLeaf(leaf); err != nil || len(record) == 0 {
			return c, err
		}
		c.changed = true
		r, err := read[metrology.Certificate](record)
		if err != nil {
			return c, err
		}
		c.State, c.Reason, c.Changed, c.ChangedBy, c.Renditions = r.State, r.Reason, r.Changed, r.ChangedBy, r.Renditions
		return c, nil
	}
}

// readLeaf reads a leaf whose form was checked when it was applied.
func (c *certificateRow) readLeaf(leaf []byte) (err error) {
	c.ID, c.State = leafHash(leaf), metrology.CertificateAnchored
	if c.Leaf, err = read[metrology.Leaf](leaf); err != nil {
		err = fmt.Errorf("leaf of %s: %w", c.ID, err)
	}
	return err
}

// batchRow is what certificates of one batch have in common.
type batchRow struct {
	public.Batch
	first    int64
	doubted  bool // the key that signed it was reported stolen
	anchored public.AsOf
}

// batchesOf reads the batches of certificates. That of a single one, for which
// every certificate of it asks, is kept.
func (s *Store) batchesOf(ctx context.Context, rows []certificateRow) (map[int64]batchRow, error) {
	var ids []int64
	batches := make(map[int64]batchRow, 1)
	for _, r := range rows {
		if _, asked := batches[r.batch]; !asked {
			batches[r.batch] = batchRow{}
			ids = append(ids, r.batch)
		}
	}
	for chunk := range slices.Chunk(ids, namedAtOnce) {
		found, err := s.batchRecords(ctx, chunk)
		if err != nil {
			return nil, err
		}
		for _, batch := range found {
			batches[batch.first] = batch
		}
	}
	return batches, nil
}

func (s *Store) batchRecords(ctx context.Context, ids []int64) ([]batchRow, error) {
	load := func() ([]batchRow, error) {
		const query = `SELECT first, root, count, key_id, signature, doubtful, block, tx_id, claimed FROM batches WHERE first`
		return among(ctx, s, "batches", query, ids, "first", scanBatch)
	}
	if len(ids) != 1 {
		return load()
	}
	return remember(ctx, s, cacheKey{"batch", strconv.FormatInt(ids[0], 10), ""}, load)
}

func scanBatch(row scanner) (batchRow, error) {
	var b batchRow
	var signature string
	err := row.Scan(append([]any{&b.first, &b.Root, &b.Count, &b.Key, &signature, &b.doubted}, asOf(&b.anchored)...)...)
	if err != nil {
		return b, err
	}
	if b.Signature, err = base64.StdEncoding.DecodeString(signature); err != nil {
		return b, fmt.Errorf("signature of the batch from %d on: %w", b.first, err)
	}
	return b, nil
}

// Certificates lists certificates in the order they were anchored.
func (s *Store) Certificates(ctx context.Context, f public.CertificateFilter, today metrology.Date) (public.Page[public.Certificate], error) {
	var w where
	w.equal("e.issuer", f.Issuer)
	w.equal("e.number", f.Number)
	if f.Instrument != "" {
		w.add(`e.seq IN (SELECT certificate FROM certificate_instruments WHERE instrument = ?)`, f.Instrument)
	}
	scope := f.Issuer + "\x00" + f.Number + "\x00" + f.Instrument
	rows, err := list(ctx, s, "certificates", certificateColumns, "e.seq", w, f.PageRequest, scope,
		func(r certificateRow) string { return strconv.FormatInt(r.seq, 10) }, scanCertificate(today))
	if err != nil {
		return public.Page[public.Certificate]{}, err
	}
	certificates, err := s.standing(ctx, rows.Items, today)
	return public.Page[public.Certificate]{Items: certificates, Next: rows.Next}, err
}

// namedAtOnce bounds the identifiers that one query names.
const namedAtOnce = 1000

// standing completes certificates with their batches, with the instruments that
// they name, and with their status on a day, which rests on both.
func (s *Store) standing(ctx context.Context, rows []certificateRow, today metrology.Date) ([]public.Certificate, error) {
	batches, err := s.batchesOf(ctx, rows)
	if err != nil {
		return nil, err
	}
	known, err := s.named(ctx, rows)
	if err != nil {
		return nil, err
	}
	certificates := make([]public.Certificate, len(rows))
	for i, r := range rows {
		batch := batches[r.batch]
		r.Batch, r.Anchored = batch.Batch, batch.anchored
		r.Batch.Index = int(r.seq - r.batch)
		if !r.changed {
			r.AsOf = r.Anchored
		}
		r.Instruments = make(map[string]metrology.Instrument, len(r.Leaf.Instruments))
		for _, named := range r.Leaf.Instruments {
			if instrument, registered := known[named.ID]; registered {
				r.Instruments[named.ID] = instrument
			}
		}
		r.Status = metrology.CertificateFacts{
			Leaf: r.Leaf, State: r.State, FailedLater: r.FailedLater != "", KeyCompromised: batch.doubted, Instruments: r.Instruments, Today: today,
		}.Standing()
		certificates[i] = r.Certificate
	}
	return certificates, nil
}

// named reads the records of the instruments that certificates name by id.
func (s *Store) named(ctx context.Context, rows []certificateRow) (map[string]metrology.Instrument, error) {
	var ids []string
	known := make(map[string]metrology.Instrument)
	for _, r := range rows {
		for _, named := range r.Leaf.Instruments {
			if _, asked := known[named.ID]; !asked && named.ID != "" {
				known[named.ID] = metrology.Instrument{}
				ids = append(ids, named.ID)
			}
		}
	}
	clear(known)
	for chunk := range slices.Chunk(ids, namedAtOnce) {
		instruments, err := s.instrumentRecords(ctx, chunk)
		if err != nil {
			return nil, err
		}
		for _, instrument := range instruments {
			known[instrument.ID] = instrument
		}
	}
	return known, nil
}

// instrumentRecords reads records; that of a single instrument, for which
// every certificate of it asks, is kept.
func (s *Store) instrumentRecords(ctx context.Context, ids []string) ([]metrology.Instrument, error) {
	load := func() ([]metrology.Instrument, error) {
		return among(ctx, s, "instruments", `SELECT doc FROM instruments WHERE id`, ids, "id", func(row scanner) (metrology.Instrument, error) {
			var doc string
			if err := row.Scan(&doc); err != nil {
				return metrology.Instrument{}, err
			}
			return read[metrology.Instrument]([]byte(doc))
		})
	}
	if len(ids) != 1 {
		return load()
	}
	return remember(ctx, s, cacheKey{"instrument record", ids[0], ""}, load)
}

// Certificate returns one certificate by its leaf hash.
func (s *Store) Certificate(ctx context.Context, id string, today metrology.Date) (public.Certificate, error) {
	key, ok := keyOf(id)
	if !ok {
		return public.Certificate{}, notKnown("certificate", id)
	}
	r, err := one(ctx, s, "certificate", id, certificateColumns+` WHERE e.id_key = ? AND e.id = ?`, scanCertificate(today), key, id)
	if err != nil {
		return public.Certificate{}, err
	}
	standing, err := s.standing(ctx, []certificateRow{r}, today)
	if err != nil {
		return public.Certificate{}, err
	}
	return standing[0], nil
}

// keyOf is what indexes hold of a hash or digest in hex: its first eight bytes.
// ok is false for what is no such thing.
func keyOf(digest string) (key int64, ok bool) {
	var first [8]byte
	if len(digest) < hex.EncodedLen(len(first)) {
		return 0, false
	}
	_, err := hex.Decode(first[:], []byte(digest[:hex.EncodedLen(len(first))]))
	return int64(binary.BigEndian.Uint64(first[:])), err == nil
}

// CertificatesByDigest finds the certificates that a digest was anchored with,
// at most public.DefaultLimit, the first anchored first; none is an empty list.
func (s *Store) CertificatesByDigest(ctx context.Context, algorithm, value string, today metrology.Date) ([]public.Certificate, error) {
	key, ok := keyOf(value)
	if !ok {
		return []public.Certificate{}, nil // nothing has such a digest
	}
	asked := metrology.Digest{Algorithm: algorithm, Value: value}
	var named []certificateRow
	for after, more := int64(0), true; more && len(named) < public.DefaultLimit; {
		rows, err := s.keyed(ctx, key, after, today)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if after = r.seq; r.names(asked) {
				named = append(named, r)
			}
		}
		more = len(rows) == public.DefaultLimit
	}
	return s.standing(ctx, named[:min(len(named), public.DefaultLimit)], today)
}

// names reports whether a digest is among those of the certificate's files.
func (c *certificateRow) names(digest metrology.Digest) bool {
	return slices.Contains(c.Leaf.Digests, digest) || slices.Contains(c.Renditions, digest)
}

// keyed reads the certificates after one of which a digest begins like key, at
// most public.DefaultLimit. Nearly all are as they were anchored: what became of
// the others is read apart.
func (s *Store) keyed(ctx context.Context, key, after int64, today metrology.Date) ([]certificateRow, error) {
	const query = `SELECT e.seq, e.batch, e.leaf, CASE WHEN e.record = '' AND e.failed_later = '' THEN 0 ELSE 1 END
		FROM certificate_digests g JOIN certificates e ON e.seq = g.certificate
		WHERE g.digest_key = ? AND g.certificate > ? ORDER BY g.certificate LIMIT ?`
	rows, err := lookUp(ctx, s, "certificates by digest", query, func(row scanner) (certificateRow, error) {
		c := certificateRow{Certificate: public.Certificate{Day: today}}
		var leaf []byte
		if err := row.Scan(&c.seq, &c.batch, &leaf, &c.changed); err != nil || c.changed {
			return c, err
		}
		return c, c.readLeaf(leaf)
	}, key, after, public.DefaultLimit)
	for i := 0; err == nil && i < len(rows); i++ {
		if rows[i].changed {
			rows[i], err = one(ctx, s, "certificate", strconv.FormatInt(rows[i].seq, 10), certificateColumns+` WHERE e.seq = ?`, scanCertificate(today), rows[i].seq)
		}
	}
	return rows, err
}

// BatchLeaves returns the leaf hashes of a batch in their order, in hex.
func (s *Store) BatchLeaves(ctx context.Context, issuer, root string) ([]string, error) {
	const query = `SELECT c.id FROM batches b JOIN certificates c ON c.batch = b.first AND c.seq >= b.first AND c.seq < b.first + b.count
		WHERE b.issuer = ? AND b.root = ? ORDER BY c.seq`
	return all(ctx, s, "leaves", query, func(row scanner) (string, error) {
		var id string
		err := row.Scan(&id)
		return id, err
	}, issuer, root)
}
