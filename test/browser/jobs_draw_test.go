package browser

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/draw/devbeacon"
)

var authorities atomic.Int64

// authority is one that no other test plans draws for: two plans of one at a
// time would take the same number.
func authority() string { return fmt.Sprintf("31%04d", 9000+authorities.Add(1)) }

// plan fills in and sends the plan of a draw of two of three places, and has a
// notary approve it.
func (v *visitor) plan(entries ...entry) (id string) {
	v.t.Helper()
	v.signIn("regulator")
	v.submit(do("planDraw"), append([]entry{{"authority", authority()}, {"title", "Made at the desks"}, {"scope", "three places"},
		{"strata[0].stratum", "K1"}, {"strata[0].quota", "2"}}, entries...)...)
	v.told()
	return v.text(".facts .code a")
}

// freeze sends the directories of a draw and freezes it.
func (v *visitor) freeze(id, inspectors string) {
	v.t.Helper()
	v.open("/desk/draws")
	v.follow(`main a[href="/desk/draws/` + id + `"]`)
	v.follow(`main a[href="/desk/file/importDrawDirectories?id=` + id + `"]`)
	v.sound()
	v.give("#objects", saved(v.t, "objects.csv", "id,stratum,weight\nS-STATION,K1,1\nS-MARKET,K1,1\nS-STALL-12,K1,1\n"))
	v.give("#inspectors", saved(v.t, "inspectors.csv", inspectors))
	v.sendForm(func() {})
	v.until(`!!document.querySelector('#work .card')`)
	require.Contains(v.t, v.text("#work"), v.says("Read 3, taken 3, rejected 0", "读取 3"))
	v.follow(`a[href^="/desk/do/freezeDraw"]`)
	v.sendForm(func() {})
	v.told()
}

// phase waits until a draw has come to a phase.
func (g *gateway) phase(t *testing.T, id, phase string) {
	t.Helper()
	require.Eventually(t, func() bool { return g.rest(t, "notary", http.MethodGet, "/v1/draws/"+id, "")["phase"] == phase }, 2*time.Minute, 200*time.Millisecond, phase)
}

// A draw from its plan to its result, each organisation at its own desk. What
// its observer does by itself the desk shows.
func drawOverTheDesks(t *testing.T, v *visitor) {
	id := v.plan(entry{"margin", "6"}, entry{"beacon", "development"})
	v.picture("desk-draw-planned-" + v.language)
	v.signIn("notary")
	require.Contains(t, v.text("main"), id, "it waits for the notary")
	v.follow(`main a[href="/desk/draws/` + id + `"]`)
	v.sound()
	v.follow(`.verdict a[href="/desk/do/approveDraw?id=` + id + `"]`)
	v.sendForm(func() {})
	v.told()
	v.signIn("regulator")
	v.freeze(id, "staff,cap,skills\nA,4,\nB,4,\nC,4,\n")
	for _, post := range []string{"institute", "association"} {
		v.signIn(post)
		v.done(do("approveDrawFreeze") + "?id=" + id)
	}
	v.open("/draws/" + id)
	v.sound()
	site.phase(t, id, "drawn")
	v.open("/desk/draws/" + id)
	require.Contains(t, v.text("main"), v.says("drawn", "抽"))
	v.picture("desk-draw-drawn-" + v.language)
}

// byHand is a gateway that takes no part in draws by itself, with the beacon of
// a consortium of which no relay is known: its organisations act at their desks,
// and somebody has to bring the round.
var byHand = sync.OnceValues(func() (*gateway, error) {
	info := handBeacon().Chain()
	hash := info.Hash()
	content, err := json.Marshal(map[string]any{
		"public_key": hex.EncodeToString(info.PublicKey), "period": info.Period, "genesis_time": info.GenesisTime,
		"groupHash": hex.EncodeToString(info.GenesisSeed), "schemeID": info.Scheme, "hash": hex.EncodeToString(hash[:]), "metadata": map[string]any{"beaconID": info.BeaconID},
	})
	if err != nil {
		return nil, err
	}
	chain := filepath.Join(site.scratch, "chain.json")
	settings := filepath.Join(site.scratch, "by-hand.yaml")
	if err := os.WriteFile(chain, content, 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile(settings, []byte("observe: false\nbeacon:\n  chains: ["+chain+"]\n"), 0o600); err != nil {
		return nil, err
	}
	g, err := startGateway(filepath.Join(site.scratch, "by-hand"), "--config", settings)
	return &g, err
})

// handBeacon signs the rounds that are brought by hand.
var handBeacon = sync.OnceValue(func() *devbeacon.Beacon {
	made, err := devbeacon.New([]byte(strings.Repeat("k", devbeacon.SeedSize)), 1, time.Now().Unix()-10)
	if err != nil {
		panic(err) // the seed has the right size
	}
	return made
})

// Association and notary commit, reveal and observe at their desks, reminded of
// the time that is left; the notary opens and closes. Then somebody brings the
// round by hand, after a mistake, and the regulator posts the result. Anybody
// sees each step on the public page.
func drawByHand(t *testing.T, v *visitor) {
	g, err := byHand()
	require.NoError(t, err)
	v.at = g
	association, notary := arrive(t, v.manner), arrive(t, v.manner)
	association.at, notary.at = g, g
	id := v.plan(entry{"margin", "15"}, entry{"beacon", "consortium"})
	association.signIn("association")
	notary.signIn("notary")
	act := func(at *visitor, operation string) {
		t.Helper()
		at.open("/desk/draws/" + id)
		at.sound(operation)
		at.follow(`main a[href="/desk/do/` + operation + `?id=` + id + `"]`)
		at.sendForm(func() {})
		at.told()
	}
	act(notary, "approveDraw")
	v.freeze(id, "staff,cap,skills\nA,4,\nB,4,\n")
	act(association, "approveDrawFreeze")
	act(notary, "approveDrawFreeze")

	reminded := func(at *visitor, operation string) {
		t.Helper()
		at.open("/desk")
		due := measure[string](at, `[...document.querySelectorAll('main .rows li')].find((e) => e.textContent.includes('`+id+`')).textContent`)
		require.Regexp(t, at.says("by ", "期限"), due, "the desk says by when")
		at.follow(`main .rows a[href="/desk/draws/` + id + `"]`)
		require.Regexp(t, at.says(`by .+, in \d+`, `前完成，还有 \d+`), at.text(".verdict"), "and how long that is")
		at.follow(`.verdict a[href="/desk/do/` + operation + `?id=` + id + `"]`)
		at.sendForm(func() {})
		at.told()
	}
	secrets := map[string]draw.Digest{"RegulatorMSP": {1}, "InstituteMSP": {2}}
	posts := map[string]string{"RegulatorMSP": "regulator", "InstituteMSP": "institute"}
	for org, secret := range secrets {
		commitment := draw.Commitment(id, org, secret)
		g.rest(t, posts[org], http.MethodPost, "/v1/draws/"+id+"/commitment", `{"commitment":"`+hex.EncodeToString(commitment[:])+`"}`)
	}
	reminded(association, "commitToDraw")
	reminded(notary, "commitToDraw")
	v.open("/draws/" + id)
	v.sound()
	require.Equal(t, 4, strings.Count(v.text("main ol.history"), v.says("committed to a random share", "提交随机数承诺")), v.text("main ol.history"))
	notary.open("/desk/windows")
	notary.sound()
	act(notary, "openDraw")
	for org, secret := range secrets {
		g.rest(t, posts[org], http.MethodPost, "/v1/draws/"+id+"/reveal", `{"secret":"`+hex.EncodeToString(secret[:])+`"}`)
	}
	reminded(association, "revealToDraw")
	reminded(notary, "revealToDraw")
	act(notary, "closeDraw")
	reminded(association, "observeDraw")
	reminded(notary, "observeDraw")
	v.bringRound(id, int64(g.rest(t, "notary", http.MethodGet, "/v1/draws/"+id, "")["round"].(float64)))
	v.signIn("regulator")
	act(v, "postDraw")
	v.open("/draws/" + id)
	require.Equal(t, 2, measure[int](v, `document.querySelectorAll('main h2 ~ ol > li a[href^="/s/"]').length`), "two places were drawn")
	v.requests = slices.Concat(v.requests, association.requests, notary.requests)
}

// bringRound waits for a draw's round and brings its signature: a wrong one, of
// which the page says so, and then the right one.
func (v *visitor) bringRound(id string, round int64) {
	v.t.Helper()
	v.open("/draws/" + id)
	for !measure[bool](v, `!!document.getElementById('signature')`) {
		time.Sleep(time.Second)
		v.open("/draws/" + id)
	}
	v.sound()
	v.write("#signature", strings.Repeat("ab", 48))
	v.follow(`form[action$="/beacon"] button`)
	require.NotEmpty(v.t, v.text("form .fault"), "it is not the round's")
	v.sound()
	v.write("#signature", hex.EncodeToString(handBeacon().Sign(uint64(round))))
	v.follow(`form[action$="/beacon"] button`)
	v.until(`!document.getElementById('signature')`)
	v.open("/draws/" + id + "/beacon") // the address of the form, come back to
	require.Equal(v.t, "/draws/"+id, v.address().Path)
	v.sound()
}

// A sealed draw is planned, frozen, closed and opened at the desks. While it is
// sealed its inspector has the leaf of each visit from the gateway, or from the
// file that the authority hands out; once it is open, the rank.
func sealedDraw(t *testing.T, v *visitor) {
	id := v.plan(entry{"margin", "6"}, entry{"beacon", "development"}, entry{"sealed", "on"}, entry{"openWithin", "3600"})
	v.signIn("notary")
	v.done(do("approveDraw") + "?id=" + id)
	v.signIn("regulator")
	v.freeze(id, "staff,post,cap,skills\nA,"+subjectOf(t, "inspector")+",4,\nB,"+subjectOf(t, "inspector2")+",4,\n")
	for _, post := range []string{"institute", "association"} {
		v.signIn(post)
		v.done(do("approveDrawFreeze") + "?id=" + id)
	}
	site.phase(t, id, "sealed")

	v.signIn("inspector2")
	links := v.toVisit(id)
	require.Len(t, links, 2)
	v.picture("desk-round-sealed-" + v.language)
	v.enterDrawn(links[0])
	require.Equal(t, links[1:], v.toVisit(id), "one is left")

	v.signIn("regulator")
	v.open("/desk/draws/" + id)
	v.sound()
	v.picture("desk-draw-sealed-" + v.language)
	left, err := url.Parse(links[1])
	require.NoError(t, err)
	name, content := v.download(`a[download][href$="` + left.Query().Get("site") + `"]`)
	require.Contains(t, string(content), `"leaf"`)

	v.signIn("inspector")
	require.Equal(t, links[1:], v.toVisit(id), "what the colleague entered is not to be entered again")
	v.give("#ticket", saved(t, name, string(content)))
	v.follow(`form[action="/desk/round"] button[type=submit]`)
	require.NotEmpty(t, measure[string](v, `document.querySelector('#visit input[name="leaf"]').value`))
	require.Equal(t, left.Query().Get("site"), measure[string](v, `document.querySelector('#visit input[name="site"]').value`))

	v.signIn("regulator")
	v.done(do("unsealDraw")+"?id="+id, entry{"_sure", "on"})
	site.phase(t, id, "drawn")
	v.signIn("inspector")
	links = v.toVisit(id)
	require.Len(t, links, 1)
	require.Regexp(t, "rank [12]|第[12]位", v.text(".visits"))
	v.enterDrawn(links[0])
	require.Empty(t, v.toVisit(id))
}

// toVisit are the links of the places that a draw gave to the inspector and that
// it has not visited.
func (v *visitor) toVisit(id string) []string {
	v.t.Helper()
	v.open("/desk/round")
	v.sound()
	return measure[[]string](v, `[...document.querySelectorAll('.visits a.go[href*="`+id+`"]')].map((a) => a.getAttribute('href'))`)
}

// enterDrawn opens a visit from the list and sends it. Nothing of the draw is
// typed.
func (v *visitor) enterDrawn(link string) {
	v.t.Helper()
	v.follow(`a[href="` + link + `"]`)
	v.sound()
	require.Empty(v.t, measure[[]string](v, `[...document.querySelectorAll('#visit input:not([type=hidden]), #visit textarea, #visit select')].map((e) => e.name).filter((name) => /basis|assigned|leaf|salt|inspectors/.test(name))`), "nobody types what the draw says")
	v.enter("inspection.items[0].results=none-found", "on")
	v.follow(sendVisit)
	v.told()
}
