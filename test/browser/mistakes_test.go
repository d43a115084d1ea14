package browser

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mistake is what a stranger does wrong at a page, and a check that it ends
// well: with words that say what to do, or where the stranger wanted to be.
type mistake struct {
	name string
	ends func(v *visitor)
}

// told: the address ends in words, a heading, and a way on.
func told(path string, words ...string) func(*visitor) {
	return func(v *visitor) {
		v.open(path)
		for _, want := range words {
			assert.Contains(v.t, v.text("main"), want, path)
		}
		assert.NotEmpty(v.t, v.text("h1"), path)
		assert.True(v.t, measure[bool](v, `!document.querySelector('main [role=alert]') || !!document.querySelector('main a[href^="/"], main form')`), "a way on from %s", path)
		assert.Empty(v.t, measure[[]string](v, faults), path)
	}
}

// led: the address leads to another.
func led(path, to string) func(*visitor) {
	return func(v *visitor) {
		v.open(path)
		assert.Equal(v.t, to, v.address().RequestURI(), path)
		assert.NotContains(v.t, v.text("h1"), "no such", path)
	}
}

// cut takes the connection away, or gives it back.
func (v *visitor) cut(lost bool) {
	v.t.Helper()
	command(v, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{Offline: lost, DownloadThroughput: -1, UploadThroughput: -1}},
	})
}

// lost: the connection breaks while the page is loaded again; once it is back
// the page is whole.
func lost(path string) mistake {
	return mistake{"lost connection", func(v *visitor) {
		v.open(path)
		heading := v.text("h1")
		v.cut(true)
		measure[bool](v, `setTimeout(() => location.reload()), true`)
		v.until(`!document.querySelector('#main')`)
		v.cut(false)
		v.open(path)
		assert.Equal(v.t, heading, v.text("h1"))
	}}
}

// back: a link is followed by mistake, and the way back leads to the same page.
func back(path, link string) mistake {
	return mistake{"back button", func(v *visitor) {
		v.open(path)
		heading := v.text("h1")
		v.do(chromedp.Click(link))
		v.until(fmt.Sprintf(`!!document.querySelector('h1') && document.querySelector('h1').innerText.trim() !== %q`, heading))
		v.back()
		v.until(fmt.Sprintf(`!!document.querySelector('h1') && document.querySelector('h1').innerText.trim() === %q`, heading))
		assert.False(v.t, measure[bool](v, `!!document.querySelector('button[disabled]')`))
	}}
}

// twice: a link is clicked twice, and leads where once leads.
func twice(path, link, to string) mistake {
	return mistake{"double click", func(v *visitor) {
		v.open(path)
		v.do(chromedp.DoubleClick(link))
		v.until(fmt.Sprintf(`location.pathname === %q && !!document.querySelector('h1')`, to))
		assert.NotContains(v.t, v.text("h1"), "no such")
	}}
}

// slash: one too many behind the address.
func slash(path string) mistake {
	return mistake{"a slash too many", led(path+"/", path)}
}

// answered: what a program reads is refused with words, not with half of it.
func answered(path, words string) func(*visitor) {
	return func(v *visitor) {
		v.open("/status")
		said := measure[string](v, fmt.Sprintf(`(() => {
			const request = new XMLHttpRequest();
			request.open('GET', %q, false);
			request.setRequestHeader('Accept', 'text/html');
			request.send();
			return request.status + ' ' + request.responseText;
		})()`, path))
		assert.Contains(v.t, said, words, path)
	}
}

// posted: a form is sent from elsewhere on this site, or again.
func posted(path, field, value, words string) func(*visitor) {
	return func(v *visitor) {
		v.open("/status")
		v.leaving()
		measure[bool](v, fmt.Sprintf(`(() => {
			const form = document.createElement('form');
			form.method = 'post'; form.action = %q;
			const input = document.createElement('input');
			input.name = %q; input.value = %q;
			form.append(input); document.body.append(form); setTimeout(() => form.submit());
			return true;
		})()`, path, field, value))
		v.arrived()
		assert.Contains(v.t, v.text("main"), words)
	}
}

// unscripted sends a file from a browser without scripts, which has to upload
// it, past the form's own checks.
func unscripted(file, words string) func(*visitor) {
	return func(v *visitor) {
		command(v, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		defer command(v, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: false})
		v.open("/")
		if file != "" {
			v.do(chromedp.SetUploadFiles("#file", []string{file}))
		}
		v.leaving()
		v.do(chromedp.Click("#box .given button"))
		v.arrived()
		assert.Contains(v.t, v.text("main"), words)
		assert.NotEmpty(v.t, v.text("h1"))
	}
}

// sized is a file of so many bytes.
func sized(t *testing.T, bytes int64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.pdf")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, os.Truncate(path, bytes))
	return path
}

// atTheBox are the mistakes at the start.
func atTheBox(t *testing.T) []mistake {
	said := func(words string) string {
		return fmt.Sprintf(`document.querySelector('#box-said').textContent.includes(%q)`, words)
	}
	return []mistake{
		{"nothing was entered", func(v *visitor) {
			v.open("/")
			v.do(chromedp.SendKeys("#q", "  "+kb.Enter))
			v.until(said("Type something, or choose a file"))
			assert.Equal(v.t, "/", v.address().Path)
		}},
		{"an empty file", func(v *visitor) {
			v.open("/")
			v.do(chromedp.SetUploadFiles("#file", []string{sized(t, 0)}))
			v.until(said("This file is empty"))
		}},
		{"a huge file", func(v *visitor) {
			v.open("/")
			v.do(chromedp.SetUploadFiles("#file", []string{sized(t, 200<<20)}))
			v.until(`!!document.querySelector('.verdict')`)
			assert.Contains(v.t, v.text(".verdict h2"), "This file is not registered")
		}},
		{"a huge file by mistake, then the right one", func(v *visitor) {
			v.open("/")
			v.do(chromedp.SetUploadFiles("#file", []string{sized(t, 2<<30)}))
			v.until(said("%"))
			v.do(chromedp.SetUploadFiles("#file", []string{sample(t, "dispenser.pdf")}))
			v.until(`!!document.querySelector('.verdict')`)
			assert.Contains(v.t, v.text(".verdict h2"), "Agrees")
		}},
		{"a huge file by mistake, then a number", func(v *visitor) {
			v.open("/")
			v.do(chromedp.SetUploadFiles("#file", []string{sized(t, 2<<30)}))
			v.until(said("%"))
			v.do(chromedp.SendKeys("#q", "DEMO-2026-0001"+kb.Enter))
			v.until(`!!document.querySelector('.verdict')`)
			assert.Contains(v.t, v.text("h1"), "DEMO-2026-0001")
		}},
		{"several files at once", func(v *visitor) {
			v.open("/")
			measure[bool](v, `(() => {
				const data = new DataTransfer();
				for (const name of ['a.pdf', 'b.pdf']) data.items.add(new File(['x'], name));
				document.querySelector('#file').dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
				return true;
			})()`)
			v.until(said("One file at a time"))
			assert.Equal(v.t, "/", v.address().Path)
		}},
		{"the file dropped beside its box", func(v *visitor) {
			v.open("/")
			measure[bool](v, `(() => {
				const data = new DataTransfer();
				data.items.add(new File(['x'], 'dropped.pdf'));
				document.querySelector('h1').dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
				return true;
			})()`)
			v.until(`!!document.querySelector('.verdict')`)
		}},
		{"the file pasted", func(v *visitor) {
			v.open("/")
			measure[bool](v, `(() => {
				const data = new DataTransfer();
				data.items.add(new File(['x'], 'pasted.pdf'));
				document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
				return true;
			})()`)
			v.until(`!!document.querySelector('.verdict')`)
		}},
		{"a language there is not", told("/?lang=xx", "Four questions")},
		lost("/"), back("/", `a[href="/offline"]`), twice("/", `a[href="/draws"]`, "/draws"),
	}
}

// mistakesAtChecks are those at the pages that answer for files and records.
func mistakesAtChecks(t *testing.T) map[string][]mistake {
	digest := strings.Repeat("ab", 32)
	return map[string][]mistake{
		"GET /": atTheBox(t),
		"POST /": {
			{"nothing was given", unscripted("", "Type something, or choose a file")},
			{"an empty file", unscripted(sized(t, 0), "This file is empty")},
			{"a file too large to send", unscripted(sized(t, 70<<20), "too large")},
			{"the wrong file", unscripted(sample(t, "unregistered.pdf"), "This file is not registered")},
		},
		"GET /check": {
			{"nothing was asked", led("/check", "/")},
			{"nonsense", told("/check?q=%00%E2%80%AE%3Cscript%3E", "Nothing is registered under this")},
			{"a whole letter pasted", told("/check?q="+strings.Repeat("lorem+", 200), "too long")},
			{"spaces and a line break around", told("/check?q=%20DEMO-2026-0001%0A", "DEMO-2026-0001")},
			{"full-width letters", told("/check?q="+url.QueryEscape("ＤＥＭＯ－２０２６－０００１"), "DEMO-2026-0001")},
			{"the number in both boxes", told("/check?q=DEMO-2026-0001&serial=DEMO-2026-0001", "differs")},
			{"somebody else's code", told("/check?q="+url.QueryEscape("https://pay.example/qr/1234"), "Nothing is registered under this")},
			{"a code of another gateway", led("/check?q="+url.QueryEscape("https://other.example/m/M-STATION"), "/m/M-STATION")},
			{"the digest cut short", told("/check?sha256="+digest[:40], "64 hexadecimal digits")},
		},
		"GET /d/:algorithm/:digest": {
			{"another algorithm", told("/d/md5/"+digest, "no such digest algorithm")},
			{"the digest cut short", told("/d/sha256/"+digest[:63], "64 hexadecimal digits")},
			{"capital letters", told("/d/sha256/"+strings.ToUpper(digest), "This file is not registered")},
			{"the number for the digest", told("/d/sha256/DEMO-2026-0001", "64 hexadecimal digits")},
		},
		"GET /c/:id": {
			{"the number for the address", told("/c/DEMO-2026-0001", "no such")},
			{"a file's digest for the certificate's", told("/c/"+digest, "This file is not registered")},
			{"the address cut short", told("/c/"+digest[:30], "no such")},
			{"the serial number of another instrument", told("/check?q=DEMO-2026-0001&serial=SY-S-20001", "the serial number differs")},
			lost("/check?q=DEMO-2026-0001"), back("/check?q=DEMO-2026-0001", `a[href="/offline"]`),
		},
		"GET /t/:id": {
			{"a block's number for the transaction", told("/t/7", "no such")},
			{"nonsense", told("/t/%00%ff", "no such")},
			{"a digest for the transaction", told("/t/"+digest, "no such")},
		},
		"GET /differs": {slash("/differs"), lost("/differs"), back("/differs", `a.brand`), {"somebody else's words in the address", told("/differs?id=%3Cscript%3E", "This scale is not the registered one")}},
	}
}

// mistakesAtRecords are those at the pages of merchants, instruments, places.
func mistakesAtRecords() map[string][]mistake {
	const home = `a.brand`
	record := func(path, other, link string) []mistake {
		at := path[:strings.LastIndex(path, "/")+1]
		return []mistake{
			{"the wrong code scanned", told(at+other, "no such")}, {"nonsense", told(at+"%00%3Cscript%3E", "no such")},
			{"the address cut short", told(path[:len(path)-2], "no such")}, slash(path), lost(path), back(path, home), twice(path, link, "/results"),
		}
	}
	const results = `nav a[href="/results"]`
	return map[string][]mistake{
		"GET /m/:id": record("/m/M-STATION", "I-SCALE", results),
		"GET /i/:id": record("/i/I-SCALE", "M-STATION", results),
		"GET /s/:id": record("/s/S-STATION", "I-SCALE", results),
		"GET /n/:id": record("/n/N-INSTITUTE", "M-STATION", results),
		"GET /v/:id": record("/v/V-STATION-1", "M-STATION", results),
		"GET /i/:id/differs": {
			{"a merchant's code", told("/i/M-STATION/differs", "no such")}, slash("/i/I-SCALE/differs"), lost("/i/I-SCALE/differs"), back("/i/I-SCALE/differs", home),
		},
		"GET /m/:id/sheet": {
			{"an instrument's code", told("/m/I-SCALE/sheet", "no such")}, slash("/m/M-STATION/sheet"), lost("/m/M-STATION/sheet"), back("/m/M-STATION/sheet", home),
		},
		"GET /m/:id/badge.svg": {
			{"an instrument's code", answered("/m/I-SCALE/badge.svg", "404")}, {"nonsense", answered("/m/%00/badge.svg", "no such")},
			{"another format", answered("/m/M-STATION/badge.png", "404")},
		},
		"GET /results": {
			{"a date of another form", told("/results?from=31.12.2026", "not a date", "Show all results")},
			{"the dates exchanged", told("/results?from=2026-12-31&to=2026-01-01", "after the last one")},
			{"a name for a code", told("/results?region=Shanghai", "division code")},
			{"a bookmark cut short", told("/results?cursor=bent", "Begin at the start")},
			{"a state there is not", told("/results?state=good", "no such state")},
			slash("/results"), lost("/results"), back("/results", `main a[href="/statistics"]`),
			{"two clicks on the filter", func(v *visitor) {
				v.open("/results")
				v.do(chromedp.SendKeys("#region", "31"), chromedp.DoubleClick(`form[action="/results"] button`))
				v.until(`location.search.includes('region=31') && !!document.querySelector('#region')`)
				assert.Equal(v.t, "31", measure[string](v, `document.querySelector('#region').value`))
			}},
		},
		"GET /results.csv": {
			{"a name for a code", answered("/results.csv?region=Shanghai", "division code")}, {"a date of another form", answered("/results.csv?from=x", "400")},
			{"a slash too many", led("/results.csv/?region=x", "/results.csv?region=x")},
		},
		"GET /results/overdue": {{"a bookmark cut short", told("/results/overdue?cursor=bent", "Begin at the start")}, slash("/results/overdue"), lost("/results/overdue"), back("/results/overdue", home)},
		"GET /statistics":      {slash("/statistics"), lost("/statistics"), back("/statistics", home), {"a filter it has not", told("/statistics?region=%00", "Statistics")}},
	}
}

// mistakesAtDraws are those at the pages of draws; id is one with its result.
func mistakesAtDraws(id string) map[string][]mistake {
	draw := "/draws/" + id
	broken := func(button, said, words string) func(*visitor) {
		return func(v *visitor) {
			v.open(draw)
			v.cut(true)
			v.do(chromedp.Click(button))
			v.until(fmt.Sprintf(`document.querySelector(%q).textContent.includes(%q)`, said, words))
			v.cut(false)
			v.do(chromedp.DoubleClick(button))
			v.until(fmt.Sprintf(`!document.querySelector(%q).disabled`, button))
			assert.NotContains(v.t, v.text(said), words)
		}
	}
	return map[string][]mistake{
		"GET /draws": {{"a bookmark cut short", told("/draws?cursor=bent", "Begin at the start")}, slash("/draws"), lost("/draws"), back("/draws", fmt.Sprintf(`a[href=%q]`, draw))},
		"GET /draws/:id": {
			{"a draw there is not", told("/draws/none", "no such")}, {"a name for the identifier", told(draw+"?site="+url.QueryEscape("东门加油站"), "not a name")},
			{"small letters and spaces", func(v *visitor) {
				v.open(draw + "?site=+demo-s00001+")
				assert.Equal(v.t, "DEMO-S00001", measure[string](v, `document.querySelector('#site').value`))
				assert.Contains(v.t, v.text(".verdict"), "drawn")
			}},
			{"a place of another city", told(draw+"?site=S-ELSEWHERE", "not in the directory")},
			{"nothing was entered", func(v *visitor) {
				v.open(draw)
				v.do(chromedp.Click(`form[action^="/draws/"] button`))
				assert.Equal(v.t, draw, v.address().RequestURI())
			}},
			{"connection lost while recomputing, then two clicks", broken("#recompute", "#recompute-said", "says nothing about the result")},
			{"connection lost while checking, then two clicks", broken("#steps", "#steps-said", "says nothing about the result")},
			slash(draw), lost(draw), back(draw, `main a[href$="/directories"]`),
		},
		"GET /draws/:id/directories": {{"a draw there is not", told("/draws/none/directories", "no such")}, slash(draw + "/directories"), lost(draw + "/directories"), back(draw+"/directories", fmt.Sprintf(`main a[href=%q]`, draw))},
		"GET /draws/:id/beacon":      {{"back at the form's address", led(draw+"/beacon", draw)}, {"a slash too many", led(draw+"/beacon/", draw)}, {"a draw there is not", told("/draws/none/beacon", "no such")}},
		"POST /draws/:id/beacon": {
			{"brought twice", posted(draw+"/beacon", "signature", strings.Repeat("ab", 48), id)},
			{"nothing brought", posted(draw+"/beacon", "signature", "", id)},
			{"a draw there is not", posted("/draws/none/beacon", "signature", "ab", "no such")},
		},
	}
}

// mistakesElsewhere are those at what remains: documents, feeds, files.
func mistakesElsewhere() map[string][]mistake {
	feed := func(path string) []mistake {
		return []mistake{{"an address cut short", answered(path+"?cursor=bent", "Begin at the start")}, {"nonsense", answered(path+"?cursor=%00", "400")}, {"another name", answered("/feeds/none.atom", "404")}}
	}
	return map[string][]mistake{
		"GET /offline": {slash("/offline"), lost("/offline"), back("/offline", `a.brand`), {"a page it has not", told("/offline/checker.htm", "no such")}},
		"GET /offline/checker.html": {
			{"the files exchanged", wrongEvidence("dispenser.pdf", "The evidence does not hold")}, {"no file chosen", wrongEvidence("", "")}, {"another name", answered("/offline/Checker.html", "404")},
		},
		"GET /offline/trust.json": {{"another name", answered("/offline/trust", "404")}, {"another directory", answered("/trust.json", "404")}, {"capital letters", answered("/offline/Trust.json", "404")}},
		"GET /docs":               {slash("/docs"), lost("/docs"), back("/docs", `a.brand`), {"a path of the interface", told("/docs/v1/merchants", "no such")}},
		"GET /status":             {slash("/status"), lost("/status"), back("/status", `a.brand`), {"another name", told("/state", "no such")}},
		"GET /feeds/results.atom": feed("/feeds/results.atom"),
		"GET /feeds/draws.atom":   feed("/feeds/draws.atom"),
		"GET /draws.ics":          {{"nonsense behind", answered("/draws.ics?x=%00", "BEGIN:VCALENDAR")}, {"another name", answered("/draw.ics", "404")}, {"capital letters", answered("/draws.ICS", "404")}},
		"GET /assets/:version/:name": {
			{"an old address", answered("/assets/0000000000000000/box.js", "no such")}, {"a directory", answered("/assets/", "404")}, {"up the tree", answered("/assets/x/..%2f..%2fmain.go", "404")},
		},
	}
}

// wrongEvidence gives the downloaded checker a file that is no evidence; empty:
// none.
func wrongEvidence(file, words string) func(*visitor) {
	return func(v *visitor) {
		page := fetch(v.t, "/offline/checker.html", "en", "checker.html")
		v.do(chromedp.Navigate("file://"+page), chromedp.WaitReady("#pinned dd"))
		if file == "" {
			v.do(chromedp.Click("#ask button"))
			assert.True(v.t, measure[bool](v, `!document.querySelector('#answer .verdict')`))
			return
		}
		v.do(chromedp.SetUploadFiles("#bundle", []string{sample(v.t, file)}), chromedp.Click("#ask button"), chromedp.WaitVisible("#answer .verdict"))
		assert.Contains(v.t, v.text("#answer"), words)
	}
}

// Three mistakes and more at every public page end well. The pages are taken
// from the router, so that none is forgotten.
func TestMistakesAtEveryPage(t *testing.T) {
	routes := publicRoutes(t)
	if site.skip != "" {
		t.Skip(site.skip)
	}
	id, _ := drawn(t)
	table := map[string][]mistake{}
	for _, part := range []map[string][]mistake{mistakesAtChecks(t), mistakesAtRecords(), mistakesAtDraws(id), mistakesElsewhere()} {
		for route, list := range part {
			require.Empty(t, table[route], route)
			table[route] = list
		}
	}
	for route := range table {
		require.Contains(t, routes, route, "there is such a page")
	}
	for i, group := range slices.Collect(slices.Chunk(routes, 6)) {
		t.Run(fmt.Sprint("group ", i+1), func(t *testing.T) {
			v := visit(t, "en", phoneWidth, phoneHeight)
			for _, route := range group {
				names := map[string]bool{}
				for _, m := range table[route] {
					names[m.name] = true
				}
				require.GreaterOrEqual(t, len(names), 3, "mistakes at %s", route)
				for _, m := range table[route] {
					t.Run(route+" "+m.name, func(t *testing.T) {
						v.t = t
						m.ends(v)
					})
				}
			}
		})
	}
}
