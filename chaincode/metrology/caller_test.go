package metrology

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCallerCheck binds each role to its organisation, stated here apart from
// the table under test.
func TestCallerCheck(t *testing.T) {
	home := map[Role]string{
		"regulator": "RegulatorMSP", "inspector": "RegulatorMSP", "institute": "InstituteMSP",
		"merchant": "AssociationMSP", "association": "AssociationMSP", "notary": "NotaryMSP",
	}
	require.Len(t, RoleOrganizations, len(home))
	for role := range home {
		for _, organization := range []string{RegulatorMSP, InstituteMSP, AssociationMSP, NotaryMSP, "OtherMSP", ""} {
			err := Caller{MSP: organization, Role: role, Subject: "s"}.Check()
			if organization == home[role] {
				require.NoError(t, err)
			} else {
				require.Equal(t, CodeForbidden, ErrorCode(err), "%s of %s", role, organization)
			}
		}
	}
	for _, caller := range []Caller{
		{MSP: RegulatorMSP, Subject: "s"}, {MSP: RegulatorMSP, Role: "root", Subject: "s"}, {MSP: RegulatorMSP, Role: RoleRegulator},
		{MSP: RegulatorMSP, Role: RoleRegulator, Subject: "a/b"}, {MSP: "", Role: "", Subject: "s"},
	} {
		require.Equal(t, CodeForbidden, ErrorCode(caller.Check()), "%+v", caller)
	}
}

func TestBindingPermits(t *testing.T) {
	caller := Caller{MSP: AssociationMSP, Role: RoleMerchant, Subject: "s"}
	binding := Binding{MSP: AssociationMSP, Subject: "s", Kind: PrincipalMerchant, Principal: "m-1"}
	require.NoError(t, binding.Permits(true, caller, PrincipalMerchant, "m-1"))
	revoked := binding
	revoked.Revoked = true
	for name, err := range map[string]error{
		"not recorded":    binding.Permits(false, caller, PrincipalMerchant, "m-1"),
		"revoked":         revoked.Permits(true, caller, PrincipalMerchant, "m-1"),
		"other principal": binding.Permits(true, caller, PrincipalMerchant, "m-2"),
		"other kind":      binding.Permits(true, caller, PrincipalIssuer, "m-1"),
		"other subject":   binding.Permits(true, Caller{MSP: AssociationMSP, Subject: "t"}, PrincipalMerchant, "m-1"),
		"other CA":        binding.Permits(true, Caller{MSP: NotaryMSP, Subject: "s"}, PrincipalMerchant, "m-1"),
	} {
		require.Equal(t, CodeForbidden, ErrorCode(err), name)
	}
}

func TestCheckReplay(t *testing.T) {
	event := NewEvent(EventMerchantRegistered, "m-1")
	done := Operation{Function: "f", RequestHash: "h", TransactionID: "tx-1", Event: &event}
	require.NoError(t, done.CheckReplay(Operation{Function: "f", RequestHash: "h", TransactionID: "tx-2"}))
	require.Equal(t, CodeOperationReused, ErrorCode(done.CheckReplay(Operation{Function: "g", RequestHash: "h"})))
	require.Equal(t, CodeOperationReused, ErrorCode(done.CheckReplay(Operation{Function: "f", RequestHash: "i"})))
	require.Equal(t, CodeAbandoned, ErrorCode(Operation{TransactionID: "tx-1"}.CheckReplay(done)))
}
