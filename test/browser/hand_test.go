package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	protocol "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// manner is one of the ways in which every job is done.
type manner struct {
	name, language string
	width, height  int64
	keys           bool // every action is a key; otherwise a tap, and an on-screen keyboard
}

var manners = []manner{
	{"phone, Chinese, touch", "zh-CN", phoneWidth, phoneHeight, false},
	{"phone, English, touch", "en", phoneWidth, phoneHeight, false},
	{"desktop, Chinese, keyboard", "zh-CN", desktopWidth, desktopHeight, true},
	{"desktop, English, keyboard", "en", desktopWidth, desktopHeight, true},
}

// press acts on a link, a button, a box or a control.
func (v *visitor) press(selector string) {
	v.t.Helper()
	v.aim(selector)()
}

// twice presses two times in a row, as fast as it goes.
func (v *visitor) twice(selector string) {
	v.t.Helper()
	strike := v.aim(selector)
	strike()
	strike()
}

// aim goes to what is to be pressed. With the keyboard that is Tab, and then
// Enter, or the space bar for a box; otherwise a tap.
func (v *visitor) aim(selector string) (strike func()) {
	v.t.Helper()
	if !v.manner.keys {
		return v.finger(selector)
	}
	v.tabTo(selector)
	key := kb.Enter
	if measure[bool](v, `['checkbox', 'file'].includes(document.activeElement.type)`) {
		key = " "
	}
	return func() { v.do(chromedp.KeyEvent(key)) }
}

// focus is where the focus is with respect to an element: before it, behind it,
// on it, or on it without being seen.
const focus = `((selector) => {
	const want = document.querySelector(selector), has = document.activeElement;
	if (!want) return 'absent';
	if (has !== want && has && has.matches(selector) || has === want) {
		const box = has.getBoundingClientRect();
		const seen = box.width > 0 && box.bottom > 0 && box.top < innerHeight && getComputedStyle(has).outlineStyle !== 'none';
		return seen ? 'here' : 'unseen';
	}
	return has && has !== document.body && has.compareDocumentPosition(want) & Node.DOCUMENT_POSITION_PRECEDING ? 'back' : 'on';
})(%q)`

// tabTo presses Tab, or Shift and Tab, until an element has the focus, which
// can then be seen.
func (v *visitor) tabTo(selector string) {
	v.t.Helper()
	ask := fmt.Sprintf(focus, selector)
	where := measure[string](v, ask)
	for range 300 {
		switch where {
		case "here":
			return
		case "absent":
			v.t.Fatalf("there is no %s on %s", selector, v.address())
		case "unseen":
			v.t.Fatalf("the focus on %s cannot be seen", selector)
		case "back":
			v.do(chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(chromedp.ModifierShift)))
		default:
			v.do(chromedp.KeyEvent(kb.Tab))
		}
		where = measure[string](v, ask)
	}
	v.t.Fatalf("Tab does not lead to %s", selector)
}

// spot finds where a finger meets an element, and what else lies there.
const spot = `((selector) => {
	const e = document.querySelector(selector);
	if (!e) return { why: 'absent' };
	e.scrollIntoView({ block: 'center', behavior: 'instant' });
	const box = [...e.getClientRects()].find((r) => r.width > 0 && r.height > 0);
	if (!box) return { why: 'not shown' };
	const x = box.left + Math.min(box.width / 2, 40), y = box.top + box.height / 2;
	const top = document.elementFromPoint(x, y);
	const met = top && (top === e || e.contains(top) || top.contains(e) && top.closest('label'));
	return met ? { x, y } : { why: 'covered by ' + (top && top.outerHTML.slice(0, 80)) };
})(%q)`

// finger puts a finger over an element, to touch it and let go.
func (v *visitor) finger(selector string) (tap func()) {
	v.t.Helper()
	at := measure[struct {
		X, Y float64
		Why  string
	}](v, fmt.Sprintf(spot, selector))
	require.Empty(v.t, at.Why, "%s on %s", selector, v.address())
	return func() {
		// A page that is left while it is touched may never say that it was.
		soon, end := context.WithTimeout(v.ctx, 2*time.Second)
		defer end()
		for kind, points := range []([]*input.TouchPoint){{{X: at.X, Y: at.Y}}, {}} {
			how := []input.DispatchTouchEventType{input.DispatchTouchEventTypeTouchStart, input.DispatchTouchEventTypeTouchEnd}[kind]
			if _, err := chromedp.Call(soon, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: how, TouchPoints: points}); err != nil {
				require.ErrorIs(v.t, err, context.DeadlineExceeded)
			}
		}
	}
}

// leaving marks the page that is about to be left.
func (v *visitor) leaving() {
	v.t.Helper()
	measure[bool](v, `window.steelyardHere = true`)
}

// arrived waits for a page other than the marked one.
func (v *visitor) arrived() {
	v.t.Helper()
	v.until(`!window.steelyardHere && document.readyState === 'complete' && !!document.querySelector('#main')`)
}

// follow presses what leads to another page and waits for that.
func (v *visitor) follow(selector string) {
	v.t.Helper()
	v.leaving()
	v.press(selector)
	v.arrived()
}

// jobLink is the link of a desk's first page to a form, within its heading.
func jobLink(address string) string { return fmt.Sprintf(`.jobs a[href=%q]`, address) }

// begin goes from the desk's first page to a form.
func (v *visitor) begin(address string) {
	v.t.Helper()
	v.open("/desk")
	v.unfold(fmt.Sprintf(`a[href=%q]`, address))
	v.follow(jobLink(address))
}

// unfold opens what hides an element.
func (v *visitor) unfold(selector string) {
	v.t.Helper()
	closed := fmt.Sprintf(`details:not([open]):has(%s)`, selector)
	count := fmt.Sprintf(`document.querySelectorAll(%q).length`, closed)
	for left := measure[int](v, count); left > 0; left-- {
		v.press(closed + " > summary")
		v.until(fmt.Sprintf(`%s < %d`, count, left))
	}
}

// enter fills a control in.
func (v *visitor) enter(path, value string) {
	v.t.Helper()
	v.unfold(field(path))
	v.write(field(path), value)
}

// write fills in the control of a selector.
func (v *visitor) write(selector, value string) {
	v.t.Helper()
	kind := measure[string](v, fmt.Sprintf(`document.querySelector(%q)?.type ?? 'absent'`, selector))
	at := fmt.Sprintf(`document.querySelector(%q)`, selector)
	switch {
	case kind == "checkbox":
		v.press(selector)
		require.True(v.t, measure[bool](v, at+`.checked`), selector)
		return
	case v.manner.keys:
		v.tabTo(selector)
		v.typeIn(kind, value)
	default:
		v.press(selector)
		v.touchType(selector, kind, value)
	}
	require.Equal(v.t, value, measure[string](v, at+`.value`), selector)
}

// typeIn fills in the control that has the focus, by keys.
func (v *visitor) typeIn(kind, value string) {
	v.t.Helper()
	switch kind {
	case "select-one":
		v.choose(value)
	case "date":
		v.date(value)
	default:
		v.do(chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
		if value == "" {
			v.do(chromedp.KeyEvent(kb.Delete))
		}
		lines := strings.Split(value, "\n")
		for i, line := range lines {
			if i > 0 {
				v.do(chromedp.KeyEvent(kb.Enter))
			}
			v.do(chromedp.KeyEvent(line))
		}
	}
}

// touchType fills in a control after a tap. Lists and days are chosen in a
// dialogue of the browser's own, which has no page; what it would set is set.
func (v *visitor) touchType(selector, kind, value string) {
	v.t.Helper()
	if kind == "select-one" || kind == "date" {
		measure[bool](v, fmt.Sprintf(`(() => {
			const e = document.querySelector(%q);
			e.value = %q;
			for (const kind of ['input', 'change']) e.dispatchEvent(new Event(kind, { bubbles: true }));
			return true;
		})()`, selector, value))
		return
	}
	v.until(fmt.Sprintf(`document.activeElement === document.querySelector(%q)`, selector))
	measure[bool](v, `document.activeElement.select(), true`)
	v.do(chromedp.KeyEvent(kb.Delete))
	command(v, input.InsertText, input.InsertTextParams{Text: value})
}

// choose picks an option of the list that has the focus.
func (v *visitor) choose(value string) {
	v.t.Helper()
	at := measure[int](v, fmt.Sprintf(`[...document.activeElement.options].findIndex((o) => o.value === %q) - document.activeElement.selectedIndex`, value))
	key := kb.ArrowDown
	if at < 0 {
		at, key = -at, kb.ArrowUp
	}
	for range at {
		v.do(chromedp.KeyEvent(key))
	}
}

// date types a day into the parts of a date control; a browser without a
// locale of its machine wants month, day, year.
func (v *visitor) date(value string) {
	v.t.Helper()
	parts := strings.Split(value, "-")
	v.do(chromedp.KeyEvent(parts[1] + parts[2] + parts[0]))
}

// give opens a control's file dialogue and chooses files in it. The dialogue is
// the browser's own and has no page.
func (v *visitor) give(selector string, files ...string) {
	v.t.Helper()
	v.press(selector)
	select {
	case control := <-v.choosing:
		command(v, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: files, BackendNodeID: cdp.BackendNodeID(control)})
	case <-time.After(20 * time.Second):
		v.t.Fatalf("%s opens no dialogue", selector)
	}
}

// download presses a link and gives the file that the browser saved.
func (v *visitor) download(selector string) (name string, content []byte) {
	v.t.Helper()
	into := v.t.TempDir()
	_, err := chromedp.CallBrowser(v.ctx, protocol.SetDownloadBehavior, protocol.SetDownloadBehaviorParams{
		Behavior: protocol.SetDownloadBehaviorBehaviorAllow, BrowserContextID: chromedp.FromContext(v.ctx).BrowserContextID, DownloadPath: into,
	})
	require.NoError(v.t, err)
	// What is saved is asked for by the browser itself, not by the page.
	v.note(&network.EventRequestWillBeSent{Request: &network.Request{Method: "GET", URL: measure[string](v, fmt.Sprintf(`document.querySelector(%q).href`, selector))}})
	v.press(selector)
	require.Eventually(v.t, func() bool {
		saved, err := os.ReadDir(into)
		if err != nil || len(saved) != 1 || strings.HasSuffix(saved[0].Name(), ".crdownload") || strings.HasPrefix(saved[0].Name(), ".") {
			return false
		}
		name = saved[0].Name()
		content, err = os.ReadFile(filepath.Join(into, name))
		return err == nil && len(content) > 0
	}, 20*time.Second, 50*time.Millisecond, "%s downloads nothing", selector)
	return name, content
}

// reads follows a link to what is no page of ours and gives its text.
func (v *visitor) reads(selector string) string {
	v.t.Helper()
	v.leaving()
	v.press(selector)
	v.until(`!window.steelyardHere && document.readyState === 'complete'`)
	return measure[string](v, `document.documentElement.textContent`)
}

// sound checks what every page owes its visitors.
func (v *visitor) sound(of ...any) {
	v.t.Helper()
	require.Empty(v.t, measure[[]string](v, faults), of...)
}
