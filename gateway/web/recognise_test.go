package web

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

func TestRecognise(t *testing.T) {
	value := strings.Repeat("0123456789abcdef", 4)
	groups := strings.TrimSpace(strings.Repeat("01234567 89ABCDEF ", 4))
	for name, test := range map[string]struct {
		text string
		want question
	}{
		"labelled digest":                 {"SHA256: " + value, question{Digests: []metrology.Digest{{Algorithm: "sha256", Value: value}}}},
		"label with a dash":               {"sha-256=" + value, question{Digests: []metrology.Digest{{Algorithm: "sha256", Value: value}}}},
		"national algorithm":              {"sm3:" + value, question{Digests: []metrology.Digest{{Algorithm: "sm3", Value: value}}}},
		"content digest":                  {"c14n-sha256 " + value, question{Digests: []metrology.Digest{{Algorithm: "c14n-sha256", Value: value}}}},
		"bare digest is any":              {" " + strings.ToUpper(value) + "\n", question{Digests: readDigest(value)}},
		"digest in groups":                {groups, question{Digests: readDigest(value)}},
		"63 digits are a text":            {value[1:], question{Text: value[1:]}},
		"address of another host":         {"https://elsewhere.example/c/" + value + "?x=1", question{Path: "/c/" + value}},
		"our path":                        {"/m/M-1", question{Path: "/m/M-1"}},
		"address that is no page of ours": {"https://elsewhere.example/v1/status", question{Text: "https://elsewhere.example/v1/status"}},
		"two slashes are no path":         {"//elsewhere.example", question{Text: "//elsewhere.example"}},
		"full-width number":               {"　ＪＬ－１ ", question{Text: "JL-1"}},
		"nothing":                         {"  ", question{}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, test.want, recognise(test.text)) })
	}
	require.Len(t, readDigest(value), 3)
}

func FuzzRecognise(f *testing.F) {
	f.Add("sha256: " + strings.Repeat("ab", 32))
	f.Add("https://x/c/1")
	f.Add("//x\\y")
	f.Fuzz(func(t *testing.T, text string) {
		asked := recognise(text)
		for _, d := range asked.Digests {
			require.NoError(t, d.Validate())
		}
		if asked.Path != "" { // never off this host
			require.True(t, strings.HasPrefix(asked.Path, "/"))
			require.False(t, strings.HasPrefix(asked.Path, "//"))
			require.NotContains(t, asked.Path, "\\")
		}
	})
}

func TestPreferredLanguage(t *testing.T) {
	for header, want := range map[string]language{
		"": chinese, "fr": chinese, "en-US,en;q=0.9": english, "zh-TW": chinese, "fr,en;q=0.2,zh;q=0.3": chinese,
		"zh;q=0,en;q=0.1": english, "en;q=x": chinese, "*": chinese,
	} {
		require.Equal(t, want, preferred(header), header)
	}
}
