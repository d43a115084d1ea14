package browser

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// suspension fills the form that shows a yellow card.
func (v *visitor) suspension(pledge string) {
	v.t.Helper()
	v.open(do("suspendPledge"))
	v.do(
		chromedp.SendKeys(field("{id}"), pledge),
		chromedp.SetValue(field("card"), "yellow"),
		chromedp.SetValue(field("reason"), "penalty"),
	)
}

// A wrong entry is told beside its field, and mended there.
func TestDeskWrongEntry(t *testing.T) {
	v := visit(t, "zh-CN", phoneWidth, phoneHeight)
	v.signIn("regulator")
	v.suspension("P-NONE")
	v.do(chromedp.Click(send), chromedp.WaitVisible(".verdict"))
	require.Contains(t, v.text(".verdict"), "没有此项")
	require.Equal(t, "penalty", measure[string](v, `document.getElementById('reason').value`))
	require.Empty(t, measure[[]string](v, faults))
}
