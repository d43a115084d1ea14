package api

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/directory"
	"github.com/steelyard-ledger/steelyard/gateway/intake"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// drawLedger holds one draw and a few sites, and takes what is filed.
type drawLedger struct {
	*certificateLedger
	record    public.DrawRecord
	sites     []public.Site
	visits    map[string]public.SiteVisits // as counted for directories
	published map[string]public.SiteVisits
	day       metrology.Date // for which visits were counted last
}

const draftDraw = "310115-000001"

func (l *drawLedger) Draw(_ context.Context, id string) (public.DrawRecord, error) {
	if id != draftDraw {
		return public.DrawRecord{}, metrology.Errorf(metrology.CodeNotFound, "there is no draw %q", id)
	}
	return l.record, nil
}

func (l *drawLedger) Site(_ context.Context, id string) (public.Site, error) {
	for _, site := range l.sites {
		if site.ID == id {
			return site, nil
		}
	}
	return public.Site{}, metrology.Errorf(metrology.CodeNotFound, "there is no site %q", id)
}

func (l *drawLedger) Sites(_ context.Context, f public.SiteFilter) (public.Page[public.Site], error) {
	page := public.Page[public.Site]{}
	for _, site := range l.sites {
		if strings.HasPrefix(site.Region, f.Region) {
			page.Items = append(page.Items, site)
		}
	}
	return page, nil
}

func (l *drawLedger) Visits(context.Context, []public.Site, metrology.Date) (map[string]public.SiteVisits, error) {
	return l.published, nil
}

func (l *drawLedger) CountVisits(_ context.Context, _ []public.Site, day metrology.Date) (map[string]public.SiteVisits, error) {
	l.day = day
	return l.visits, nil
}

func newDrawBench(t *testing.T) (*bench, *drawLedger) {
	t.Helper()
	b := newBench(t)
	site := func(id string, kind metrology.SiteKind, state metrology.SiteState, registered string) public.Site {
		return public.Site{Site: metrology.Site{ID: id, Kind: kind, Region: "310115", State: state, Registered: registered, Occupants: []metrology.Occupancy{}}}
	}
	l := &drawLedger{certificateLedger: b.ledger, sites: []public.Site{
		site("S-1", metrology.SiteStation, metrology.SiteOpen, "2026-01-02T00:00:00Z"), site("S-2", metrology.SiteMarket, metrology.SiteOpen, "2026-01-02T00:00:00Z"),
		site("S-3", metrology.SiteStation, metrology.SiteClosed, "2026-01-02T00:00:00Z"), site("S-4", metrology.SiteShop, metrology.SiteOpen, "2026-11-02T00:00:00Z"),
		site("S-5", metrology.SiteStation, metrology.SiteOpen, "2026-11-02T00:00:00Z"),
	}}
	l.record.ID, l.record.Phase = draftDraw, metrology.DrawApproved
	l.record.Plan = []byte(`{"assign":[["lead"],[]],"rates":{"K1":[1,2],"K2":[1,1]},"visits":{"from":"2026-12-01","to":"2026-12-31"}}`)
	router := NewEcho(slog.New(slog.DiscardHandler), DefaultLimits(), NewTokens(map[string]Principal{
		"regulator": {Label: "regulator", MSP: "RegulatorMSP", Role: "regulator", Subject: "p-2"},
		"notary":    {Label: "notary", MSP: "NotaryMSP", Role: "notary", Subject: "p-3"},
	}))
	New(Config{Writer: l, Register: l, Clock: nowInTests, Secret: Secret{1}, Ready: func() error { return nil }}).Mount(router)
	b.router = router
	return b, l
}

// directories sends files by their part's name.
func (b *bench) directories(query, token string, files map[string]string) *httptest.ResponseRecorder {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, content := range files {
		part, err := form.CreateFormFile(name, name+".csv")
		require.NoError(b.t, err)
		_, err = part.Write([]byte(content))
		require.NoError(b.t, err)
	}
	require.NoError(b.t, form.Close())
	request := httptest.NewRequest(http.MethodPost, "/v1/draws/"+draftDraw+"/directories"+query, &body)
	request.Header.Set("Content-Type", form.FormDataContentType())
	request.Header.Set("Authorization", "Bearer "+token)
	recorder := httptest.NewRecorder()
	b.router.ServeHTTP(recorder, request)
	b.requireDocumented(request, body.String(), recorder)
	return recorder
}

var directoryFiles = map[string]string{
	"objects":    "登记编号,分层,权重,计划检查日期\nS-1,K1,1,2026-12-01\nS-2,K2,2,\n",
	"inspectors": "工号,任务上限,技能,姓名\n0007,9,lead,某人\n0008,9,lead,另一人\n0009,9,,第三人\n0010,9,,第四人\n",
	"ineligible": "工号,登记编号,理由\n0008,S-2,亲属\n",
	"leave":      "工号,开始日期,结束日期,事由\n0009,2026-12-01,2026-12-01,病假\n",
}

func TestImportDirectories(t *testing.T) {
	b, l := newDrawBench(t)
	dry := decodeAnswer[DirectoryAnswer](t, b.directories("?dryRun=true", "regulator", directoryFiles))
	require.True(t, dry.Complete, "%+v", dry)
	require.False(t, dry.Filed)
	require.Empty(t, l.order)

	answer := decodeAnswer[DirectoryAnswer](t, b.directories("", "regulator", directoryFiles))
	require.True(t, answer.Filed)
	require.Equal(t, metrology.DrawChunks{Objects: 1, Inspectors: 1, Ineligible: 1}, answer.Chunks)
	require.Equal(t, int64(2), answer.Preview.Drawn)
	require.Equal(t, []public.DrawPreviewStratum{{Stratum: "K1", Objects: 1, Weight: 1, Drawn: 1}, {Stratum: "K2", Objects: 1, Weight: 2, Drawn: 1}}, answer.Preview.Strata)
	require.Len(t, answer.Inspectors, 4)
	require.Equal(t, "0007", answer.Inspectors[0].Staff)
	require.Equal(t, []UnusedColumns{
		{intake.DrawInspectors, []string{"姓名"}}, {intake.DrawIneligible, []string{"理由"}}, {intake.DrawLeave, []string{"事由"}},
	}, answer.UnusedColumns)
	require.Equal(t, dry.Inspectors, answer.Inspectors, "the same draw gives the same ids")

	require.Len(t, l.order, 3)
	for _, call := range l.order {
		require.Equal(t, "draw:Directory", call.Function)
		for _, private := range []string{"0007", "0008", "某人", "亲属", "病假"} {
			require.NotContains(t, string(call.Request), private, "what is personal stays off the ledger")
		}
		var chunk metrology.FileDrawDirectory
		require.NoError(t, json.Unmarshal(call.Request, &chunk))
		require.NoError(t, chunk.Check())
		if chunk.List == metrology.DrawPartIneligible {
			ids := map[string]string{}
			for _, s := range answer.Inspectors {
				ids[s.Staff] = s.ID
			}
			require.Equal(t, [][]string{{ids["0008"], "S-2"}, {ids["0009"], "S-1"}}, chunk.Ineligible)
		}
	}
	l.record.ID = "310115-000002"
	require.NotEqual(t, New(Config{Secret: Secret{1}}).secret.newID(Principal{Label: "draw/310115-000002"}, "0007", "I-"), answer.Inspectors[0].ID, "another draw gives other ids")
}

// Nothing is filed while a row is rejected or the plan could become infeasible.
func TestImportDirectories_FilesOnlyWhatIsWhole(t *testing.T) {
	b, l := newDrawBench(t)
	with := func(part, content string) map[string]string {
		files := map[string]string{}
		for name, file := range directoryFiles {
			files[name] = file
		}
		files[part] = content
		return files
	}
	ghost := decodeAnswer[DirectoryAnswer](t, b.directories("", "regulator", with("objects", directoryFiles["objects"]+"GHOST,K1,1,\nS-3,K1,1,\n")))
	require.False(t, ghost.Complete || ghost.Filed)
	require.Equal(t, 2, ghost.Accounts[0].Rejected)
	require.Equal(t, metrology.CodeNotFound, ghost.Accounts[0].Rows[0].Code)
	require.Equal(t, metrology.CodeState, ghost.Accounts[0].Rows[1].Code)
	unregistered := decodeAnswer[DirectoryAnswer](t, b.directories("?unregistered=true&dryRun=true", "regulator", with("objects", directoryFiles["objects"]+"GHOST,K1,1,\n")))
	require.True(t, unregistered.Complete)

	short := decodeAnswer[DirectoryAnswer](t, b.directories("", "regulator", with("inspectors", "工号,任务上限,技能\n0008,1,lead\n0009,1,\n")))
	require.False(t, short.Complete || short.Filed)
	require.Contains(t, short.Preview.Infeasible, "slots for [lead]")
	require.Contains(t, short.Preview.Infeasible, short.Inspectors[0].ID, "the deficient set is named")
	require.Empty(t, l.order)
}

func TestImportDirectories_Register(t *testing.T) {
	b, _ := newDrawBench(t)
	files := map[string]string{"inspectors": directoryFiles["inspectors"]}
	answer := decodeAnswer[DirectoryAnswer](t, b.directories(
		"?region=3101&kinds=station,market&cutoff=2026-06-30&dryRun=true&strata=%7B%22station%22%3A%22K1%22%2C%22market%22%3A%22K2%22%7D", "regulator", files))
	require.True(t, answer.Complete, "%+v", answer)
	register := answer.Accounts[0]
	require.Equal(t, []int{4, 2, 0}, []int{register.Read, register.Taken, register.Rejected})
	require.Equal(t, map[string]int{"closed": 1, "too-new": 1}, register.Excluded)
}

func TestImportDirectories_Refuses(t *testing.T) {
	b, l := newDrawBench(t)
	require.Equal(t, http.StatusForbidden, b.directories("", "notary", directoryFiles).Code)
	require.Equal(t, http.StatusUnauthorized, b.directories("", "nobody", directoryFiles).Code)
	requireProblem(t, b.directories("?kinds=palace", "regulator", directoryFiles), "invalid", "kinds")
	requireProblem(t, b.directories("?strata=x", "regulator", directoryFiles), "invalid", "strata")
	requireProblem(t, b.directories("?dryRun=perhaps", "regulator", directoryFiles), "invalid", "dryRun")
	requireProblem(t, b.directories("?other=1", "regulator", directoryFiles), "invalid", "other")
	requireProblem(t, b.directories("", "regulator", map[string]string{"people": "x"}), "invalid", "people")
	requireProblem(t, b.directories("", "regulator", map[string]string{"objects": "x,y\n1,2\n", "objects-mapping": "version: 1\nkind: sites\ncolumns: [{header: [x], member: id}]\n"}), "invalid", "objects")
	l.record.Plan = []byte(`{"assign":[[],[]],"quota":{"K1":1},"visits":{"from":"2026-12-31","to":"2026-12-01"}}`)
	requireProblem(t, b.directories("", "regulator", directoryFiles), "invalid", "plan.visits")
}

// A site at its cap is excluded where the register lists it, and refused where
// a file does.
func TestImportDirectories_VisitCap(t *testing.T) {
	b, l := newDrawBench(t)
	at := func(recorded, reserved int) public.SiteVisits {
		return public.SiteVisits{Year: 2026, Recorded: recorded, Reserved: reserved, Cap: 2, Rule: metrology.RuleReference{ID: "visits-sh", Version: 1}}
	}
	l.visits = map[string]public.SiteVisits{"S-1": at(1, 1), "S-2": at(1, 0)}
	answer := decodeAnswer[DirectoryAnswer](t, b.directories(
		"?region=3101&kinds=station,market&dryRun=true&strata=%7B%22station%22%3A%22K1%22%2C%22market%22%3A%22K2%22%7D", "regulator",
		map[string]string{"inspectors": directoryFiles["inspectors"]}))
	register := answer.Accounts[0]
	require.Equal(t, []int{4, 2, 0}, []int{register.Read, register.Taken, register.Rejected})
	require.Equal(t, map[string]int{"closed": 1, "visit-cap": 1}, register.Excluded)
	require.Equal(t, directory.Row{Outcome: directory.Excluded, ID: "S-1", Reason: metrology.ExcludedVisitCap}, register.Rows[0])
	require.EqualValues(t, "2026-12-01", l.day, "the first day of the visits")

	filed := decodeAnswer[DirectoryAnswer](t, b.directories("", "regulator", directoryFiles))
	require.False(t, filed.Complete || filed.Filed)
	require.Equal(t, []directory.Row{{
		Line: 2, Outcome: directory.Rejected, Code: metrology.CodeState, Field: "id", Column: "登记编号",
		Message: `site "S-1" has 1 visits recorded and 1 reserved in 2026, and visits-sh/1 caps them at 2; exclude it as visit-cap`,
	}}, filed.Accounts[0].Rows)
	require.Empty(t, l.order)

	l.record.Plan = []byte(`{"assign":[["lead"],[]],"rates":{"K1":[1,2],"K2":[1,1]}}`)
	l.visits = nil
	b.directories("?dryRun=true", "regulator", map[string]string{"objects": "登记编号,分层,权重\nS-1,K1,1\n"})
	require.Equal(t, metrology.DateOf(nowInTests()), l.day, "today, where the plan names no days")
}

func TestSiteVisits(t *testing.T) {
	b, l := newDrawBench(t)
	get := func() public.Site {
		request := httptest.NewRequest(http.MethodGet, "/v1/sites/S-1", nil)
		recorder := httptest.NewRecorder()
		b.router.ServeHTTP(recorder, request)
		b.requireDocumented(request, "", recorder)
		return decodeAnswer[public.Site](t, recorder)
	}
	require.Nil(t, get().Visits)
	counted := public.SiteVisits{Year: 2026, Recorded: 1, Cap: 2, Rule: metrology.RuleReference{ID: "visits-sh", Version: 1}, Region: "310000"}
	l.published = map[string]public.SiteVisits{"S-1": counted}
	l.visits = map[string]public.SiteVisits{"S-1": {Recorded: 2, Cap: 2}}
	require.Equal(t, &counted, get().Visits, "what awaits publication is not counted for the public")
}
