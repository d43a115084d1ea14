package contract

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/signature"
)

// institute is an issuer on a ledger with all that a test needs to act for it.
type institute struct {
	id      string
	officer actor
	signer  *signature.Signer
}

// grants lets an issuer verify dispensers (24-2) and calibrate anything of
// category mass.
func grants() []metrology.Grant {
	return []metrology.Grant{
		{Authority: metrology.AuthorityAuthorized, From: "2024-01-01", Until: "2028-12-31",
			Scope: []metrology.ScopeItem{{Category: "24-2", Regulation: "JJG 443-2023"}}},
		{Authority: metrology.AuthorityAccredited, From: "2024-01-01", Until: "2028-12-31",
			Scope: []metrology.ScopeItem{{Category: "mass", Regulation: "JJF 1847-2020"}}},
	}
}

// addIssuer registers an issuer with one signing key and the officer
// "<id>-officer".
func (l *ledger) addIssuer(id string, generate func() (*signature.Signer, error)) institute {
	l.t.Helper()
	signer, err := generate()
	require.NoError(l.t, err)
	regulator := l.as(metrology.RoleRegulator, "reg")
	l.must(regulator, "issuer:Register", metrology.RegisterIssuer{ID: id, Region: "440300", Grants: grants()}, profile(id))
	l.must(regulator, "issuer:AddKey", metrology.AddIssuerKey{ID: id, SPKI: signer.Key().SPKI(), From: "2026-01-01", Until: "2026-12-31"}, nil)
	l.must(regulator, "issuer:Appoint", metrology.AppointAgent{ID: id, Subject: id + "-officer"}, nil)
	return institute{id: id, officer: l.as(metrology.RoleInstitute, id+"-officer"), signer: signer}
}

func TestRegisterIssuer(t *testing.T) {
	l := newLedger(t)
	at := l.addIssuer("inst-1", signature.GenerateSM2)
	issuer := load[metrology.Issuer](l, "issuer/inst-1")
	require.Equal(t, metrology.IssuerActive, issuer.State)
	require.Equal(t, at.signer.Key().ID(), issuer.Keys[0].ID)
	require.Equal(t, signature.SchemeSM2, issuer.Keys[0].Scheme)
	require.Contains(t, l.private, "disclosed/profile/issuer/inst-1")

	_, err := l.submit(l.as(metrology.RoleRegulator, "reg"), "issuer:Register",
		metrology.RegisterIssuer{ID: "inst-1", Region: "440300", Grants: grants()}, profile("again"))
	require.Equal(t, metrology.CodeConflict, metrology.ErrorCode(err))
	_, err = l.submit(l.as(metrology.RoleRegulator, "reg"), "issuer:Register",
		metrology.RegisterIssuer{ID: "inst-2", Region: "440300", Grants: grants()}, nil)
	require.Equal(t, metrology.CodeInvalid, metrology.ErrorCode(err), "a profile is required")
}

func TestIssuerKeyIsTheRegulatorsToAdd(t *testing.T) {
	l := newLedger(t)
	at := l.addIssuer("inst-1", signature.GenerateP256)
	another, err := signature.GenerateP256()
	require.NoError(t, err)
	add := metrology.AddIssuerKey{ID: "inst-1", SPKI: another.Key().SPKI(), From: "2026-01-01", Until: "2026-12-31"}
	_, err = l.submit(at.officer, "issuer:AddKey", add, nil)
	require.Equal(t, metrology.CodeForbidden, metrology.ErrorCode(err))
	add.SPKI = []byte("no key")
	_, err = l.submit(l.as(metrology.RoleRegulator, "reg"), "issuer:AddKey", add, nil)
	require.Equal(t, metrology.CodeInvalid, metrology.ErrorCode(err))
	event := l.must(at.officer, "issuer:RevokeKey",
		metrology.RevokeIssuerKey{ID: "inst-1", Key: at.signer.Key().ID(), Reason: metrology.KeyCompromised}, nil)
	require.Equal(t, "compromised", event.Reason)
	require.Equal(t, "2026-03-02T02:00:00Z", load[metrology.Issuer](l, "issuer/inst-1").Keys[0].Ended)
}

func TestEndIssuer(t *testing.T) {
	l := newLedger(t)
	l.addIssuer("inst-1", signature.GenerateP256)
	regulator := l.as(metrology.RoleRegulator, "reg")
	end := metrology.EndIssuer{ID: "inst-1", Reason: metrology.IssuerMerged, Successor: "inst-2"}
	_, err := l.submit(regulator, "issuer:End", end, nil)
	require.Equal(t, metrology.CodeNotFound, metrology.ErrorCode(err), "the successor must exist")
	l.addIssuer("inst-2", signature.GenerateP256)
	l.must(regulator, "issuer:End", end, nil)
	require.Equal(t, "inst-2", load[metrology.Issuer](l, "issuer/inst-1").Successor)
	_, err = l.submit(regulator, "issuer:End", metrology.EndIssuer{ID: "inst-2", Reason: metrology.IssuerMerged, Successor: "inst-1"}, nil)
	require.Equal(t, metrology.CodeState, metrology.ErrorCode(err), "a successor that has ended itself answers for nothing")
}

func TestSuspendAndPurgeIssuer(t *testing.T) {
	l := newLedger(t)
	l.addIssuer("inst-1", signature.GenerateP256)
	regulator, issuer := l.as(metrology.RoleRegulator, "reg"), metrology.IssuerAction{ID: "inst-1"}
	l.must(regulator, "issuer:Suspend", metrology.SuspendIssuer{ID: "inst-1", Reason: metrology.IssuerInvestigated}, nil)
	require.Equal(t, metrology.IssuerSuspended, load[metrology.Issuer](l, "issuer/inst-1").State)
	l.must(regulator, "issuer:Resume", issuer, nil)
	l.must(regulator, "issuer:PurgeProfile", issuer, nil)
	require.NotContains(t, l.private, "disclosed/profile/issuer/inst-1")
	require.False(t, load[metrology.Issuer](l, "issuer/inst-1").Profile)
	l.must(regulator, "issuer:Amend", metrology.AmendIssuer{ID: "inst-1", Region: "440300", Grants: grants(), Profile: true}, profile("new"))
	require.True(t, load[metrology.Issuer](l, "issuer/inst-1").Profile)
	require.Contains(t, l.private, "disclosed/profile/issuer/inst-1")
}

func TestDismissOfficer(t *testing.T) {
	l := newLedger(t)
	at := l.addIssuer("inst-1", signature.GenerateP256)
	l.must(at.officer, "issuer:Appoint", metrology.AppointAgent{ID: "inst-1", Subject: "colleague"}, nil)
	colleague := l.as(metrology.RoleInstitute, "colleague")
	l.must(colleague, "issuer:Dismiss", metrology.AppointAgent{ID: "inst-1", Subject: "inst-1-officer"}, nil)
	_, err := l.submit(at.officer, "issuer:Appoint", metrology.AppointAgent{ID: "inst-1", Subject: "third"}, nil)
	require.Equal(t, metrology.CodeForbidden, metrology.ErrorCode(err))
}
