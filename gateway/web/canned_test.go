package web_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
	"github.com/steelyard-ledger/steelyard/gateway/verdict"
	"github.com/steelyard-ledger/steelyard/gateway/web"
)

const (
	today   = metrology.Date("2026-03-10")
	stamp   = "2026-03-09T23:30:00Z" // already the 10th in Shanghai
	hostile = "\u202egnp.exe <script>alert(1)</script> &\u2066"
)

var (
	leafID    = strings.Repeat("1f", 32)
	fileSum   = metrology.Digest{Algorithm: metrology.AlgorithmSHA256, Value: strings.Repeat("ab", 32)}
	asOf      = public.AsOf{Block: 7, TransactionID: strings.Repeat("0c", 32), Time: stamp}
	errBroken = errors.New("secret path /var/lib/register.db")
)

// register is a register held in memory. With broken set nothing can be read.
type register struct {
	files        listed // beside large draws
	broken       bool
	merchants    []public.Merchant
	pledges      []public.Pledge
	sites        []public.Site
	instruments  []public.Instrument
	issuers      []public.Issuer
	certificates []public.Certificate
	inspections  []public.Inspection
	overdue      []public.OverdueInspection
	draws        []public.DrawRecord
	transactions []public.Transaction
	open         []public.OpenInspection
	waiting      []public.Pledge
	rulesets     []public.Ruleset
	rules        []public.Ruleset // that deadlines name
	due          []public.DueCount
	next         string   // cursor of the page that follows what changed last
	asked        []string // what was looked up, in order
}

func (r *register) ask(what string) error {
	r.asked = append(r.asked, what)
	if r.broken {
		return errBroken
	}
	return nil
}

func find[T any](r *register, kind, id string, all []T, idOf func(T) string) (T, error) {
	var none T
	if err := r.ask(kind + " " + id); err != nil {
		return none, err
	}
	for _, item := range all {
		if idOf(item) == id {
			return item, nil
		}
	}
	return none, metrology.Errorf(metrology.CodeNotFound, "there is no %s %q", kind, id)
}

func filter[T any](r *register, what string, all []T, keep func(T) bool) (public.Page[T], error) {
	page := public.Page[T]{}
	if err := r.ask(what); err != nil {
		return page, err
	}
	for _, item := range all {
		if keep(item) {
			page.Items = append(page.Items, item)
		}
	}
	return page, nil
}

func (r *register) Draws(_ context.Context, f public.DrawFilter) (public.Page[public.Draw], error) {
	page := public.Page[public.Draw]{}
	for _, d := range r.draws {
		if f.Phase == "" || f.Phase == string(d.Phase) {
			page.Items = append(page.Items, d.Draw)
		}
	}
	return page, r.ask("draws")
}

func (r *register) LatestDraws(ctx context.Context, _ public.PageRequest) (public.Page[public.Draw], error) {
	page, err := r.Draws(ctx, public.DrawFilter{})
	page.Next = r.next
	return page, err
}

func (r *register) LatestInspections(ctx context.Context, _ public.PageRequest, today metrology.Date) (public.Page[public.Inspection], error) {
	page, err := r.Inspections(ctx, public.InspectionFilter{}, today)
	page.Next = r.next
	return page, err
}

func (r *register) VerificationLoad(context.Context, metrology.Date) ([]public.DueCount, error) {
	return r.due, r.ask("verification load")
}

func (r *register) Draw(_ context.Context, id string) (public.DrawRecord, error) {
	return find(r, "draw", id, r.draws, func(d public.DrawRecord) string { return d.ID })
}

func (r *register) DrawDirectories(ctx context.Context, id string) (public.DrawDirectories, error) {
	record, err := r.Draw(ctx, id)
	lists := public.DrawDirectories{Record: record}
	if record.ByFile {
		lists.Files = r.files
	}
	if record.Plan == nil {
		return lists, err // nothing was filed yet
	}
	lists.Objects = []metrology.DrawObject{{ID: "S-1", Stratum: "A", Weight: 1}}
	lists.Exclusions = []metrology.DrawExclusion{{ID: "S-9", Reason: metrology.ExcludedVisitCap}}
	return lists, err
}

func (r *register) Status(context.Context) (public.Status, error) {
	return public.Status{Channel: "steelyard", Height: 8, BlockHash: strings.Repeat("bb", 32), GenesisHash: strings.Repeat("aa", 32), LastTime: stamp}, r.ask("status")
}

func (r *register) Merchants(_ context.Context, f public.MerchantFilter, _ metrology.Date) (public.Page[public.Merchant], error) {
	return filter(r, "merchants "+f.Text, r.merchants, func(m public.Merchant) bool {
		return m.CreditCode == f.Text || m.Details != nil && strings.Contains(m.Details.Name, f.Text)
	})
}

func (r *register) Merchant(_ context.Context, id string, _ metrology.Date) (public.Merchant, error) {
	return find(r, "merchant", id, r.merchants, func(m public.Merchant) string { return m.ID })
}

func (r *register) MerchantPledges(_ context.Context, id string, _ metrology.Date) ([]public.Pledge, error) {
	page, err := filter(r, "pledges "+id, r.pledges, func(p public.Pledge) bool { return p.Merchant == id })
	return page.Items, err
}

func (r *register) Site(_ context.Context, id string) (public.Site, error) {
	return find(r, "site", id, r.sites, func(s public.Site) string { return s.ID })
}

func (r *register) Visits(_ context.Context, sites []public.Site, day metrology.Date) (map[string]public.SiteVisits, error) {
	counts := map[string]public.SiteVisits{}
	for _, s := range sites {
		if len(r.sites) > 0 {
			counts[s.ID] = public.SiteVisits{
				Year: day.Year(), Recorded: 1, Reserved: 1, Cap: 2, Rule: metrology.RuleReference{ID: "visits-310115", Version: 1}, Region: s.Region,
			}
		}
	}
	return counts, nil
}

func (r *register) Instruments(_ context.Context, f public.InstrumentFilter, _ metrology.Date) (public.Page[public.Instrument], error) {
	return filter(r, "instruments "+f.Serial, r.instruments, func(i public.Instrument) bool {
		return (f.Serial == "" || i.Serial == f.Serial) && (f.Merchant == "" || i.User == f.Merchant) && (f.Site == "" || i.Site == f.Site)
	})
}

func (r *register) Instrument(_ context.Context, id string, _ metrology.Date) (public.Instrument, error) {
	return find(r, "instrument", id, r.instruments, func(i public.Instrument) string { return i.ID })
}

func (r *register) Issuer(_ context.Context, id string) (public.Issuer, error) {
	return find(r, "issuer", id, r.issuers, func(i public.Issuer) string { return i.ID })
}

func (r *register) Certificates(_ context.Context, f public.CertificateFilter, _ metrology.Date) (public.Page[public.Certificate], error) {
	return filter(r, "certificates "+f.Number, r.certificates, func(c public.Certificate) bool {
		return (f.Number == "" || c.Leaf.Number == f.Number) && (f.Instrument == "" || slices.ContainsFunc(c.Leaf.Instruments, func(i metrology.LeafInstrument) bool { return i.ID == f.Instrument }))
	})
}

func (r *register) Certificate(_ context.Context, id string, _ metrology.Date) (public.Certificate, error) {
	return find(r, "certificate", id, r.certificates, func(c public.Certificate) string { return c.ID })
}

func (r *register) Inspections(_ context.Context, f public.InspectionFilter, _ metrology.Date) (public.Page[public.Inspection], error) {
	return filter(r, "inspections", r.inspections, func(i public.Inspection) bool {
		return (f.Merchant == "" || i.Merchant == f.Merchant) && (f.Site == "" || i.Site == f.Site) && (f.State == "" || string(i.State) == f.State)
	})
}

func (r *register) Inspection(_ context.Context, id string, _ metrology.Date) (public.Inspection, error) {
	return find(r, "inspection", id, r.inspections, func(i public.Inspection) string { return i.ID })
}

func (r *register) OverdueInspections(context.Context, public.PageRequest, metrology.Date) (public.Page[public.OverdueInspection], error) {
	return filter(r, "overdue", r.overdue, func(public.OverdueInspection) bool { return true })
}

func (r *register) Transaction(_ context.Context, id string) (public.Transaction, error) {
	return find(r, "transaction", id, r.transactions, func(t public.Transaction) string { return t.ID })
}

func (r *register) WaitingPledges(context.Context, public.PageRequest, metrology.Date) (public.Page[public.Pledge], error) {
	return filter(r, "waiting pledges", r.waiting, func(public.Pledge) bool { return true })
}

func (r *register) OpenInspections(context.Context, public.PageRequest, metrology.Date) (public.Page[public.OpenInspection], error) {
	return filter(r, "open inspections", r.open, func(i public.OpenInspection) bool { return i.State != metrology.InspectionPublished })
}

func (r *register) OpenInspection(_ context.Context, id string, _ metrology.Date) (public.OpenInspection, error) {
	return find(r, "inspection", id, r.open, func(i public.OpenInspection) string { return i.ID })
}

func (r *register) Ruleset(_ context.Context, id string, version int) (public.Ruleset, error) {
	return find(r, "ruleset", fmt.Sprintf("%s/%d", id, version), slices.Concat(r.rulesets, r.rules), func(s public.Ruleset) string { return fmt.Sprintf("%s/%d", s.ID, s.Version) })
}

func (r *register) Rulesets(context.Context, public.PageRequest) (public.Page[public.Ruleset], error) {
	return filter(r, "rulesets", r.rulesets, func(public.Ruleset) bool { return true })
}

func (r *register) Sites(_ context.Context, f public.SiteFilter) (public.Page[public.Site], error) {
	return filter(r, "sites", r.sites, func(s public.Site) bool {
		return (f.Merchant == "" || s.Owner == f.Merchant) && (f.Parent == "" || s.Parent == f.Parent)
	})
}

// Principals are all merchants, for the post of a merchant.
func (r *register) Principals(_ context.Context, _, subject string, _ metrology.PrincipalKind) ([]string, error) {
	var ids []string
	for _, m := range r.merchants {
		if subject == "merchant-1" {
			ids = append(ids, m.ID)
		}
	}
	return ids, nil
}

// reports judges from the certificates of a register, with an issuer that may
// do everything.
type reports struct{ register *register }

func (p reports) judge(c *public.Certificate, asked metrology.Digest, serial string) verdict.Finding {
	facts := verdict.Facts{Today: today, Digest: asked, Serial: serial, Embedded: true}
	if c == nil {
		return verdict.Finding{Verdict: verdict.Judge(facts)}
	}
	facts.Certificate = &verdict.Certificate{Leaf: c.Leaf, State: c.State, Key: "k-1"}
	facts.Issuer = &p.register.issuers[0].Issuer
	return verdict.Finding{
		Certificate: &verdict.Reference{ID: c.ID, Issuer: c.Leaf.Issuer, Number: c.Leaf.Number, Kind: c.Leaf.Kind, Block: 7, TransactionID: asOf.TransactionID, Time: stamp},
		Verdict:     verdict.Judge(facts),
	}
}

func (p reports) VerifyDigests(_ context.Context, digests []metrology.Digest, serial string) (verdict.Report, error) {
	report := verdict.Report{Day: today, Digests: digests, Ledger: verdict.Ledger{Height: 8, LastTime: stamp}}
	if p.register.broken {
		return report, errBroken
	}
	for _, asked := range digests {
		for i, c := range p.register.certificates {
			if slices.Contains(c.Leaf.Digests, asked) {
				report.Findings = append(report.Findings, p.judge(&p.register.certificates[i], asked, serial))
			}
		}
	}
	if report.Findings == nil {
		report.Findings = []verdict.Finding{p.judge(nil, metrology.Digest{}, serial)}
	}
	return report, nil
}

func (p reports) VerifyCertificate(ctx context.Context, id, serial string) (verdict.Finding, error) {
	c, err := p.register.Certificate(ctx, id, today)
	if err != nil {
		return verdict.Finding{}, err
	}
	return p.judge(&c, metrology.Digest{}, serial), nil
}

// document is a small description of an API.
const document = `{"info": {"title": "T", "version": "1", "description": "About <it>."}, "paths": {
	"/v1/b": {"post": {"summary": "Writes.", "tags": ["two"], "security": [{"bearer": []}], "parameters": [{"$ref": "#/components/parameters/Key"}],
		"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/B"}}}},
		"responses": {"201": {"description": "Written."}, "default": {"$ref": "#/components/responses/Problem"}}}},
	"/v1/a": {"get": {"summary": "Reads.", "tags": ["one"], "parameters": [{"name": "q", "in": "query", "schema": {"type": "string"}}], "responses": {"200": {"description": "Read."}}}}},
	"components": {"parameters": {"Key": {"name": "Idempotency-Key", "in": "header", "required": true, "schema": {"type": "string"}}},
		"responses": {"Problem": {"description": "A problem."}},
		"schemas": {"B": {"type": "object", "required": ["x"], "properties": {"x": {"type": "integer", "description": "How many."}, "y": {"items": {"$ref": "#/components/schemas/B"}, "type": "array"}}}}}}`

// serve mounts the pages on a register.
func serve(t *testing.T, r *register) *echo.Echo {
	t.Helper()
	return serveDesks(t, r, []byte(document), nil)
}

// rounds takes a round's signature.
type rounds func(id, signature string) error

// BringRound implements web.Rounds.
func (take rounds) BringRound(_ context.Context, id, signature string) error {
	return take(id, signature)
}

// serveRounds mounts the pages with somewhere to bring a round to.
func serveRounds(t *testing.T, r *register, take rounds) *echo.Echo {
	t.Helper()
	return serveConfig(t, web.Config{Register: r, Rounds: take})
}

// serveDesks mounts the desks too, unless desks is nil.
func serveDesks(t *testing.T, r *register, document []byte, desks *web.DeskConfig) *echo.Echo {
	t.Helper()
	return serveConfig(t, web.Config{Register: r, Document: document, Desks: desks})
}

// serveConfig mounts the pages on c, completed with what most tests share.
func serveConfig(t *testing.T, c web.Config) *echo.Echo {
	t.Helper()
	clock, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		t.Fatal(err)
	}
	if c.Document == nil {
		c.Document = []byte(document)
	}
	e := echo.New()
	c.Reports, c.Clock, c.Embedded = reports{c.Register.(*register)}, func() time.Time { return clock }, true
	if c.Following == nil {
		c.Following = func() public.Following {
			return public.Following{Connected: true, Current: clock.Add(-3 * time.Second).Format(time.RFC3339)}
		}
	}
	c.Version, c.Upload, c.Trust, c.Log = "0.0.0-test", 64<<20, []byte(trustFile), slog.New(slog.DiscardHandler)
	pages := web.New(c)
	pages.Mount(e)
	e.HTTPErrorHandler = pages.Errors(e.HTTPErrorHandler)
	return e
}

// trustFile has the form of one; its roots are never looked at by the pages.
const trustFile = `{"version":1,"channel":"steelyard","genesisHash":"` +
	`00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff","organizations":{"InstituteMSP":{"roots":["</script>"]}},"ordererOrganizations":{}}`

// get asks for a page in a language.
func get(e *echo.Echo, path, language string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Accept-Language", language)
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w
}
