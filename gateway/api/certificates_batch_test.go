package api

import (
	"bytes"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

const batchHeader = "证书编号,出厂编号,强检目录编号,检定规程,检定日期,有效期至,结论,SHA256\n"

// batchRow is a good row of a CSV file.
func batchRow(number string) string {
	return number + ",S-1,fuel-dispenser,JJG 443-2023,2026年11月20日,2027-05-19,合格," + strings.Repeat("ab", 32) + "\n"
}

func (b *bench) sendBatch(file string, headers ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.ask(http.MethodPost, "/v1/certificate-batches?issuer=N-1", "institute", file, append([]string{"Content-Type", "text/csv"}, headers...)...)
}

func (b *bench) batch(file string) FileAnswer {
	b.t.Helper()
	answer := b.sendBatch(file)
	require.Equal(b.t, http.StatusOK, answer.Code, answer.Body.String())
	return decodeAnswer[FileAnswer](b.t, answer)
}

func TestImportCertificates_BadRowsDoNotBlockGoodOnes(t *testing.T) {
	b := newBench(t)
	b.anchored(testLeaf("TAKEN"))
	file := batchHeader + batchRow("A") +
		strings.Replace(batchRow("B"), "2027-05-19", "2026-01-01", 1) + // expires before its issue
		strings.Replace(batchRow("C"), "fuel-dispenser", "taximeter", 1) + // out of scope
		strings.Replace(batchRow("D"), strings.Repeat("ab", 32), "ab", 1) +
		batchRow("A") +
		batchRow("TAKEN") +
		strings.Replace(batchRow("E"), "2026年11月20日", "昨天", 1) +
		batchRow("F")
	answer := b.batch(file)
	type result struct {
		line    int
		number  string
		outcome LineOutcome
		code    metrology.Code
		field   string
		column  string
	}
	var got []result
	for _, l := range answer.Lines {
		got = append(got, result{l.Line, l.Number, l.Outcome, l.Code, l.Field, l.Column})
	}
	require.Equal(t, []result{
		{2, "A", LineAnchored, "", "", ""},
		{3, "B", LineRejected, metrology.CodeInvalid, "validUntil", "有效期至"},
		{4, "C", LineRejected, metrology.CodeScope, "instruments[0].category", "强检目录编号"},
		{5, "D", LineRejected, metrology.CodeInvalid, "digests[0].value", "SHA256"},
		{6, "A", LineRejected, metrology.CodeConflict, "number", "证书编号"},
		{7, "TAKEN", LineRejected, metrology.CodeConflict, "number", "证书编号"},
		{8, "E", LineRejected, metrology.CodeInvalid, "performed", "检定日期"},
		{9, "F", LineAnchored, "", "", ""},
	}, got)
	require.Equal(t, map[LineOutcome]int{LineAnchored: 2, LineRejected: 6}, answer.Counts)
	require.Equal(t, "\"A\" stands in line 2 too", answer.Lines[4].Message)
	require.Equal(t, answer.Lines[0].Root, answer.Lines[7].Root)
	require.Empty(t, answer.Lines[2].ID, "what is not anchored has no id")
	require.Contains(t, b.ledger.certificates, answer.Lines[0].ID)
}

func TestImportCertificates_AgainAddsOnlyWhatIsNew(t *testing.T) {
	b := newBench(t)
	first := b.batch(batchHeader + batchRow("A") + strings.Replace(batchRow("B"), "合格", "凑合", 1))
	require.Equal(t, map[LineOutcome]int{LineAnchored: 1, LineRejected: 1}, first.Counts)
	second := b.batch(batchHeader + batchRow("A") + batchRow("B"))
	require.Equal(t, map[LineOutcome]int{LineAlready: 1, LineAnchored: 1}, second.Counts)
	require.Equal(t, first.Lines[0].ID, second.Lines[0].ID)
	require.Equal(t, first.Lines[0].Root, second.Lines[0].Root)
	require.Equal(t, first.Lines[0].TransactionID, second.Lines[0].TransactionID)
	require.Len(t, b.ledger.order, 2)
}

func TestImportCertificates_RetryAsksForTheSameBatch(t *testing.T) {
	b := newBench(t)
	var calls []Call
	b.ledger.fail = func(call Call) error {
		calls = append(calls, call)
		return &Fault{Kind: FaultUnavailable, Err: errors.New("down")}
	}
	file := batchHeader + batchRow("A") + batchRow("B")
	requireProblem(t, b.sendBatch(file), "unavailable", "")
	requireProblem(t, b.sendBatch(file), "unavailable", "")
	require.Equal(t, calls[0], calls[1], "the signature too")
	b.ledger.fail = nil
	require.Equal(t, map[LineOutcome]int{LineAnchored: 2}, b.batch(file).Counts)
}

// manyRows is a good file of n rows.
func manyRows(n int) string {
	var file strings.Builder
	file.WriteString(batchHeader)
	for i := range n {
		file.WriteString(batchRow(fmt.Sprintf("N-%05d", i)))
	}
	return file.String()
}

func TestImportCertificates_Chunks(t *testing.T) {
	b := newBench(t)
	require.Equal(t, map[LineOutcome]int{LineAnchored: 1200}, b.batch(manyRows(1200)).Counts)
	var sizes []int
	for _, call := range b.ledger.order {
		var cmd metrology.AnchorBatch
		require.NoError(t, unmarshalStrict(call.Request, &cmd))
		sizes = append(sizes, len(cmd.Leaves))
	}
	require.Equal(t, []int{1000, 200}, sizes)

	t.Run("bytes bound a transaction too", func(t *testing.T) {
		leaves := make([]goodLeaf, 100)
		for i := range leaves {
			leaves[i].raw = make([]byte, metrology.MaxLeafBytes)
		}
		require.Equal(t, maxChunkBytes/(metrology.MaxLeafBytes+1), chunkLength(leaves))
	})
}

func TestImportCertificates_WhatWasSentIsToldWhenTheLedgerGoes(t *testing.T) {
	b := newBench(t)
	submitted := 0
	b.ledger.fail = func(Call) error {
		if submitted++; submitted > 1 {
			return &Fault{Kind: FaultUnavailable, Err: errors.New("down")}
		}
		return nil
	}
	require.Equal(t, map[LineOutcome]int{LineAnchored: 1000, LineNotSent: 200}, b.batch(manyRows(1200)).Counts)

	t.Run("an unknown commit is neither success nor failure", func(t *testing.T) {
		b := newBench(t)
		b.ledger.unknown = true
		answer := b.batch(batchHeader + batchRow("A"))
		require.Equal(t, map[LineOutcome]int{LineUnknown: 1}, answer.Counts)
		require.NotEmpty(t, answer.Lines[0].TransactionID)
	})
	t.Run("a rule that concerns the whole batch is the answer", func(t *testing.T) {
		b := newBench(t)
		b.ledger.fail = func(Call) error { return metrology.Errorf(metrology.CodeForbidden, "not yours") }
		requireProblem(t, b.sendBatch(batchHeader+batchRow("A")), "forbidden", "")
	})
	t.Run("others anchored in between", func(t *testing.T) {
		b := newBench(t)
		raced := false
		b.ledger.fail = func(Call) error {
			if !raced {
				raced = true
				taken := testLeaf("A")
				b.ledger.certificates["x"] = certificateOf("x", taken)
			}
			return nil
		}
		answer := b.batch(batchHeader + batchRow("A") + batchRow("B"))
		require.Equal(t, map[LineOutcome]int{LineAnchored: 1, LineRejected: 1}, answer.Counts)
		require.Equal(t, metrology.CodeConflict, answer.Lines[0].Code)
	})
}

func TestImportCertificates_Forms(t *testing.T) {
	b := newBench(t)
	leaf := testLeaf("PLAIN")
	leaf.Issuer = ""
	plain := b.sendBatch(body(t, leaf, map[string]any{"issuer": nil})+"\n"+body(t, testLeaf("OTHER"), map[string]any{"issuer": "N-9"})+"\n", "Content-Type", "application/x-ndjson")
	answer := decodeAnswer[FileAnswer](t, plain)
	require.Equal(t, LineAnchored, answer.Lines[0].Outcome, plain.Body.String())
	require.Equal(t, "issuer", answer.Lines[1].Field)

	t.Run("a form brings its own mapping", func(t *testing.T) {
		mapping := "version: 1\nkind: certificates\ncolumns:\n- {header: [nr], member: number, required: true}\n" +
			"- {header: [day], member: performed, as: date}\n- {header: [sn], member: 'instruments[0].serial'}\n" +
			"fixed: {kind: verification-mark, regulation: JJG 443-2023, 'instruments[0].conclusion': pass, 'instruments[0].category': fuel-dispenser}\ncopy: {issued: performed}\n"
		form, kind := multipartForm(t, map[string]string{"file": "nr,sn,day\nM-1,S-9,20261120\n", "mapping": mapping})
		answer := decodeAnswer[FileAnswer](t, b.sendBatch(form, "Content-Type", kind))
		require.Equal(t, map[LineOutcome]int{LineAnchored: 1}, answer.Counts, "%+v", answer.Lines)
		require.Equal(t, metrology.KindMark, b.ledger.certificates[answer.Lines[0].ID].Leaf.Kind)
	})
	t.Run("the answer can be NDJSON", func(t *testing.T) {
		answer := b.sendBatch(batchHeader+batchRow("N-1"), "Accept", "application/x-ndjson")
		require.Equal(t, "application/x-ndjson", answer.Header().Get("Content-Type"))
		lines := strings.Split(strings.TrimSpace(answer.Body.String()), "\n")
		require.Len(t, lines, 2)
		require.JSONEq(t, `{"counts":{"anchored":1}}`, lines[1])
	})
}

// multipartForm encodes a form with one part for each name.
func multipartForm(t *testing.T, parts map[string]string) (body, contentType string) {
	t.Helper()
	var out bytes.Buffer
	form := multipart.NewWriter(&out)
	for name, content := range parts {
		part, err := form.CreateFormFile(name, "name-from-the-client")
		require.NoError(t, err)
		_, err = part.Write([]byte(content))
		require.NoError(t, err)
	}
	require.NoError(t, form.Close())
	return out.String(), form.FormDataContentType()
}

func TestImportCertificates_BadInput(t *testing.T) {
	b := newBench(t)
	good := batchHeader + batchRow("A")
	strange, strangeType := multipartForm(t, map[string]string{"file": good, "colour": "red"})
	without, withoutType := multipartForm(t, map[string]string{"mapping": "version: 1"})
	for _, c := range []struct{ name, target, token, body, media, problem, field string }{
		{"ErrNoToken", "?issuer=N-1", "", good, "text/csv", "unauthorized", ""},
		{"ErrNoIssuer", "", "institute", good, "text/csv", "invalid", "issuer"},
		{"ErrUnknownParameter", "?issuer=N-1&colour=red", "institute", good, "text/csv", "invalid", "colour"},
		{"ErrParameterTwice", "?issuer=N-1&issuer=N-2", "institute", good, "text/csv", "invalid", "issuer"},
		{"ErrMediaType", "?issuer=N-1", "institute", good, "text/html", "media-type", ""},
		{"ErrEmpty", "?issuer=N-1", "institute", "", "text/csv", "invalid", "file"},
		{"ErrNoHeader", "?issuer=N-1", "institute", "a,b\n1,2\n", "text/csv", "invalid", "file"},
		{"ErrNotXLSX", "?issuer=N-1", "institute", "PK\x03\x04", "application/octet-stream", "invalid", "file"},
		{"ErrUnknownMapping", "?issuer=N-1&mapping=none", "institute", good, "text/csv", "invalid", "mapping"},
		{"ErrMappingOfAnotherKind", "?issuer=N-1&mapping=sites", "institute", good, "text/csv", "invalid", "mapping"},
		{"ErrUnknownPart", "?issuer=N-1", "institute", strange, strangeType, "invalid", "colour"},
		{"ErrNoFilePart", "?issuer=N-1", "institute", without, withoutType, "invalid", "file"},
		{"ErrBrokenForm", "?issuer=N-1", "institute", "x", "multipart/form-data; boundary=b", "invalid", "file"},
		{"ErrTooLarge", "?issuer=N-1", "institute", strings.Repeat("x", 1<<20+1), "text/csv", "too-large", ""},
		{"ErrNoSuchIssuer", "?issuer=N-9", "institute", good, "text/csv", "not-found", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer := b.ask(http.MethodPost, "/v1/certificate-batches"+c.target, c.token, c.body, "Content-Type", c.media)
			requireProblem(t, answer, c.problem, c.field)
		})
	}
	require.Empty(t, b.ledger.order, "nothing was sent")
	t.Run("ErrNoKeyHere", func(t *testing.T) {
		b := newBench(t)
		b.ledger.issuer.ID = "N-2"
		answer := b.ask(http.MethodPost, "/v1/certificate-batches?issuer=N-2", "institute", good, "Content-Type", "text/csv")
		requireProblem(t, answer, "invalid", "signature")
	})
}
