package browser

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// fetch downloads from the gateway into a file and returns its path.
func fetch(t *testing.T, path, language, name string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site.url+path, nil)
	require.NoError(t, err)
	request.Header.Set("Accept-Language", language)
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, 200, answer.StatusCode, string(content))
	saved := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(saved, content, 0o600))
	return saved
}

// evidenceOf downloads the evidence for a certificate of the demonstration.
func evidenceOf(t *testing.T, number string) string {
	t.Helper()
	list, err := os.ReadFile(fetch(t, "/v1/certificates?number="+number, "en", "list.json"))
	require.NoError(t, err)
	var found struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	require.NoError(t, json.Unmarshal(list, &found))
	require.Len(t, found.Items, 1)
	return fetch(t, "/v1/certificates/"+found.Items[0].ID+"/proof", "en", "evidence.json")
}

// bent is a copy of a file with one bit changed.
func bent(t *testing.T, path string, at int) string {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	content[at] ^= 1
	changed := filepath.Join(t.TempDir(), "bent.json")
	require.NoError(t, os.WriteFile(changed, content, 0o600))
	return changed
}

// The downloaded checker, opened from disk, checks what the gateway handed out
// and asks nobody for anything.
func TestOfflineChecker(t *testing.T) {
	v := visit(t, "en", phoneWidth, phoneHeight)
	page := fetch(t, "/offline/checker.html", "en", "checker.html")
	evidence := evidenceOf(t, "DEMO-2026-0001")
	v.do(chromedp.Navigate("file://"+page), chromedp.WaitReady("#pinned dd"))
	check := func(bundle, file, serial string) string {
		t.Helper()
		v.do(chromedp.SetUploadFiles("#bundle", []string{bundle}))
		if file != "" {
			v.do(chromedp.SetUploadFiles("#file", []string{file}))
		}
		measure[bool](v, `document.getElementById('serial').value = "", true`)
		if serial != "" {
			v.do(chromedp.SendKeys("#serial", serial))
		}
		v.do(chromedp.Click("#ask button"), chromedp.WaitVisible("#answer .verdict"))
		return v.text("#answer")
	}
	said := check(evidence, "", "")
	require.Contains(t, said, "The evidence holds: anchored as of the block below. It says nothing about today.")
	require.Contains(t, said, "no file was checked")
	said = check(evidence, sample(t, "dispenser.pdf"), " sy-d-10001")
	require.Contains(t, said, "this file is registered, byte for byte")
	require.Contains(t, said, "the serial number agrees")
	require.Contains(t, said, "could not be checked")
	require.Contains(t, said, "DEMO-2026-0001")
	require.Empty(t, measure[[]string](v, faults))
	v.picture("offline-checker")
	require.Contains(t, check(evidence, sample(t, "dispenser.pdf"), "SY-S-20001"), "for another instrument")
	require.Contains(t, check(evidence, sample(t, "unregistered.pdf"), ""), "it is not about this file")
	require.Contains(t, check(bent(t, evidence, 5000), sample(t, "dispenser.pdf"), ""), "The evidence does not hold")
	require.Contains(t, check(sample(t, "dispenser.pdf"), "", ""), "The evidence does not hold", "the files exchanged")

	kept := func(name string) string {
		path, err := filepath.Abs(filepath.Join("../testdata/evidence", name))
		require.NoError(t, err)
		return path
	}
	require.Contains(t, check(kept("bundle.json"), kept("certificate.txt"), ""), "The evidence does not hold", "of another ledger")
	v.do(chromedp.SetUploadFiles("#trust", []string{kept("trust.json")}), chromedp.WaitNotPresent("#answer .verdict"))
	require.Contains(t, check(kept("bundle.json"), kept("certificate.txt"), "S-2"), "this file is registered, byte for byte")
	v.do(chromedp.SetUploadFiles("#trust", []string{kept("certificate.txt")}), chromedp.WaitVisible("#pinned .fault"))
	require.Contains(t, check(kept("bundle.json"), kept("certificate.txt"), ""), "Could not be checked")

	v.mu.Lock()
	defer v.mu.Unlock()
	require.Len(t, v.requests, 1, "the page itself")
	require.Equal(t, "file://"+page, v.requests[0].URL)
}

// The same in Chinese, and without scripts it says that it cannot.
func TestOfflineChecker_Chinese(t *testing.T) {
	v := visit(t, "zh-CN", desktopWidth, desktopHeight)
	page := fetch(t, "/offline/checker.html", "zh-CN", "checker.html")
	v.do(chromedp.Navigate("file://"+page), chromedp.WaitReady("#pinned dd"),
		chromedp.SetUploadFiles("#bundle", []string{evidenceOf(t, "DEMO-2026-0001")}),
		chromedp.SetUploadFiles("#file", []string{sample(t, "dispenser.pdf")}),
		chromedp.Click("#ask button"), chromedp.WaitVisible("#answer .verdict"))
	require.Contains(t, v.text("#answer"), "证据成立：已在下列区块登记。不说明今天的状态。")
	require.Contains(t, v.text("#answer"), "此文件已登记，内容逐字节一致")
	v.picture("offline-checker-zh")
	command(v, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	v.do(chromedp.Navigate("file://"+page), chromedp.WaitReady("#main"))
	require.Contains(t, v.text("#main"), "不启用脚本时请用 verify 程序")
}
