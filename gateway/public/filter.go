package public

import "github.com/steelyard-ledger/steelyard/chaincode/metrology"

// MerchantFilter selects merchants. Zero members do not restrict.
type MerchantFilter struct {
	Region string // division code, or its first two or four digits
	Sector string
	Text   string // part of a name, or a credit code
	PageRequest
}

// PageRequest asks for one page.
type PageRequest struct {
	Cursor string // from the page before
	Limit  int    // 1 to MaxLimit; 0 means DefaultLimit
}

// Bounds of a page.
const (
	DefaultLimit = 50
	MaxLimit     = 200
)

// SiteFilter selects sites.
type SiteFilter struct {
	Region, Kind, Merchant, Parent string
	PageRequest
}

// InstrumentFilter selects instruments.
type InstrumentFilter struct {
	Region, Site, Merchant, Category, Serial string
	DueWithin                                *int // only those whose verification ends within so many days, or has ended
	PageRequest
}

// InspectionFilter selects published inspections.
type InspectionFilter struct {
	Region, Site, Merchant, State string
	From, To                      metrology.Date // day of the visit, both included
	PageRequest
}

// Validate checks the dates. Errors carry metrology.CodeInvalid and the field.
func (f InspectionFilter) Validate() error {
	for field, day := range map[string]metrology.Date{"from": f.From, "to": f.To} {
		if day == "" {
			continue
		}
		if err := metrology.CheckDate(field, day); err != nil {
			return err
		}
	}
	return nil
}

// CertificateFilter selects certificates by issuer and number, either alone or both.
type CertificateFilter struct {
	Issuer, Number, Instrument string
	PageRequest
}
