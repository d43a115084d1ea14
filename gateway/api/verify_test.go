package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/digest"
	"github.com/steelyard-ledger/steelyard/gateway/public"
	"github.com/steelyard-ledger/steelyard/gateway/verdict"
)

// leafOfFile is a certificate whose file has this content.
func leafOfFile(t *testing.T, number, content string) metrology.Leaf {
	t.Helper()
	file, err := digest.File(context.Background(), strings.NewReader(content))
	require.NoError(t, err)
	leaf := testLeaf(number)
	leaf.Digests = file.Digests()
	return leaf
}

func outcomes(v verdict.Verdict) []verdict.Outcome {
	return []verdict.Outcome{v.Integrity.Outcome, v.Status.Outcome, v.Issuer.Outcome, v.Match.Outcome}
}

func (b *bench) upload(content string) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.ask(http.MethodPost, "/v1/verify", "", content, "Content-Type", "application/octet-stream")
}

func TestVerifyUpload(t *testing.T) {
	b := newBench(t)
	ids := b.anchored(leafOfFile(t, "JD-1", "a certificate"))
	form, formType := multipartForm(t, map[string]string{"file": "a certificate", "serial": "s-1"})
	for _, c := range []struct {
		name, target, body, media string
		match                     verdict.Outcome
	}{
		{"bytes", "/v1/verify", "a certificate", "application/octet-stream", verdict.MatchUnknown},
		{"bytes of any type", "/v1/verify", "a certificate", "application/pdf", verdict.MatchUnknown},
		{"serial number", "/v1/verify?serial=S-1", "a certificate", "application/octet-stream", verdict.Match},
		{"another instrument is never green", "/v1/verify?serial=S-2", "a certificate", "application/octet-stream", verdict.Mismatch},
		{"form", "/v1/verify", form, formType, verdict.Match},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer := b.ask(http.MethodPost, c.target, "", c.body, "Content-Type", c.media)
			require.Equal(t, http.StatusOK, answer.Code, answer.Body.String())
			require.Equal(t, "no-store", answer.Header().Get("Cache-Control"))
			report := decodeAnswer[FileReport](t, answer)
			require.EqualValues(t, len("a certificate"), report.Size)
			require.Len(t, report.Digests, 2)
			require.Len(t, report.Findings, 1, "found under two digests, told once")
			finding := report.Findings[0]
			require.Equal(t, []verdict.Outcome{verdict.Registered, verdict.Valid, verdict.Authorized, c.match}, outcomes(finding.Verdict))
			require.Equal(t, c.match != verdict.Mismatch, finding.Verdict.Tone() == verdict.Good)
			require.NotEmpty(t, finding.Verdict.NotProven)
			require.Equal(t, ids[0], finding.Certificate.ID)
			require.EqualValues(t, 7, finding.Certificate.Block)
			require.Equal(t, "2026-11-20T01:00:00Z", finding.Certificate.Time)
			require.Equal(t, verdict.Ledger{Height: 8, LastTime: "2026-11-20T01:00:00Z"}, report.Ledger)
			require.Equal(t, testToday, report.Day)
		})
	}
}

func TestVerifyUpload_Unregistered(t *testing.T) {
	b := newBench(t)
	report := decodeAnswer[FileReport](t, b.upload("unknown"))
	require.Len(t, report.Findings, 1)
	require.Nil(t, report.Findings[0].Certificate)
	require.Equal(t, verdict.NotRegistered, report.Findings[0].Verdict.Integrity.Outcome)
	require.NotEqual(t, verdict.Bad, report.Findings[0].Verdict.Integrity.Tone, "an unknown file is not forged")
}

func TestVerifyUpload_DCC(t *testing.T) {
	files, err := filepath.Glob("../../test/testdata/dcc/*.xml")
	require.NoError(t, err)
	b := newBench(t)
	seen := 0
	for _, name := range files {
		content, err := os.ReadFile(name)
		require.NoError(t, err)
		file, err := digest.File(context.Background(), strings.NewReader(string(content)))
		require.NoError(t, err)
		answer := b.ask(http.MethodPost, "/v1/verify", "", string(content), "Content-Type", "application/xml")
		report := decodeAnswer[FileReport](t, answer)
		require.Equal(t, file.Digests(), report.Digests, name)
		require.Equal(t, file.DCC != nil, report.DCC != nil, name)
		require.Equal(t, file.ContentError != nil, report.ContentError != "", name)
		if report.DCC != nil {
			seen++
			require.Equal(t, file.DCC.Serials(), report.DCC.Serials, name)
		}
	}
	require.Positive(t, seen)

	t.Run("hostile XML is told, its bytes are digested all the same", func(t *testing.T) {
		const hostile = `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`
		report := decodeAnswer[FileReport](t, b.upload(hostile))
		sum := sha256.Sum256([]byte(hostile))
		require.Equal(t, hex.EncodeToString(sum[:]), report.Digests[0].Value)
		require.Contains(t, report.ContentError, "forbidden")
	})
}

func TestVerifyUpload_BadInput(t *testing.T) {
	b := newBench(t)
	without, withoutType := multipartForm(t, map[string]string{"serial": "x"})
	strange, strangeType := multipartForm(t, map[string]string{"colour": "x"})
	for _, c := range []struct{ name, target, body, media, problem, field string }{
		{"ErrUnknownParameter", "/v1/verify?colour=red", "x", "", "invalid", "colour"},
		{"ErrNoFile", "/v1/verify", without, withoutType, "invalid", "file"},
		{"ErrUnknownPart", "/v1/verify", strange, strangeType, "invalid", "colour"},
		{"ErrLongSerial", "/v1/verify?serial=" + strings.Repeat("x", 300), "x", "", "invalid", "serial"},
		{"ErrTooLarge", "/v1/verify", strings.Repeat("x", 1<<20+1), "", "too-large", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			requireProblem(t, b.ask(http.MethodPost, c.target, "", c.body, "Content-Type", c.media), c.problem, c.field)
		})
	}
}

func TestVerifyDigest(t *testing.T) {
	b := newBench(t)
	leaf := leafOfFile(t, "JD-1", "a certificate")
	b.anchored(leaf)
	for _, asked := range leaf.Digests {
		for _, value := range []string{asked.Value, strings.ToUpper(asked.Value)} {
			answer := b.ask(http.MethodGet, "/v1/verify/"+asked.Algorithm+"/"+value+"?serial=S-1", "", "")
			require.Equal(t, http.StatusOK, answer.Code, answer.Body.String())
			require.NotEmpty(t, answer.Header().Get("ETag"))
			report := decodeAnswer[verdict.Report](t, answer)
			require.Equal(t, []metrology.Digest{asked}, report.Digests)
			require.Equal(t, verdict.Good, report.Findings[0].Verdict.Tone())
		}
	}
	for _, c := range []struct{ name, target, field string }{
		{"ErrAlgorithm", "/v1/verify/md5/" + strings.Repeat("a", 32), "algorithm"},
		{"ErrAlgorithmCase", "/v1/verify/SHA256/" + strings.Repeat("a", 64), "algorithm"},
		{"ErrLength", "/v1/verify/sha256/" + strings.Repeat("a", 63), "digest"},
		{"ErrNotHex", "/v1/verify/sm3/" + strings.Repeat("g", 64), "digest"},
		{"ErrUnknownParameter", "/v1/verify/sm3/" + strings.Repeat("a", 64) + "?q=1", "q"},
	} {
		t.Run(c.name, func(t *testing.T) {
			requireProblem(t, b.ask(http.MethodGet, c.target, "", ""), "invalid", c.field)
		})
	}
}

func TestVerifyDigests_StatusAndIssuerAreTheRegisters(t *testing.T) {
	b := newBench(t)
	leaf := leafOfFile(t, "JD-1", "a certificate")
	id := b.anchored(leaf)[0]
	ask := func() []verdict.Outcome {
		t.Helper()
		return outcomes(decodeAnswer[FileReport](t, b.upload("a certificate")).Findings[0].Verdict)
	}
	change := func(edit func(*public.Certificate)) {
		certificate := b.ledger.certificates[id]
		edit(&certificate)
		b.ledger.certificates[id] = certificate
	}
	change(func(c *public.Certificate) { c.FailedLater = "x" })
	require.Equal(t, verdict.FailedLater, ask()[1])
	change(func(c *public.Certificate) { c.State = metrology.CertificateSuperseded })
	require.Equal(t, verdict.Superseded, ask()[1])
	change(func(c *public.Certificate) { c.State = metrology.CertificateRevoked })
	require.Equal(t, verdict.Revoked, ask()[1])

	b.ledger.issuer.State = metrology.IssuerSuspended
	require.Equal(t, verdict.AuthorityEnded, ask()[2])
	b.ledger.issuer.Keys = []metrology.IssuerKey{{ID: b.signer.Key().ID(), Reason: metrology.KeyCompromised}}
	require.Equal(t, verdict.KeyCompromised, ask()[2])
	b.ledger.issuer.ID = "N-2"
	require.Equal(t, verdict.IssuerUnknown, ask()[2])
}

func TestVerifyCertificate(t *testing.T) {
	b := newBench(t)
	id := b.anchored(leafOfFile(t, "JD-1", "a certificate"))[0]
	server := New(Config{Register: b.ledger, Clock: nowInTests})
	finding, err := server.VerifyCertificate(context.Background(), id, "S-1")
	require.NoError(t, err)
	require.Equal(t, []verdict.Outcome{verdict.FileNotShown, verdict.Valid, verdict.Authorized, verdict.Match}, outcomes(finding.Verdict))
	_, err = server.VerifyCertificate(context.Background(), "none", "")
	require.Equal(t, metrology.CodeNotFound, metrology.ErrorCode(err))
}

// lostRegister cannot be read.
type lostRegister struct{ Register }

var errLost = errors.New("disk gone")

func (lostRegister) Status(context.Context) (public.Status, error) { return public.Status{}, errLost }

func TestVerifyDigests_AFaultIsNoAnswer(t *testing.T) {
	server := New(Config{Register: lostRegister{}, Clock: nowInTests})
	_, err := server.VerifyDigests(context.Background(), nil, "")
	require.ErrorIs(t, err, errLost)
}
