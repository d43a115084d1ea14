package api

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

func certificateOf(id string, leaf metrology.Leaf) public.Certificate {
	return public.Certificate{ID: id, Leaf: leaf, State: metrology.CertificateAnchored}
}

const merchantFile = "商户编号,主体类型,行业,行政区划代码,名称\nA1,个体户,餐饮,310115,面馆\nA2,个体户,飞船,310115,二\nA1,个体户,餐饮,310115,重复\n,个体户,餐饮,310115,无号\nA5,摊贩,集贸市场,310115,五\n"

func (b *bench) imports(kind, file string, headers ...string) FileAnswer {
	b.t.Helper()
	answer := b.ask(http.MethodPost, "/v1/imports/"+kind, "regulator", file, append([]string{"Content-Type", "text/csv"}, headers...)...)
	require.Equal(b.t, http.StatusOK, answer.Code, answer.Body.String())
	return decodeAnswer[FileAnswer](b.t, answer)
}

func TestImportRows_Merchants(t *testing.T) {
	b := newBench(t)
	first := b.imports("merchants", merchantFile)
	require.Equal(t, map[LineOutcome]int{LineRegistered: 2, LineRejected: 3}, first.Counts)
	require.Equal(t, []string{"sector", "source", "source"}, []string{first.Lines[1].Field, first.Lines[2].Field, first.Lines[3].Field})
	require.Equal(t, "商户编号", first.Lines[3].Column)
	require.Equal(t, `"A1" stands in line 2 too`, first.Lines[2].Message)

	for _, call := range b.ledger.order {
		require.Equal(t, "merchant:Register", call.Function)
		require.NotContains(t, string(call.Request), "面馆", "names travel in the transient map only")
		var profile metrology.Profile
		require.NoError(t, unmarshalStrict(call.Transient["profile"], &profile))
		require.NoError(t, profile.Validate())
		require.NotContains(t, string(call.Request), "A1", "the system's own ids stay off the ledger")
	}

	again := b.imports("merchants", merchantFile)
	require.Equal(t, map[LineOutcome]int{LineAlready: 2, LineRejected: 3}, again.Counts)
	require.Equal(t, first.Lines[0].ID, again.Lines[0].ID)
	require.Len(t, b.ledger.order, 2)

	t.Run("a changed row is a conflict, not an amendment", func(t *testing.T) {
		changed := b.imports("merchants", strings.Replace(merchantFile, "面馆", "饭店", 1))
		require.Equal(t, LineRejected, changed.Lines[0].Outcome)
		require.Equal(t, metrology.CodeConflict, changed.Lines[0].Code)
		require.Contains(t, changed.Lines[0].Message, "amend the record instead")
	})
	t.Run("a mended row is registered", func(t *testing.T) {
		mended := b.imports("merchants", strings.Replace(merchantFile, "飞船", "加油站", 1))
		require.Equal(t, LineRegistered, mended.Lines[1].Outcome)
	})
	t.Run("another system's ids are other ids", func(t *testing.T) {
		answer := b.ask(http.MethodPost, "/v1/imports/merchants?system=other", "regulator", merchantFile, "Content-Type", "text/csv")
		other := decodeAnswer[FileAnswer](t, answer)
		require.Equal(t, LineRegistered, other.Lines[0].Outcome)
		require.NotEqual(t, first.Lines[0].ID, other.Lines[0].ID)
	})
}

func TestImportRows_ReferencesReachWhatTheSystemBrought(t *testing.T) {
	b := newBench(t)
	merchants := b.imports("merchants", merchantFile)
	sites := b.imports("sites", "摊位编号,类型,行政区划代码,所属市场,商户编号,入驻日期,名称\nT1,摊位,310115,MK,A1,2026-01-02,一号摊\nMK,集贸市场,310115,,,,市场\n")
	require.Equal(t, map[LineOutcome]int{LineRegistered: 2}, sites.Counts)
	require.Len(t, b.ledger.order, 4)
	market, stall := b.ledger.order[2], b.ledger.order[3]
	require.Contains(t, string(market.Request), sites.Lines[1].ID, "a market goes before its stalls")
	var cmd metrology.RegisterSite
	require.NoError(t, unmarshalStrict(stall.Request, &cmd))
	require.Equal(t, sites.Lines[1].ID, cmd.Parent)
	require.Equal(t, merchants.Lines[0].ID, cmd.Occupant)

	instruments := b.imports("instruments", "器具编号,器具名称,强检目录编号,型号规格,生产厂家,出厂编号,用途,强检方式,行政区划代码,场所编号,产权单位编号,使用单位编号,生产码,检定码\n"+
		"D1,电子秤,non-automatic-scale,ACS-30,示例厂,000111,贸易结算,周期检定,310115,T1,A1,A1,PC-1,VC-1\n")
	require.Equal(t, map[LineOutcome]int{LineRegistered: 1}, instruments.Counts, "%+v", instruments.Lines)
	var instrument metrology.RegisterInstrument
	require.NoError(t, unmarshalStrict(b.ledger.order[4].Request, &instrument))
	require.Equal(t, sites.Lines[0].ID, instrument.Site)
	require.Equal(t, "000111", instrument.Serial)
	require.Equal(t, []metrology.ExternalID{{Scheme: "production-code", Value: "PC-1"}, {Scheme: "verification-code", Value: "VC-1"}}, instrument.ExternalIDs)
}

func TestImportRows_NDJSONHoldsTheRequests(t *testing.T) {
	b := newBench(t)
	file := `{"source":"A1","kind":"stall","sector":"market","region":"310115","profile":{"name":"一"}}` + "\n" +
		`{"source":"A2","kind":"stall","sector":"market","region":"310115","profile":{"name":"二","salt":"00"}}` + "\n" +
		`{"source":"A3","id":"M-9","kind":"stall","sector":"market","region":"310115","profile":{"name":"三"}}` + "\n" +
		`{"source":"A4","kind":"stall","sector":"market","region":"310115"}` + "\n" +
		`{"source":"A5","colour":"red","profile":{"name":"五"}}` + "\n"
	answer := b.imports("merchants", file, "Content-Type", "application/x-ndjson")
	var fields []string
	for _, line := range answer.Lines {
		fields = append(fields, string(line.Outcome)+" "+line.Field)
	}
	require.Equal(t, []string{"registered ", "rejected profile.salt", "rejected id", "rejected profile", "rejected colour"}, fields)
}

func TestImportRows_TheLedgerAtItsLimits(t *testing.T) {
	file := "商户编号,主体类型,行业,行政区划代码,名称\n"
	for i := range 100 {
		file += fmt.Sprintf("R%d,摊贩,集贸市场,310115,n\n", i)
	}
	t.Run("overload is waited for", func(t *testing.T) {
		b := newBench(t)
		met := map[string]bool{}
		b.ledger.fail = func(call Call) error {
			if !met[string(call.Request)] {
				met[string(call.Request)] = true
				return &Fault{Kind: FaultOverloaded, RetryAfter: time.Millisecond, Err: errors.New("full")}
			}
			return nil
		}
		require.Equal(t, map[LineOutcome]int{LineRegistered: 100}, b.imports("merchants", file).Counts)
	})
	t.Run("after an outage nothing more is sent", func(t *testing.T) {
		b := newBench(t)
		count := 0
		b.ledger.fail = func(Call) error {
			if count++; count > 40 {
				return &Fault{Kind: FaultUnavailable, Err: errors.New("down")}
			}
			return nil
		}
		answer := b.imports("merchants", file)
		require.Equal(t, map[LineOutcome]int{LineRegistered: 40, LineNotSent: 60}, answer.Counts)
		require.Less(t, count, 40+2*rowsAtOnce)
		b.ledger.fail = nil
		require.Equal(t, map[LineOutcome]int{LineAlready: 40, LineRegistered: 60}, b.imports("merchants", file).Counts)
	})
	t.Run("an outage from the start is the answer", func(t *testing.T) {
		b := newBench(t)
		b.ledger.fail = func(Call) error { return &Fault{Kind: FaultUnavailable, Err: errors.New("down")} }
		answer := b.ask(http.MethodPost, "/v1/imports/merchants", "regulator", file, "Content-Type", "text/csv")
		requireProblem(t, answer, "unavailable", "")
	})
	t.Run("unknown is told as unknown", func(t *testing.T) {
		b := newBench(t)
		b.ledger.unknown = true
		require.Equal(t, map[LineOutcome]int{LineUnknown: 100}, b.imports("merchants", file).Counts)
	})
}

func TestImportRows_BadInput(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct{ name, target, token, body, problem, field string }{
		{"ErrNoToken", "/v1/imports/merchants", "", merchantFile, "unauthorized", ""},
		{"ErrNoSuchKind", "/v1/imports/draws", "regulator", merchantFile, "not-found", "kind"},
		{"ErrCertificatesHaveTheirOwnRoute", "/v1/imports/certificates", "regulator", merchantFile, "not-found", "kind"},
		{"ErrUnknownParameter", "/v1/imports/merchants?issuer=x", "regulator", merchantFile, "invalid", "issuer"},
		{"ErrSystem", "/v1/imports/merchants?system=a%20b", "regulator", merchantFile, "invalid", "system"},
		{"ErrNoHeader", "/v1/imports/sites", "regulator", merchantFile, "invalid", "file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			requireProblem(t, b.ask(http.MethodPost, c.target, c.token, c.body, "Content-Type", "text/csv"), c.problem, c.field)
		})
	}
	require.Empty(t, b.ledger.order, "nothing was sent")
}
