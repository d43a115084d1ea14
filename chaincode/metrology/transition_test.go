package metrology

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// requireMatrix tries every command in every state. want lists, apart from the
// table under test, every legal step as "state command next"; the state before
// something exists is written "absent". All other steps must answer STATE.
func requireMatrix[S ~string, C ~string](t *testing.T, table Transitions[S, C], states []S, commands []C, want string) {
	t.Helper()
	legal := make(map[[2]string]S)
	for _, line := range strings.Split(strings.TrimSpace(want), "\n") {
		words := strings.Fields(line)
		require.Len(t, words, 3, line)
		legal[[2]string{strings.Replace(words[0], "absent", "", 1), words[1]}] = S(words[2])
	}
	reached := 0
	for _, state := range append([]S{""}, states...) {
		for _, command := range commands {
			next, err := table.Next("thing", state, command)
			expected, ok := legal[[2]string{string(state), string(command)}]
			if !ok {
				require.Equal(t, CodeState, ErrorCode(err), "%s %s", state, command)
				require.Equal(t, state, next, "an illegal command must leave the state alone")
				continue
			}
			require.NoError(t, err, "%s %s", state, command)
			require.Equal(t, expected, next, "%s %s", state, command)
			reached++
		}
	}
	require.Equal(t, len(legal), reached, "every expected step must be among the states and commands given")
	for state, row := range table {
		for command, next := range row {
			require.Contains(t, commands, command, "state %q", state)
			require.Contains(t, states, next, "state %q", state)
		}
	}
}

func TestMerchantTransitions(t *testing.T) {
	requireMatrix(t, MerchantTransitions,
		[]MerchantState{MerchantActive, MerchantClosed},
		[]MerchantCommand{MerchantRegister, MerchantAmend, MerchantClose, MerchantReopen, MerchantPurge, MerchantAppoint, MerchantDismiss}, `
		absent register active
		active amend active
		active purge-profile active
		active appoint active
		active dismiss active
		active close closed
		closed purge-profile closed
		closed dismiss closed
		closed reopen active`)
}

func TestIssuerTransitions(t *testing.T) {
	requireMatrix(t, IssuerTransitions,
		[]IssuerState{IssuerActive, IssuerSuspended, IssuerEnded},
		[]IssuerCommand{IssuerRegister, IssuerAmend, IssuerAddKey, IssuerRevokeKey, IssuerAppoint, IssuerDismiss, IssuerSuspend,
			IssuerResume, IssuerEnd, IssuerPurge, IssuerAnchor}, `
		absent register active
		active amend active
		active add-key active
		active revoke-key active
		active appoint active
		active dismiss active
		active purge-profile active
		active anchor active
		active suspend suspended
		active end ended
		suspended amend suspended
		suspended revoke-key suspended
		suspended appoint suspended
		suspended dismiss suspended
		suspended purge-profile suspended
		suspended resume active
		suspended end ended
		ended revoke-key ended
		ended dismiss ended
		ended purge-profile ended`)
}

func TestInstrumentTransitions(t *testing.T) {
	requireMatrix(t, InstrumentTransitions,
		[]InstrumentState{InstrumentRegistered, InstrumentInUse, InstrumentRepaired, InstrumentInDispute, InstrumentSealed, InstrumentRetired},
		[]InstrumentCommand{InstrumentRegister, InstrumentAmend, InstrumentReplace, InstrumentPutInUse, InstrumentRepair, InstrumentReverify,
			InstrumentVerify, InstrumentOpenDispute, InstrumentSeal, InstrumentRelease, InstrumentReleaseTest, InstrumentCondemn, InstrumentRetire}, `
		absent register registered
		registered amend registered
		registered replace-parts registered
		registered verify registered
		registered put-in-use in-use
		registered repair repaired
		registered seal sealed
		registered retire retired
		in-use amend in-use
		in-use verify in-use
		in-use repair repaired
		in-use open-dispute in-dispute
		in-use seal sealed
		in-use retire retired
		repaired amend repaired
		repaired replace-parts repaired
		repaired verify repaired
		repaired repair repaired
		repaired reverify in-use
		repaired open-dispute in-dispute
		repaired seal sealed
		repaired retire retired
		in-dispute release in-use
		in-dispute release-for-verification repaired
		in-dispute condemn sealed
		sealed verify sealed
		sealed release in-use
		sealed release-for-verification repaired
		retired verify retired`)
}

func TestCertificateTransitions(t *testing.T) {
	requireMatrix(t, CertificateTransitions,
		[]CertificateState{CertificateAnchored, CertificateSuperseded, CertificateRevoked},
		[]CertificateCommand{CertificateAnchor, CertificateAddDigest, CertificateSupersede, CertificateSucceed, CertificateRevoke}, `
		absent anchor anchored
		anchored add-rendition anchored
		anchored succeed anchored
		anchored supersede superseded
		anchored revoke revoked
		superseded add-rendition superseded
		superseded revoke revoked`)
}
