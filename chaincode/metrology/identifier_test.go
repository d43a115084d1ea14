package metrology

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckID(t *testing.T) {
	for id, ok := range map[string]bool{
		"a": true, "A-1_b.c": true, strings.Repeat("x", 64): true,
		"": false, strings.Repeat("x", 65): false, "a b": false, "a/b": false, "计量": false, "a\x00": false, "a%": false,
	} {
		require.Equal(t, ok, CheckID("id", id) == nil, id)
	}
}

func TestCheckRegion(t *testing.T) {
	for code, ok := range map[string]bool{
		"440305": true, "100000": true, "44030": false, "4403055": false, "044030": false, "44030a": false, "": false, "４40305": false,
	} {
		require.Equal(t, ok, CheckRegion("region", code) == nil, code)
	}
}

func TestRegionContains(t *testing.T) {
	for _, test := range []struct {
		outer, inner string
		want         bool
	}{
		{"100000", "440305", true}, {"440000", "440305", true}, {"440300", "440305", true}, {"440305", "440305", true},
		{"440300", "440105", false}, {"330000", "440305", false}, {"440305", "440300", false}, {"440305", "440306", false},
	} {
		require.Equal(t, test.want, regionContains(test.outer, test.inner), "%s in %s", test.inner, test.outer)
	}
}

func TestCheckFreeText(t *testing.T) {
	for text, ok := range map[string]bool{
		"公平秤": true, "a b": true, "": false, "a\nb": false, "\x7f": false, "\xff": false, "12345678901": false,
	} {
		require.Equal(t, ok, CheckText("t", text, 10) == nil, "%q", text)
	}
}

func TestKeyParts(t *testing.T) {
	kind, parts := SplitKey(Key(KindCertificate, "inst-1", EscapeKeyPart("a/b 号%")))
	require.Equal(t, KindCertificate, kind)
	require.Equal(t, []string{"inst-1", "a%2Fb%20%E5%8F%B7%25"}, parts)
}
