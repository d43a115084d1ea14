package api

import (
	"context"
	"encoding/hex"
	stdjson "encoding/json"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/labstack/echo/v4"
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/intake"
)

// kindCertificates names the mapping of certificates.
const kindCertificates = "certificates"

// maxChunkBytes bounds the leaves of one transaction; the contract takes
// requests of 2 MiB.
const maxChunkBytes = 3 << 19

// importCertificates answers POST /v1/certificate-batches: a file of
// certificates of one issuer. Bad rows are told by line; they never keep good
// ones from being anchored.
func (s *Server) importCertificates(c echo.Context) error {
	who, err := principal(c.Request().Context())
	if err != nil {
		return err
	}
	if err := checkQuery(c, "issuer", "mapping", "sheet"); err != nil {
		return err
	}
	issuer := c.QueryParam("issuer")
	if err := metrology.CheckID("issuer", issuer); err != nil {
		return err
	}
	records, unused, err := s.records(c, kindCertificates, nil)
	if err != nil {
		return err
	}
	run := &anchoring{Server: s, who: who, issuer: issuer, lines: make([]FileLine, len(records)), records: records}
	run.readLeaves()
	if err := run.anchor(c.Request().Context()); err != nil {
		return err
	}
	return answerFile(c, run.lines, unused)
}

// anchoring is one file of certificates at work.
type anchoring struct {
	*Server
	who     Principal
	issuer  string
	records []intake.Record
	lines   []FileLine // as records
	good    []goodLeaf // those of well-formed rows, in order
	sent    bool       // a transaction was sent, so that its outcome must be told
}

// goodLeaf is a well-formed leaf and the record it came from.
type goodLeaf struct {
	record int
	raw    []byte
	hash   []byte
}

// readLeaves makes leaves of the records and notes what is wrong with the others.
func (a *anchoring) readLeaves() {
	first := make(map[string]int) // certificate number → line
	for i, record := range a.records {
		line := &a.lines[i]
		line.Line = record.Line
		if record.Fault != nil {
			line.Number = numberIn(record)
			line.reject(record.Fault)
			continue
		}
		leaf, err := a.leafOf(record)
		line.Number = leaf.Number
		var raw []byte
		if err == nil {
			raw, err = leaf.Bytes()
		}
		if earlier, twice := first[leaf.Number]; err == nil && twice {
			err = metrology.FieldErrorf(metrology.CodeConflict, "number", "%q stands in line %d too", leaf.Number, earlier)
		}
		if err != nil {
			line.rejectRule(record, err)
			continue
		}
		first[leaf.Number] = record.Line
		good := goodLeaf{record: i, raw: raw, hash: rfc6962.DefaultHasher.HashLeaf(raw)}
		line.ID = hex.EncodeToString(good.hash)
		a.good = append(a.good, good)
	}
}

// numberIn finds the number of a certificate that could not be read to the end.
func numberIn(record intake.Record) string {
	var read struct {
		Number string `json:"number"`
	}
	if json.Unmarshal(record.Members, &read) != nil {
		return ""
	}
	return read.Number
}

// rejectRule notes a rule that a record broke, in the words of its file.
func (l *FileLine) rejectRule(record intake.Record, err error) {
	var rule *metrology.Error
	if !errors.As(err, &rule) {
		rule = &metrology.Error{Code: metrology.CodeInvalid, Message: err.Error()}
	}
	l.reject(record.FaultOf(rule))
}

// leafOf reads a record as a leaf of the issuer.
func (a *anchoring) leafOf(record intake.Record) (metrology.Leaf, error) {
	var leaf metrology.Leaf
	if err := unmarshalStrict(record.Members, &leaf); err != nil {
		return leaf, err
	}
	if leaf.Issuer == "" {
		leaf.Issuer = a.issuer
	}
	if leaf.Issuer != a.issuer {
		return leaf, metrology.FieldErrorf(metrology.CodeInvalid, "issuer", "contradicts the parameter issuer, %q", a.issuer)
	}
	return leaf, nil
}

// anchor sends the good leaves in transactions of at most
// metrology.MaxBatchLeaves. The leaves of a transaction follow from the file
// and the ledger alone, so the same file sent again after a crash asks for the
// same batch under the same key.
//
// An error before anything was sent is the answer to the request; later ones
// are told at the lines they concern.
func (a *anchoring) anchor(ctx context.Context) error {
	for rest := a.good; len(rest) > 0; {
		progress(ctx, len(a.good)-len(rest), len(a.good))
		chunk := rest[:chunkLength(rest)]
		rest = rest[len(chunk):]
		err := a.anchorChunk(ctx, chunk)
		if err == nil {
			continue
		}
		var rule *metrology.Error
		isRule := errors.As(err, &rule) && rule.Code != metrology.CodeInternal
		var fault *Fault
		switch {
		case !a.sent:
			return err
		case isRule:
			a.mark(chunk, func(line *FileLine, record intake.Record) { line.rejectRule(record, err) })
		case errors.As(err, &fault), ctx.Err() != nil:
			a.mark(chunk, notSent)
			a.mark(rest, notSent)
			return nil
		default:
			return err
		}
	}
	return nil
}

func chunkLength(leaves []goodLeaf) int {
	size := 0
	for i, leaf := range leaves {
		if size += len(leaf.raw) + 1; i == metrology.MaxBatchLeaves || size > maxChunkBytes {
			return i
		}
	}
	return len(leaves)
}

func notSent(line *FileLine, _ intake.Record) { line.Outcome = LineNotSent }

// mark notes an outcome at those lines that have none yet.
func (a *anchoring) mark(leaves []goodLeaf, note func(*FileLine, intake.Record)) {
	for _, leaf := range leaves {
		if line := &a.lines[leaf.record]; line.Outcome == "" {
			note(line, a.records[leaf.record])
		}
	}
}

// maxRounds bounds how often the ledger may change under one chunk.
const maxRounds = 4

// anchorChunk sorts out what the contract would refuse and anchors the rest.
// When others anchor at the same time it sorts out again.
func (a *anchoring) anchorChunk(ctx context.Context, chunk []goodLeaf) error {
	var err error
	for range maxRounds {
		if chunk, err = a.sortOut(ctx, chunk); err != nil || len(chunk) == 0 {
			return err
		}
		if err = a.submit(ctx, chunk); metrology.ErrorCode(err) != metrology.CodeRejectedLeaves {
			return err
		}
	}
	return err
}

// sortOut asks the contract which leaves it would refuse, notes that at their
// lines, and returns the others.
func (a *anchoring) sortOut(ctx context.Context, chunk []goodLeaf) ([]goodLeaf, error) {
	request, err := json.Marshal(metrology.CheckBatch{Issuer: a.issuer, Leaves: raws(chunk)})
	if err != nil {
		return nil, fmt.Errorf("encode leaves to check: %w", err)
	}
	answer, err := a.writer.Evaluate(ctx, a.who, "certificate:CheckBatch", request)
	if err != nil {
		return nil, err
	}
	var rejected []metrology.RejectedLeaf
	if err := json.Unmarshal(answer, &rejected); err != nil {
		return nil, fmt.Errorf("read rejected leaves: %w", err)
	}
	bad := make(map[int]bool, len(rejected))
	for _, r := range rejected {
		if r.Index < 0 || r.Index >= len(chunk) {
			return nil, fmt.Errorf("read rejected leaves: there is no leaf %d", r.Index)
		}
		bad[r.Index] = true
		a.refused(ctx, chunk[r.Index], r)
	}
	kept := make([]goodLeaf, 0, len(chunk)-len(bad))
	for i, leaf := range chunk {
		if !bad[i] {
			kept = append(kept, leaf)
		}
	}
	return kept, nil
}

// refused notes why the contract would refuse a leaf. One that is anchored
// already, exactly so, is no mistake.
func (a *anchoring) refused(ctx context.Context, leaf goodLeaf, r metrology.RejectedLeaf) {
	line := &a.lines[leaf.record]
	if !r.Same {
		line.ID = ""
		line.rejectRule(a.records[leaf.record], &metrology.Error{Code: r.Code, Field: r.Field, Message: r.Message})
		return
	}
	line.Outcome = LineAlready
	if earlier, err := a.register.Certificate(ctx, line.ID, a.today()); err == nil { // else not here yet
		line.Root, line.TransactionID = earlier.Batch.Root, earlier.Anchored.TransactionID
	}
}

// submit signs and anchors a batch. Its key is its root and the signing key.
func (a *anchoring) submit(ctx context.Context, chunk []goodLeaf) error {
	root, err := rootOf(chunk)
	if err != nil {
		return err
	}
	message := metrology.BatchMessage(a.issuer, root, uint64(len(chunk)))
	keyID, signature, err := a.sign(ctx, a.who, a.issuer, message)
	if err != nil {
		return err
	}
	rootHex := hex.EncodeToString(root[:])
	call, err := newCall("certificate:AnchorBatch", metrology.AnchorBatch{
		Issuer: a.issuer, Leaves: raws(chunk), Root: rootHex, Key: keyID, Signature: signature,
	})
	if err != nil {
		return err
	}
	receipt, err := a.writer.Submit(ctx, a.who, batchKey(rootHex, keyID), call)
	if err != nil {
		return err
	}
	a.sent = true
	outcome := LineUnknown
	if receipt.Committed {
		outcome = LineAnchored
	}
	a.mark(chunk, func(line *FileLine, _ intake.Record) {
		line.Outcome, line.Root, line.TransactionID = outcome, rootHex, receipt.TransactionID
	})
	return nil
}

// batchKey is the idempotency key of a batch.
func batchKey(root, keyID string) string { return "batch-" + root + "-" + keyID[:min(16, len(keyID))] }

func raws(leaves []goodLeaf) []stdjson.RawMessage {
	list := make([]stdjson.RawMessage, len(leaves))
	for i, leaf := range leaves {
		list[i] = leaf.raw
	}
	return list
}

// rootOf is the RFC 6962 root over the leaves.
func rootOf(leaves []goodLeaf) (root [32]byte, err error) {
	factory := compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	nodes := factory.NewEmptyRange(0)
	for _, leaf := range leaves {
		if err := nodes.Append(leaf.hash, nil); err != nil {
			return root, fmt.Errorf("hash the batch: %w", err)
		}
	}
	hash, err := nodes.GetRootHash(nil)
	if err != nil {
		return root, fmt.Errorf("hash the batch: %w", err)
	}
	copy(root[:], hash)
	return root, nil
}
