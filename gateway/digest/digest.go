// Package digest turns a file into the digests a certificate leaf may carry,
// in one pass and without keeping the file: SHA-256 and SM3 of its bytes and,
// for a digital calibration certificate (DCC, XML of PTB's schema 2.x or 3.x),
// SHA-256 of its canonical content. The file may come from anybody, so the XML
// is read by a scanner of our own that knows no document type, no entity and
// no network and stops at set limits.
package digest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/emmansun/gmsm/sm3"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// Result is what one pass over a file gives.
type Result struct {
	Size   int64
	SHA256 string // hexadecimal, like the other digests
	SM3    string

	// DCC is set for a readable digital calibration certificate.
	DCC *DCC
	// ContentError is set, instead of DCC, for an XML file that could not be
	// read to its end. The digests of the bytes hold all the same.
	ContentError *ContentError
}

// Digests lists the digests under their names in a leaf.
func (r Result) Digests() []metrology.Digest {
	digests := []metrology.Digest{
		{Algorithm: metrology.AlgorithmSHA256, Value: r.SHA256},
		{Algorithm: metrology.AlgorithmSM3, Value: r.SM3},
	}
	if r.DCC != nil {
		digests = append(digests, metrology.Digest{Algorithm: metrology.AlgorithmC14NSHA256, Value: r.DCC.ContentSHA256})
	}
	return digests
}

// File reads a file to its end. An error means that it could not be read;
// hostile or broken XML is no error but a ContentError in the result.
func File(ctx context.Context, file io.Reader) (Result, error) {
	return FileWithLimits(ctx, file, DefaultLimits())
}

// FileWithLimits is File with other limits for the XML.
func FileWithLimits(ctx context.Context, file io.Reader, limits Limits) (Result, error) {
	sha, national := sha256.New(), sm3.New()
	source := &countingReader{ctx: ctx, in: file}
	tee := io.TeeReader(source, io.MultiWriter(sha, national))

	dcc, contentError := readDCC(tee, limits)
	if _, err := io.Copy(io.Discard, tee); err != nil {
		return Result{}, fmt.Errorf("read file: %w", err)
	}
	if source.err != nil { // the scanner met it first
		return Result{}, fmt.Errorf("read file: %w", source.err)
	}
	return Result{
		Size:         source.count,
		SHA256:       hex.EncodeToString(sha.Sum(nil)),
		SM3:          hex.EncodeToString(national.Sum(nil)),
		DCC:          dcc,
		ContentError: contentError,
	}, nil
}

// countingReader counts, ends when the context does, and remembers the first
// error that is not the end of the file.
type countingReader struct {
	ctx   context.Context // of the one call that made the reader
	in    io.Reader
	count int64
	err   error
}

func (r *countingReader) Read(buffer []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		r.err = err
		return 0, err
	}
	n, err := r.in.Read(buffer)
	r.count += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}
