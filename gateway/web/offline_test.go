package web_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	inlineScript = regexp.MustCompile(`(?s)<script>(.*)</script>`)
	inlineStyle  = regexp.MustCompile(`(?s)<style>(.*)</style>`)
	dataScript   = regexp.MustCompile(`<script type="application/json" id="([a-z-]+)">([^\n]*)</script>`)
	policy       = regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`)
)

// The checker is one whole file: its policy allows the code that it carries and
// nothing else, least of all a network.
func TestOfflineChecker(t *testing.T) {
	for _, language := range []string{"zh", "en"} {
		e := serve(t, full())
		w := get(e, "/offline/checker.html", language)
		require.Equal(t, 200, w.Code)
		require.Contains(t, w.Header().Get("Content-Disposition"), "attachment")
		page := w.Body.String()
		require.NotRegexp(t, `(?:src|href|action)=`, page)
		allowed := strings.ReplaceAll(policy.FindStringSubmatch(page)[1], "&#39;", "'")
		for source, form := range map[string]*regexp.Regexp{"script-src": inlineScript, "style-src": inlineStyle} {
			inline := form.FindStringSubmatch(page)[1]
			require.NotContains(t, inline, "</script")
			sum := sha256.Sum256([]byte(inline))
			require.Contains(t, strings.ReplaceAll(allowed, "&#43;", "+"), source+" 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
		}
		require.Contains(t, allowed, "default-src 'none'")
		require.NotContains(t, allowed, "connect-src")
		carried := map[string]string{}
		for _, found := range dataScript.FindAllStringSubmatch(page, -1) {
			carried[found[1]] = found[2]
		}
		var trust string
		require.NoError(t, json.Unmarshal([]byte(carried["trust-file"]), &trust))
		require.Equal(t, trustFile, trust, "even where it holds markup")

		sum := sha256.Sum256(w.Body.Bytes())
		require.Contains(t, get(e, "/offline", language).Body.String(), hex.EncodeToString(sum[:]), "the page says the digest")
	}
	require.Equal(t, trustFile, get(serve(t, full()), "/offline/trust.json", "en").Body.String())
}
