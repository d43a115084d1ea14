package draw

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Quicknet's round 1000, as published and as draws.md quotes it.
const (
	quicknetRound      = 1000
	quicknetSignature  = "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"
	quicknetRandomness = "fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd"
	quicknetChainHash  = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
)

func unhex(t require.TestingT, text string) []byte {
	b, err := hex.DecodeString(text)
	require.NoError(t, err)
	return b
}

// digestOf makes a value for tests from a text.
func digestOf(text string) Digest { return sha256.Sum256([]byte(text)) }

// share makes a revealed or withheld share of a draw.
func share(draw, org string, revealed bool) Share {
	secret := digestOf("secret of " + org)
	s := Share{Org: org, Commitment: Commitment(draw, org, secret)}
	if revealed {
		s.Secret = &secret
	}
	return s
}

// sampleInput is a draw over three strata: A of equal weights, B of unequal
// ones with an outright object, C with none drawn.
func sampleInput(t require.TestingT) Input {
	in := Input{
		Draw: "2026-SAMPLE-1",
		Plan: []byte(`{"quota":{"A":3,"B":4,"C":0},"assign":[["lead"],[]],"ladder":[1,2],"scope":"集贸市场"}`),
		Inspectors: []Inspector{
			{ID: "I-1", Cap: 4, Skills: []string{"lead"}}, {ID: "I-2", Cap: 4, Skills: []string{"fuel", "lead"}},
			{ID: "I-3", Cap: 4, Skills: []string{}}, {ID: "I-4", Cap: 4, Skills: []string{"fuel"}},
		},
		Ineligible:    []Pair{{"I-1", "A-02"}, {"I-2", "B-01"}},
		Contributions: []Share{share("2026-SAMPLE-1", "NotaryMSP", true), share("2026-SAMPLE-1", "AssociationMSP", false)},
		Beacon:        Beacon{Chain: Quicknet(), Round: quicknetRound, Signature: unhex(t, quicknetSignature)},
	}
	for i := range 12 {
		in.Objects = append(in.Objects,
			Object{fmt.Sprintf("A-%02d", i), "A", 1},
			Object{fmt.Sprintf("B-%02d", i), "B", uint32(1 + i*i)},
			Object{fmt.Sprintf("C-%02d", i), "C", 2})
	}
	return in
}

// sealedInput is the sample with a seal.
func sealedInput(t require.TestingT) Input {
	in := sampleInput(t)
	secret := digestOf("sealed secret")
	in.SealedSecret = &secret
	in.Plan = []byte(strings.Replace(string(in.Plan), `"scope"`, `"seal":"`+Seal(in.Draw, secret).String()+`","scope"`, 1))
	return in
}

// requireKind checks that err is an Error of a kind whose text names the entry.
func requireKind(t require.TestingT, err error, kind Kind, names string) {
	if h, ok := t.(*testing.T); ok {
		h.Helper()
	}
	var e *Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, kind, e.Kind, "%v", err)
	require.Contains(t, err.Error(), names)
}
