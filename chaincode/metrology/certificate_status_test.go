package metrology

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// standingFacts are of a verification certificate that stands, on its last day.
func standingFacts() CertificateFacts {
	return CertificateFacts{
		Leaf: Leaf{
			Kind: KindVerification, Performed: "2026-03-01", Issued: "2026-03-02", ValidUntil: "2026-08-31",
			Instruments: []LeafInstrument{{ID: "i-1", Serial: "A-77"}, {ID: "i-2", Serial: "B-1"}, {Serial: "on paper only"}},
		},
		State: CertificateAnchored,
		Instruments: map[string]Instrument{
			"i-1": {ID: "i-1", Nameplate: Nameplate{Serial: "A-77"}, InstrumentDescription: InstrumentDescription{Use: UseTrade, Mode: ModePeriodic}},
			"i-2": {ID: "i-2", Nameplate: Nameplate{Serial: "B-1"}, InstrumentDescription: InstrumentDescription{Use: UseTrade, Mode: ModePeriodic}},
		},
		Today: "2026-08-31",
	}
}

func withInstrument(id string, change func(*Instrument)) func(*CertificateFacts) {
	return func(f *CertificateFacts) {
		instrument := f.Instruments[id]
		change(&instrument)
		f.Instruments[id] = instrument
	}
}

func TestCertificateStatus(t *testing.T) {
	repaired := withInstrument("i-1", func(i *Instrument) { i.State, i.Repaired = InstrumentInUse, "2026-04-01" })
	stolen := func(f *CertificateFacts) { f.KeyCompromised = true }
	calibration := func(f *CertificateFacts) { f.Leaf.Kind, f.Leaf.ValidUntil = KindCalibration, "" }
	for name, test := range map[string]struct {
		changes          []func(*CertificateFacts)
		status, standing CertificateStatus
	}{
		"on its last day":         {nil, StatusValid, StatusValid},
		"the day after":           {[]func(*CertificateFacts){func(f *CertificateFacts) { f.Today = "2026-09-01" }}, StatusExpired, StatusExpired},
		"repaired since":          {[]func(*CertificateFacts){repaired}, StatusRepairedSince, StatusRepairedSince},
		"the other was repaired":  {[]func(*CertificateFacts){repaired, func(f *CertificateFacts) { f.Serial = "ｂ-1 " }}, StatusValid, StatusValid},
		"repaired before":         {[]func(*CertificateFacts){withInstrument("i-1", func(i *Instrument) { i.Repaired = "2026-02-01" })}, StatusValid, StatusValid},
		"frozen":                  {[]func(*CertificateFacts){withInstrument("i-2", func(i *Instrument) { i.State = InstrumentSealed })}, StatusInstrumentFrozen, StatusInstrumentFrozen},
		"retired":                 {[]func(*CertificateFacts){withInstrument("i-2", func(i *Instrument) { i.State = InstrumentRetired })}, StatusInstrumentRetired, StatusInstrumentRetired},
		"no term":                 {[]func(*CertificateFacts){func(f *CertificateFacts) { f.Leaf.ValidUntil = "" }}, StatusNoTerm, StatusNoTerm},
		"failed later":            {[]func(*CertificateFacts){func(f *CertificateFacts) { f.FailedLater = true }, repaired}, StatusFailedLater, StatusFailedLater},
		"a stolen key":            {[]func(*CertificateFacts){stolen}, StatusValid, StatusKeyCompromised},
		"a stolen key, expired":   {[]func(*CertificateFacts){stolen, func(f *CertificateFacts) { f.Today = "2027-01-01" }}, StatusExpired, StatusKeyCompromised},
		"a stolen key, revoked":   {[]func(*CertificateFacts){stolen, func(f *CertificateFacts) { f.State = CertificateRevoked }}, StatusRevoked, StatusRevoked},
		"superseded":              {[]func(*CertificateFacts){func(f *CertificateFacts) { f.State = CertificateSuperseded }}, StatusSuperseded, StatusSuperseded},
		"a notice of result":      {[]func(*CertificateFacts){stolen, func(f *CertificateFacts) { f.Leaf.Kind = KindResultNotice }}, StatusFailed, StatusFailed},
		"calibration under duty":  {[]func(*CertificateFacts){calibration}, StatusDutyNotMet, StatusDutyNotMet},
		"calibration, no records": {[]func(*CertificateFacts){calibration, func(f *CertificateFacts) { f.Instruments = nil }}, StatusCalibrationOnly, StatusCalibrationOnly},
		"cycle over": {[]func(*CertificateFacts){func(f *CertificateFacts) { f.Leaf.ValidUntil = "" },
			withInstrument("i-1", func(i *Instrument) { i.CycleMonths = 3 })}, StatusCycleOver, StatusCycleOver},
	} {
		t.Run(name, func(t *testing.T) {
			facts := standingFacts()
			for _, change := range test.changes {
				change(&facts)
			}
			require.Equal(t, test.status, facts.Status())
			require.Equal(t, test.standing, facts.Standing())
		})
	}
}
