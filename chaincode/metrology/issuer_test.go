package metrology

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var regulator = Caller{MSP: RegulatorMSP, Role: RoleRegulator, Subject: "reg-1"}

// anIssuer verifies fuel dispensers until 2026-06-30 and calibrates mass
// pieces under CNAS.
func anIssuer(t *testing.T) Issuer {
	t.Helper()
	issuer, err := NewIssuer(RegisterIssuer{ID: "inst-1", Region: "440300", Grants: []Grant{
		{Authority: AuthorityAuthorized, Number: "国法计(2024)001", From: "2024-07-01", Until: "2026-06-30",
			Scope: []ScopeItem{{Category: "24-2", Regulation: "JJG 443-2023"}}},
		{Authority: AuthorityAccredited, From: "2023-01-01", Until: "2029-12-31",
			Scope: []ScopeItem{{Category: "mass", Regulation: "JJF 1847-2020"}, {Category: "24-3", Regulation: "JJG 1148-2022"}}},
	}}, regulator, "2026-03-02T02:00:00Z")
	require.NoError(t, err)
	return issuer
}

// requireError checks code and field of a rule's error.
func requireError(t *testing.T, err error, code Code, field string) {
	t.Helper()
	var e *Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, code, e.Code, "%v", err)
	require.Equal(t, field, e.Field, "%v", err)
}

func TestNewIssuer(t *testing.T) {
	good := anIssuer(t)
	require.Equal(t, IssuerActive, good.State)
	command := func(change func(*RegisterIssuer)) RegisterIssuer {
		cmd := RegisterIssuer{ID: good.ID, Region: good.Region, Grants: []Grant{good.Grants[0]}}
		change(&cmd)
		return cmd
	}
	for name, test := range map[string]struct {
		change func(*RegisterIssuer)
		field  string
	}{
		"ErrID":            {func(c *RegisterIssuer) { c.ID = "a b" }, "id"},
		"ErrRegion":        {func(c *RegisterIssuer) { c.Region = "4403" }, "region"},
		"ErrNoGrant":       {func(c *RegisterIssuer) { c.Grants = nil }, "grants"},
		"ErrTooManyGrants": {func(c *RegisterIssuer) { c.Grants = make([]Grant, maxGrants+1) }, "grants"},
		"ErrAuthority":     {func(c *RegisterIssuer) { c.Grants[0].Authority = "self" }, "grants[0].authority"},
		"ErrNumber":        {func(c *RegisterIssuer) { c.Grants[0].Number = " x" }, "grants[0].number"},
		"ErrFrom":          {func(c *RegisterIssuer) { c.Grants[0].From = "2024-02-30" }, "grants[0].from"},
		"ErrUntil":         {func(c *RegisterIssuer) { c.Grants[0].Until = "" }, "grants[0].until"},
		"ErrBackwards":     {func(c *RegisterIssuer) { c.Grants[0].Until = "2024-06-30" }, "grants[0].until"},
		"ErrNoScope":       {func(c *RegisterIssuer) { c.Grants[0].Scope = nil }, "grants[0].scope"},
		"ErrCategory":      {func(c *RegisterIssuer) { c.Grants[0].Scope = []ScopeItem{{Regulation: "JJG 1"}} }, "grants[0].scope[0].category"},
		"ErrRegulation":    {func(c *RegisterIssuer) { c.Grants[0].Scope = []ScopeItem{{Category: "24-2"}} }, "grants[0].scope[0].regulation"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewIssuer(command(test.change), regulator, "")
			requireError(t, err, CodeInvalid, test.field)
		})
	}
	t.Run("ErrNotRegulator", func(t *testing.T) {
		_, err := NewIssuer(command(func(*RegisterIssuer) {}), Caller{MSP: InstituteMSP, Role: RoleInstitute, Subject: "s"}, "")
		requireError(t, err, CodeForbidden, "")
	})
}

func TestIssuerKeys(t *testing.T) {
	add := AddIssuerKey{ID: "inst-1", SPKI: []byte{1}, From: "2026-01-01", Until: "2026-12-31"}
	issuer, err := anIssuer(t).AddKey(add, "k1", "ecdsa-p256-sha256")
	require.NoError(t, err)

	for name, test := range map[string]struct {
		key   string
		today Date
		ok    bool
	}{
		"first day":      {"k1", "2026-01-01", true},
		"last day":       {"k1", "2026-12-31", true},
		"ErrBefore":      {"k1", "2025-12-31", false},
		"ErrAfter":       {"k1", "2027-01-01", false},
		"ErrAnotherOnes": {"k2", "2026-06-01", false},
		"ErrEmpty":       {"", "2026-06-01", false},
	} {
		t.Run(name, func(t *testing.T) {
			key, err := issuer.SigningKey(test.key, test.today)
			if test.ok {
				require.NoError(t, err)
				require.Equal(t, "k1", key.ID)
				return
			}
			requireError(t, err, CodeSignature, "key")
		})
	}
	t.Run("ErrTwice", func(t *testing.T) {
		_, err := issuer.AddKey(add, "k1", "ecdsa-p256-sha256")
		requireError(t, err, CodeConflict, "spki")
	})
	t.Run("ErrPeriod", func(t *testing.T) {
		_, err := issuer.AddKey(AddIssuerKey{From: "2026-02-01", Until: "2026-01-01"}, "k2", "")
		requireError(t, err, CodeInvalid, "until")
	})
	t.Run("ErrLongKey", func(t *testing.T) {
		_, err := issuer.AddKey(AddIssuerKey{SPKI: make([]byte, maxSPKIBytes+1), From: "2026-01-01", Until: "2026-01-01"}, "k2", "")
		requireError(t, err, CodeInvalid, "spki")
	})
	t.Run("ErrTooManyKeys", func(t *testing.T) {
		full := issuer
		full.Keys = make([]IssuerKey, maxKeys)
		_, err := full.AddKey(add, "k2", "")
		requireError(t, err, CodeInvalid, "spki")
	})
	t.Run("a revoked key signs nothing and stays listed", func(t *testing.T) {
		revoked, err := issuer.RevokeKey(RevokeIssuerKey{Key: "k1", Reason: KeyCompromised}, "2026-03-02T02:00:00Z")
		require.NoError(t, err)
		require.Equal(t, KeyCompromised, revoked.Keys[0].Reason)
		require.Empty(t, issuer.Keys[0].Ended, "the issuer before the command is left alone")
		_, err = revoked.SigningKey("k1", "2026-06-01")
		requireError(t, err, CodeSignature, "key")
		_, err = revoked.RevokeKey(RevokeIssuerKey{Key: "k1", Reason: KeyLost}, "")
		requireError(t, err, CodeState, "key")
	})
	t.Run("a replaced key turns out to be stolen", func(t *testing.T) {
		replaced, err := issuer.RevokeKey(RevokeIssuerKey{Key: "k1", Reason: KeyReplaced}, "2026-03-02T02:00:00Z")
		require.NoError(t, err)
		stolen, err := replaced.RevokeKey(RevokeIssuerKey{Key: "k1", Reason: KeyCompromised}, "2026-05-02T02:00:00Z")
		require.NoError(t, err)
		require.Equal(t, KeyCompromised, stolen.Keys[0].Reason)
		require.Equal(t, "2026-03-02T02:00:00Z", stolen.Keys[0].Ended, "it ended when it was replaced")
		_, err = stolen.RevokeKey(RevokeIssuerKey{Key: "k1", Reason: KeyCompromised}, "")
		requireError(t, err, CodeState, "key")
	})
	t.Run("ErrUnknownKey", func(t *testing.T) {
		_, err := issuer.RevokeKey(RevokeIssuerKey{Key: "k9", Reason: KeyLost}, "")
		requireError(t, err, CodeNotFound, "key")
	})
	t.Run("ErrReason", func(t *testing.T) {
		_, err := issuer.RevokeKey(RevokeIssuerKey{Key: "k1", Reason: "tired"}, "")
		requireError(t, err, CodeInvalid, "reason")
	})
}

func TestIssuerEnd(t *testing.T) {
	issuer := anIssuer(t)
	for name, test := range map[string]struct {
		cmd   EndIssuer
		field string
	}{
		"ErrReason":         {EndIssuer{Reason: IssuerInvestigated}, "reason"},
		"ErrMergedIntoNone": {EndIssuer{Reason: IssuerMerged}, "successor"},
		"ErrItself":         {EndIssuer{Reason: IssuerMerged, Successor: "inst-1"}, "successor"},
		"ErrSuccessorID":    {EndIssuer{Reason: IssuerMerged, Successor: "a/b"}, "successor"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := issuer.End(test.cmd)
			requireError(t, err, CodeInvalid, test.field)
		})
	}
	ended, err := issuer.End(EndIssuer{Reason: IssuerMerged, Successor: "inst-2"})
	require.NoError(t, err)
	require.Equal(t, "inst-2", ended.Successor)
	_, err = ended.Apply(IssuerAnchor)
	require.Equal(t, CodeState, ErrorCode(err))
}

func TestIssuerSuspend(t *testing.T) {
	_, err := anIssuer(t).Suspend(SuspendIssuer{Reason: IssuerMerged})
	requireError(t, err, CodeInvalid, "reason")
	suspended, err := anIssuer(t).Suspend(SuspendIssuer{Reason: IssuerInvestigated})
	require.NoError(t, err)
	_, err = suspended.Apply(IssuerAnchor)
	require.Equal(t, CodeState, ErrorCode(err))
	resumed, err := suspended.Resume()
	require.NoError(t, err)
	require.Empty(t, resumed.Reason)
}

func TestIssuerAmend(t *testing.T) {
	const today = Date("2026-03-02")
	issuer := anIssuer(t)
	issuer.Profile = false
	amended, err := issuer.Amend(AmendIssuer{Region: "440100", Grants: issuer.Grants}, today)
	require.NoError(t, err)
	require.Equal(t, "440100", amended.Region)
	require.False(t, amended.Profile, "a purged profile stays purged until a new one is given")

	renewal := issuer.Grants[0]
	renewal.From, renewal.Until = "2026-07-01", "2031-06-30"
	for name, test := range map[string]struct {
		change func([]Grant) []Grant
		today  Date
		field  string // empty: allowed
	}{
		"renewed beside the old one": {func(g []Grant) []Grant { return append(g, renewal) }, today, ""},
		"renewed, another number":    {func(g []Grant) []Grant { g[0].Number, g[0].Until = "x", "2031-06-30"; return g }, today, ""},
		"ended yesterday":            {func(g []Grant) []Grant { g[0].Until = "2026-03-01"; return g }, today, ""},
		"in another order":           {func(g []Grant) []Grant { g[0], g[1] = g[1], g[0]; return g }, today, ""},
		"never began":                {func(g []Grant) []Grant { return g[:1] }, "2023-01-01", ""},
		"ErrNone":                    {func([]Grant) []Grant { return nil }, today, "grants"},
		"ErrRenewedInItsPlace":       {func(g []Grant) []Grant { g[0] = renewal; return g }, today, "grants"},
		"ErrEndedEarlier":            {func(g []Grant) []Grant { g[0].Until = "2026-02-28"; return g }, today, "grants"},
		"ErrBegunLater":              {func(g []Grant) []Grant { g[0].From = "2024-07-02"; return g }, today, "grants"},
		"ErrScopeChanged": {func(g []Grant) []Grant {
			g[0].Scope = []ScopeItem{{Category: "24-9", Regulation: "JJG 443-2023"}}
			return g
		}, today, "grants"},
		"ErrLapsedProlonged": {func(g []Grant) []Grant { g[0].Until = "2031-06-30"; return g }, "2026-07-01", "grants"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := issuer.Amend(AmendIssuer{Region: "440100", Grants: test.change(slices.Clone(issuer.Grants))}, test.today)
			if test.field == "" {
				require.NoError(t, err)
				return
			}
			requireError(t, err, CodeInvalid, test.field)
		})
	}
}

// TestIssuerCheckLeaf/… gives what an issuer may anchor. The day is 2026-03-02
// unless the case says otherwise.
func TestIssuerCheckLeaf(t *testing.T) {
	verification := Leaf{
		Issuer: "inst-1", Kind: KindVerification, Number: "1", Regulation: "JJG 443-2023", Performed: "2026-03-01", Issued: "2026-03-02",
		Instruments: []LeafInstrument{{Category: "24-2", Serial: "S1", Conclusion: ConclusionPass}},
	}
	calibration := Leaf{
		Issuer: "inst-1", Kind: KindCalibration, Number: "2", Performed: "2026-03-01", Issued: "2026-03-02",
		Instruments: []LeafInstrument{{Serial: "S1", Conclusion: ConclusionNone}},
	}
	for name, test := range map[string]struct {
		leaf   Leaf
		change func(*Leaf)
		today  Date
		code   Code
		field  string
	}{
		"verification in scope":                   {leaf: verification},
		"last day of the grant":                   {leaf: verification, change: dated("2026-06-30"), today: "2026-06-30"},
		"calibration that leaves category open":   {leaf: calibration},
		"calibration by a method in scope":        {leaf: calibration, change: func(l *Leaf) { l.Regulation = "JJF 1847-2020" }},
		"calibration under a verification grant":  {leaf: calibration, change: func(l *Leaf) { l.Instruments[0].Category = "24-2" }},
		"ErrOtherIssuer":                          {verification, func(l *Leaf) { l.Issuer = "inst-2" }, "", CodeInvalid, "issuer"},
		"ErrTomorrow":                             {verification, dated("2026-03-03"), "", CodeInvalid, "issued"},
		"ErrGrantOverToday":                       {verification, func(*Leaf) {}, "2026-07-01", CodeScope, "instruments[0].category"},
		"ErrWorkBeforeGrant":                      {verification, func(l *Leaf) { l.Performed = "2024-06-30" }, "", CodeScope, "instruments[0].category"},
		"ErrCategory":                             {verification, func(l *Leaf) { l.Instruments[0].Category = "24-1" }, "", CodeScope, "instruments[0].category"},
		"ErrRegulation":                           {verification, func(l *Leaf) { l.Regulation = "JJG 443-2015" }, "", CodeScope, "instruments[0].category"},
		"ErrSecondInstrument":                     {verification, func(l *Leaf) { l.Instruments = append(l.Instruments, LeafInstrument{Category: "x"}) }, "", CodeScope, "instruments[1].category"},
		"ErrVerificationUnderCNAS":                {verification, func(l *Leaf) { l.Instruments[0].Category, l.Regulation = "24-3", "JJG 1148-2022" }, "", CodeScope, "instruments[0].category"},
		"ErrCalibrationMethodOutsideScope":        {calibration, func(l *Leaf) { l.Regulation = "JJF 1" }, "", CodeScope, "instruments[0].category"},
		"ErrCalibrationCategoryAndMethodUnpaired": {calibration, func(l *Leaf) { l.Regulation, l.Instruments[0].Category = "JJF 1847-2020", "24-3" }, "", CodeScope, "instruments[0].category"},
	} {
		t.Run(name, func(t *testing.T) {
			leaf, today := test.leaf, Date("2026-03-02")
			leaf.Instruments = append([]LeafInstrument(nil), leaf.Instruments...)
			if test.change != nil {
				test.change(&leaf)
			}
			if test.today != "" {
				today = test.today
			}
			err := anIssuer(t).CheckLeaf(leaf, today)
			if !strings.HasPrefix(name, "Err") {
				require.NoError(t, err)
				return
			}
			requireError(t, err, test.code, test.field)
		})
	}
}

// dated puts work and issue on one day.
func dated(day Date) func(*Leaf) {
	return func(l *Leaf) { l.Performed, l.Issued = day, day }
}
