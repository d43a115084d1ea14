package metrology

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func dispenserCommand() RegisterInstrument {
	return RegisterInstrument{
		ID:        "i-1",
		Nameplate: Nameplate{Model: "CS30J", Maker: "某某机械", Serial: "20240117"},
		InstrumentDescription: InstrumentDescription{
			Name: "燃油加油机", Category: "24-2", Range: "(5~50) L/min", Accuracy: "0.3级", Origin: "正定", Use: UseTrade, Mode: ModePeriodic,
			Delivery: DeliveryOnSite, Region: "440305", Site: "s-1", Owner: "m-1", User: "m-2",
			ExternalIDs: []ExternalID{{Scheme: "e-cqs", Value: "G440305-77"}},
		},
		Parts: []Part{{ID: "n1", Kind: PartNozzle, Serial: "1号枪 92#"}, {ID: "seal-1", Kind: PartSeal}},
	}
}

func aDispenser(t require.TestingT) Instrument {
	instrument, err := NewInstrument(dispenserCommand(), 6, "2026-03-02T02:00:00Z")
	require.NoError(t, err)
	return instrument
}

// inState puts an instrument into a state without asking the rules.
func inState(t require.TestingT, state, before InstrumentState) Instrument {
	instrument := aDispenser(t)
	instrument.State, instrument.Before = state, before
	return instrument
}

func TestNewInstrument(t *testing.T) {
	require.Equal(t, InstrumentRegistered, aDispenser(t).State)
	long := strings.Repeat("x", 129)
	for name, test := range map[string]struct {
		change func(*RegisterInstrument)
		field  string
	}{
		"ErrID":              {func(c *RegisterInstrument) { c.ID = "" }, "id"},
		"ErrModel":           {func(c *RegisterInstrument) { c.Model = "" }, "model"},
		"ErrMaker":           {func(c *RegisterInstrument) { c.Maker = long }, "maker"},
		"ErrSerial":          {func(c *RegisterInstrument) { c.Serial = "" }, "serial"},
		"ErrSerialControl":   {func(c *RegisterInstrument) { c.Serial = "12\u200b3" }, "serial"},
		"ErrName":            {func(c *RegisterInstrument) { c.Name = "" }, "name"},
		"ErrCategory":        {func(c *RegisterInstrument) { c.Category = "" }, "category"},
		"ErrRange":           {func(c *RegisterInstrument) { c.Range = long }, "range"},
		"ErrAccuracy":        {func(c *RegisterInstrument) { c.Accuracy = "a  b" }, "accuracy"},
		"ErrOrigin":          {func(c *RegisterInstrument) { c.Origin = "\n" }, "origin"},
		"ErrUse":             {func(c *RegisterInstrument) { c.Use = "fun" }, "use"},
		"ErrMode":            {func(c *RegisterInstrument) { c.Mode = "" }, "mode"},
		"ErrDelivery":        {func(c *RegisterInstrument) { c.Delivery = "post" }, "delivery"},
		"ErrModeWithoutDuty": {func(c *RegisterInstrument) { c.Use = UseOther }, "mode"},
		"ErrRegion":          {func(c *RegisterInstrument) { c.Region = "44030" }, "region"},
		"ErrSite":            {func(c *RegisterInstrument) { c.Site = "s/1" }, "site"},
		"ErrOwner":           {func(c *RegisterInstrument) { c.Owner = "" }, "owner"},
		"ErrUser":            {func(c *RegisterInstrument) { c.User = "" }, "user"},
		"ErrCycleOfNone": {func(c *RegisterInstrument) {
			c.Mode, c.CycleRule = ModeFirstUntilBad, &RuleReference{ID: "r", Version: 1}
		}, "cycleRule"},
		"ErrCycleVersion":     {func(c *RegisterInstrument) { c.CycleRule = &RuleReference{ID: "r"} }, "cycleRule.version"},
		"ErrCycleID":          {func(c *RegisterInstrument) { c.CycleRule = &RuleReference{ID: "", Version: 1} }, "cycleRule.id"},
		"ErrPartTwice":        {func(c *RegisterInstrument) { c.Parts[1].ID = "n1" }, "parts[1].id"},
		"ErrPartID":           {func(c *RegisterInstrument) { c.Parts[0].ID = "" }, "parts[0].id"},
		"ErrPartKind":         {func(c *RegisterInstrument) { c.Parts[0].Kind = "hose" }, "parts[0].kind"},
		"ErrPartSerial":       {func(c *RegisterInstrument) { c.Parts[0].Serial = long }, "parts[0].serial"},
		"ErrTooManyParts":     {func(c *RegisterInstrument) { c.Parts = make([]Part, maxParts+1) }, "parts"},
		"ErrExternalScheme":   {func(c *RegisterInstrument) { c.ExternalIDs[0].Scheme = "e cqs" }, "externalIds[0].scheme"},
		"ErrExternalValue":    {func(c *RegisterInstrument) { c.ExternalIDs[0].Value = "" }, "externalIds[0].value"},
		"ErrExternalTwice":    {func(c *RegisterInstrument) { c.ExternalIDs = append(c.ExternalIDs, c.ExternalIDs[0]) }, "externalIds[1]"},
		"ErrTooManyExternals": {func(c *RegisterInstrument) { c.ExternalIDs = make([]ExternalID, maxExternalIDs+1) }, "externalIds"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := dispenserCommand()
			test.change(&cmd)
			_, err := NewInstrument(cmd, 0, "")
			requireError(t, err, CodeInvalid, test.field)
		})
	}
	t.Run("an instrument for other uses has no duty", func(t *testing.T) {
		cmd := dispenserCommand()
		cmd.Use, cmd.Mode, cmd.Site = UseOther, ModeNone, ""
		_, err := NewInstrument(cmd, 0, "")
		require.NoError(t, err)
	})
}

func TestCycleMonths(t *testing.T) {
	rule := func(change func(*Ruleset)) Ruleset {
		r := Ruleset{State: RulesetInForce, RuleDocument: RuleDocument{
			ID: "cycles", Version: 1, Kind: RulesetCycle, Region: RegionNational, EffectiveFrom: "2024-05-01",
			Body: RuleBody{Cycle: &CycleTable{Rows: []CycleRow{{Category: "12-1", FirstOnly: true}, {Category: "24-2", Months: 6}}}},
		}}
		change(&r)
		return r
	}
	for name, test := range map[string]struct {
		change   func(*Ruleset)
		category string
		code     Code
	}{
		"in force":              {func(*Ruleset) {}, "24-2", ""},
		"repeal asked":          {func(r *Ruleset) { r.State = RulesetRepealing }, "24-2", ""},
		"rule of the province":  {func(r *Ruleset) { r.Region = "440000" }, "24-2", ""},
		"rule of the city":      {func(r *Ruleset) { r.Region = "440300" }, "24-2", ""},
		"last day":              {func(r *Ruleset) { r.EffectiveTo = "2026-03-02" }, "24-2", ""},
		"ErrOtherProvince":      {func(r *Ruleset) { r.Region = "330000" }, "24-2", CodeInvalid},
		"ErrOtherDistrict":      {func(r *Ruleset) { r.Region = "440304" }, "24-2", CodeInvalid},
		"ErrDraft":              {func(r *Ruleset) { r.State = RulesetDraft }, "24-2", CodeState},
		"ErrProposed":           {func(r *Ruleset) { r.State = RulesetProposed }, "24-2", CodeState},
		"ErrNotYet":             {func(r *Ruleset) { r.EffectiveFrom = "2026-03-03" }, "24-2", CodeState},
		"ErrNoLonger":           {func(r *Ruleset) { r.EffectiveTo = "2026-03-01" }, "24-2", CodeState},
		"ErrKind":               {func(r *Ruleset) { r.Kind, r.Body = RulesetMPE, RuleBody{} }, "24-2", CodeInvalid},
		"ErrCategoryNotListed":  {func(*Ruleset) {}, "24-3", CodeInvalid},
		"ErrVerifiedOnceNoMore": {func(*Ruleset) {}, "12-1", CodeInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			months, err := InstrumentDescription{Category: test.category, Region: "440305"}.CycleMonths(rule(test.change), "2026-03-02")
			if test.code != "" {
				requireError(t, err, test.code, "cycleRule")
				return
			}
			require.NoError(t, err)
			require.Equal(t, 6, months)
		})
	}
}

func TestRepair(t *testing.T) {
	repair := RepairInstrument{ID: "i-1", On: "2026-03-01", Reason: RepairPart, Parts: []Part{{ID: "n2", Kind: PartNozzle}}}
	repaired, err := inState(t, InstrumentInUse, "").Repair(repair, "2026-03-02")
	require.NoError(t, err)
	require.Equal(t, InstrumentRepaired, repaired.State)
	require.Equal(t, "n2", repaired.Parts[0].ID)

	t.Run("an older repair entered late does not move the day back", func(t *testing.T) {
		again, err := repaired.Repair(RepairInstrument{On: "2026-02-01", Reason: RepairAdjusted}, "2026-03-02")
		require.NoError(t, err)
		require.Equal(t, Date("2026-03-01"), again.Repaired)
		require.Equal(t, repaired.Parts, again.Parts)
	})
	for name, test := range map[string]struct {
		state InstrumentState
		cmd   RepairInstrument
		code  Code
		field string
	}{
		"ErrInDispute": {InstrumentInDispute, repair, CodeState, ""},
		"ErrSealed":    {InstrumentSealed, repair, CodeState, ""},
		"ErrReason":    {InstrumentInUse, RepairInstrument{On: "2026-03-01", Reason: RetireLost}, CodeInvalid, "reason"},
		"ErrDate":      {InstrumentInUse, RepairInstrument{On: "1 March", Reason: RepairPart}, CodeInvalid, "on"},
		"ErrFuture":    {InstrumentInUse, RepairInstrument{On: "2026-03-03", Reason: RepairPart}, CodeInvalid, "on"},
		"ErrParts":     {InstrumentInUse, RepairInstrument{On: "2026-03-01", Reason: RepairPart, Parts: []Part{{}}}, CodeInvalid, "parts[0].id"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := inState(t, test.state, "").Repair(test.cmd, "2026-03-02")
			requireError(t, err, test.code, test.field)
		})
	}
}

func TestReverify(t *testing.T) {
	repaired := inState(t, InstrumentRepaired, "")
	repaired.Repaired = "2026-02-20"
	for name, test := range map[string]struct {
		change func(*Leaf, *Certificate)
		code   Code
		field  string
	}{
		"pass":                   {func(*Leaf, *Certificate) {}, "", ""},
		"class":                  {func(l *Leaf, _ *Certificate) { l.Instruments[0].Conclusion = ConclusionClass }, "", ""},
		"on the day of repair":   {func(l *Leaf, _ *Certificate) { l.Performed = "2026-02-20" }, "", ""},
		"on its last day":        {func(l *Leaf, _ *Certificate) { l.ValidUntil = "2026-03-02" }, "", ""},
		"ErrBeforeRepair":        {func(l *Leaf, _ *Certificate) { l.Performed = "2026-02-19" }, CodeInvalid, "leaf.performed"},
		"ErrCalibration":         {func(l *Leaf, _ *Certificate) { l.Kind = KindCalibration }, CodeInvalid, "leaf.kind"},
		"ErrFailed":              {func(l *Leaf, _ *Certificate) { l.Instruments[0].Conclusion = ConclusionFail }, CodeInvalid, "leaf.instruments"},
		"ErrAnotherInstrument":   {func(l *Leaf, _ *Certificate) { l.Instruments[0].ID = "i-2" }, CodeInvalid, "leaf.instruments"},
		"ErrSerialNumberAlone":   {func(l *Leaf, _ *Certificate) { l.Instruments[0].ID = "" }, CodeInvalid, "leaf.instruments"},
		"ErrExpired":             {func(l *Leaf, _ *Certificate) { l.ValidUntil = "2026-03-01" }, CodeInvalid, "leaf.validUntil"},
		"ErrRevokedCertificate":  {func(_ *Leaf, c *Certificate) { c.State = CertificateRevoked }, CodeState, "leaf"},
		"ErrReplacedCertificate": {func(_ *Leaf, c *Certificate) { c.State = CertificateSuperseded }, CodeState, "leaf"},
	} {
		t.Run(name, func(t *testing.T) {
			leaf := Leaf{Kind: KindVerification, Performed: "2026-02-21", Issued: "2026-02-21", ValidUntil: "2026-08-20",
				Instruments: []LeafInstrument{{ID: "i-1", Serial: "20240117", Conclusion: ConclusionPass}}}
			certificate := Certificate{State: CertificateAnchored}
			test.change(&leaf, &certificate)
			after, err := repaired.Reverify(leaf, certificate, "2026-03-02")
			if test.code != "" {
				requireError(t, err, test.code, test.field)
				return
			}
			require.NoError(t, err)
			require.Equal(t, InstrumentInUse, after.State)
		})
	}
}

// TestFreezeAndRelease/… follows a dispute or a seal to its end.
func TestFreezeAndRelease(t *testing.T) {
	dispute := func(i Instrument) (Instrument, error) { return i.Freeze(InstrumentOpenDispute, DisputeMediation) }
	seal := func(i Instrument) (Instrument, error) { return i.Freeze(InstrumentSeal, SealEvidence) }
	for name, test := range map[string]struct {
		from    InstrumentState
		freeze  func(Instrument) (Instrument, error)
		release func(Instrument, InstrumentReason) (Instrument, error)
		outcome InstrumentReason
		want    InstrumentState
	}{
		"dispute found right":              {InstrumentInUse, dispute, Instrument.CloseDispute, OutcomeConforms, InstrumentInUse},
		"dispute withdrawn":                {InstrumentInUse, dispute, Instrument.CloseDispute, OutcomeWithdrawn, InstrumentInUse},
		"dispute found wrong":              {InstrumentInUse, dispute, Instrument.CloseDispute, OutcomeDeviates, InstrumentSealed},
		"dispute after an unverified fix":  {InstrumentRepaired, dispute, Instrument.CloseDispute, OutcomeConforms, InstrumentRepaired},
		"evidence given back":              {InstrumentInUse, seal, Instrument.Unseal, OutcomeConforms, InstrumentInUse},
		"evidence was wrong":               {InstrumentInUse, seal, Instrument.Unseal, OutcomeDeviates, InstrumentRepaired},
		"evidence that never was in use":   {InstrumentRegistered, seal, Instrument.Unseal, OutcomeConforms, InstrumentRepaired},
		"evidence waiting for a verifying": {InstrumentRepaired, seal, Instrument.Unseal, OutcomeWithdrawn, InstrumentRepaired},
	} {
		t.Run(name, func(t *testing.T) {
			frozen, err := test.freeze(inState(t, test.from, ""))
			require.NoError(t, err)
			require.Equal(t, test.from, frozen.Before)
			after, err := test.release(frozen, test.outcome)
			require.NoError(t, err)
			require.Equal(t, test.want, after.State)
			require.Equal(t, test.outcome, after.Reason)
		})
	}
	t.Run("found wrong, then unsealed, needs verification", func(t *testing.T) {
		frozen, err := dispute(inState(t, InstrumentInUse, ""))
		require.NoError(t, err)
		condemned, err := frozen.CloseDispute(OutcomeDeviates)
		require.NoError(t, err)
		after, err := condemned.Unseal(OutcomeConforms)
		require.NoError(t, err)
		require.Equal(t, InstrumentRepaired, after.State)
	})
	t.Run("ErrReason", func(t *testing.T) {
		_, err := inState(t, InstrumentInUse, "").Freeze(InstrumentOpenDispute, SealEvidence)
		requireError(t, err, CodeInvalid, "reason")
		_, err = inState(t, InstrumentSealed, InstrumentInUse).Unseal(DisputeMediation)
		requireError(t, err, CodeInvalid, "reason")
	})
	t.Run("ErrSealIsNoDispute", func(t *testing.T) {
		_, err := inState(t, InstrumentSealed, InstrumentInUse).CloseDispute(OutcomeConforms)
		requireError(t, err, CodeState, "")
		_, err = inState(t, InstrumentInDispute, InstrumentInUse).Unseal(OutcomeConforms)
		requireError(t, err, CodeState, "")
	})
}

func TestRetire(t *testing.T) {
	retired, err := inState(t, InstrumentInUse, "").Retire(RetireScrapped)
	require.NoError(t, err)
	require.Equal(t, InstrumentRetired, retired.State)
	_, err = inState(t, InstrumentInUse, "").Retire(OutcomeConforms)
	requireError(t, err, CodeInvalid, "reason")
	for _, state := range []InstrumentState{InstrumentInDispute, InstrumentSealed, InstrumentRetired} {
		_, err = inState(t, state, InstrumentInUse).Retire(RetireScrapped)
		requireError(t, err, CodeState, "")
	}
}

func TestAmendAndReplaceParts(t *testing.T) {
	description := dispenserCommand().InstrumentDescription
	description.User = "m-3"
	amended, err := inState(t, InstrumentInUse, "").Amend(AmendInstrument{ID: "i-1", InstrumentDescription: description}, 12, Caller{Role: RoleRegulator})
	require.NoError(t, err)
	require.Equal(t, "m-3", amended.User)
	require.Equal(t, 12, amended.CycleMonths)
	require.Equal(t, "20240117", amended.Serial)

	_, err = inState(t, InstrumentInDispute, InstrumentInUse).Amend(AmendInstrument{InstrumentDescription: description}, 12, Caller{Role: RoleRegulator})
	requireError(t, err, CodeState, "")
	_, err = inState(t, InstrumentInUse, "").Replace(ReplaceParts{})
	requireError(t, err, CodeState, "")
	replaced, err := inState(t, InstrumentRepaired, "").Replace(ReplaceParts{Parts: []Part{{ID: "n9", Kind: PartNozzle}}})
	require.NoError(t, err)
	require.Equal(t, "n9", replaced.Parts[0].ID)
	_, err = inState(t, InstrumentRepaired, "").Replace(ReplaceParts{Parts: []Part{{ID: "n9"}}})
	requireError(t, err, CodeInvalid, "parts[0].kind")
}

func TestCheckVerified(t *testing.T) {
	for name, test := range map[string]struct {
		state  InstrumentState
		listed LeafInstrument
		code   Code
		field  string
	}{
		"agrees":                   {InstrumentInUse, LeafInstrument{ID: "i-1", Serial: "20240117", Category: "24-2"}, "", ""},
		"serial left out":          {InstrumentInUse, LeafInstrument{ID: "i-1"}, "", ""},
		"not on the ledger":        {InstrumentInUse, LeafInstrument{Serial: "other"}, "", ""},
		"retired since":            {InstrumentRetired, LeafInstrument{ID: "i-1"}, "", ""},
		"sealed for a verdict":     {InstrumentSealed, LeafInstrument{ID: "i-1"}, "", ""},
		"ErrInDispute":             {InstrumentInDispute, LeafInstrument{ID: "i-1"}, CodeState, "instruments[0].id"},
		"ErrUnknown":               {InstrumentInUse, LeafInstrument{ID: "i-2"}, CodeNotFound, "instruments[0].id"},
		"ErrSerialOfAnother":       {InstrumentInUse, LeafInstrument{ID: "i-1", Serial: "20240118"}, CodeInvalid, "instruments[0].serial"},
		"ErrCategoryOfAnotherKind": {InstrumentInUse, LeafInstrument{ID: "i-1", Category: "24-3"}, CodeInvalid, "instruments[0].category"},
	} {
		t.Run(name, func(t *testing.T) {
			instrument := inState(t, test.state, InstrumentInUse)
			err := CheckVerified(Leaf{Instruments: []LeafInstrument{test.listed}}, map[string]*Instrument{"i-1": &instrument})
			if test.code == "" {
				require.NoError(t, err)
				return
			}
			requireError(t, err, test.code, test.field)
		})
	}
}

// TestRepairedNeedsVerification holds after any sequence of commands: an
// instrument repaired or found wrong is not in use again before a certificate.
func TestRepairedNeedsVerification(t *testing.T) {
	steps := map[string]func(Instrument) (Instrument, error){
		"use": func(i Instrument) (Instrument, error) { return i.Apply(InstrumentPutInUse) },
		"repair": func(i Instrument) (Instrument, error) {
			return i.Repair(RepairInstrument{On: "2026-03-01", Reason: RepairPart}, "2026-03-02")
		},
		"dispute":  func(i Instrument) (Instrument, error) { return i.Freeze(InstrumentOpenDispute, DisputeMediation) },
		"seal":     func(i Instrument) (Instrument, error) { return i.Freeze(InstrumentSeal, SealFailed) },
		"right":    func(i Instrument) (Instrument, error) { return i.CloseDispute(OutcomeConforms) },
		"wrong":    func(i Instrument) (Instrument, error) { return i.CloseDispute(OutcomeDeviates) },
		"unseal":   func(i Instrument) (Instrument, error) { return i.Unseal(OutcomeConforms) },
		"unsealed": func(i Instrument) (Instrument, error) { return i.Unseal(OutcomeDeviates) },
		"retire":   func(i Instrument) (Instrument, error) { return i.Retire(RetireLost) },
	}
	names := make([]string, 0, len(steps))
	for name := range steps {
		names = append(names, name)
	}
	slices.Sort(names)
	rapid.Check(t, func(t *rapid.T) {
		instrument, unverified := aDispenser(t), false
		for _, name := range rapid.SliceOfN(rapid.SampledFrom(names), 1, 30).Draw(t, "steps") {
			next, err := steps[name](instrument)
			if err != nil {
				continue
			}
			instrument = next
			unverified = unverified || name == "repair" || name == "wrong" || name == "unsealed"
			if unverified {
				require.NotEqual(t, InstrumentInUse, instrument.State, "after %s", name)
			}
			frozen := instrument.State == InstrumentInDispute || instrument.State == InstrumentSealed
			require.Equal(t, frozen, instrument.Before != "", "the state before is kept while frozen, and only then")
		}
	})
}
