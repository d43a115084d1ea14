package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/evidence"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/verdict"
)

// maxTrustBytes bounds a trust file.
const maxTrustBytes = 1 << 20

// proofAnswer is what offline evidence shows.
type proofAnswer struct {
	Holds         bool           `json:"holds"`
	Why           string         `json:"why,omitempty"` // it does not
	Leaf          metrology.Leaf `json:"leaf,omitzero"`
	Channel       string         `json:"channel,omitempty"`
	Block         uint64         `json:"block,omitempty"`
	TransactionID string         `json:"transactionId,omitempty"`
	Claimed       string         `json:"claimed,omitempty"` // RFC 3339, the submitter's claim
	IssuerKey     string         `json:"issuerKey,omitempty"`
	Endorsers     []string       `json:"endorsers,omitempty"`
	Orderers      []string       `json:"orderers,omitempty"`
	Readers       []string       `json:"readers,omitempty"`
}

// offline checks evidence against a trust file, and a file against both.
func (v *verification) offline(ctx context.Context, files []string) error {
	answer := fileAnswer{File: v.bundle}
	code, err := v.prove(ctx, files, &answer)
	if err != nil {
		answer.Error = err.Error()
	}
	if err := v.print(answer); err != nil {
		return &verifyError{exitUnchecked, err}
	}
	if code != 0 {
		return &verifyError{code: code}
	}
	return nil
}

// prove fills the answer. An error means that the check could not be made.
func (v *verification) prove(ctx context.Context, files []string, answer *fileAnswer) (code int, err error) {
	trust, err := readTrust(v.trust)
	if err != nil {
		return exitUnchecked, err
	}
	encoded, err := readBounded(v.bundle, evidence.MaxBundleBytes+1)
	if err != nil {
		return exitUnchecked, err
	}
	var digests []metrology.Digest
	if len(files) == 1 {
		answer.File = files[0]
		file, err := v.digestNamed(ctx, files[0])
		if err != nil {
			return exitUnchecked, err
		}
		answer.describe(file)
		digests = file.Digests()
	}
	bundle, err := evidence.Parse(encoded)
	if err != nil {
		answer.Proof = &proofAnswer{Why: err.Error()}
		return exitNegative, nil
	}
	result, err := evidence.Verify(bundle, trust, digests)
	if err != nil && !errors.Is(err, evidence.ErrOtherFile) {
		answer.Proof = &proofAnswer{Why: err.Error()}
		return exitNegative, nil
	}
	answer.Proof = &proofAnswer{
		Holds: true, Leaf: result.Leaf, Channel: result.Channel, Block: result.Block, TransactionID: result.TransactionID,
		Claimed: result.Claimed.Format("2006-01-02T15:04:05Z07:00"), IssuerKey: result.IssuerKey,
		Endorsers: result.Endorsers, Orderers: result.Orderers, Readers: result.Readers,
	}
	finding := verdict.Finding{Verdict: v.judgeAnchored(result, digests)}
	answer.Report = &verdict.Report{Digests: digests, Findings: []verdict.Finding{finding}}
	if tone := finding.Verdict.Tone(); tone == verdict.Bad || tone == verdict.Caution {
		return exitNegative, nil
	}
	return 0, nil // it is known beforehand that evidence cannot tell of today
}

// judgeAnchored answers what evidence can answer. A file is asked for by the
// digest that matched, or by its first when none did.
func (v *verification) judgeAnchored(result evidence.Result, digests []metrology.Digest) verdict.Verdict {
	facts := verdict.Facts{Certificate: &verdict.Certificate{Leaf: result.Leaf}, Serial: v.serial}
	switch {
	case len(result.Matched) > 0:
		facts.Digest = result.Matched[0]
	case len(digests) > 0:
		facts.Digest = digests[0]
	}
	return verdict.Anchored(facts)
}

func readTrust(name string) (ledger.Trust, error) {
	encoded, err := readBounded(name, maxTrustBytes)
	if err != nil {
		return ledger.Trust{}, err
	}
	return ledger.ParseTrust(encoded)
}

func readBounded(name string, limit int64) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open file: %w", err)
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if int64(len(content)) > limit {
		return nil, fmt.Errorf("read %s: larger than %d bytes", name, limit)
	}
	return content, nil
}
