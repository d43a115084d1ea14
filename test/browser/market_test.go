package browser

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// sendSpreadsheet sends a file to a form by keyboard and waits for its result.
func (v *visitor) sendSpreadsheet(form, name, content string) string {
	v.t.Helper()
	file := filepath.Join(v.t.TempDir(), name)
	require.NoError(v.t, os.WriteFile(file, []byte(content), 0o600))
	v.open(form)
	require.Empty(v.t, measure[[]string](v, faults))
	v.do(chromedp.SetUploadFiles("#file", []string{file}))
	v.tabTo(send)
	v.do(chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible("#work .card"))
	require.Empty(v.t, measure[[]string](v, faults))
	return v.text("#work")
}

// A market organiser brings its stalls and scales from spreadsheets. Wrong rows
// are named, the corrected file adds only what is new, and the codes of all are
// printed in one go.
func TestOrganiserCorrectsASpreadsheet(t *testing.T) {
	everywhere(t, func(t *testing.T, v *visitor) {
		const head = "商户编号,名称,主体类型,行业,行政区划\n"
		first, second := unique("T-1"), unique("T-2")
		v.signIn("association")
		said := v.sendSpreadsheet("/desk/file/importRows-merchants", "stalls.csv", head+first+",第一摊,无照摊贩,集贸市场,310115\n"+second+",第二摊,无照摊贩,集贸市场,上海\n")
		require.Contains(t, said, "行政区划", "the wrong column is named")
		require.Contains(t, said, second, "and the row")
		v.picture("desk-spreadsheet-wrong-" + v.language)
		said = v.sendSpreadsheet("/desk/file/importRows-merchants", "stalls.csv", head+first+",第一摊,无照摊贩,集贸市场,310115\n"+second+",第二摊,无照摊贩,集贸市场,310115\n")
		require.Regexp(t, "already|已登记|已有|此前", said, "what was there is not there twice")
		v.picture("desk-spreadsheet-right-" + v.language)
		found := rest(t, "association", "GET", "/v1/merchants?q="+"第二摊", "")["items"].([]any)
		require.NotEmpty(t, found)
		v.open("/desk/stickers?site=S-MARKET")
		require.NotEmpty(t, v.text(".stickers"))
	})
}

// A pledge that was signed waits at the association's desk, is published from
// the list there, and is gone from it.
func TestAssociationPublishesAPledge(t *testing.T) {
	everywhere(t, func(t *testing.T, v *visitor) {
		merchant, _ := newMerchant(t)
		id := unique("P-DESK")
		rest(t, "merchant", "POST", "/v1/merchants/"+merchant+"/pledges", `{"id":"`+id+`","programme":"integrity-metrology","from":"`+today()+`","months":12,"template":"integrity-pledge","templateVersion":"2026.1",
			"textDigest":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","commitments":[{"code":"law-abidance"},{"code":"verified-instruments"},{"code":"show-quantity"},{"code":"compensate-shortage","value":3}],
			"signature":{"manner":"click","role":"legal-representative","signed":"`+today()+`"},"rule":{"id":"pledge-programmes","version":1}}`)
		v.signIn("association")
		v.tabTo(`a[href="/desk/pledges"]`)
		v.do(chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(".rows.card"))
		require.Contains(t, v.text("main"), "示例小店")
		require.Empty(t, measure[[]string](v, faults))
		v.picture("desk-pledges-" + v.language)
		v.tabTo(`a[href="/desk/do/publishPledge?id=` + id + `"]`)
		v.do(chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(send))
		v.tabTo(send)
		v.do(chromedp.KeyEvent(kb.Enter))
		require.Regexp(t, "Done|已完成", v.sent())
		v.open("/desk/pledges")
		require.NotContains(t, v.text("main"), id)
	})
}
