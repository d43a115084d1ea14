package verdict

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

var digest = metrology.Digest{Algorithm: metrology.AlgorithmSHA256, Value: strings.Repeat("ab", 32)}

// good is a verification certificate of a dispenser whose serial number was
// given, on its last day.
func good() Facts {
	leaf := metrology.Leaf{
		Issuer: "INST-001", Number: "JL-1", Kind: metrology.KindVerification, Regulation: "JJG 443-2023",
		Performed: "2026-03-01", Issued: "2026-03-02", ValidUntil: "2026-08-31", Digests: []metrology.Digest{digest},
		Instruments: []metrology.LeafInstrument{{ID: "i-1", Serial: "A-77", Category: "fuel-dispenser", Conclusion: metrology.ConclusionPass}},
	}
	instrument := metrology.Instrument{ID: "i-1", Nameplate: metrology.Nameplate{Serial: "A-77"}}
	instrument.Use, instrument.Mode = metrology.UseTrade, metrology.ModePeriodic
	return Facts{
		Today: "2026-08-31", Digest: digest, Serial: "A-77",
		Certificate: &Certificate{Leaf: leaf, State: metrology.CertificateAnchored, Key: "k-1"},
		Issuer: &metrology.Issuer{ID: "INST-001", State: metrology.IssuerActive,
			Keys: []metrology.IssuerKey{{ID: "k-1"}},
			Grants: []metrology.Grant{{Authority: metrology.AuthorityAuthorized, From: "2025-01-01", Until: "2027-12-31",
				Scope: []metrology.ScopeItem{{Category: "fuel-dispenser", Regulation: "JJG 443-2023"}}}}},
		Instruments: map[string]metrology.Instrument{"i-1": instrument},
	}
}

func calibrate(f *Facts) {
	f.Certificate.Leaf.Kind, f.Certificate.Leaf.ValidUntil = metrology.KindCalibration, ""
	f.Certificate.Leaf.Instruments[0].Conclusion = metrology.ConclusionNone
}

func alter(f *Facts, change func(*metrology.Instrument)) {
	instrument := f.Instruments["i-1"]
	change(&instrument)
	f.Instruments["i-1"] = instrument
}

func useFor(f *Facts, use metrology.Use) {
	alter(f, func(i *metrology.Instrument) { i.Use = use })
}

func TestJudge(t *testing.T) {
	content := metrology.Digest{Algorithm: metrology.AlgorithmC14NSHA256, Value: digest.Value}
	for name, test := range map[string]struct {
		change func(*Facts)
		want   [4]Outcome // integrity, status, issuer, match
		tone   Tone
	}{
		"all good, on the last day":       {func(*Facts) {}, [4]Outcome{Registered, Valid, Authorized, Match}, Good},
		"the day after":                   {func(f *Facts) { f.Today = "2026-09-01" }, [4]Outcome{Registered, Expired, Authorized, Match}, Bad},
		"no last day":                     {func(f *Facts) { f.Certificate.Leaf.ValidUntil = "" }, [4]Outcome{Registered, NoTerm, Authorized, Match}, Good},
		"no serial number given":          {func(f *Facts) { f.Serial = " " }, [4]Outcome{Registered, Valid, Authorized, MatchUnknown}, Good},
		"another serial number":           {func(f *Facts) { f.Serial = "A-78" }, [4]Outcome{Registered, Valid, Authorized, Mismatch}, Bad},
		"typed full-width and lower case": {func(f *Facts) { f.Serial = "　ａ－77" }, [4]Outcome{Registered, Valid, Authorized, Match}, Good},
		"part of the serial number":       {func(f *Facts) { f.Serial = "A-7" }, [4]Outcome{Registered, Valid, Authorized, Mismatch}, Bad},
		"the ledger's nameplate differs": {func(f *Facts) {
			f.Instruments["i-1"] = metrology.Instrument{Nameplate: metrology.Nameplate{Serial: "B-1"}}
		}, [4]Outcome{Registered, Valid, Authorized, Mismatch}, Bad},
		"serial number only on the ledger": {func(f *Facts) { f.Certificate.Leaf.Instruments[0].Serial = "" }, [4]Outcome{Registered, Valid, Authorized, Match}, Good},
		"no serial number anywhere": {func(f *Facts) {
			f.Certificate.Leaf.Instruments[0].Serial, f.Instruments = "", nil
		}, [4]Outcome{Registered, Valid, Authorized, NoSerial}, Unknown},
		"content of a DCC": {func(f *Facts) {
			f.Digest = content
			f.Certificate.Leaf.Digests = append(f.Certificate.Leaf.Digests, content)
		}, [4]Outcome{RegisteredContent, Valid, Authorized, Match}, Good},
		"a rendition": {func(f *Facts) {
			f.Digest.Value = strings.Repeat("cd", 32)
			f.Certificate.Renditions = []metrology.Digest{f.Digest}
		}, [4]Outcome{Registered, Valid, Authorized, Match}, Good},
		"asked by number":                  {func(f *Facts) { f.Digest = metrology.Digest{} }, [4]Outcome{FileNotShown, Valid, Authorized, Match}, Neutral},
		"nothing registered":               {func(f *Facts) { f.Certificate = nil }, [4]Outcome{NotRegistered, NotApplicable, NotApplicable, NotApplicable}, Caution},
		"a certificate of another file":    {func(f *Facts) { f.Digest.Value = strings.Repeat("00", 32) }, [4]Outcome{NotRegistered, NotApplicable, NotApplicable, NotApplicable}, Caution},
		"same digest by another algorithm": {func(f *Facts) { f.Digest.Algorithm = metrology.AlgorithmSM3 }, [4]Outcome{NotRegistered, NotApplicable, NotApplicable, NotApplicable}, Caution},
		"revoked":                          {func(f *Facts) { f.Certificate.State = metrology.CertificateRevoked }, [4]Outcome{Registered, Revoked, Authorized, Match}, Bad},
		"superseded":                       {func(f *Facts) { f.Certificate.State = metrology.CertificateSuperseded }, [4]Outcome{Registered, Superseded, Authorized, Match}, Bad},
		"notice of result":                 {func(f *Facts) { f.Certificate.Leaf.Kind = metrology.KindResultNotice }, [4]Outcome{Registered, Failed, Authorized, Match}, Bad},
		"failed later":                     {func(f *Facts) { f.Certificate.FailedLater = true }, [4]Outcome{Registered, FailedLater, Authorized, Match}, Bad},
		"repaired after the work":          {func(f *Facts) { alter(f, func(i *metrology.Instrument) { i.Repaired = "2026-03-05" }) }, [4]Outcome{Registered, RepairedSince, Authorized, Match}, Bad},
		"repaired before the work":         {func(f *Facts) { alter(f, func(i *metrology.Instrument) { i.Repaired = "2026-02-05" }) }, [4]Outcome{Registered, Valid, Authorized, Match}, Good},
		"repaired on the day, verified again": {func(f *Facts) {
			alter(f, func(i *metrology.Instrument) { i.State, i.Repaired = metrology.InstrumentInUse, "2026-03-01" })
		}, [4]Outcome{Registered, Valid, Authorized, Match}, Good},
		"repaired on the day, waits": {func(f *Facts) {
			alter(f, func(i *metrology.Instrument) { i.State, i.Repaired = metrology.InstrumentRepaired, "2026-03-01" })
		}, [4]Outcome{Registered, RepairedSince, Authorized, Match}, Bad},
		"sealed":     {func(f *Facts) { alter(f, func(i *metrology.Instrument) { i.State = metrology.InstrumentSealed }) }, [4]Outcome{Registered, InstrumentFrozen, Authorized, Match}, Caution},
		"in dispute": {func(f *Facts) { alter(f, func(i *metrology.Instrument) { i.State = metrology.InstrumentInDispute }) }, [4]Outcome{Registered, InstrumentFrozen, Authorized, Match}, Caution},
		"retired":    {func(f *Facts) { alter(f, func(i *metrology.Instrument) { i.State = metrology.InstrumentRetired }) }, [4]Outcome{Registered, InstrumentRetired, Authorized, Match}, Caution},
		"sealed, and expired": {func(f *Facts) {
			f.Today = "2026-09-01"
			alter(f, func(i *metrology.Instrument) { i.State = metrology.InstrumentSealed })
		}, [4]Outcome{Registered, Expired, Authorized, Match}, Bad},
		"another instrument of the certificate is sealed": {func(f *Facts) {
			f.Certificate.Leaf.Instruments = append(f.Certificate.Leaf.Instruments, metrology.LeafInstrument{ID: "i-2", Serial: "B-1", Category: "fuel-dispenser"})
			f.Instruments["i-2"] = metrology.Instrument{Nameplate: metrology.Nameplate{Serial: "B-1"}, State: metrology.InstrumentSealed}
		}, [4]Outcome{Registered, Valid, Authorized, Match}, Good},
		"one of the instruments is sealed, none was asked for": {func(f *Facts) {
			f.Serial = ""
			f.Certificate.Leaf.Instruments = append(f.Certificate.Leaf.Instruments, metrology.LeafInstrument{ID: "i-2", Serial: "B-1", Category: "fuel-dispenser"})
			f.Instruments["i-2"] = metrology.Instrument{Nameplate: metrology.Nameplate{Serial: "B-1"}, State: metrology.InstrumentSealed}
		}, [4]Outcome{Registered, InstrumentFrozen, Authorized, MatchUnknown}, Caution},
		"no last day, cycle over": {func(f *Facts) {
			f.Today, f.Certificate.Leaf.ValidUntil = "2026-09-01", ""
			alter(f, func(i *metrology.Instrument) { i.CycleMonths = 6 })
		}, [4]Outcome{Registered, CycleOver, Authorized, Match}, Bad},
		"no last day, last day of the cycle": {func(f *Facts) {
			f.Certificate.Leaf.ValidUntil = ""
			alter(f, func(i *metrology.Instrument) { i.CycleMonths = 6 })
		}, [4]Outcome{Registered, NoTerm, Authorized, Match}, Good},
		"own standards, under duty": {func(f *Facts) { f.Issuer.Grants[0].Authority = metrology.AuthorityEstablished }, [4]Outcome{Registered, Valid, NotAuthorized, Match}, Bad},
		"own standards, no duty": {func(f *Facts) {
			f.Issuer.Grants[0].Authority = metrology.AuthorityEstablished
			useFor(f, metrology.UseOther)
		}, [4]Outcome{Registered, Valid, Authorized, Match}, Good},
		"accredited only":            {func(f *Facts) { f.Issuer.Grants[0].Authority = metrology.AuthorityAccredited }, [4]Outcome{Registered, Valid, NotAuthorized, Match}, Bad},
		"calibration, under duty":    {calibrate, [4]Outcome{Registered, DutyNotMet, Authorized, Match}, Bad},
		"calibration, no duty":       {func(f *Facts) { calibrate(f); useFor(f, metrology.UseOther) }, [4]Outcome{Registered, CalibrationOnly, Authorized, Match}, Neutral},
		"revoked outranks expired":   {func(f *Facts) { f.Today, f.Certificate.State = "2030-01-01", metrology.CertificateRevoked }, [4]Outcome{Registered, Revoked, Authorized, Match}, Bad},
		"issuer unknown":             {func(f *Facts) { f.Issuer = nil }, [4]Outcome{Registered, Valid, IssuerUnknown, Match}, Bad},
		"issuer ended since":         {func(f *Facts) { f.Issuer.State = metrology.IssuerEnded }, [4]Outcome{Registered, Valid, AuthorityEnded, Match}, Neutral},
		"outside the scope":          {func(f *Facts) { f.Issuer.Grants[0].Scope[0].Category = "scale" }, [4]Outcome{Registered, Valid, NotAuthorized, Match}, Bad},
		"grant began after the work": {func(f *Facts) { f.Issuer.Grants[0].From = "2026-03-02" }, [4]Outcome{Registered, Valid, NotAuthorized, Match}, Bad},
		"grant ran out since":        {func(f *Facts) { f.Issuer.Grants[0].Until = "2026-03-01" }, [4]Outcome{Registered, Valid, Authorized, Match}, Good},
		"key reported stolen":        {func(f *Facts) { f.Issuer.Keys[0].Reason = metrology.KeyCompromised }, [4]Outcome{Registered, Valid, KeyCompromised, Match}, Bad},
		"key replaced":               {func(f *Facts) { f.Issuer.Keys[0].Reason = metrology.KeyReplaced }, [4]Outcome{Registered, Valid, Authorized, Match}, Good},
	} {
		t.Run(name, func(t *testing.T) {
			facts := good()
			test.change(&facts)
			verdict := Judge(facts)
			var got [4]Outcome
			for i, answer := range verdict.Answers() {
				got[i] = answer.Outcome
				require.NotEmpty(t, answer.Text.ZH)
			}
			require.Equal(t, test.want, got)
			require.Equal(t, test.tone, verdict.Tone())
			require.NotEmpty(t, verdict.NotProven)
		})
	}
}

// TestOwnStandards wants the limits of an issuer's authority said.
func TestOwnStandards(t *testing.T) {
	said := func(f Facts) bool {
		return slices.ContainsFunc(Judge(f).NotProven, func(s Statement) bool { return s.Code == "own-standards" })
	}
	facts := good()
	require.False(t, said(facts))
	facts.Instruments = nil // nobody knows whether it is under compulsory verification
	facts.Issuer.Grants[0].Authority = metrology.AuthorityEstablished
	require.True(t, said(facts))
	require.Equal(t, Authorized, Judge(facts).Issuer.Outcome)
}

func TestAnchored(t *testing.T) {
	facts := good()
	facts.Issuer = nil
	verdict := Anchored(facts)
	require.Equal(t, Registered, verdict.Integrity.Outcome)
	require.Equal(t, CouldNotCheck, verdict.Status.Outcome, "offline evidence knows nothing of today")
	require.Equal(t, "not-today", verdict.NotProven[0].Code)
	facts.Digest.Value = strings.Repeat("00", 32)
	require.Equal(t, NotRegistered, Anchored(facts).Integrity.Outcome)
}

func TestUnchecked(t *testing.T) {
	require.Equal(t, Unknown, Verdict{}.Tone(), "no answer is no good answer")
	require.Equal(t, Unknown, Unchecked().Tone())
	for _, answer := range Unchecked().Answers() {
		require.Equal(t, CouldNotCheck, answer.Outcome)
	}
}

func TestNeverGreen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		facts := good()
		facts.Today = facts.Today.AddDays(rapid.IntRange(-400, 400).Draw(t, "day"))
		facts.Serial = rapid.SampledFrom([]string{"", "A-77", "A-78", "77", "a-77", "A－77", "A -77"}).Draw(t, "serial")
		facts.Certificate.State = rapid.SampledFrom([]metrology.CertificateState{
			metrology.CertificateAnchored, metrology.CertificateRevoked, metrology.CertificateSuperseded}).Draw(t, "state")
		if rapid.Bool().Draw(t, "calibration") {
			calibrate(&facts)
		}
		verdict := Judge(facts)
		same := metrology.FoldSerial(facts.Serial) == "A-77"
		if facts.Serial != "" && !same {
			require.Equal(t, Mismatch, verdict.Match.Outcome)
			require.NotEqual(t, Good, verdict.Tone(), "another serial number is never green")
		}
		if !facts.Certificate.Leaf.Kind.Verification() || facts.Certificate.State != metrology.CertificateAnchored ||
			facts.Today > facts.Certificate.Leaf.ValidUntil && facts.Certificate.Leaf.ValidUntil != "" {
			require.NotEqual(t, Good, verdict.Status.Tone)
			require.NotEqual(t, Good, verdict.Tone())
		}
	})
}

func TestTexts(t *testing.T) {
	for outcome, answer := range answerTable() {
		require.NotEmpty(t, answer.Text.EN, outcome)
		require.NotEmpty(t, answer.Tone, outcome)
		require.NotContains(t, answer.Text.ZH, "伪造", "an answer never calls a file forged")
		require.NotContains(t, answer.Text.EN, "forged")
		require.NotContains(t, answer.Text.ZH, "检定文件", "files are 核验, instruments 检定")
	}
	require.Equal(t, "此文件未登记", answerTable()[NotRegistered].Text.ZH)
	for code, text := range statementTable() {
		require.NotEmpty(t, text.ZH, code)
		require.NotEmpty(t, text.EN, code)
	}
}

func BenchmarkJudge(b *testing.B) {
	facts := good()
	for b.Loop() {
		Judge(facts)
	}
}
