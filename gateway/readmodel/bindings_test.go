package readmodel_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// A post's merchants are those it acts for now; who is dismissed acts for none,
// and a rebuild comes to the same.
func TestPrincipals(t *testing.T) {
	onEach(t, func(t *testing.T, r *register) {
		bind := func(subject, principal string, kind metrology.PrincipalKind, revoked bool) {
			b := metrology.Binding{MSP: metrology.AssociationMSP, Subject: subject, Kind: kind, Principal: principal, Revoked: revoked}
			r.apply(act(metrology.EventMerchantAppointed, principal, put(metrology.Key(metrology.KindBinding, b.MSP, b.Subject, string(b.Kind), b.Principal), b)))
		}
		bind("one", "M-2", metrology.PrincipalMerchant, false)
		bind("one", "M-1", metrology.PrincipalMerchant, false)
		bind("one", "N-1", metrology.PrincipalIssuer, false)
		bind("two", "M-3", metrology.PrincipalMerchant, false)
		bind("one", "M-1", metrology.PrincipalMerchant, true)
		check := func(want ...string) {
			t.Helper()
			got, err := r.Principals(t.Context(), metrology.AssociationMSP, "one", metrology.PrincipalMerchant)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		check("M-2")
		bind("one", "M-1", metrology.PrincipalMerchant, false)
		check("M-1", "M-2")
		require.NoError(t, r.Drop(t.Context()))
		for _, block := range r.blocks {
			require.NoError(t, r.Apply(t.Context(), block))
		}
		check("M-1", "M-2")
		none, err := r.Principals(t.Context(), metrology.InstituteMSP, "one", metrology.PrincipalMerchant)
		require.NoError(t, err)
		require.Empty(t, none, "another organisation's post of the same name is another")
	})
}
