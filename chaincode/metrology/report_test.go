package metrology

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// litre is a well-formed measurement without a rule.
func litre() Measurement {
	return Measurement{Category: "fuel-dispenser", Occasion: OccasionInService, Unit: "L", Indication: MustDecimal("20.01"), Reference: MustDecimal("20.00")}
}

func TestMeasurement_CheckInstrument(t *testing.T) {
	dispenser := &Instrument{ID: "d-1", Parts: []Part{{ID: "nozzle-1", Kind: PartNozzle}}}
	m := litre()
	m.Instrument, m.Part = "d-1", "nozzle-1"
	require.NoError(t, m.Check("m"))
	require.NoError(t, m.CheckInstrument("m", dispenser))
	m.Part = "nozzle-2"
	require.Equal(t, CodeNotFound, ErrorCode(m.CheckInstrument("m", dispenser)))
	require.Equal(t, CodeNotFound, ErrorCode(m.CheckInstrument("m", nil)))
	m.Part = ""
	require.NoError(t, m.CheckInstrument("m", dispenser))
	m.Instrument, m.Part = "", "nozzle-1"
	require.Equal(t, CodeInvalid, ErrorCode(m.Check("m")), "a part of no instrument")
}

func TestInspectionReport_Validate(t *testing.T) {
	report := func(measurements int) InspectionReport {
		item := ReportItem{Matter: MatterInstruments, Results: []ResultCode{ResultNoneFound}}
		for range measurements {
			item.Measurements = append(item.Measurements, litre())
		}
		return InspectionReport{Salt: strings.Repeat("0a", 32), Merchant: "m", Outcome: VisitDone, Items: []ReportItem{item}}
	}
	require.NoError(t, report(maxMeasurements).Validate())
	require.Equal(t, CodeInvalid, ErrorCode(report(maxMeasurements+1).Validate()))
	for name, change := range map[string]func(*InspectionReport){
		"ErrMerchant":    func(r *InspectionReport) { r.Merchant = "张三" },
		"ErrInstitution": func(r *InspectionReport) { r.Institution = "a b" },
		"ErrRemark":      func(r *InspectionReport) { r.Remark = strings.Repeat("x", maxRemarkBytes+1) },
		"ErrUnit":        func(r *InspectionReport) { r.Items[0].Measurements[0].Unit = "gallon" },
		"ErrInterval":    func(r *InspectionReport) { r.Items[0].Measurements[0].Interval = MustDecimal("0") },
		"ErrNoReference": func(r *InspectionReport) { r.Items[0].Measurements[0].Reference = Decimal{} },
		"ErrEvidence":    func(r *InspectionReport) { r.Items[0].Evidence = []Evidence{{Kind: EvidencePhoto, Digest: "ff"}} },
	} {
		t.Run(name, func(t *testing.T) {
			r := report(1)
			change(&r)
			require.Equal(t, CodeInvalid, ErrorCode(r.Validate()))
		})
	}
}

func TestNewInspection_Bounds(t *testing.T) {
	caller := Caller{MSP: RegulatorMSP, Role: RoleInspector, Subject: "insp-0"}
	enter := func(inspectors int, follows string) error {
		cmd := EnterInspection{ID: "i", Site: "s", Basis: Basis{Kind: BasisComplaint}, Visited: "2026-03-02", Post: "p", Follows: follows}
		for n := range inspectors {
			cmd.Inspectors = append(cmd.Inspectors, fmt.Sprintf("insp-%d", n))
		}
		_, err := NewInspection(cmd, caller, "2026-03-02", "2026-03-02T02:00:00Z")
		return err
	}
	require.NoError(t, enter(minInspectors, ""))
	require.NoError(t, enter(maxInspectors, ""))
	require.Equal(t, CodeInvalid, ErrorCode(enter(maxInspectors+1, "")))
	require.Equal(t, CodeInvalid, ErrorCode(enter(2, "i")), "it does not follow itself")
}

func TestMPERow_LowerEndIsExclusive(t *testing.T) {
	table := &MPETable{Rows: []MPERow{{Category: "c", Unit: "g", Over: MustDecimal("10"), UpTo: MustDecimal("15"),
		Lower: MustDecimal("0"), Upper: MustDecimal("0"), Limit: LimitAbsolute}}}
	require.NoError(t, table.check("body.mpe"), "equal limits are limits")
	m := Measurement{Category: "c", Unit: "g", Indication: MustDecimal("10"), Reference: MustDecimal("10")}
	_, reason := m.row(table)
	require.Equal(t, NoVerdictRow, reason)
	m.Indication = MustDecimal("15")
	_, reason = m.row(table)
	require.Empty(t, reason)
}
