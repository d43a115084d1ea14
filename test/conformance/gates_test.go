package conformance

import (
	"slices"
	"strings"
	"testing"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
)

// testGates leaves out each organisation in turn: a majority is enough for
// what needs no gate, and a gate holds whatever the majority says.
func testGates(t *testing.T, n *testnet) {
	const (
		valid   = peer.TxValidationCode_VALID
		refused = peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE
	)
	m := n.connect(t, "RegulatorMSP")
	institute, regulator, either := newKey()+"/institute", newKey()+"/regulator", newKey()+"/association-or-notary"
	m.submit(t, "createWithPolicy", institute, "closed", "InstituteMSP")
	m.submit(t, "createWithPolicy", regulator, "closed", "RegulatorMSP")
	m.submit(t, "createWithAnyOf", either, "closed", "AssociationMSP", "NotaryMSP")

	all := []string{"RegulatorMSP", "InstituteMSP", "AssociationMSP", "NotaryMSP"}
	cases := []struct {
		gates                                     []string
		regulator, institute, association, notary peer.TxValidationCode // without a peer of this organisation
	}{
		{nil, valid, valid, valid, valid},
		{[]string{institute}, valid, refused, valid, valid},
		{[]string{regulator}, refused, valid, valid, valid},
		{[]string{either}, valid, valid, valid, valid},
		{[]string{regulator, either}, refused, valid, valid, valid},
		{[]string{institute, regulator, either}, refused, refused, valid, valid},
	}
	for _, c := range cases {
		for i, want := range []peer.TxValidationCode{c.regulator, c.institute, c.association, c.notary} {
			names := []string{"NoGate"}
			for _, gate := range c.gates {
				names = append(names, gate[strings.Index(gate, "/")+1:])
			}
			t.Run(strings.Join(names[min(1, len(c.gates)):], "+")+"/Without"+all[i], func(t *testing.T) {
				others := slices.Delete(slices.Clone(all), i, i+1)
				require.Equal(t, want.String(), m.putThrough(t, others, c.gates))
			})
		}
	}
	t.Run("TwoOfFourAreNoMajority", func(t *testing.T) {
		for i, first := range all {
			for _, second := range all[i+1:] {
				require.Equal(t, refused.String(), m.putThrough(t, []string{first, second}, nil), first+" "+second)
			}
		}
	})
	t.Run("NeitherAssociationNorNotary", func(t *testing.T) {
		require.Equal(t, refused.String(), m.putThrough(t, []string{"RegulatorMSP", "InstituteMSP"}, []string{either}))
	})
	t.Run("GateAloneIsNoMajority", func(t *testing.T) {
		require.Equal(t, refused.String(), m.putThrough(t, []string{"InstituteMSP"}, []string{institute}))
	})
	t.Run("GatewayChoosesEndorsersForTheGates", func(t *testing.T) {
		for range 5 {
			require.Equal(t, valid.String(), m.putThrough(t, nil, []string{institute, regulator, either}))
		}
	})
	t.Run("GatesDoNotMakeWritersConflict", func(t *testing.T) {
		first := m.endorse(t, "putThrough", newKey(), "x", institute)
		second := m.endorse(t, "putThrough", newKey(), "x", institute)
		require.True(t, m.commit(t, second).Successful)
		require.True(t, m.commit(t, first).Successful)
	})
}

// putThrough writes a new key through gates, endorsed by the organisations
// (by the gateway's choice if there are none), and returns the validation code.
func (m *member) putThrough(t *testing.T, organizations, gates []string) string {
	t.Helper()
	options := []client.ProposalOption{client.WithArguments(append([]string{newKey(), "x"}, gates...)...)}
	if len(organizations) > 0 {
		options = append(options, client.WithEndorsingOrganizations(organizations...))
	}
	code, err := m.trySubmit(t, "putThrough", options...)
	require.NoError(t, describe(err))
	return code.String()
}
