package web_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology/rules"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// shipped are the rule tables of the program as if they were in force.
func shipped(t *testing.T) []public.Ruleset {
	t.Helper()
	documents, err := rules.All()
	require.NoError(t, err)
	var all []public.Ruleset
	for _, d := range documents {
		all = append(all, public.Ruleset{Ruleset: metrology.Ruleset{RuleDocument: d, State: metrology.RulesetInForce}})
	}
	return all
}

func sha256Hex(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// pledgeTextPinned is the digest of the text of version 2026.1 for the pledge
// that chosen asks for.
const pledgeTextPinned = "828d7390de7023e0b68eaae41ff6c463de8ba1a6bab37419b8cbf8557da67284"

// chosen is an address at which a pledge was chosen.
const chosen = "/desk/do/signPledge?id=M-1&chosen=on&programme=integrity-metrology&from=2026-04-01&months=24&signature.role=operator&promise=answer-complaints&promise%3Aanswer-complaints=5&promise%3Acompensate-shortage=3"

// TestGoldenTrade holds every view of those who look after merchants against
// its file.
func TestGoldenTrade(t *testing.T) {
	for name, test := range map[string]struct {
		role, path string
		status     int
	}{
		"mine":                    {"merchant", "/desk/mine", 200},
		"mine-of-organiser":       {"association", "/desk/mine", 200},
		"mine-asked":              {"association", "/desk/mine?merchant=M-1", 200},
		"mine-unknown":            {"association", "/desk/mine?merchant=" + url.QueryEscape(hostile), 200},
		"mine-of-notary":          {"notary", "/desk/mine", 404},
		"home-merchant":           {"merchant", "/desk", 200},
		"pledge":                  {"merchant", "/desk/do/signPledge", 200},
		"pledge-wrong":            {"merchant", "/desk/do/signPledge?chosen=on&id=M-1&months=x&promise=answer-complaints&promise%3Aanswer-complaints=0", 200},
		"pledge-read":             {"merchant", chosen, 200},
		"pledge-of-organiser":     {"association", chosen, 200},
		"pledge-hostile":          {"merchant", strings.Replace(chosen, "M-1", url.QueryEscape(hostile+strings.Repeat("很长", 50)), 1), 200},
		"pledge-renew":            {"merchant", "/desk/do/renewPledge?id=P-1&merchant=M-1", 200},
		"stickers":                {"association", "/desk/stickers?merchant=M-1", 200},
		"stickers-none":           {"association", "/desk/stickers", 200},
		"stickers-of-empty-place": {"association", "/desk/stickers?site=" + url.QueryEscape(hostile), 200},
		"drawn":                   {"merchant", "/desk/drawn?site=S-1", 200},
		"drawn-none":              {"merchant", "/desk/drawn", 200},
	} {
		for _, language := range []string{"zh", "en"} {
			t.Run(name+"/"+language, func(t *testing.T) {
				d := newDesk(t)
				d.register.rulesets = shipped(t)
				d.signIn(test.role)
				w := d.get(test.path, language)
				require.Equal(t, test.status, w.Code)
				checkPage(t, w.Body.String())
				golden(t, "desk-"+name+"."+language+".html", secrets.ReplaceAllString(w.Body.String(), "${1}MADE"))
			})
		}
	}
}

// A post that acts for more merchants than a page shows reaches each of them,
// and none of anybody else.
func TestMineBeyondAPage(t *testing.T) {
	d := newDesk(t)
	for i := range 30 {
		d.register.merchants = append(d.register.merchants, public.Merchant{Merchant: metrology.Merchant{ID: fmt.Sprintf("M-MORE-%d", i)}})
	}
	d.signIn("merchant")
	page := d.get("/desk/mine", "en").Body.String()
	require.NotContains(t, page, `href="/m/M-MORE-29"`)
	require.Contains(t, page, `href="/desk/mine?merchant=M-MORE-29"`)
	page = d.get("/desk/mine?merchant=M-MORE-29", "en").Body.String()
	require.Contains(t, page, `href="/m/M-MORE-29"`)
	require.NotContains(t, page, `href="/m/M-1"`)
	require.Contains(t, d.get("/desk/mine?merchant=M-NONE", "en").Body.String(), "no merchant of this id")
}

// Without rules in force nothing can be signed, and the page says so.
func TestPledgeWithoutProgramme(t *testing.T) {
	d := newDesk(t)
	d.signIn("merchant")
	require.Contains(t, d.get("/desk/do/signPledge", "en").Body.String(), "no pledge programme in force")
}

var shownText = regexp.MustCompile(`(?s)<pre id="pledge-text" lang="zh-CN">(.*?)</pre>`)

// What is sent is the text that was shown: its digest, its promises, its term.
// A second click, and going back, ask for the same thing under the same key.
func TestSignAPledge(t *testing.T) {
	d := newDesk(t)
	d.register.rulesets = shipped(t)
	d.signIn("merchant")
	page := d.get(chosen, "en").Body.String()
	form := formOf(page)
	for range 2 {
		w := d.send("POST", "/desk/do/signPledge", "en", form)
		require.Equal(t, 303, w.Code, w.Body)
		require.Contains(t, w.Header().Get("Location"), "/desk/sent/")
	}
	require.Len(t, d.asked, 2)
	require.Equal(t, d.asked[0], d.asked[1], "the same request with the same key")
	require.Equal(t, "/v1/merchants/M-1/pledges", d.asked[0].Path)
	text := shownText.FindStringSubmatch(page)[1]
	require.NotContains(t, text, "&", "nothing is escaped, so that what is read is what is digested")
	require.JSONEq(t, `{"programme":"integrity-metrology","from":"2026-04-01","months":24,"template":"steelyard-pledge","templateVersion":"2026.1",
		"textDigest":"`+sha256Hex(text)+`","commitments":[{"code":"law-abidance"},{"code":"verified-instruments"},{"code":"show-quantity"},
		{"code":"compensate-shortage","value":3},{"code":"answer-complaints","value":5}],
		"signature":{"manner":"click","role":"operator","signed":"`+string(today)+`"},"rule":{"id":"pledge-programmes","version":1}}`, string(d.asked[0].Body))
	for _, words := range []string{"2026-04-01", "24 个月", "2028-03-31", "5 个工作日", "3 倍"} {
		require.Contains(t, text, words)
	}
	require.Equal(t, pledgeTextPinned, sha256Hex(text), "the words of a version never change: make a new version")
}

// A pledge that the ledger refuses shows its text again, with the reason and
// the way back to the choice; nothing that was chosen is lost.
func TestPledgeRefused(t *testing.T) {
	d := newDesk(t)
	d.register.rulesets = shipped(t)
	d.signIn("merchant")
	form := formOf(d.get(chosen, "en").Body.String())
	d.answer = problemAnswer(400, "INVALID", "from", "the day is too far off")
	w := d.send("POST", "/desk/do/signPledge", "en", form)
	require.Equal(t, 400, w.Code)
	require.Contains(t, w.Body.String(), "the day is too far off")
	require.Contains(t, w.Body.String(), "Go back and choose again")
	again := formOf(w.Body.String())
	require.Equal(t, form.Get("textDigest"), again.Get("textDigest"))
	d.cookies = map[string]string{} // the session is over meanwhile
	w = d.send("POST", "/desk/do/signPledge", "en", form)
	require.Equal(t, 401, w.Code)
	require.Contains(t, w.Body.String(), `name="kept.textDigest" value="`+form.Get("textDigest")+`"`)
}

// A renewal starts from the term that ends, the day after it.
func TestRenewalFollowsTheTerm(t *testing.T) {
	d := newDesk(t)
	d.register.rulesets = shipped(t)
	d.signIn("merchant")
	pledge := d.register.pledges[0]
	last := pledge.Terms[len(pledge.Terms)-1]
	page := d.get("/desk/do/renewPledge?id="+pledge.ID+"&merchant="+pledge.Merchant, "en").Body.String()
	require.Contains(t, page, `value="`+string(last.Until.AddDays(1))+`"`)
}

// Each sticker's code holds a plain address, read by another program's decoder.
func TestStickersAreReadable(t *testing.T) {
	d := newDesk(t)
	d.signIn("association")
	page := d.get("/desk/stickers?merchant=M-1", "en").Body.String()
	drawings := regexp.MustCompile(`(?s)<svg class="qr".*?</svg>`).FindAllString(page, -1)
	require.NotEmpty(t, drawings)
	for _, drawing := range drawings {
		require.Regexp(t, `^http://example\.com/i/[^/?#]+$`, decode(t, drawing))
	}
}
