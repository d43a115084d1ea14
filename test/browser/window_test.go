package browser

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// What a desk is reminded of counts down by the gateway's clock, in the page
// and in its title, and says when its time is over.
func TestReminderCountsDown(t *testing.T) {
	server := canned(t)
	for language, says := range map[string]struct{ begins, ends string }{
		"en":    {"1 h 51 min left", "the time is over"},
		"zh-CN": {"还剩 1 小时 51 分", "期限已过"},
	} {
		t.Run(language, func(t *testing.T) {
			v := visit(t, language, phoneWidth, phoneHeight)
			v.do(chromedp.Navigate(server.URL+"/desk-windows."+language[:2]+".html"), chromedp.WaitReady("#windows time"))
			text := func() string {
				return measure[string](v, `document.querySelector('#windows time').textContent`)
			}
			require.Equal(t, says.begins, text(), "the page is of March 2026; the gateway's clock counts")
			title := measure[string](v, `document.title`)
			require.Contains(t, title, says.begins+" · ")
			measure[bool](v, `(function () {
				const box = document.getElementById('windows');
				box.querySelector('time').dateTime = new Date(Date.parse(box.dataset.now) + 3000).toISOString();
				return true;
			})()`)
			ask(v, chromedp.Poll[bool](`document.querySelector('#windows time').textContent === "`+says.ends+`"`))
			require.Contains(t, measure[string](v, `document.title`), says.ends+" · ")
		})
	}
}
