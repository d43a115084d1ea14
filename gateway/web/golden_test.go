package web_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden holds every view against its file, in both languages. Run with
// -update after a change that is meant, and read the difference.
func TestGolden(t *testing.T) {
	empty, broken := &register{}, full()
	broken.broken = true
	for name, page := range map[string]struct {
		register *register
		path     string
		status   int
	}{
		"home":                   {full(), "/", 200},
		"home-register-broken":   {broken, "/", 200},
		"report-good":            {full(), "/check?sha256=" + fileSum.Value + "&serial=SY-D-1", 200},
		"report-mismatch":        {full(), "/d/sha256/" + fileSum.Value + "?serial=other", 200},
		"report-revoked":         {full(), "/d/sm3/" + strings.Repeat("ef", 32), 200},
		"report-calibration":     {full(), "/d/c14n-sha256/" + strings.Repeat("9a", 32), 200},
		"report-not-registered":  {full(), "/check?sha256=" + strings.Repeat("00", 32) + "&xml=1", 200},
		"report-could-not-check": {broken, "/d/sha256/" + fileSum.Value, 503},
		"found-several":          {full(), "/check?q=%E7%A4%BA%E4%BE%8B", 200},
		"found-nothing":          {empty, "/check?q=nothing", 404},
		"certificate":            {full(), "/c/" + leafID + "?serial=SY-D-1", 200},
		"certificate-revoked":    {full(), "/c/" + strings.Repeat("3f", 32), 200},
		"merchant":               {full(), "/m/M-1", 200},
		"merchant-bare":          {full(), "/m/M-2", 200},
		"merchant-hostile":       {full(), "/m/M-3", 200},
		"instrument":             {full(), "/i/I-1", 200},
		"instrument-hostile":     {full(), "/i/I-3", 200},
		"site":                   {full(), "/s/S-1", 200},
		"issuer":                 {full(), "/n/N-1", 200},
		"inspection":             {full(), "/v/V-1", 200},
		"sheet":                  {full(), "/m/M-1/sheet", 200},
		"results":                {full(), "/results?state=corrected&region=31", 200},
		"results-none":           {empty, "/results", 200},
		"overdue":                {full(), "/results/overdue", 200},
		"overdue-none":           {empty, "/results/overdue", 200},
		"statistics":             {full(), "/statistics", 200},
		"statistics-none":        {empty, "/statistics", 200},
		"status":                 {full(), "/status", 200},
		"draws":                  {full(), "/draws", 200},
		"draws-none":             {empty, "/draws", 200},
		"draw-waiting":           {full(), "/draws/310115-000002", 200},
		"draw-drawn":             {full(), "/draws/310115-000001", 200},
		"draw-excluded":          {full(), "/draws/310115-000002?site=S-9", 200},
		"draw-cancelled":         {full(), "/draws/310115-000003?site=S-1", 200},
		"draw-sealed":            {full(), "/draws/310115-000004?site=S-1", 200},
		"draw-opened":            {full(), "/draws/310115-000005", 200},
		"draw-late":              {full(), "/draws/310115-000006", 200},
		"draw-posted":            {full(), "/draws/310115-000007", 200},
		"directories":            {full(), "/draws/310115-000001/directories", 200},
		"draw-none":              {full(), "/draws/none", 404},
		"docs":                   {full(), "/docs", 200},
		"differs":                {full(), "/i/I-1/differs", 200},
		"differs-hostile":        {full(), "/i/I-3/differs", 200},
		"differs-any":            {full(), "/differs", 200},
		"differs-none":           {full(), "/i/none/differs", 404},
		"offline":                {full(), "/offline", 200},
		"problem-not-found":      {full(), "/m/none", 404},
		"problem-invalid":        {full(), "/d/md5/00", 400},
		"problem-unavailable":    {broken, "/m/M-1", 503},
	} {
		for _, language := range []string{"zh", "en"} {
			t.Run(name+"/"+language, func(t *testing.T) {
				w := get(serve(t, page.register), page.path, language)
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
	require.Less(t, len(page), 30<<10)
}
