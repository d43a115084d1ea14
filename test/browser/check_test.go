package browser

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

const (
	phoneWidth, phoneHeight     = 320, 640
	desktopWidth, desktopHeight = 1280, 900
)

// The file is digested in the browser: the answer comes, and no byte of it leaves.
func TestFileNeverLeaves(t *testing.T) {
	for name, test := range map[string]struct {
		language      string
		width, height int64
		file, serial  string
		headline      string
	}{
		"phone, Chinese, registered":   {"zh-CN", phoneWidth, phoneHeight, "dispenser.pdf", "SY-D-10001", "核验相符"},
		"desktop, English, registered": {"en", desktopWidth, desktopHeight, "dispenser.pdf", "", "Agrees: registered and valid today"},
		"another instrument's serial":  {"en", phoneWidth, phoneHeight, "dispenser.pdf", "SY-S-20001", "One or more answers are bad"},
		"a revoked certificate":        {"zh-CN", phoneWidth, phoneHeight, "revoked.pdf", "", "有一项或多项不符"},
		"the wrong file":               {"zh-CN", phoneWidth, phoneHeight, "unregistered.pdf", "", "此文件未登记"},
		"XML that is not registered":   {"en", phoneWidth, phoneHeight, "calibration.xml", "", "This file is not registered"},
	} {
		t.Run(name, func(t *testing.T) {
			v := visit(t, test.language, test.width, test.height)
			v.open("/")
			v.do(chromedp.SetUploadFiles("#file", []string{sample(t, test.file)}), chromedp.WaitVisible(".verdict"))
			if test.serial != "" {
				v.do(chromedp.SendKeys("#serial", test.serial+kb.Enter))
				v.until(`location.search.includes('serial=') && !!document.querySelector('.verdict')`)
			}
			require.Contains(t, v.text("main"), v.says("did not leave your device", "没有离开"))
			require.Contains(t, v.text(".verdict h2"), test.headline)
			require.Equal(t, "/check", v.address().Path)
			require.Equal(t, test.file == "calibration.xml", strings.Contains(v.text("main"), "c14n-sha256"), "the content of a certificate in XML is digested too")
			v.onlyOurs()
			v.nothingSent()
			v.picture("file-" + test.file + "-" + test.language)
		})
	}
}

// The content digest is the browser's own too: a signature added later changes
// the bytes but not the content.
func TestContentDigest(t *testing.T) {
	v := visit(t, "en", phoneWidth, phoneHeight)
	for file, readable := range map[string]bool{"unsigned.xml": true, "signed-long-term.xml": true, "make.py": false} {
		path, err := filepath.Abs(filepath.Join("../testdata/dcc", file))
		require.NoError(t, err)
		v.open("/")
		v.do(chromedp.SetUploadFiles("#file", []string{path}), chromedp.WaitVisible(".verdict"))
		require.Equal(t, readable, strings.Contains(v.text("main"), "49d585a013e2628762ffd4ecf892a9e14f15647b261cc5d960dc762d2499ed82"), file)
	}
	broken := filepath.Join(t.TempDir(), "broken.xml")
	require.NoError(t, os.WriteFile(broken, []byte("<!DOCTYPE a><a/>"), 0o600))
	v.open("/")
	v.do(chromedp.SetUploadFiles("#file", []string{broken}), chromedp.WaitVisible(".verdict"))
	require.Contains(t, v.text("main"), "its content could not be read")
	v.onlyOurs()
	v.nothingSent()
}

// Without scripts the same form sends the file, says so, and gets the same answer.
func TestWithoutScripts(t *testing.T) {
	v := visit(t, "zh-CN", phoneWidth, phoneHeight)
	command(v, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	v.open("/")
	require.Contains(t, v.text("#file-hint"), "文件将发送到本服务器")
	v.do(
		chromedp.SetUploadFiles("#file", []string{sample(t, "dispenser.pdf")}),
		chromedp.Click("#box .given button"),
		chromedp.WaitVisible(".verdict"),
	)
	require.Contains(t, v.text(".verdict h2"), "核验相符")
	require.Contains(t, v.text("main"), "没有保存")
	v.do(chromedp.SendKeys("#serial", "SY-D-10001"), chromedp.Click(`form[action="/check"] button`))
	v.until(`location.search.includes('serial=SY-D-10001')`)
	require.Contains(t, v.text(".verdict"), "出厂编号与证书一致", "without sending the file again")
	v.open("/")
	v.do(chromedp.SendKeys("#q", "DEMO-2026-0001"), chromedp.Click("#box .asked button"))
	v.until(`location.pathname.startsWith('/c/')`)
	require.Contains(t, v.text("h1"), "DEMO-2026-0001")
	v.onlyOurs()
}

// Mistakes end well: no file, two clicks, the way back, the other language.
func TestMistakes(t *testing.T) {
	v := visit(t, "zh-CN", phoneWidth, phoneHeight)
	v.open("/")
	v.do(chromedp.Click("#box .asked button"))
	require.Equal(t, "/", v.address().Path, "with nothing in it the box stays")
	require.Contains(t, v.text("#box-said"), "请输入内容")

	v.do(chromedp.SetUploadFiles("#file", []string{sample(t, "scale.pdf")}), chromedp.WaitVisible(".verdict"))
	v.back()
	v.do(chromedp.WaitVisible("#main > .lead"))
	require.False(t, measure[bool](v, `document.querySelector('#box').matches('[aria-busy], :has([disabled])')`), "the box is ready again")
	v.do(chromedp.SendKeys("#q", "DEMO-2026-0001"), chromedp.DoubleClick("#box .asked button"))
	v.until(`!!document.querySelector('.verdict')`)
	require.Contains(t, v.text("h1"), "DEMO-2026-0001")

	v.do(chromedp.Click("a.switch"), chromedp.WaitReady(`html[lang="en"]`))
	v.open("/m/M-STATION")
	require.Equal(t, "en", measure[string](v, `document.documentElement.lang`), "the choice is kept")

	v.open("/check?q=no+such+thing")
	require.Contains(t, v.text("main"), "Nothing is registered under this")
	v.nothingSent()
}
