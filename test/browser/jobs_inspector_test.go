package browser

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// sendVisit is the button of an inspector's form.
const sendVisit = "#visit > button[type=submit]:not(.quiet)"

// newStation is a place of its own with a dispenser of one nozzle.
func newStation(t *testing.T) (place string) {
	t.Helper()
	merchant, place := newMerchant(t)
	id := unique("I-DESK")
	rest(t, "merchant", http.MethodPost, "/v1/instruments", `{"id":"`+id+`","name":"燃油加油机","category":"fuel-dispenser","model":"SY-80","maker":"示例","serial":"`+unique("SY")+`","use":"trade-settlement","mode":"periodic","delivery":"on-site",
		"region":"310115","site":"`+place+`","owner":"`+merchant+`","user":"`+merchant+`","parts":[{"id":"1","kind":"nozzle"}]}`)
	rest(t, "merchant", http.MethodPost, "/v1/instruments/"+id+"/commissioning", "")
	return place
}

// enterVisit fills in a visit to a place: one nozzle within its tolerance.
// Tolerance and verdict are shown while the errors are typed.
func (v *visitor) enterVisit(place, remark string) {
	v.t.Helper()
	v.open("/desk/round")
	v.sound()
	v.follow(`main a[href="/desk/do/enterInspection"]`)
	v.write("#site", place)
	v.follow("main form.card button")
	v.sound()
	const ofDraw = `document.getElementById('basis.draw').checkVisibility()`
	require.False(v.t, measure[bool](v, ofDraw))
	v.enter("basis.kind", "draw")
	v.until(ofDraw)
	v.enter("basis.kind", "complaint")
	v.until(`!` + ofDraw)
	v.enter("inspectors", subjectOf(v.t, "inspector")+"\n"+subjectOf(v.t, "inspector2"))
	v.enter("post", subjectOf(v.t, "regulator"))
	v.enter("inspection.remark", remark)
	v.enter("inspection.items[0].results=none-found", "on")
	const at = "inspection.items[0].measurements[0]."
	v.enter(at+"indication", "20.020")
	require.NotEmpty(v.t, v.text(".measured .said"), "the tolerance stands there before the reference does")
	v.enter(at+"reference", "20.200")
	require.Equal(v.t, "fail", measure[string](v, `document.querySelector('.measured .said .tag').dataset.verdict`))
	v.enter(at+"reference", "20.000")
	require.Equal(v.t, "pass", measure[string](v, `document.querySelector('.measured .said .tag').dataset.verdict`))
}

const keptEntries = `Object.keys(localStorage).filter((k) => k.startsWith('steelyard.waiting.')).length`

// kept is how many entries wait on this device.
func (v *visitor) kept() int {
	v.t.Helper()
	return measure[int](v, keptEntries)
}

// entered is how many visits to a place the inspector's list has.
func (v *visitor) entered(place string) int {
	v.t.Helper()
	v.open("/desk/round")
	return measure[int](v, `[...document.querySelectorAll('.rows li')].filter((e) => e.textContent.includes('`+place+`') && e.querySelector('a[href^="/desk/do/reviseInspection"]')).length`)
}

// An inspector sees tolerance and verdict while typing, attaches evidence by
// its digest, sends the visit, and revises it; the file stays on the phone.
func inspectorVisit(t *testing.T, v *visitor) {
	place := newStation(t)
	v.signIn("inspector")
	v.enterVisit(place, "entered at the station")
	v.give("#files", saved(t, "scene.jpg", "a photograph of the scene"))
	v.until(`document.getElementById('inspection.items[0].evidence[0].digest').value.length === 64`)
	v.sound()
	v.picture("desk-visit-" + v.language)
	v.leaving()
	v.twice(sendVisit)
	v.arrived()
	v.told()
	require.Zero(t, v.kept())
	require.Equal(t, 1, v.entered(place), "sent twice, it is there once")
	v.follow(measure[string](v, `(() => { const row = [...document.querySelectorAll('.rows li')].find((e) => e.textContent.includes('`+place+`')); return 'a[href="' + row.querySelector('a').getAttribute('href') + '"]'; })()`))
	v.sound()
	v.enter("inspection.remark", "looked at again")
	v.follow(sendVisit)
	v.told()
	require.Equal(t, 1, v.entered(place))
	v.notSent("a photograph of the scene")
}

// The connection drops while a visit is sent, and the form is sent again and
// again: it stays on the phone, goes out once there is a connection, and is
// recorded once. A session that ended meanwhile loses nothing.
func inspectorOffline(t *testing.T, v *visitor) {
	place := newStation(t)
	v.signIn("inspector")
	v.enterVisit(place, "sent without a connection")
	said := func(words string) {
		t.Helper()
		v.until(`document.getElementById('visit').textContent.includes('` + words + `')`)
	}
	v.cut(true)
	v.press(sendVisit)
	v.until(keptEntries + ` === 1`)
	said(v.says("No connection", "没有网络"))
	v.press(sendVisit)
	said(v.says("No connection", "没有网络"))
	v.sound()
	v.leave() // the session ends meanwhile
	v.cut(false)
	v.press(sendVisit)
	said(v.says("session is over", "登录"))
	require.Equal(t, 1, v.kept(), "it is still here")
	v.signIn("inspector")
	v.open("/desk/round")
	v.until(keptEntries + ` === 0`)
	require.Equal(t, 1, v.entered(place), "once")
}

// The connection drops, the page is loaded anew, and the browser goes elsewhere:
// what the inspector entered is kept on the device and recorded once.
func inspectorReloads(t *testing.T, v *visitor) {
	place := newStation(t)
	v.signIn("inspector")
	v.enterVisit(place, "sent after a reload")
	address := v.address().RequestURI()
	v.offline(true)
	v.press(sendVisit)
	v.until(keptEntries + ` === 1`)
	v.offline(false)
	v.open(address) // before it went out by itself: the form is empty again, and the entry is not
	v.until(keptEntries + ` === 0`)
	v.open("/desk/round")
	require.Equal(t, 1, v.entered(place), "once")
}

// notSent checks that words are in nothing that was sent.
func (v *visitor) notSent(words string) {
	v.t.Helper()
	for _, body := range v.bodies() {
		require.NotContains(v.t, body, words)
	}
}
