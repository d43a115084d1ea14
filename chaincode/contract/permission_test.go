package contract

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// permission states who may run one transaction, independently of the code
// under test. Whoever is not listed must be refused with FORBIDDEN.
type permission struct {
	// may lists roles. "regulator" lets every subject of the role; "merchant=own"
	// only the subject that acts for what the request is about; "everybody" is
	// for reading and takes any identity at all.
	may string
	// request is a good request on the ledger of permissionLedger; it may differ
	// by role, since some commands ask different things of different roles.
	request   func(metrology.Role) any
	documents transient
}

// own are the subjects that act for merchant station, site site, issuer inst-1
// and inspection of permissionLedger, and other those that act for others.
var (
	own = map[metrology.Role]string{
		metrology.RoleMerchant: "station-agent", metrology.RoleInstitute: "inst-1-officer", metrology.RoleRegulator: "reg",
		metrology.RoleInspector: "insp-1", metrology.RoleAssociation: "assoc", metrology.RoleNotary: "notary",
	}
	other = map[metrology.Role]string{
		metrology.RoleMerchant: "foreign-agent", metrology.RoleInstitute: "inst-2-officer", metrology.RoleRegulator: "reg-9",
		metrology.RoleInspector: "insp-9", metrology.RoleAssociation: "assoc-9", metrology.RoleNotary: "notary-9",
	}
)

// TestPermissions tries every transaction with every role, as the subject that
// acts for the thing concerned and as one that acts for another, and with every
// role minted by every other organisation's CA.
func TestPermissions(t *testing.T) {
	l := permissionLedger(t)
	table := permissions(t, l)
	for function := range TransactionNames() {
		t.Run(function, func(t *testing.T) {
			row, stated := table[function]
			require.True(t, stated, "state in the table who may run %s", function)
			for role, organization := range metrology.RoleOrganizations {
				row.try(t, l.ledger, function, metrology.Caller{MSP: organization, Role: role, Subject: own[role]}, row.lets(role, true))
				row.try(t, l.ledger, function, metrology.Caller{MSP: organization, Role: role, Subject: other[role]}, row.lets(role, false))
				for _, foreign := range []string{metrology.RegulatorMSP, metrology.InstituteMSP, metrology.AssociationMSP, metrology.NotaryMSP, "StrangerMSP"} {
					if foreign != organization {
						row.try(t, l.ledger, function, metrology.Caller{MSP: foreign, Role: role, Subject: own[role]}, row.may == everybody)
					}
				}
			}
			for _, caller := range []metrology.Caller{
				{MSP: metrology.RegulatorMSP, Role: "", Subject: "reg"},
				{MSP: metrology.RegulatorMSP, Role: "admin", Subject: "reg"},
				{MSP: metrology.RegulatorMSP, Role: "Regulator", Subject: "reg"},
				{MSP: metrology.RegulatorMSP, Role: metrology.RoleRegulator, Subject: ""},
				{MSP: metrology.RegulatorMSP, Role: metrology.RoleRegulator, Subject: "reg/1"},
			} {
				row.try(t, l.ledger, function, caller, row.may == everybody)
			}
		})
	}
	for function := range table {
		require.Contains(t, TransactionNames(), function, "the table names a transaction that does not exist")
	}
}

const everybody = "everybody"

// lets reads the table for a role in its own organisation.
func (p permission) lets(role metrology.Role, isOwn bool) bool {
	for _, word := range strings.Fields(p.may) {
		if word == everybody || word == string(role) || isOwn && word == string(role)+"=own" {
			return true
		}
	}
	return false
}

// try runs the transaction on a copy of the ledger and compares.
func (p permission) try(t *testing.T, l *ledger, function string, caller metrology.Caller, allowed bool) {
	t.Helper()
	fork := l.fork(t)
	var arguments []string
	if p.request != nil {
		arguments = append(arguments, text(t, p.request(caller.Role)))
	}
	if TransactionNames()[function] == 2 {
		arguments = append(arguments, "op-of-the-matrix")
	}
	_, err := fork.invoke(fork.from(caller.MSP, caller.Role, caller.Subject), p.documents, function, arguments...)
	who := fmt.Sprintf("%s as %q %q of %s: %v", function, caller.Role, caller.Subject, caller.MSP, err)
	switch {
	case !allowed:
		require.Equal(t, metrology.CodeForbidden, metrology.ErrorCode(err), who)
		require.Equal(t, len(l.state), len(fork.state), "a refused transaction writes nothing: %s", who)
	case p.may == everybody:
		require.NotEqual(t, metrology.CodeForbidden, metrology.ErrorCode(err), who)
	default:
		require.NoError(t, err, who)
	}
}

// always is a request that is the same for every role.
func always(request any) func(metrology.Role) any {
	return func(metrology.Role) any { return request }
}
