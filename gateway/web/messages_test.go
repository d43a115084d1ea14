package web

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
	"github.com/steelyard-ledger/steelyard/gateway/verdict"
)

func catalogues(t *testing.T) (zh, en catalogue) {
	t.Helper()
	zh, err := readCatalogue(chinese)
	require.NoError(t, err)
	en, err = readCatalogue(english)
	require.NoError(t, err)
	return zh, en
}

var verbs = regexp.MustCompile(`%\[\d\][a-z]`)

func TestCatalogues(t *testing.T) {
	zh, en := catalogues(t)
	for key, text := range zh {
		require.NotEmpty(t, strings.TrimSpace(text), key)
		require.Contains(t, en, key)
		require.NotEmpty(t, strings.TrimSpace(en[key]), key)
		require.ElementsMatch(t, verbs.FindAllString(text, -1), verbs.FindAllString(en[key], -1), key)
	}
	require.Len(t, en, len(zh))
}

// uncounted are the English texts in which a number stands beside no word that
// depends on it: ordinals, years, units, and what reads the same for one.
var uncounted = []string{
	"asof.line", "dcc.counted", "desk-draw.visits-more", "desk-overdue.count", "draw.posted-count", "draw.posted-more", "draw.round", "file-job.hint", "file.uploads", "form.row", "form.value-between",
	"inspection.mean", "offline.page-get", "site.visits", "site.visits-of", "span.days", "span.hours", "span.minutes", "span.seconds", "statistics.as-of",
	"stickers.count", "sum.instruments", "work.account", "work.line", "work.progress",
}

// One is one: a number and the word beside it agree in English; Chinese has one
// form.
func TestNumbers(t *testing.T) {
	zh, en := catalogues(t)
	counts := regexp.MustCompile(`%\[([1-9])\]d`)
	var bare []string
	for key, text := range en {
		require.NotContains(t, zh[key], "{", key)
		require.NotRegexp(t, `[{}]`, numbered.ReplaceAllString(text, ""), key)
		if counts.MatchString(text) && !numbered.MatchString(text) {
			bare = append(bare, key)
		}
		for _, forms := range numbered.FindAllStringSubmatch(text, -1) {
			require.Contains(t, text, "%["+forms[1]+"]d", key)
		}
	}
	slices.Sort(bare)
	require.Equal(t, uncounted, bare)
	for want, args := range map[string][]any{
		"This authority filed 1 draw; 0 were cancelled, 1 is void.":   {uint32(1), 0, 1},
		"This authority filed 21 draws; 1 was cancelled, 2 are void.": {21, int64(1), 2},
	} {
		said, err := en.text("draw.numbers", args...)
		require.NoError(t, err)
		require.Equal(t, want, said)
	}
	said, err := en.text("statistics.lead", 1)
	require.NoError(t, err)
	require.Equal(t, "1 published inspection, by its latest result.", said)
}

var (
	calls = regexp.MustCompile(`\bt "([^"]+)"`)
	terms = regexp.MustCompile(`\bterm "([^"]+)"`)
)

// Every key a template asks for exists, and every key that exists is asked for.
func TestKeysOfTemplates(t *testing.T) {
	zh, _ := catalogues(t)
	used := map[string]bool{}
	groups := map[string]bool{"standing": true, "headline": true, "fault": true, "question": true, "problem": true, "feed": true, "draw-step": true, "draw-due": true, "region": true, "sum": true}
	for key := range keysOfForms(t) {
		used[key] = true
	}
	for _, group := range []string{"code", "sent-state", "sent-headline", "sent-about", "work", "form", "file-job", "sign-in", "ticket", "checker", "due"} {
		groups[group] = true
	}
	err := fs.WalkDir(templateFiles, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := templateFiles.ReadFile(path)
		require.NoError(t, err)
		for _, call := range calls.FindAllSubmatch(text, -1) {
			require.Contains(t, zh, string(call[1]), path)
			used[string(call[1])] = true
		}
		for _, term := range terms.FindAllSubmatch(text, -1) {
			groups[string(term[1])] = true
		}
		return nil
	})
	require.NoError(t, err)
	var unused []string
	for key := range zh {
		group, _, _ := strings.Cut(key, ".")
		if !used[key] && !groups[group] && !strings.HasSuffix(key, ".title") {
			unused = append(unused, key)
		}
	}
	require.Empty(t, unused, "no template uses them")
}

// The codes that pages show most have words in the catalogues.
func TestTerms(t *testing.T) {
	zh, _ := catalogues(t)
	known := func(group string, codes ...any) {
		for _, code := range codes {
			require.NotEqual(t, code, zh.term(group, code), "%s.%v", group, code)
			_, found := zh[group+"."+toText(code)]
			require.True(t, found, "%s.%v", group, code)
		}
	}
	for _, sector := range metrology.Sectors {
		known("sector", sector)
	}
	for _, meaning := range metrology.ResultCodes {
		known("result", meaning.Code)
	}
	for status := range verificationTones {
		known("verification", status)
	}
	for _, phase := range metrology.DrawPhases {
		known("phase", phase)
	}
	for _, organization := range metrology.DrawOrganizations {
		known("org", organization)
	}
	for state := range metrology.InspectionTransitions {
		if state != "" { // before there is one
			known("inspection-state", state)
		}
	}
	for _, phase := range timedPhases {
		if phase != metrology.DrawSeeded { // its result anybody may post
			known("draw-due", phase)
		}
	}
	for tone := range icons {
		known("tone", tone)
	}
	for _, reason := range slices.Concat(metrology.IssuerRevocationReasons, metrology.RegulatorRevocationReasons, metrology.SupersessionReasons) {
		known("reason", reason)
	}
	for _, reason := range slices.Concat(metrology.SuspensionReasons, metrology.EndReasons) {
		known("reason", reason)
	}
	require.Equal(t, "from-a-newer-contract", zh.term("sector", "from-a-newer-contract"))
}

func toText(code any) string {
	return strings.TrimPrefix(catalogue{}.term("", code), ".")
}

func TestNothingGreenButGood(t *testing.T) {
	for status, tone := range verificationTones {
		require.Equal(t, status == public.VerificationValid, tone == verdict.Good, status)
	}
	for _, status := range append(metrology.CertificateStatuses(), "from-a-newer-gateway") {
		green := status == metrology.StatusValid || status == metrology.StatusNoTerm
		require.Equal(t, green, certificateTone(public.Certificate{Status: status}) == verdict.Good, status)
		if status != "from-a-newer-gateway" {
			for _, l := range []language{chinese, english} {
				words, err := readCatalogue(l)
				require.NoError(t, err)
				require.Contains(t, words, "certificate-status."+string(status))
			}
		}
	}
	require.Equal(t, verdict.Unknown, toneOf("from-a-newer-gateway"))
}
