package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
	"github.com/steelyard-ledger/steelyard/gateway/verdict"
	"github.com/steelyard-ledger/steelyard/gateway/web/session"
)

// Register is the public register the pages read. An absent thing is a
// metrology.CodeNotFound error.
type Register interface {
	DrawRegister
	Transactions
	Status(ctx context.Context) (public.Status, error)
	Merchants(ctx context.Context, f public.MerchantFilter, today metrology.Date) (public.Page[public.Merchant], error)
	Merchant(ctx context.Context, id string, today metrology.Date) (public.Merchant, error)
	MerchantPledges(ctx context.Context, id string, today metrology.Date) ([]public.Pledge, error)
	Site(ctx context.Context, id string) (public.Site, error)
	Visits(ctx context.Context, sites []public.Site, day metrology.Date) (map[string]public.SiteVisits, error)
	Instruments(ctx context.Context, f public.InstrumentFilter, today metrology.Date) (public.Page[public.Instrument], error)
	Instrument(ctx context.Context, id string, today metrology.Date) (public.Instrument, error)
	Issuer(ctx context.Context, id string) (public.Issuer, error)
	Certificates(ctx context.Context, f public.CertificateFilter, today metrology.Date) (public.Page[public.Certificate], error)
	Certificate(ctx context.Context, id string, today metrology.Date) (public.Certificate, error)
	Inspections(ctx context.Context, f public.InspectionFilter, today metrology.Date) (public.Page[public.Inspection], error)
	Inspection(ctx context.Context, id string, today metrology.Date) (public.Inspection, error)
	LatestInspections(ctx context.Context, page public.PageRequest, today metrology.Date) (public.Page[public.Inspection], error)
	VerificationLoad(ctx context.Context, today metrology.Date) ([]public.DueCount, error)
	Ruleset(ctx context.Context, id string, version int) (public.Ruleset, error)
	OverdueInspections(ctx context.Context, page public.PageRequest, today metrology.Date) (public.Page[public.OverdueInspection], error)
}

// Reports answers the four questions about a file or a certificate. serial is
// what the visitor read on the nameplate, or empty.
type Reports interface {
	VerifyDigests(ctx context.Context, digests []metrology.Digest, serial string) (verdict.Report, error)
	VerifyCertificate(ctx context.Context, id, serial string) (verdict.Finding, error)
}

// Rounds takes the signature of a draw's round from anybody and refuses all but
// the one that verifies. It is all that the pages can submit.
type Rounds interface {
	BringRound(ctx context.Context, id, signature string) error
}

// Config gives the pages what they need.
type Config struct {
	Register Register
	Reports  Reports
	Rounds   Rounds
	Clock    func() time.Time // for "today" in Asia/Shanghai
	// Following says how the gateway keeps up with the ledger; nil: nobody knows.
	Following func() public.Following
	Embedded  bool        // the network is the embedded one; every page says so
	Notice    string      // further notice of the operator, on every page; may be empty
	Version   string      // of this program
	Upload    int64       // bytes of a file the upload takes
	Document  []byte      // OpenAPI 3.1 document of the API, for its reference
	Desks     *DeskConfig // nil: there are none
	Trust     []byte      // trust file of the ledger, for checking offline; without it that is not offered
	Log       *slog.Logger
}

// Server serves the pages.
type Server struct {
	register  Register
	reports   Reports
	rounds    Rounds
	clock     func() time.Time
	following func() public.Following
	embedded  bool
	notice    string
	version   string
	upload    int64
	log       *slog.Logger
	assets    assets
	views     map[language]views
	pledges   map[language]pledgeWords
	reference docsPage
	counted   tallied
	desks     *desks // nil: there are none
	trust     []byte
	checkers  map[language]checker // offline checkers around the trust file
}

// New makes the pages. It panics if what is built into the program, templates
// and documents, does not parse; tests rule that out.
func New(c Config) *Server {
	if c.Following == nil {
		c.Following = func() public.Following { return public.Following{} }
	}
	s := &Server{
		register: c.Register, reports: c.Reports, rounds: c.Rounds, clock: c.Clock, following: c.Following, embedded: c.Embedded,
		notice: c.Notice, version: c.Version, upload: c.Upload, log: c.Log, trust: c.Trust,
	}
	var err error
	if s.assets, err = readAssets(); err == nil {
		s.views, err = parseViews(s.assets)
	}
	if err == nil {
		s.pledges, err = readPledgeWords()
	}
	if err == nil {
		s.reference, err = readDocument(c.Document)
	}
	if err == nil && c.Desks != nil {
		s.desks, err = newDesks(*c.Desks, s.clock, c.Document)
	}
	if err == nil && len(c.Trust) > 0 {
		s.checkers, err = makeCheckers(s.assets, s.views, c.Trust, c.Embedded, c.Version)
	}
	if err != nil {
		panic(fmt.Sprintf("web: %v", err))
	}
	return s
}

// Mount registers every page.
func (s *Server) Mount(e *echo.Echo) {
	e.GET("/", s.page(s.home))
	e.POST("/", s.page(s.checkUpload))
	e.GET("/check", s.page(s.check))
	e.GET("/d/:algorithm/:digest", s.page(s.digest))
	e.GET("/c/:id", s.page(s.certificate))
	e.GET("/m/:id", s.page(s.merchant))
	e.GET("/i/:id", s.page(s.instrument))
	e.GET("/i/:id/differs", s.page(s.differs))
	e.GET("/differs", s.page(s.differs))
	e.GET("/s/:id", s.page(s.site))
	e.GET("/n/:id", s.page(s.issuer))
	e.GET("/v/:id", s.page(s.inspection))
	e.GET("/t/:id", s.page(s.transaction))
	e.GET("/m/:id/sheet", s.page(s.sheet))
	e.GET("/m/:id/badge.svg", s.badge)
	e.GET("/results", s.page(s.results))
	e.GET("/results.csv", s.resultsTable)
	e.GET("/results/overdue", s.page(s.overdue))
	e.GET("/statistics", s.page(s.statistics))
	e.GET("/draws", s.page(s.draws))
	e.GET("/draws/:id", s.page(s.draw))
	e.GET("/draws/:id/directories", s.page(s.directories))
	e.GET("/draws/:id/beacon", s.page(s.broughtRound))
	e.POST("/draws/:id/beacon", s.page(s.bringRound))
	e.GET("/offline", s.page(s.offline))
	e.GET("/offline/checker.html", s.checkerFile)
	e.GET("/offline/trust.json", s.trustFile)
	e.GET("/docs", s.page(s.docs))
	e.GET("/status", s.page(s.status))
	e.GET("/feeds/results.atom", s.resultsFeed)
	e.GET("/feeds/draws.atom", s.drawsFeed)
	e.GET("/draws.ics", s.drawsCalendar)
	e.GET("/assets/:version/:name", s.serveAsset)
	if s.desks != nil {
		s.mountDesks(e)
	}
}

// request is one request for a page.
type request struct {
	echo.Context
	lang  language
	today metrology.Date
}

func (s *Server) request(c echo.Context) request {
	return request{Context: c, lang: chooseLanguage(c), today: metrology.DateOf(s.clock())}
}

// text is a query parameter.
func (r request) text(name string) string { return r.QueryParam(name) }

// reply is what a handler wants shown.
type reply struct {
	view     string           // name of the template
	title    string           // of the page, in the visitor's language
	status   int              // 0 means 200
	body     any              // of the template
	to       string           // path to send the visitor to instead, unless empty
	desk     *session.Session // of whoever is signed in; nil on public pages
	reminder *reminder        // of a desk that takes part in draws
	self     string           // address of this page for the other language, when it is not the request's
}

// handler answers a request for a page.
type handler func(ctx context.Context, r request) (reply, error)

// page turns a handler into a route: it picks the language and shows errors as
// pages.
func (s *Server) page(handle handler) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := s.request(c)
		answer, err := handle(c.Request().Context(), r)
		switch {
		case err != nil:
			return s.fail(r, err)
		case answer.to != "":
			return c.Redirect(http.StatusSeeOther, answer.to)
		}
		return s.render(r, answer)
	}
}
