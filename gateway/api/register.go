package api

import (
	"context"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// Register is the public register this API reads: everything in it may be
// shown to anybody. An absent thing is a metrology.CodeNotFound error.
type Register interface {
	DrawRegister
	Status(ctx context.Context) (public.Status, error)
	Merchants(ctx context.Context, f public.MerchantFilter, today metrology.Date) (public.Page[public.Merchant], error)
	Merchant(ctx context.Context, id string, today metrology.Date) (public.Merchant, error)
	MerchantPledges(ctx context.Context, id string, today metrology.Date) ([]public.Pledge, error)
	Pledge(ctx context.Context, id string, today metrology.Date) (public.Pledge, error)
	Sites(ctx context.Context, f public.SiteFilter) (public.Page[public.Site], error)
	Site(ctx context.Context, id string) (public.Site, error)
	SiteVisits
	Instruments(ctx context.Context, f public.InstrumentFilter, today metrology.Date) (public.Page[public.Instrument], error)
	Instrument(ctx context.Context, id string, today metrology.Date) (public.Instrument, error)
	Issuers(ctx context.Context, page public.PageRequest) (public.Page[public.Issuer], error)
	Issuer(ctx context.Context, id string) (public.Issuer, error)
	Certificates(ctx context.Context, f public.CertificateFilter, today metrology.Date) (public.Page[public.Certificate], error)
	Certificate(ctx context.Context, id string, today metrology.Date) (public.Certificate, error)
	CertificatesByDigest(ctx context.Context, algorithm, value string, today metrology.Date) ([]public.Certificate, error)
	Rulesets(ctx context.Context, page public.PageRequest) (public.Page[public.Ruleset], error)
	Ruleset(ctx context.Context, id string, version int) (public.Ruleset, error)
	Inspections(ctx context.Context, f public.InspectionFilter, today metrology.Date) (public.Page[public.Inspection], error)
	Inspection(ctx context.Context, id string, today metrology.Date) (public.Inspection, error)
	OverdueInspections(ctx context.Context, page public.PageRequest, today metrology.Date) (public.Page[public.OverdueInspection], error)
	Transaction(ctx context.Context, id string) (public.Transaction, error)
}

// SiteVisits counts the inspections of sites in the year of a day. A site where
// no rule caps them has no entry.
type SiteVisits interface {
	// Visits counts what is public.
	Visits(ctx context.Context, sites []public.Site, day metrology.Date) (map[string]public.SiteVisits, error)
	// CountVisits counts inspections that await review or publication too, for
	// the directories of a draw. It is for the regulator alone.
	CountVisits(ctx context.Context, sites []public.Site, day metrology.Date) (map[string]public.SiteVisits, error)
}
