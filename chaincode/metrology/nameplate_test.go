package metrology

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNameplateKey(t *testing.T) {
	plate := Nameplate{Maker: "某某机械", Model: "CS30J", Serial: "a-77"}
	key, named := plate.Key()
	require.True(t, named)
	for name, test := range map[string]struct {
		other Nameplate
		same  bool
	}{
		"typed otherwise":  {Nameplate{Maker: "某某 机械", Model: "ＣＳ30j", Serial: "A-７７"}, true},
		"another serial":   {Nameplate{Maker: "某某机械", Model: "CS30J", Serial: "A-78"}, false},
		"another maker":    {Nameplate{Maker: "某某衡器", Model: "CS30J", Serial: "A-77"}, false},
		"seams elsewhere":  {Nameplate{Maker: "某某机械CS30", Model: "J", Serial: "A-77"}, false},
		"another spelling": {Nameplate{Maker: "某某机械", Model: "CS30J", Serial: "A77"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			other, _ := test.other.Key()
			require.Equal(t, test.same, other == key)
		})
	}
	for _, serial := range []string{"/", "无", "——", "000", "-"} {
		_, named := Nameplate{Maker: "m", Model: "m", Serial: serial}.Key()
		require.False(t, named, "%q names nothing", serial)
	}
}

// TestAmendDuty: who owes a verification does not excuse itself.
func TestAmendDuty(t *testing.T) {
	instrument := inState(t, InstrumentInUse, "")
	instrument.Use, instrument.Mode, instrument.CycleMonths = UseTrade, ModePeriodic, 6
	free := instrument
	free.Use, free.Mode, free.CycleMonths = UseOther, ModeNone, 0
	for name, test := range map[string]struct {
		of     Instrument
		change func(*InstrumentDescription)
		months int
		field  string // empty: allowed to a merchant
	}{
		"the name":         {instrument, func(d *InstrumentDescription) { d.Name = "秤" }, 6, ""},
		"another trade":    {instrument, func(d *InstrumentDescription) { d.Use = UseMedical }, 6, ""},
		"a shorter cycle":  {instrument, func(*InstrumentDescription) {}, 3, ""},
		"into the duty":    {free, func(d *InstrumentDescription) { d.Use, d.Mode = UseTrade, ModePeriodic }, 0, ""},
		"another category": {free, func(d *InstrumentDescription) { d.Category = "x" }, 0, ""},
		"ErrUse":           {instrument, func(d *InstrumentDescription) { d.Use, d.Mode = UseOther, ModeNone }, 0, "use"},
		"ErrModeNone":      {instrument, func(d *InstrumentDescription) { d.Mode = ModeNone }, 0, "mode"},
		"ErrModeOnlyOnce":  {instrument, func(d *InstrumentDescription) { d.Mode = ModeFirstUntilBad }, 0, "mode"},
		"ErrCategory":      {instrument, func(d *InstrumentDescription) { d.Category = "x" }, 6, "category"},
		"ErrNoCycle":       {instrument, func(*InstrumentDescription) {}, 0, "cycleRule"},
		"ErrLongerCycle":   {instrument, func(*InstrumentDescription) {}, 12, "cycleRule"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := AmendInstrument{ID: test.of.ID, InstrumentDescription: test.of.InstrumentDescription}
			test.change(&cmd.InstrumentDescription)
			_, err := test.of.Amend(cmd, test.months, Caller{Role: RoleRegulator})
			require.NoError(t, err, "the regulator may")
			_, err = test.of.Amend(cmd, test.months, Caller{Role: RoleMerchant})
			if test.field == "" {
				require.NoError(t, err)
				return
			}
			requireError(t, err, CodeForbidden, test.field)
		})
	}
}
