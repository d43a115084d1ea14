package api

import (
	"encoding/base64"
	stdjson "encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// testLeaf is a good certificate with the given number.
func testLeaf(number string) metrology.Leaf {
	return metrology.Leaf{
		Issuer: "N-1", Number: number, Kind: metrology.KindVerification, Regulation: "JJG 443-2023",
		Performed: "2026-11-20", Issued: "2026-11-21", ValidUntil: "2027-05-19",
		Instruments: []metrology.LeafInstrument{{Serial: "S-1", Category: "fuel-dispenser", Conclusion: metrology.ConclusionPass}},
		Digests:     []metrology.Digest{{Algorithm: metrology.AlgorithmSHA256, Value: strings.Repeat("ab", 32)}},
	}
}

// body encodes a leaf as a request, changed by edits that set members.
func body(t *testing.T, leaf metrology.Leaf, edits ...map[string]any) string {
	t.Helper()
	encoded, err := stdjson.Marshal(leaf)
	require.NoError(t, err)
	var members map[string]any
	require.NoError(t, stdjson.Unmarshal(encoded, &members))
	for _, edit := range edits {
		for name, value := range edit {
			members[name] = value
			if value == nil {
				delete(members, name)
			}
		}
	}
	encoded, err = stdjson.Marshal(members)
	require.NoError(t, err)
	return string(encoded)
}

func TestAnchorCertificate(t *testing.T) {
	b := newBench(t)
	request := body(t, testLeaf("JD-1"))
	answer := b.ask(http.MethodPost, "/v1/certificates", "institute", request, "Idempotency-Key", "k1")
	require.Equal(t, http.StatusCreated, answer.Code, answer.Body.String())
	written := decodeAnswer[Written](t, answer)
	require.Contains(t, b.ledger.certificates, written.ID)
	require.Equal(t, "/v1/certificates/"+written.ID, answer.Header().Get("Location"))
	require.Equal(t, testLeaf("JD-1"), b.ledger.certificates[written.ID].Leaf)

	again := b.ask(http.MethodPost, "/v1/certificates", "institute", request, "Idempotency-Key", "k1")
	require.Equal(t, http.StatusCreated, again.Code, "a retry is the same request, signature and all")
	require.Len(t, b.ledger.order, 1)

	b.ledger.unknown = true
	unknown := b.ask(http.MethodPost, "/v1/certificates", "institute", body(t, testLeaf("JD-2")))
	require.Equal(t, http.StatusAccepted, unknown.Code)
	require.Equal(t, "unknown", decodeAnswer[Written](t, unknown).Status)
}

func TestAnchorCertificate_IssuersOwnSignature(t *testing.T) {
	b := newBench(t)
	leaf := testLeaf("JD-1")
	encoded, err := leaf.Bytes()
	require.NoError(t, err)
	message := metrology.BatchMessage("N-1", [32]byte(rfc6962.DefaultHasher.HashLeaf(encoded)), 1)
	signed, err := b.signer.Sign(message)
	require.NoError(t, err)
	answer := b.ask(http.MethodPost, "/v1/certificates", "institute", body(t, leaf, map[string]any{
		"key": b.signer.Key().ID(), "signature": base64.StdEncoding.EncodeToString(signed),
	}))
	require.Equal(t, http.StatusCreated, answer.Code, answer.Body.String())
}

func TestAnchorCertificate_BadInput(t *testing.T) {
	b := newBench(t)
	require.Equal(t, http.StatusCreated, b.ask(http.MethodPost, "/v1/certificates", "institute", body(t, testLeaf("TAKEN"))).Code)
	good := testLeaf("JD-1")
	set := func(name string, value any) string { return body(t, good, map[string]any{name: value}) }
	short := []metrology.Digest{{Algorithm: "sha256", Value: "ab"}}
	outside := []metrology.LeafInstrument{{Serial: "S-1", Category: "taximeter", Conclusion: metrology.ConclusionPass}}
	for _, c := range []struct{ name, token, body, problem, field string }{
		{"ErrNoToken", "", body(t, good), "unauthorized", ""},
		{"ErrUnknownMember", "institute", set("colour", "red"), "invalid", "colour"},
		{"ErrMemberInAnotherCase", "institute", set("Number", "x"), "invalid", "Number"},
		{"ErrDuplicateMember", "institute", strings.Replace(body(t, good), "{", `{"number":"a",`, 1), "invalid", "number"},
		{"ErrNotAnObject", "institute", `[]`, "invalid", ""},
		{"ErrWrongType", "institute", set("number", 7), "invalid", "number"},
		{"ErrExpiryBeforeIssue", "institute", set("validUntil", "2026-11-20"), "invalid", "validUntil"},
		{"ErrDigestLength", "institute", set("digests", short), "invalid", "digests[0].value"},
		{"ErrNoSuchDay", "institute", set("performed", "2026-02-30"), "invalid", "performed"},
		{"ErrOutOfScope", "institute", set("instruments", outside), "out-of-scope", "instruments[0].category"},
		{"ErrNumberTaken", "institute", body(t, testLeaf("TAKEN"), map[string]any{"regulation": "JJG 443-2023", "issued": "2026-11-22"}), "conflict", "number"},
		{"ErrKeyWithoutSignature", "institute", set("key", "k"), "invalid", "signature"},
		{"ErrSignatureWithoutKey", "institute", set("signature", "AAAA"), "invalid", "key"},
		{"ErrWrongSignature", "institute", body(t, good, map[string]any{"key": b.signer.Key().ID(), "signature": "AAAA"}), "signature", ""},
		{"ErrNoKeyHere", "institute", set("issuer", "N-2"), "invalid", "signature"},
	} {
		t.Run(c.name, func(t *testing.T) {
			requireProblem(t, b.ask(http.MethodPost, "/v1/certificates", c.token, c.body), c.problem, c.field)
		})
	}
	t.Run("ErrOperationReused", func(t *testing.T) {
		require.Equal(t, http.StatusCreated, b.ask(http.MethodPost, "/v1/certificates", "institute", body(t, testLeaf("A")), "Idempotency-Key", "k").Code)
		requireProblem(t, b.ask(http.MethodPost, "/v1/certificates", "institute", body(t, testLeaf("B")), "Idempotency-Key", "k"), "operation-reused", "")
	})
	t.Run("ErrMediaType", func(t *testing.T) {
		requireProblem(t, b.ask(http.MethodPost, "/v1/certificates", "institute", body(t, good), "Content-Type", "text/plain"), "media-type", "")
	})
	t.Run("ErrTooLarge", func(t *testing.T) {
		requireProblem(t, b.ask(http.MethodPost, "/v1/certificates", "institute", set("number", strings.Repeat("x", 2<<20))), "too-large", "")
	})
}

// anchored puts certificates on the ledger and returns their ids.
func (b *bench) anchored(leaves ...metrology.Leaf) (ids []string) {
	b.t.Helper()
	for _, leaf := range leaves {
		answer := b.ask(http.MethodPost, "/v1/certificates", "institute", body(b.t, leaf))
		require.Equal(b.t, http.StatusCreated, answer.Code, answer.Body.String())
		ids = append(ids, decodeAnswer[Written](b.t, answer).ID)
	}
	return ids
}

func TestCertificateSteps(t *testing.T) {
	b := newBench(t)
	ids := b.anchored(testLeaf("JD-1"), testLeaf("JD-2"))
	last := func() Call { return b.ledger.order[len(b.ledger.order)-1] }
	step := func(name, body string) {
		t.Helper()
		answer := b.ask(http.MethodPost, "/v1/certificates/"+ids[0]+"/"+name, "institute", body)
		require.Equal(t, http.StatusCreated, answer.Code, answer.Body.String())
		require.Equal(t, "/v1/certificates/"+ids[0], answer.Header().Get("Location"))
		require.Equal(t, ids[0], decodeAnswer[Written](t, answer).ID)
	}
	step("revocation", `{"reason":"wrong-data"}`)
	require.Equal(t, "certificate:Revoke", last().Function)
	require.JSONEq(t, `{"issuer":"N-1","number":"JD-1","reason":"wrong-data"}`, string(last().Request))

	step("supersession", `{"reason":"amended","successor":"`+ids[1]+`"}`)
	require.Equal(t, "certificate:Supersede", last().Function)
	require.JSONEq(t, `{"issuer":"N-1","number":"JD-1","successor":"JD-2","reason":"amended"}`, string(last().Request))

	digests := []metrology.Digest{{Algorithm: "sha256", Value: strings.Repeat("cd", 32)}}
	encoded, err := stdjson.Marshal(map[string]any{"digests": digests})
	require.NoError(t, err)
	step("renditions", string(encoded))
	require.Equal(t, "certificate:AddRendition", last().Function)
	var cmd metrology.AddRendition
	require.NoError(t, unmarshalStrict(last().Request, &cmd))
	require.Equal(t, "JD-1", cmd.Number)
	require.NoError(t, b.signer.Key().Verify(metrology.RenditionMessage("N-1", ids[0], digests), cmd.Signature))
}

func TestCertificateSteps_BadInput(t *testing.T) {
	b := newBench(t)
	ids := b.anchored(testLeaf("JD-1"))
	b.ledger.certificates["other"] = public.Certificate{ID: "other", Leaf: metrology.Leaf{Issuer: "N-2", Number: "JD-9"}}
	for _, c := range []struct{ name, path, body, problem, field string }{
		{"ErrNoSuchCertificate", "/v1/certificates/none/revocation", `{"reason":"wrong-data"}`, "not-found", ""},
		{"ErrIssuerCannotBeGiven", "/v1/certificates/" + ids[0] + "/revocation", `{"reason":"wrong-data","issuer":"N-2"}`, "invalid", "issuer"},
		{"ErrNoSuchSuccessor", "/v1/certificates/" + ids[0] + "/supersession", `{"reason":"amended","successor":"none"}`, "not-found", "successor"},
		{"ErrSuccessorOfAnother", "/v1/certificates/" + ids[0] + "/supersession", `{"reason":"amended","successor":"other"}`, "invalid", "successor"},
		{"ErrEmptyBody", "/v1/certificates/" + ids[0] + "/renditions", ``, "invalid", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			requireProblem(t, b.ask(http.MethodPost, c.path, "institute", c.body), c.problem, c.field)
			requireProblem(t, b.ask(http.MethodPost, c.path, "", c.body), "unauthorized", "")
		})
	}
}

func TestProof(t *testing.T) {
	b := newBench(t)
	ids := b.anchored(testLeaf("JD-1"))
	answer := b.ask(http.MethodGet, "/v1/certificates/"+ids[0]+"/proof", "", "")
	require.Equal(t, http.StatusOK, answer.Code)
	require.JSONEq(t, fmt.Sprintf(`{"of":%q}`, ids[0]), answer.Body.String())
	requireProblem(t, b.ask(http.MethodGet, "/v1/certificates/none/proof", "", ""), "not-found", "")
}
