package metrology

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// leafBytes is a good verification of a dispenser by anIssuer, changed.
func leafBytes(t *testing.T, number string, change func(*Leaf)) json.RawMessage {
	t.Helper()
	leaf := Leaf{
		Issuer: "inst-1", Kind: KindVerification, Number: number, Regulation: "JJG 443-2023", Performed: "2026-03-01", Issued: "2026-03-02",
		ValidUntil:  "2026-08-31",
		Digests:     []Digest{{Algorithm: AlgorithmSHA256, Value: strings.Repeat("ab", 32)}},
		Instruments: []LeafInstrument{{Category: "24-2", Serial: "S1", Conclusion: ConclusionPass}},
	}
	if change != nil {
		change(&leaf)
	}
	raw, err := leaf.Bytes()
	require.NoError(t, err)
	return raw
}

func TestReadLeaves(t *testing.T) {
	issuer := anIssuer(t)
	t.Run("every bad leaf is found, the good ones stand", func(t *testing.T) {
		leaves, err := ReadLeaves(issuer, []json.RawMessage{
			leafBytes(t, "A-1", nil),
			json.RawMessage(`{"number":"A-2"}`),
			leafBytes(t, "A-3", func(l *Leaf) { l.Instruments[0].Category = "12-1" }),
			leafBytes(t, "A-1", nil),
			leafBytes(t, "A-5", func(l *Leaf) { l.Issuer = "inst-2" }),
			append([]byte(" "), leafBytes(t, "A-6", nil)...),
		}, "2026-03-02")
		require.NoError(t, err)
		codes := make([]Code, len(leaves))
		for i, leaf := range leaves {
			codes[i] = ErrorCode(leaf.Err)
		}
		require.Equal(t, []Code{"", CodeInvalid, CodeScope, CodeConflict, CodeInvalid, CodeInvalid}, codes)
	})
	t.Run("a bad leaf does not take a number", func(t *testing.T) {
		leaves, err := ReadLeaves(issuer, []json.RawMessage{
			leafBytes(t, "A-1", func(l *Leaf) { l.Instruments[0].Category = "12-1" }), leafBytes(t, "A-1", nil),
		}, "2026-03-02")
		require.NoError(t, err)
		require.Error(t, leaves[0].Err)
		require.NoError(t, leaves[1].Err)
	})
	t.Run("ErrEmpty", func(t *testing.T) {
		_, err := ReadLeaves(issuer, nil, "2026-03-02")
		requireError(t, err, CodeInvalid, "leaves")
	})
	t.Run("ErrTooMany", func(t *testing.T) {
		_, err := ReadLeaves(issuer, make([]json.RawMessage, MaxBatchLeaves+1), "2026-03-02")
		requireError(t, err, CodeInvalid, "leaves")
	})
}

func TestRejectedLeavesError(t *testing.T) {
	var rejected []RejectedLeaf
	for i := range MaxRejectedLeaves + 50 {
		leaf := BatchLeaf{Err: FieldErrorf(CodeConflict, "number", "%q is already taken", fmt.Sprint(i)), Same: i%2 == 0}
		rejected = append(rejected, leaf.Reject(i))
	}
	parsed, ok := ParseError(RejectedLeavesError(rejected).Error())
	require.True(t, ok)
	require.Equal(t, CodeRejectedLeaves, parsed.Code)
	var list []RejectedLeaf
	require.NoError(t, json.Unmarshal([]byte(parsed.Message), &list))
	require.Equal(t, rejected[:MaxRejectedLeaves], list)

	require.Equal(t, CodeInternal, BatchLeaf{Err: fmt.Errorf("disk")}.Reject(0).Code, "an error without a code is nobody's input")
}

func TestRevoke(t *testing.T) {
	for name, test := range map[string]struct {
		state  CertificateState
		by     Role
		reason CertificateReason
		code   Code
	}{
		"issuer's mistake":         {CertificateAnchored, RoleInstitute, RevokedMistake, ""},
		"regulator's finding":      {CertificateAnchored, RoleRegulator, RevokedFabricated, ""},
		"superseded, then revoked": {CertificateSuperseded, RoleRegulator, RevokedByCourt, ""},
		"ErrAlreadyRevoked":        {CertificateRevoked, RoleInstitute, RevokedMistake, CodeState},
		"ErrIssuerFindsFabricated": {CertificateAnchored, RoleInstitute, RevokedFabricated, CodeInvalid},
		"ErrRegulatorsOwnMistake":  {CertificateAnchored, RoleRegulator, RevokedMistake, CodeInvalid},
		"ErrReason":                {CertificateAnchored, RoleInstitute, "because", CodeInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			revoked, err := Certificate{State: test.state}.Revoke(test.reason, test.by, "2026-03-02T02:00:00Z")
			require.Equal(t, test.code, ErrorCode(err))
			if err == nil {
				require.Equal(t, Certificate{
					State: CertificateRevoked, Reason: test.reason, ChangedBy: test.by, Changed: "2026-03-02T02:00:00Z",
				}, revoked)
			}
		})
	}
}

func TestSupersede(t *testing.T) {
	for name, test := range map[string]struct {
		state, successor CertificateState
		cmd              SupersedeCertificate
		code             Code
		field            string
	}{
		"amended":                {CertificateAnchored, CertificateAnchored, SupersedeCertificate{Number: "1", Successor: "2", Reason: SupersededAmended}, "", ""},
		"ErrItself":              {CertificateAnchored, CertificateAnchored, SupersedeCertificate{Number: "1", Successor: "1", Reason: SupersededAmended}, CodeInvalid, "successor"},
		"ErrAlreadySuperseded":   {CertificateSuperseded, CertificateAnchored, SupersedeCertificate{Number: "1", Successor: "2", Reason: SupersededAmended}, CodeState, ""},
		"ErrRevoked":             {CertificateRevoked, CertificateAnchored, SupersedeCertificate{Number: "1", Successor: "2", Reason: SupersededAmended}, CodeState, ""},
		"ErrSuccessorRevoked":    {CertificateAnchored, CertificateRevoked, SupersedeCertificate{Number: "1", Successor: "2", Reason: SupersededAmended}, CodeState, "successor"},
		"ErrSuccessorSuperseded": {CertificateAnchored, CertificateSuperseded, SupersedeCertificate{Number: "1", Successor: "2", Reason: SupersededAmended}, CodeState, "successor"},
		"ErrReason":              {CertificateAnchored, CertificateAnchored, SupersedeCertificate{Number: "1", Successor: "2", Reason: RevokedMistake}, CodeInvalid, "reason"},
	} {
		t.Run(name, func(t *testing.T) {
			after, err := Certificate{State: test.state}.Supersede(test.cmd, Certificate{State: test.successor}, RoleInstitute, "")
			if test.code != "" {
				requireError(t, err, test.code, test.field)
				return
			}
			require.NoError(t, err)
			require.Equal(t, "2", after.Successor)
		})
	}
}

func TestAddRendition(t *testing.T) {
	digest := func(fill string) Digest { return Digest{Algorithm: AlgorithmSHA256, Value: strings.Repeat(fill, 64)} }
	certificate, err := Certificate{State: CertificateAnchored}.AddRendition([]Digest{digest("a")})
	require.NoError(t, err)
	for name, test := range map[string]struct {
		state   CertificateState
		digests []Digest
		code    Code
		field   string
	}{
		"ErrRevoked":  {CertificateRevoked, []Digest{digest("b")}, CodeState, ""},
		"ErrNone":     {CertificateAnchored, nil, CodeInvalid, "digests"},
		"ErrTooMany":  {CertificateAnchored, make([]Digest, maxRenditionDigests), CodeInvalid, "digests"},
		"ErrLength":   {CertificateAnchored, []Digest{{Algorithm: AlgorithmSHA256, Value: "ab"}}, CodeInvalid, "digests[0].value"},
		"ErrKnown":    {CertificateAnchored, []Digest{digest("a")}, CodeConflict, "digests[0]"},
		"ErrTwice":    {CertificateAnchored, []Digest{digest("b"), digest("b")}, CodeConflict, "digests[1]"},
		"ErrNoMethod": {CertificateAnchored, []Digest{{Algorithm: "md5", Value: strings.Repeat("a", 64)}}, CodeInvalid, "digests[0].algorithm"},
	} {
		t.Run(name, func(t *testing.T) {
			one := certificate
			one.State = test.state
			_, err := one.AddRendition(test.digests)
			requireError(t, err, test.code, test.field)
		})
	}
}

func TestRenditionMessage(t *testing.T) {
	a := Digest{Algorithm: AlgorithmSHA256, Value: strings.Repeat("a", 64)}
	require.Equal(t, "steelyard-rendition/1\ninst-1\n00ff\nsha256:"+a.Value+"\n", string(RenditionMessage("inst-1", "00ff", []Digest{a})))
}

// TestCertificateKey/… keeps two numbers from sharing a key.
func TestCertificateKey(t *testing.T) {
	require.Equal(t, "certificate/inst-1/%E5%8A%9B%E5%AD%97%2F2026%20001", CertificateKey("inst-1", "力字/2026 001"))
	require.NotEqual(t, CertificateKey("inst-1", "%2F"), CertificateKey("inst-1", "/"))
	require.Equal(t, "inst-1/A-1", CertificateID("inst-1", "A-1"))
}
