package browser

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
)

// once is the manner of forms for which one is enough.
var once = manner{"desktop, English, pointer", "en", desktopWidth, desktopHeight, false}

// formsOnce send the forms that the jobs in all manners do not need, each until
// it is told as done. They are of the one template that is made from the
// interface's description, as most that are sent in all manners. What waits for a
// draw's round stands last and begins first.
var formsOnce = []struct {
	job
	forms []string // operations
}{
	{job{"issuers", issuerForms}, []string{"registerIssuer", "amendIssuer", "appointIssuer", "dismissIssuer", "suspendIssuer", "resumeIssuer", "endIssuer"}},
	{job{"merchants and places", merchantForms}, []string{"amendMerchant", "occupySite", "vacateSite", "closeMerchant", "reopenMerchant"}},
	{job{"instruments", instrumentForms}, []string{"amendInstrument", "replacePartsInstrument", "openDisputeInstrument", "closeDisputeInstrument", "sealInstrument", "unsealInstrument", "repairInstrument", "reverifyInstrument"}},
	{job{"an objection: retested, upheld", objectionForms}, []string{"retestInspection", "upholdInspection"}},
	{job{"a draw that misses its round", voidForms}, []string{"cancelDraw", "voidDraw"}},
	{job{"changes of a draw", changeForms}, []string{"substituteObject", "recuseInspector", "approveDrawChange", "rejectDrawChange"}},
	{job{"a sealed draw by hand", sealedForms}, []string{"publishEscrowKey", "acceptEscrow", "fileDrawDirectory", "seedDraw", "commitLeaves"}},
}

// sentOnce are the operations of those forms.
func sentOnce() []string {
	var all []string
	for _, f := range formsOnce {
		all = append(all, f.forms...)
	}
	return all
}

// does sends a form of a record as a post and waits until it is told as done,
// with block and transaction.
func (v *visitor) does(post, form string, entries ...entry) {
	v.t.Helper()
	if v.post != post {
		v.signIn(post)
	}
	operation, id, _ := strings.Cut(form, " ")
	v.done(do(operation)+"?id="+id, entries...)
	require.Len(v.t, measure[string](v, `document.querySelector('.facts a[href^="/v1/transactions/"]')?.textContent ?? ''`), 64, form)
	require.Regexp(v.t, `\nBlock\s+\d+\n`, "\n"+v.text(".facts")+"\n", form)
}

func issuerForms(t *testing.T, v *visitor) {
	id := unique("N-DESK")
	grant := []entry{{"region", "310115"}, {"grants[0].authority", "authorized"}, {"grants[0].from", today()}, {"grants[0].until", "2099-12-31"},
		{"grants[0].scope[0].category", "non-automatic-scale"}, {"grants[0].scope[0].regulation", "JJG 539-2016"}}
	v.does("regulator", "registerIssuer", append(grant, entry{"profile.name", "示例所 " + id})...)
	id = v.text(".facts .code")
	v.does("regulator", "amendIssuer "+id, append(grant, entry{"profile.name", "示例所"})...)
	v.does("regulator", "appointIssuer "+id, entry{"{subject}", "a-post-of-its-own"})
	v.does("regulator", "dismissIssuer "+id, entry{"{subject}", "a-post-of-its-own"})
	v.does("regulator", "suspendIssuer "+id, entry{"reason", "under-investigation"})
	v.does("regulator", "resumeIssuer "+id)
	v.does("regulator", "endIssuer "+id, entry{"reason", "own-request"}, entry{"_sure", "on"})
}

func merchantForms(t *testing.T, v *visitor) {
	merchant, place := newMerchant(t)
	v.does("merchant", "amendMerchant "+merchant, entry{"region", "310115"}, entry{"sector", "catering"}, entry{"profile.name", "示例面馆"})
	v.does("merchant", "vacateSite "+place, entry{"to", today()})
	v.does("regulator", "closeMerchant "+merchant)
	v.does("regulator", "reopenMerchant "+merchant)
	tomorrow := time.Now().In(time.FixedZone("", 8*3600)).AddDate(0, 0, 1).Format(time.DateOnly)
	v.does("merchant", "occupySite "+place, entry{"merchant", merchant}, entry{"from", tomorrow})
}

func instrumentForms(t *testing.T, v *visitor) {
	merchant, place := newMerchant(t)
	id, serial := unique("I-DESK"), unique("NS")
	rest(t, "merchant", http.MethodPost, "/v1/instruments", `{"id":"`+id+`","name":"电子秤","category":"non-automatic-scale","model":"SY-1","maker":"示例","serial":"`+serial+`","use":"trade-settlement","mode":"periodic","delivery":"sent",
		"region":"310115","site":"`+place+`","owner":"`+merchant+`","user":"`+merchant+`"}`)
	rest(t, "merchant", http.MethodPost, "/v1/instruments/"+id+"/commissioning", "")
	v.does("merchant", "amendInstrument "+id, entry{"name", "电子计价秤"}, entry{"category", "non-automatic-scale"}, entry{"use", "trade-settlement"}, entry{"mode", "periodic"}, entry{"delivery", "sent"},
		entry{"region", "310115"}, entry{"site", place}, entry{"owner", merchant}, entry{"user", merchant})
	v.does("regulator", "openDisputeInstrument "+id, entry{"reason", "mediation"})
	v.does("regulator", "closeDisputeInstrument "+id, entry{"reason", "conforms"})
	v.does("regulator", "sealInstrument "+id, entry{"reason", "evidence"})
	v.does("regulator", "unsealInstrument "+id, entry{"reason", "conforms"})
	v.does("merchant", "repairInstrument "+id, entry{"reason", "adjusted"}, entry{"on", today()})
	v.does("merchant", "replacePartsInstrument "+id, entry{"parts[0].id", "seal-1"}, entry{"parts[0].kind", "seal"})
	number := unique("DESK")
	rest(t, "institute", http.MethodPost, "/v1/certificates", `{"issuer":"N-INSTITUTE","number":"`+number+`","kind":"verification-certificate","regulation":"JJG 539-2016","performed":"`+today()+`","issued":"`+today()+`","validUntil":"2099-12-31",
		"digests":[{"algorithm":"sha256","value":"`+digest()+`"}],"instruments":[{"id":"`+id+`","serial":"`+serial+`","category":"non-automatic-scale","conclusion":"pass"}]}`)
	v.does("merchant", "reverifyInstrument "+id) // the certificate is found
}

// An objection is followed by a second test at the place and the decision that
// the result stands.
func objectionForms(t *testing.T, v *visitor) {
	id := publishedInspection(t)
	rest(t, "merchant", http.MethodPost, "/v1/inspections/"+id+"/objection", `{"ground":"facts"}`)
	v.signIn("inspector")
	v.open(do("retestInspection") + "?id=" + id)
	v.sound()
	v.enter("inspection.institution", "N-INSTITUTE")
	v.enter("inspection.remark", "tested a second time")
	v.follow(sendVisit)
	v.told()
	v.does("regulator", "upholdInspection "+id)
}

// Of a draw that has a result a place is replaced, a replacement refused, and an
// inspector recused.
func changeForms(t *testing.T, v *visitor) {
	made := runDraw("--authority", "440302")
	require.Empty(t, made.why)
	var result struct {
		Order []string `json:"order"`
	}
	raw, err := json.Marshal(rest(t, "regulator", http.MethodGet, "/v1/draws/"+made.id, "")["result"].(map[string]any)["result"])
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &result))
	v.does("regulator", "substituteObject "+made.id, entry{"object", result.Order[0]}, entry{"reason", "closed"})
	v.does("notary", "rejectDrawChange "+made.id, entry{"{number}", "1"})
	place := result.Order[1]
	v.does("regulator", "recuseInspector "+made.id, entry{"object", place}, entry{"inspector", made.assigned[place][0]})
	v.does("association", "approveDrawChange "+made.id, entry{"{number}", "2"})
}

// escrowKeys publishes a key of the notary's in place of the one in force, and one of
// the regulator's if it has none: without both nothing can be sealed.
func (v *visitor) escrowKeys() {
	v.t.Helper()
	inForce := map[string]string{}
	for _, key := range v.at.rest(v.t, "notary", http.MethodGet, "/v1/escrow-keys", "")["items"].([]any) {
		of := key.(map[string]any)
		inForce[of["org"].(string)] = of["key"].(string)
	}
	publish := func(post, org string) {
		private, err := ecdh.X25519().GenerateKey(rand.Reader)
		require.NoError(v.t, err)
		entries := []entry{{"key", hex.EncodeToString(private.PublicKey().Bytes())}}
		if inForce[org] != "" {
			entries = append(entries, entry{"replaces", inForce[org]})
		}
		v.does(post, "publishEscrowKey", entries...)
	}
	publish("notary", "NotaryMSP")
	if inForce["RegulatorMSP"] == "" {
		publish("regulator", "RegulatorMSP")
	}
}

// frozenByHand files a draw's directories, an earlier chunk of which is
// replaced, and freezes it.
func (v *visitor) frozenByHand(id string) {
	v.t.Helper()
	at := "/v1/draws/" + id
	hash, _ := v.at.rest(v.t, "notary", http.MethodGet, at, "")["planHash"].(string)
	v.at.rest(v.t, "notary", http.MethodPost, at+"/approval", `{"hash":"`+hash+`"}`)
	v.does("regulator", "fileDrawDirectory "+id, entry{"{list}", "objects"}, entry{"{chunk}", "0"},
		entry{"objects[0].id", "S-STATION"}, entry{"objects[0].stratum", "K1"}, entry{"objects[0].weight", "1"})
	v.freeze(id, "staff,cap,skills\nA,4,\nB,4,\n")
}

// sealedForms: a sealed draw of a gateway that takes no part by itself is
// accepted into escrow, seeded and committed to by hand.
func sealedForms(t *testing.T, v *visitor) {
	g, err := byHand()
	require.NoError(t, err)
	v.at = g
	v.escrowKeys()
	id := v.plan(entry{"margin", "10"}, entry{"beacon", "consortium"}, entry{"sealed", "on"}, entry{"openWithin", "3600"})
	v.does("notary", "acceptEscrow "+id)
	v.frozenByHand(id)
	at := "/v1/draws/" + id
	record := func(member string) any { return g.rest(t, "notary", http.MethodGet, at, "")[member] }
	freeze, _ := record("freeze").(string)
	for _, post := range []string{"association", "notary"} {
		g.rest(t, post, http.MethodPost, at+"/freeze-approval", `{"hash":"`+freeze+`"}`)
	}
	posts := map[string]string{"RegulatorMSP": "regulator", "InstituteMSP": "institute", "AssociationMSP": "association", "NotaryMSP": "notary"}
	for org, post := range posts {
		commitment := draw.Commitment(id, org, draw.Digest{org[0]})
		g.rest(t, post, http.MethodPost, at+"/commitment", `{"commitment":"`+hex.EncodeToString(commitment[:])+`"}`)
	}
	g.rest(t, "notary", http.MethodPost, at+"/opening", "")
	for org, post := range posts {
		secret := draw.Digest{org[0]}
		g.rest(t, post, http.MethodPost, at+"/reveal", `{"secret":"`+hex.EncodeToString(secret[:])+`"}`)
	}
	g.rest(t, "notary", http.MethodPost, at+"/close", "")
	closed, _ := record("close").(map[string]any)
	for _, post := range []string{"association", "institute"} {
		g.rest(t, post, http.MethodPost, at+"/observation", `{"contribution":"`+closed["contribution"].(string)+`"}`)
	}
	time.Sleep(time.Until(time.Unix(int64(record("roundTime").(float64))+1, 0)))
	v.does("association", "seedDraw "+id, entry{"signature", hex.EncodeToString(handBeacon().Sign(uint64(record("round").(float64))))})
	v.does("notary", "commitLeaves "+id, entry{"leaves", "3"}, entry{"root", digest()})
}

// voidForms: one draw is broken off, another misses its round since nobody
// commits, which anybody may state.
func voidForms(t *testing.T, v *visitor) {
	g, err := byHand()
	require.NoError(t, err)
	v.at = g
	id := v.plan(entry{"margin", "2"}, entry{"beacon", "consortium"})
	v.does("regulator", "cancelDraw "+id, entry{"reason", "task-withdrawn"}, entry{"_sure", "on"})
	id = v.plan(entry{"margin", "2"}, entry{"beacon", "consortium"})
	v.frozenByHand(id)
	time.Sleep(time.Until(time.Unix(int64(g.rest(t, "notary", http.MethodGet, "/v1/draws/"+id, "")["roundTime"].(float64))+2, 0)))
	v.does("institute", "voidDraw "+id, entry{"_sure", "on"})
}
