package web_test

import (
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/gateway/public"
	"github.com/steelyard-ledger/steelyard/gateway/web"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden holds every view against its file, in both languages. Run with
// -update after a change that is meant, and read the difference.
func TestGolden(t *testing.T) {
	all, empty, broken := full(), &register{}, full()
	broken.broken = true
	late := full() // of a gateway that was cut off from its peers
	cutOff := func() public.Following { return public.Following{Current: "2026-03-09T23:00:00Z"} }
	served := map[*register]*echo.Echo{
		all: serve(t, all), empty: serve(t, empty), broken: serve(t, broken),
		late: serveConfig(t, web.Config{Register: late, Following: cutOff}),
	}
	for name, page := range map[string]struct {
		register *register
		path     string
		status   int
	}{
		"home":                   {all, "/", 200},
		"home-register-broken":   {broken, "/", 200},
		"report-good":            {all, "/check?local=1&sha256=" + fileSum.Value + "&serial=SY-D-1", 200},
		"report-out-of-date":     {late, "/check?local=1&sha256=" + fileSum.Value + "&serial=SY-D-1", 200},
		"report-mismatch":        {all, "/d/sha256/" + fileSum.Value + "?serial=other", 200},
		"report-revoked":         {all, "/d/sm3/" + strings.Repeat("ef", 32), 200},
		"report-calibration":     {all, "/d/c14n-sha256/" + strings.Repeat("9a", 32), 200},
		"report-not-registered":  {all, "/check?sha256=" + strings.Repeat("00", 32) + "&local=1&xml=1", 200},
		"report-picture":         {all, "/check?sha256=" + strings.Repeat("00", 32) + "&local=1&picture=1", 200},
		"report-could-not-check": {broken, "/d/sha256/" + fileSum.Value, 503},
		"found-several":          {all, "/check?q=%E7%A4%BA%E4%BE%8B", 200},
		"found-nothing":          {empty, "/check?q=nothing", 404},
		"certificate":            {all, "/c/" + leafID + "?serial=SY-D-1", 200},
		"certificate-revoked":    {all, "/c/" + strings.Repeat("3f", 32), 200},
		"merchant":               {all, "/m/M-1", 200},
		"merchant-bare":          {all, "/m/M-2", 200},
		"merchant-hostile":       {all, "/m/M-3", 200},
		"instrument":             {all, "/i/I-1", 200},
		"instrument-hostile":     {all, "/i/I-3", 200},
		"site":                   {all, "/s/S-1", 200},
		"issuer":                 {all, "/n/N-1", 200},
		"inspection":             {all, "/v/V-1", 200},
		"transaction":            {all, "/t/" + asOf.TransactionID, 200},
		"transaction-invalid":    {all, "/t/" + strings.Repeat("0d", 32), 200},
		"sheet":                  {all, "/m/M-1/sheet", 200},
		"results":                {all, "/results?state=corrected&region=31", 200},
		"results-refused":        {all, "/results?region=31&state=none&from=2026-01-01", 400},
		"draw-refused":           {all, "/draws/310115-000001?site=" + url.QueryEscape(hostile), 400},
		"results-none":           {empty, "/results", 200},
		"overdue":                {all, "/results/overdue", 200},
		"overdue-none":           {empty, "/results/overdue", 200},
		"statistics":             {all, "/statistics", 200},
		"statistics-none":        {empty, "/statistics", 200},
		"status":                 {all, "/status", 200},
		"draws":                  {all, "/draws", 200},
		"draws-none":             {empty, "/draws", 200},
		"draw-waiting":           {all, "/draws/310115-000002", 200},
		"draw-drawn":             {all, "/draws/310115-000001", 200},
		"draw-excluded":          {all, "/draws/310115-000002?site=S-9", 200},
		"draw-cancelled":         {all, "/draws/310115-000003?site=S-1", 200},
		"draw-sealed":            {all, "/draws/310115-000004?site=S-1", 200},
		"draw-opened":            {all, "/draws/310115-000005", 200},
		"draw-late":              {all, "/draws/310115-000006", 200},
		"draw-posted":            {all, "/draws/310115-000007", 200},
		"directories":            {all, "/draws/310115-000001/directories", 200},
		"draw-none":              {all, "/draws/none", 404},
		"docs":                   {all, "/docs", 200},
		"differs":                {all, "/i/I-1/differs", 200},
		"differs-hostile":        {all, "/i/I-3/differs", 200},
		"differs-any":            {all, "/differs", 200},
		"differs-none":           {all, "/i/none/differs", 404},
		"offline":                {all, "/offline", 200},
		"problem-not-found":      {all, "/m/none", 404},
		"problem-invalid":        {all, "/d/md5/00", 400},
		"problem-unavailable":    {broken, "/m/M-1", 503},
	} {
		for _, language := range []string{"zh", "en"} {
			t.Run(name+"/"+language, func(t *testing.T) {
				w := get(served[page.register], page.path, language)
				require.Equal(t, page.status, w.Code)
				checkPage(t, w.Body.String())
				golden(t, name+"."+language+".html", w.Body.String())
			})
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	got = steady(got)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

var (
	assetVersion = regexp.MustCompile(`/assets/[0-9a-f]{16}/`)
	assetAddress = regexp.MustCompile(`/assets/[0-9a-f]{16}/[a-z0-9.]+`)
	checkerSize  = regexp.MustCompile(`\d+ KiB`)
	checkerSum   = regexp.MustCompile(`SHA-256</dt><dd class="code">[0-9a-f]{64}`)
	blankLines   = regexp.MustCompile(`\n\s*\n+`)
	inlineCode   = regexp.MustCompile(`<script(?:>|[^>]*[^>]>[^<])|<style|\sstyle=|\son[a-z]+=|javascript:`)
	foreign      = regexp.MustCompile(`(?:src|href|action)="(?:https?:)?//`)
	controls     = regexp.MustCompile(`<(input|select)\b[^>]*\bid="([^"]+)"`)
	identifiers  = regexp.MustCompile(`\sid="([^"]+)"`)
)

// steady takes out what changes with every edit of an asset.
func steady(page string) string {
	page = checkerSum.ReplaceAllString(checkerSize.ReplaceAllString(page, "N KiB"), "SHA-256</dt><dd>DIGEST")
	return blankLines.ReplaceAllString(assetVersion.ReplaceAllString(page, "/assets/VERSION/"), "\n")
}

// checkPage holds what every page owes: no code in it, nothing from elsewhere,
// a label for every control, unique ids, and no secret of an error.
func checkPage(t *testing.T, page string) {
	t.Helper()
	checkSafe(t, page)
	require.Less(t, len(page), 30<<10)
}

// checkSafe holds what a page owes however long its texts are.
func checkSafe(t *testing.T, page string) {
	t.Helper()
	require.NotRegexp(t, inlineCode, page)
	require.NotRegexp(t, foreign, page)
	require.NotContains(t, page, errBroken.Error())
	require.NotContains(t, page, "伪造文件")
	require.Contains(t, page, `lang="`)
	require.Equal(t, 1, strings.Count(page, "<h1"), "one heading of the first level")
	for _, control := range controls.FindAllStringSubmatch(page, -1) {
		require.Contains(t, page, `<label for="`+control[2]+`"`)
	}
	seen := map[string]bool{}
	for _, id := range identifiers.FindAllStringSubmatch(page, -1) {
		require.False(t, seen[id[1]], "id %s stands twice", id[1])
		seen[id[1]] = true
	}
}

// Of a large draw the page shows counts and thresholds from the ledger, and the
// places where this gateway has their list.
func TestPostedDraw(t *testing.T) {
	known := full()
	page := get(serve(t, known), "/draws/310115-000007", "en").Body.String()
	require.Contains(t, page, "60 drawn of 30000.")
	require.Equal(t, 50, strings.Count(page, `<a href="/s/S-000`))
	require.Contains(t, page, "and 10 more;")
	require.Contains(t, page, `href="/v1/draw-files/07`)
	known.files.drawn = nil
	page = get(serve(t, known), "/draws/310115-000007", "en").Body.String()
	require.Contains(t, page, "60 drawn of 30000.")
	require.Contains(t, page, "has not come to this server yet")
	require.NotContains(t, page, `<a href="/s/S-000`)
	require.Contains(t, get(serve(t, known), "/statistics", "en").Body.String(), "310115-000007", "it counts beside the others")
}
