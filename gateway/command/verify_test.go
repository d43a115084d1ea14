package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/verdict"
)

// registerStub answers for one known digest and keeps what it was asked.
type registerStub struct {
	known   metrology.Digest
	asked   []string
	bodies  int64
	finding verdict.Finding
	status  int // to answer instead
}

func (r *registerStub) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.asked = append(r.asked, request.Method+" "+request.URL.RequestURI())
	r.bodies += max(0, request.ContentLength)
	if r.status != 0 {
		w.WriteHeader(r.status)
		return
	}
	report := verdict.Report{Day: "2026-03-05", Findings: []verdict.Finding{{Verdict: verdict.Judge(verdict.Facts{Today: "2026-03-05"})}}}
	if strings.HasSuffix(request.URL.Path, "/"+r.known.Algorithm+"/"+r.known.Value) {
		report.Findings[0] = r.finding
	}
	_ = json.NewEncoder(w).Encode(report)
}

// found is a finding about a verification certificate, on the day it ends.
func found(digest metrology.Digest, serial string) verdict.Finding {
	leaf := metrology.Leaf{Issuer: "INST-001", Number: "JL-1", Kind: metrology.KindVerification, Regulation: "JJG 443-2023",
		Performed: "2026-03-01", Issued: "2026-03-02", ValidUntil: "2026-03-05", Digests: []metrology.Digest{digest},
		Instruments: []metrology.LeafInstrument{{Serial: "A-77", Category: "scale", Conclusion: metrology.ConclusionPass}}}
	issuer := metrology.Issuer{State: metrology.IssuerActive, Grants: []metrology.Grant{{Authority: metrology.AuthorityAuthorized,
		From: "2026-01-01", Until: "2026-12-31", Scope: []metrology.ScopeItem{{Category: "scale", Regulation: "JJG 443-2023"}}}}}
	return verdict.Finding{
		Certificate: &verdict.Reference{Number: "JL-1", Issuer: "INST-001", Kind: leaf.Kind, Block: 7},
		Verdict: verdict.Judge(verdict.Facts{Today: "2026-03-05", Digest: digest, Serial: serial, Issuer: &issuer,
			Certificate: &verdict.Certificate{Leaf: leaf, State: metrology.CertificateAnchored}}),
	}
}

// verifyFiles returns what the command printed and its exit code.
func verifyFiles(t *testing.T, arguments ...string) (output string, code int) {
	cmd := Verify()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetIn(strings.NewReader("abc"))
	cmd.SetArgs(append([]string{"--lang", "en"}, arguments...))
	cmd.SilenceErrors = true
	err := cmd.ExecuteContext(context.Background())
	var exit interface{ ExitCode() int }
	if errors.As(err, &exit) {
		return out.String() + err.Error(), exit.ExitCode()
	}
	require.NoError(t, err)
	return out.String(), 0
}

func writeFile(t *testing.T, content string) string {
	name := filepath.Join(t.TempDir(), "certificate")
	require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
	return name
}

// SHA-256 of "abc".
var abc = metrology.Digest{Algorithm: metrology.AlgorithmSHA256, Value: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}

func TestVerify_Online(t *testing.T) {
	serve := func(r *registerStub) string {
		server := httptest.NewServer(r)
		t.Cleanup(server.Close)
		return server.URL
	}
	t.Run("a registered file", func(t *testing.T) {
		r := &registerStub{known: abc, finding: found(abc, "A-77")}
		output, code := verifyFiles(t, "--server", serve(r), "--serial", "A-77", writeFile(t, "abc"))
		require.Zero(t, code, output)
		require.Contains(t, output, "certificate JL-1")
		require.Contains(t, output, "valid today")
		require.Equal(t, []string{"GET /v1/verify/sha256/" + abc.Value + "?serial=A-77"}, r.asked)
		require.Zero(t, r.bodies, "the file never leaves")
	})
	t.Run("from standard input", func(t *testing.T) {
		_, code := verifyFiles(t, "--server", serve(&registerStub{known: abc, finding: found(abc, "")}), "-")
		require.Zero(t, code)
	})
	t.Run("another instrument's certificate", func(t *testing.T) {
		output, code := verifyFiles(t, "--server", serve(&registerStub{known: abc, finding: found(abc, "B-1")}), "--serial", "B-1", writeFile(t, "abc"))
		require.Equal(t, exitNegative, code)
		require.Contains(t, output, "BAD")
	})
	t.Run("an unknown file is asked for by every digest and is not called forged", func(t *testing.T) {
		r := &registerStub{}
		output, code := verifyFiles(t, "--server", serve(r), "--lang", "zh", writeFile(t, "other"))
		require.Equal(t, exitNegative, code)
		require.Len(t, r.asked, 2)
		require.Contains(t, output, "此文件未登记")
	})
	t.Run("a DCC whose bytes changed is found by its content", func(t *testing.T) {
		content := metrology.Digest{Algorithm: metrology.AlgorithmC14NSHA256, Value: "49d585a013e2628762ffd4ecf892a9e14f15647b261cc5d960dc762d2499ed82"}
		r := &registerStub{known: content, finding: found(content, "")}
		output, code := verifyFiles(t, "--server", serve(r), "../../test/testdata/dcc/signed-long-term.xml")
		require.Zero(t, code, output)
		require.Len(t, r.asked, 3)
		require.Contains(t, output, "serial numbers in the file: W-20260001")
		require.Contains(t, output, "signatures or comments in the file differ")
		_, code = verifyFiles(t, "--server", serve(r), "../../test/testdata/dcc/manipulated.xml")
		require.Equal(t, exitNegative, code)
	})
	t.Run("the worst of several files decides", func(t *testing.T) {
		server := serve(&registerStub{known: abc, finding: found(abc, "")})
		_, code := verifyFiles(t, "--server", server, writeFile(t, "abc"), writeFile(t, "other"), "/nonexistent")
		require.Equal(t, exitNegative, code)
		_, code = verifyFiles(t, "--server", server, writeFile(t, "abc"), "/nonexistent")
		require.Equal(t, exitUnchecked, code)
	})
	t.Run("could not check is neither", func(t *testing.T) {
		nothingSaid := verdict.Finding{Certificate: &verdict.Reference{}}
		for _, r := range []*registerStub{{status: http.StatusServiceUnavailable}, {status: http.StatusNotFound}, {known: abc, finding: nothingSaid}} {
			output, code := verifyFiles(t, "--server", serve(r), writeFile(t, "abc"))
			require.Equal(t, exitUnchecked, code, output)
		}
		output, code := verifyFiles(t, "--server", "http://127.0.0.1:1", writeFile(t, "abc"))
		require.Equal(t, exitUnchecked, code)
		require.Contains(t, output, "could not check")
	})
	t.Run("JSON", func(t *testing.T) {
		output, code := verifyFiles(t, "--json", "--server", serve(&registerStub{known: abc, finding: found(abc, "")}), writeFile(t, "abc"))
		require.Zero(t, code)
		var answer fileAnswer
		require.NoError(t, json.Unmarshal([]byte(output), &answer))
		require.Equal(t, verdict.Registered, answer.Report.Findings[0].Verdict.Integrity.Outcome)
		require.Len(t, answer.Report.Digests, 2)
	})
}

func TestVerify_Offline(t *testing.T) {
	const kept = "../../test/testdata/evidence/"
	with := []string{"--bundle", kept + "bundle.json", "--trust", kept + "trust.json"}
	t.Run("the file it is evidence for", func(t *testing.T) {
		output, code := verifyFiles(t, append(with, "--serial", "S-2", kept+"certificate.txt")...)
		require.Zero(t, code, output)
		require.Contains(t, output, "the evidence holds")
		require.Contains(t, output, "the serial number agrees")
		require.Contains(t, output, "It may have been revoked")
		require.NotContains(t, output, "valid today")
	})
	t.Run("without a file", func(t *testing.T) {
		output, code := verifyFiles(t, with...)
		require.Zero(t, code, output)
		require.Contains(t, output, "no file was checked")
	})
	t.Run("another file", func(t *testing.T) {
		output, code := verifyFiles(t, append(with, writeFile(t, "abc"))...)
		require.Equal(t, exitNegative, code, output)
		require.Contains(t, output, "this file is not registered")
	})
	t.Run("another instrument", func(t *testing.T) {
		_, code := verifyFiles(t, append(with, "--serial", "S-3", kept+"certificate.txt")...)
		require.Equal(t, exitNegative, code)
	})
	t.Run("a changed bundle", func(t *testing.T) {
		encoded, err := os.ReadFile(kept + "bundle.json")
		require.NoError(t, err)
		output, code := verifyFiles(t, "--bundle", writeFile(t, strings.Replace(string(encoded), "A", "B", 1)), "--trust", kept+"trust.json")
		require.Equal(t, exitNegative, code)
		require.Contains(t, output, "evidence")
	})
	t.Run("another trust file is no trust file", func(t *testing.T) {
		_, code := verifyFiles(t, "--bundle", kept+"bundle.json", "--trust", kept+"certificate.txt")
		require.Equal(t, exitUnchecked, code)
	})
	t.Run("JSON", func(t *testing.T) {
		output, code := verifyFiles(t, append(with, "--json", kept+"certificate.txt")...)
		require.Zero(t, code)
		var answer fileAnswer
		require.NoError(t, json.Unmarshal([]byte(output), &answer))
		require.True(t, answer.Proof.Holds)
		require.Equal(t, "JL2026-0002", answer.Proof.Leaf.Number)
	})
}

func TestVerify_Usage(t *testing.T) {
	for name, arguments := range map[string][]string{
		"no file":              {},
		"unknown flag":         {"--upload", "x"},
		"bundle without trust": {"--bundle", "b", "x"},
		"trust without bundle": {"--trust", "t", "x"},
		"bundle with a server": {"--bundle", "b", "--trust", "t", "--server", "s", "x"},
		"two files one bundle": {"--bundle", "b", "--trust", "t", "x", "y"},
		"unknown language":     {"--lang", "fr", "x"},
	} {
		_, code := verifyFiles(t, arguments...)
		require.Equal(t, exitUsage, code, name)
	}
}

func TestPrintable(t *testing.T) {
	require.Equal(t, "a\ufffd[31m\n证书\ufffd", strings.Map(printable, "a\x1b[31m\n证书\u202e"))
}
