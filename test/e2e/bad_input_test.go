package e2e

import (
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/fabric"
	"github.com/steelyard-ledger/steelyard/gateway/wallet"
)

const (
	stallBody = `{"kind":"stall","sector":"shop","region":"310115","profile":{"name":"x"}}`
	hash64    = "58a42a455e1c70b9b306e627c12b96a4df6b0651f04e3bdfa6feec29a272497a"
)

// leafBody is the body of a certificate for the demonstration's institution.
func leafBody(changes ...string) string {
	body := `{"issuer":"N-INSTITUTE","number":"BAD-1","kind":"verification-certificate","regulation":"JJG 443-2023","performed":"2026-11-01","issued":"2026-11-01","validUntil":"2027-04-30",
		"digests":[{"algorithm":"sha256","value":"` + hash64 + `"}],"instruments":[{"serial":"SY-D-10001","category":"fuel-dispenser","conclusion":"pass"}]}`
	return strings.NewReplacer(changes...).Replace(body)
}

// What a careless or hostile client sends, and the exact problem it gets.
var badInputs = []struct {
	name, as, method, path, body string
	headers                      []string
	status                       int
	problem, field               string
}{
	{"UnknownMember", "merchant", "POST", "/v1/merchants", `{"kind":"stall","sectors":"shop","sector":"shop","region":"310115","profile":{"name":"x"}}`, nil, 400, "invalid", "sectors"},
	{"DuplicateMember", "merchant", "POST", "/v1/merchants", `{"kind":"stall","kind":"stall","sector":"shop","region":"310115","profile":{"name":"x"}}`, nil, 400, "invalid", "kind"},
	{"MemberInAnotherCase", "merchant", "POST", "/v1/merchants", `{"Kind":"stall","sector":"shop","region":"310115","profile":{"name":"x"}}`, nil, 400, "invalid", "Kind"},
	{"UnknownPrivateMember", "merchant", "POST", "/v1/merchants", `{"kind":"stall","sector":"shop","region":"310115","profile":{"name":"x","age":3}}`, nil, 400, "invalid", "age"},
	{"ChosenSalt", "merchant", "POST", "/v1/merchants", `{"kind":"stall","sector":"shop","region":"310115","profile":{"name":"x","salt":"00"}}`, nil, 400, "invalid", "profile.salt"},
	{"NotJSON", "merchant", "POST", "/v1/merchants", `kind=stall`, nil, 400, "invalid", ""},
	{"WrongMediaType", "merchant", "POST", "/v1/merchants", stallBody, []string{"Content-Type", "text/plain"}, 415, "media-type", ""},
	{"OversizedBody", "merchant", "POST", "/v1/merchants", `{"kind":"` + strings.Repeat("x", 1<<20) + `"}`, nil, 413, "too-large", ""},
	{"NoToken", "", "POST", "/v1/merchants", stallBody, nil, 401, "unauthorized", ""},
	{"WrongRole", "notary", "POST", "/v1/merchants", stallBody, nil, 403, "forbidden", ""},
	{"ForeignSubject", "merchant", "POST", "/v1/merchants/M-MARKET/pledges", `{"programme":"market-check-scale","from":"2026-01-01","months":12,"template":"t","templateVersion":"1",
		"textDigest":"` + hash64 + `","commitments":[],"signature":{"manner":"click","role":"operator","signed":"2026-01-01"},"rule":{"id":"pledge-programmes","version":1}}`, nil, 403, "forbidden", ""},
	{"SoleTradersCodeOnLedger", "merchant", "POST", "/v1/merchants", `{"kind":"sole-trader","sector":"shop","region":"310115","creditCode":"92310115MA1SECRET0","profile":{"name":"x"}}`, nil, 400, "invalid", "creditCode"},
	{"CheckDigit", "merchant", "POST", "/v1/merchants", `{"kind":"enterprise","sector":"shop","region":"310115","creditCode":"91310115MA1H8R7C6D","profile":{"name":"x"}}`, nil, 400, "invalid", "creditCode"},
	{"IDTaken", "merchant", "POST", "/v1/merchants", `{"id":"M-STATION","kind":"stall","sector":"shop","region":"310115","profile":{"name":"x"}}`, nil, 409, "conflict", "id"},
	{"PathContradicted", "merchant", "POST", "/v1/merchants/M-STATION/amendment", `{"id":"M-MARKET","sector":"shop","region":"310115"}`, nil, 400, "invalid", "id"},
	{"OutOfScope", "institute", "POST", "/v1/certificates", leafBody("JJG 443-2023", "JJG 517-2016", "fuel-dispenser", "taximeter"), nil, 422, "out-of-scope", "instruments[0].category"},
	{"NumberTaken", "institute", "POST", "/v1/certificates", leafBody("BAD-1", "DEMO-2026-0001"), nil, 409, "conflict", "number"},
	{"ExpiryBeforeIssue", "institute", "POST", "/v1/certificates", leafBody("2027-04-30", "2026-10-01"), nil, 400, "invalid", "validUntil"},
	{"WrongDigestLength", "institute", "POST", "/v1/certificates", leafBody(hash64, hash64[:62]), nil, 400, "invalid", "digests[0].value"},
	{"UnknownIssuerKey", "institute", "POST", "/v1/certificates", leafBody(`{"issuer"`, `{"key":"`+hash64+`","signature":"AAAA","issuer"`), nil, 422, "signature", "key"},
	{"AnchorByMerchant", "merchant", "POST", "/v1/certificates", leafBody(), nil, 403, "forbidden", ""},
	{"TamperedCursor", "", "GET", "/v1/merchants?cursor=AAAAAAAAAAAAAAAAAAAAAAAA", "", nil, 400, "invalid", "cursor"},
	{"LimitTooLarge", "", "GET", "/v1/merchants?limit=1000", "", nil, 400, "invalid", "limit"},
	{"UnknownParameter", "", "GET", "/v1/merchants?regoin=31", "", nil, 400, "invalid", "regoin"},
	{"NoSuchMerchant", "", "GET", "/v1/merchants/M-NOBODY", "", nil, 404, "not-found", ""},
	{"NoSuchRoute", "", "GET", "/v1/nothing", "", nil, 404, "not-found", ""},
	{"NoSuchMethod", "", "DELETE", "/v1/status", "", nil, 405, "method", ""},
	{"ShortDigest", "", "GET", "/v1/verify/sha256/abcd", "", nil, 400, "invalid", "digest"},
	{"UnknownAlgorithm", "", "GET", "/v1/verify/md5/" + hash64, "", nil, 400, "invalid", "algorithm"},
}

func TestBadInput(t *testing.T) {
	onEachNetwork(t, testBadInput)
}

func testBadInput(t *testing.T, n *network) {
	g := n.start(t, t.TempDir())
	for _, test := range badInputs {
		t.Run(test.name, func(t *testing.T) {
			a := g.request(test.as, test.method, test.path, test.body, test.headers...)
			p := a.problem(t)
			require.Equal(t, test.status, a.status, "%s", a.body)
			require.Equal(t, "/problems/"+test.problem, p.Type, "%s", a.body)
			require.Equal(t, test.field, p.Field, "%s", a.body)
			require.Equal(t, http.StatusOK, g.request("", "GET", p.Type, "").status, "the type's address must explain it")
		})
	}
	t.Run("ReusedIdempotencyKey", func(t *testing.T) {
		id := g.must("merchant", "POST", "/v1/merchants", stallBody, "Idempotency-Key", "once")
		require.Equal(t, id, g.must("merchant", "POST", "/v1/merchants", stallBody, "Idempotency-Key", "once"), "the same request is the same merchant")
		a := g.request("merchant", "POST", "/v1/merchants", strings.Replace(stallBody, "310115", "310116", 1), "Idempotency-Key", "once")
		require.Equal(t, "/problems/operation-reused", a.problem(t).Type)
	})
	t.Run("WrongIssuerSignature", func(t *testing.T) {
		var issuer struct{ Keys []struct{ ID string } }
		g.read("/v1/issuers/N-INSTITUTE", &issuer)
		a := g.request("institute", "POST", "/v1/certificates", leafBody(`{"issuer"`, `{"key":"`+issuer.Keys[0].ID+`","signature":"AAAA","issuer"`))
		require.Equal(t, "/problems/signature", a.problem(t).Type, "%s", a.body)
		require.Equal(t, 422, a.status)
	})
	t.Run("BadRowsInABatch", func(t *testing.T) { badRows(t, g) })
	t.Run("CertificateOfAnotherInstrument", func(t *testing.T) {
		var found struct {
			Items []struct{ Leaf metrology.Leaf }
		}
		g.read("/v1/certificates?number=DEMO-2026-0001", &found)
		var report struct {
			Findings []struct {
				Verdict struct {
					Match struct{ Outcome, Tone string }
				}
			}
		}
		g.read("/v1/verify/sha256/"+found.Items[0].Leaf.Digests[0].Value+"?serial=SY-S-20001", &report)
		require.Equal(t, "mismatch", report.Findings[0].Verdict.Match.Outcome)
		require.Equal(t, "bad", report.Findings[0].Verdict.Match.Tone)
	})
	t.Run("HostileXML", func(t *testing.T) { hostileXML(t, g) })
	t.Run("RawClient", func(t *testing.T) { rawClient(t, g) })
	t.Run("PortInUse", func(t *testing.T) {
		out := refused(t, append(n.args(t.TempDir()), "--listen", strings.TrimPrefix(g.url, "http://"))...)
		require.Contains(t, out, "address already in use")
		require.Contains(t, out, "--listen")
		held, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer held.Close()
		out = refused(t, "--peer-listen", held.Addr().String(), "--data", t.TempDir(), "--listen", "127.0.0.1:0")
		require.Contains(t, out, "--peer-listen")
	})
	t.Run("DataDirectoryInUse", func(t *testing.T) {
		out := refused(t, n.args(g.data)...)
		require.Contains(t, out, g.data)
		require.Contains(t, out, "in use")
	})
}

// badRows sends a day's file with bad rows: each is named by line, field and
// rule, the good ones stand, and sending it again adds nothing.
func badRows(t *testing.T, g *gateway) {
	good := strings.ReplaceAll(leafBody(), "\n", " ")
	rows := []string{
		good,
		strings.Replace(good, "BAD-1", "BAD-2", 1),
		strings.NewReplacer("BAD-1", "BAD-3", "2027-04-30", "2026-10-01").Replace(good),
		strings.NewReplacer("BAD-1", "BAD-4", "JJG 443-2023", "JJG 517-2016", "fuel-dispenser", "taximeter").Replace(good),
	}
	send := func() []batchLine {
		a := g.request("institute", "POST", "/v1/certificate-batches?issuer=N-INSTITUTE", strings.Join(rows, "\n"), "Content-Type", "application/x-ndjson")
		require.Less(t, a.status, 300, "%s", a.body)
		return batchLines(t, a.body)
	}
	lines := send()
	require.Len(t, lines, 4)
	require.Equal(t, []string{"anchored", "anchored", "rejected", "rejected"}, outcomes(lines))
	require.Equal(t, 3, lines[2].Line)
	require.Equal(t, "validUntil", lines[2].Field)
	require.NotEmpty(t, lines[3].Message)
	require.Equal(t, []string{"already", "already", "rejected", "rejected"}, outcomes(send()))
	var found struct{ Items []any }
	g.read("/v1/certificates?number=BAD-2", &found)
	require.Len(t, found.Items, 1)
}

func hostileXML(t *testing.T, g *gateway) {
	for name, document := range map[string]string{
		"Entities": `<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><dcc:digitalCalibrationCertificate xmlns:dcc="https://ptb.de/dcc" schemaVersion="3.3.0">&b;</dcc:digitalCalibrationCertificate>`,
		"External": `<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><dcc:digitalCalibrationCertificate xmlns:dcc="https://ptb.de/dcc" schemaVersion="3.3.0">&x;</dcc:digitalCalibrationCertificate>`,
		"Deep":     `<dcc:digitalCalibrationCertificate xmlns:dcc="https://ptb.de/dcc" schemaVersion="3.3.0">` + strings.Repeat("<a>", 100_000) + strings.Repeat("</a>", 100_000) + `</dcc:digitalCalibrationCertificate>`,
	} {
		t.Run(name, func(t *testing.T) {
			a := g.request("", "POST", "/v1/verify", document, "Content-Type", "application/octet-stream")
			require.Equal(t, http.StatusOK, a.status, "%s", a.body) // the bytes still have a digest
			require.NotContains(t, string(a.body), "root:")
			require.NotContains(t, string(a.body), "c14n-sha256", "hostile content has no content digest")
			require.Contains(t, string(a.body), "not-registered")
		})
	}
}

// rawClient goes past the gateway, as any Fabric client may.
func rawClient(t *testing.T, g *gateway) {
	client := g.connectWith(t, func(directory string) {
		minted := mint(t, g, "InstituteMSP", map[string]string{"role": "regulator", "subject": "p-minted"})
		require.NoError(t, wallet.Put(directory, "minted", "InstituteMSP", minted.Certificate, minted.Key))
	})
	leaf, err := metrology.Leaf{
		Issuer: "N-INSTITUTE", Number: "DEMO-2026-0001", Kind: metrology.KindVerification, Regulation: "JJG 443-2023",
		Performed: "2026-11-01", Issued: "2026-11-01", ValidUntil: "2027-04-30", Digests: []metrology.Digest{{Algorithm: "sha256", Value: hash64}},
		Instruments: []metrology.LeafInstrument{{Serial: "SY-D-10001", Category: "fuel-dispenser", Conclusion: metrology.ConclusionPass}},
	}.Bytes()
	require.NoError(t, err)
	for name, test := range map[string]struct {
		call fabric.Call
		code metrology.Code
	}{
		"WrongCaseOfTransaction": {fabric.Call{Identity: "merchant", Function: "merchant:register", Request: []byte(`{}`)}, metrology.CodeInvalid},
		"DuplicateMember":        {fabric.Call{Identity: "merchant", Function: "merchant:Close", Request: []byte(`{"id":"a","id":"b"}`)}, metrology.CodeInvalid},
		"Float":                  {fabric.Call{Identity: "regulator", Function: "ruleset:Approve", Request: []byte(`{"id":"cycles","version":1.5}`)}, metrology.CodeInvalid},
		"NotANumber":             {fabric.Call{Identity: "regulator", Function: "ruleset:Approve", Request: []byte(`{"id":"cycles","version":NaN}`)}, metrology.CodeInvalid},
		"MintedRole":             {fabric.Call{Identity: "minted", Function: "merchant:Close", Request: []byte(`{"id":"M-STATION"}`)}, metrology.CodeForbidden},
		"NumberTaken": {fabric.Call{Identity: "institute", Function: "certificate:Anchor",
			Request: []byte(`{"issuer":"N-INSTITUTE","leaf":` + string(leaf) + `,"key":"` + hash64 + `","signature":"AAAA"}`)}, metrology.CodeRejectedLeaves},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client.Submit(t.Context(), name, test.call)
			require.Equal(t, test.code, metrology.ErrorCode(err), "%v", err)
			if name == "NumberTaken" {
				require.ErrorContains(t, err, string(metrology.CodeConflict))
			}
		})
	}
}
