package api

import (
	"context"
	"strconv"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// paging are the query parameters of every list.
var paging = []string{"cursor", "limit"}

func with(names ...string) []string { return append(names, paging...) }

// readRoutes lists the public reading routes that are one look into the
// register.
func (s *Server) readRoutes() []readRoute {
	r := s.register
	return append(s.drawReads(), []readRoute{
		{"/v1/status", nil, func(ctx context.Context, _ params) (any, error) { return s.status(ctx) }},
		{"/v1/merchants", with("region", "sector", "q"), s.merchants},
		{"/v1/merchants/:id", nil, func(ctx context.Context, p params) (any, error) { return r.Merchant(ctx, p.path("id"), s.today()) }},
		{"/v1/merchants/:id/pledges", nil, s.merchantPledges},
		{"/v1/merchants/:id/instruments", paging, s.merchantInstruments},
		{"/v1/merchants/:id/inspections", paging, s.merchantInspections},
		{"/v1/pledges/:id", nil, func(ctx context.Context, p params) (any, error) { return r.Pledge(ctx, p.path("id"), s.today()) }},
		{"/v1/sites", with("region", "kind", "merchant", "parent"), s.sites},
		{"/v1/sites/:id", nil, s.site},
		{"/v1/instruments", with("region", "site", "merchant", "category", "serial", "dueWithin"), s.instruments},
		{"/v1/instruments/:id", nil, func(ctx context.Context, p params) (any, error) { return r.Instrument(ctx, p.path("id"), s.today()) }},
		{"/v1/issuers", paging, s.issuers},
		{"/v1/issuers/:id", nil, func(ctx context.Context, p params) (any, error) { return r.Issuer(ctx, p.path("id")) }},
		{"/v1/certificates", with("issuer", "number", "instrument"), s.certificates},
		{"/v1/certificates/:id", nil, func(ctx context.Context, p params) (any, error) { return r.Certificate(ctx, p.path("id"), s.today()) }},
		{"/v1/rulesets", paging, s.rulesets},
		{"/v1/rulesets/:id/:version", nil, s.ruleset},
		{"/v1/inspections", with("region", "site", "merchant", "state", "from", "to"), s.inspections},
		{"/v1/inspections/overdue", paging, s.overdueInspections},
		{"/v1/inspections/:id", nil, func(ctx context.Context, p params) (any, error) { return r.Inspection(ctx, p.path("id"), s.today()) }},
		{"/v1/transactions/:id", nil, func(ctx context.Context, p params) (any, error) { return r.Transaction(ctx, p.path("id")) }},
	}...)
}

// site shows a site with the visits of this year where a rule caps them.
func (s *Server) site(ctx context.Context, p params) (any, error) {
	site, err := s.register.Site(ctx, p.path("id"))
	if err != nil {
		return nil, err
	}
	visits, err := s.register.Visits(ctx, []public.Site{site}, s.today())
	if counted, capped := visits[site.ID]; capped {
		site.Visits = &counted
	}
	return site, err
}

func (s *Server) merchants(ctx context.Context, p params) (any, error) {
	page, err := p.page()
	if err != nil {
		return nil, err
	}
	f := public.MerchantFilter{Region: p.text("region"), Sector: p.text("sector"), Text: p.text("q"), PageRequest: page}
	return s.register.Merchants(ctx, f, s.today())
}

func (s *Server) merchantPledges(ctx context.Context, p params) (any, error) {
	pledges, err := s.register.MerchantPledges(ctx, p.path("id"), s.today())
	return public.Page[public.Pledge]{Items: pledges}, err
}

func (s *Server) merchantInstruments(ctx context.Context, p params) (any, error) {
	page, err := p.page()
	if err != nil {
		return nil, err
	}
	return s.register.Instruments(ctx, public.InstrumentFilter{Merchant: p.path("id"), PageRequest: page}, s.today())
}

func (s *Server) merchantInspections(ctx context.Context, p params) (any, error) {
	page, err := p.page()
	if err != nil {
		return nil, err
	}
	return s.register.Inspections(ctx, public.InspectionFilter{Merchant: p.path("id"), PageRequest: page}, s.today())
}

func (s *Server) sites(ctx context.Context, p params) (any, error) {
	page, err := p.page()
	if err != nil {
		return nil, err
	}
	return s.register.Sites(ctx, public.SiteFilter{Region: p.text("region"), Kind: p.text("kind"), Merchant: p.text("merchant"), Parent: p.text("parent"), PageRequest: page})
}

func (s *Server) instruments(ctx context.Context, p params) (any, error) {
	page, err := p.page()
	if err != nil {
		return nil, err
	}
	f := public.InstrumentFilter{
		Region: p.text("region"), Site: p.text("site"), Merchant: p.text("merchant"),
		Category: p.text("category"), Serial: p.text("serial"), PageRequest: page,
	}
	if p.query.Has("dueWithin") {
		days, err := p.integer("dueWithin")
		if err != nil {
			return nil, err
		}
		f.DueWithin = &days
	}
	return s.register.Instruments(ctx, f, s.today())
}

func (s *Server) issuers(ctx context.Context, p params) (any, error) {
	page, err := p.page()
	if err != nil {
		return nil, err
	}
	return s.register.Issuers(ctx, page)
}

func (s *Server) certificates(ctx context.Context, p params) (any, error) {
	page, err := p.page()
	if err != nil {
		return nil, err
	}
	f := public.CertificateFilter{Issuer: p.text("issuer"), Number: p.text("number"), Instrument: p.text("instrument"), PageRequest: page}
	return s.register.Certificates(ctx, f, s.today())
}

func (s *Server) rulesets(ctx context.Context, p params) (any, error) {
	page, err := p.page()
	if err != nil {
		return nil, err
	}
	return s.register.Rulesets(ctx, page)
}

func (s *Server) ruleset(ctx context.Context, p params) (any, error) {
	version, err := strconv.Atoi(p.path("version"))
	if err != nil {
		return nil, metrology.FieldErrorf(metrology.CodeInvalid, "version", "is not a whole number")
	}
	return s.register.Ruleset(ctx, p.path("id"), version)
}

func (s *Server) inspections(ctx context.Context, p params) (any, error) {
	page, err := p.page()
	if err != nil {
		return nil, err
	}
	f := public.InspectionFilter{Region: p.text("region"), Site: p.text("site"), Merchant: p.text("merchant"), State: p.text("state"),
		From: metrology.Date(p.text("from")), To: metrology.Date(p.text("to")), PageRequest: page}
	return s.register.Inspections(ctx, f, s.today())
}

func (s *Server) overdueInspections(ctx context.Context, p params) (any, error) {
	page, err := p.page()
	if err != nil {
		return nil, err
	}
	return s.register.OverdueInspections(ctx, page, s.today())
}
