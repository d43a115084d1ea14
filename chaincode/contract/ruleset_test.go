package contract

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology/rules"
)

// proposeRules proposes every shipped table.
func (l *ledger) proposeRules() []metrology.RuleDocument {
	l.t.Helper()
	documents, err := rules.All()
	require.NoError(l.t, err)
	for _, d := range documents {
		l.must(l.as(metrology.RoleRegulator, "reg"), "ruleset:Propose", d, nil)
	}
	return documents
}

// bringRulesIntoForce proposes every shipped table and approves the firm ones.
func (l *ledger) bringRulesIntoForce() {
	l.t.Helper()
	for _, d := range l.proposeRules() {
		if d.Mark == metrology.MarkFirm {
			l.must(l.as(metrology.RoleNotary, "notary"), "ruleset:Approve", metrology.DecideRuleset{ID: d.ID, Version: d.Version}, nil)
		}
	}
}

func TestProposeRuleset(t *testing.T) {
	l := newLedger(t)
	for _, d := range l.proposeRules() {
		want := metrology.RulesetProposed
		if d.Mark == metrology.MarkDraft {
			want = metrology.RulesetDraft
		}
		stored := load[metrology.Ruleset](l, metrology.RulesetKey(d.ID, d.Version))
		require.Equal(t, want, stored.State, d.ID)
		require.Equal(t, d, stored.RuleDocument, "a table survives the ledger unchanged")
	}
	require.Equal(t, metrology.EventRulesetProposed, l.events[0].Type)
	require.Equal(t, "calendar-2025/1", l.events[0].ID)

	t.Run("ErrTaken", func(t *testing.T) {
		documents, err := rules.All()
		require.NoError(t, err)
		_, err = l.submit(l.as(metrology.RoleRegulator, "reg"), "ruleset:Propose", documents[0], nil)
		require.Equal(t, metrology.CodeConflict, metrology.ErrorCode(err))
	})
	t.Run("ErrInstituteProposes", func(t *testing.T) {
		documents, err := rules.All()
		require.NoError(t, err)
		documents[0].Version = 2
		_, err = l.submit(l.as(metrology.RoleInstitute, "i"), "ruleset:Propose", documents[0], nil)
		require.Equal(t, metrology.CodeForbidden, metrology.ErrorCode(err))
	})
}

func TestApproveRuleset(t *testing.T) {
	l := newLedger(t)
	l.proposeRules()
	fuel := metrology.DecideRuleset{ID: "fuel-dispenser", Version: 1}
	for _, role := range []metrology.Role{metrology.RoleRegulator, metrology.RoleInspector, metrology.RoleMerchant} {
		_, err := l.submit(l.as(role, "x"), "ruleset:Approve", fuel, nil)
		require.Equal(t, metrology.CodeForbidden, metrology.ErrorCode(err), role)
	}
	for _, role := range []metrology.Role{metrology.RoleInstitute, metrology.RoleAssociation, metrology.RoleNotary} {
		fork := l.fork(t)
		fork.must(l.as(role, "x"), "ruleset:Approve", fuel, nil)
		stored := load[metrology.Ruleset](fork, "ruleset/fuel-dispenser/1")
		require.Equal(t, metrology.RulesetInForce, stored.State)
		require.Equal(t, metrology.RoleOrganizations[role], stored.Approver)
	}
	_, err := l.submit(l.as(metrology.RoleNotary, "n"), "ruleset:Approve", metrology.DecideRuleset{ID: "taximeter", Version: 1}, nil)
	require.Equal(t, metrology.CodeState, metrology.ErrorCode(err), "a draft never comes into force")
	_, err = l.submit(l.as(metrology.RoleNotary, "n"), "ruleset:Approve", metrology.DecideRuleset{ID: "fuel-dispenser", Version: 9}, nil)
	require.Equal(t, metrology.CodeNotFound, metrology.ErrorCode(err))
}

func TestRepealRuleset(t *testing.T) {
	l := newLedger(t)
	l.bringRulesIntoForce()
	regulator, notary := l.as(metrology.RoleRegulator, "reg"), l.as(metrology.RoleNotary, "n")
	fuel := metrology.DecideRuleset{ID: "fuel-dispenser", Version: 1}
	repeal := metrology.RepealRuleset{ID: "fuel-dispenser", Version: 1, Until: "2026-06-30"}

	l.must(regulator, "ruleset:Repeal", repeal, nil)
	require.True(t, load[metrology.Ruleset](l, "ruleset/fuel-dispenser/1").EffectiveOn("2027-01-01"), "one organisation alone ends nothing")
	rejected := l.fork(t)
	rejected.must(notary, "ruleset:Reject", fuel, nil)
	require.Equal(t, metrology.RulesetInForce, load[metrology.Ruleset](rejected, "ruleset/fuel-dispenser/1").State)

	l.must(notary, "ruleset:Approve", fuel, nil)
	ended := load[metrology.Ruleset](l, "ruleset/fuel-dispenser/1")
	require.True(t, ended.EffectiveOn("2026-06-30"), "it still answers for the days before")
	require.False(t, ended.EffectiveOn("2026-07-01"))
	_, err := l.submit(regulator, "ruleset:Repeal", repeal, nil)
	require.Equal(t, metrology.CodeState, metrology.ErrorCode(err))
}

// TestRulesetVersions: no two versions of a table are in effect on one day.
func TestRulesetVersions(t *testing.T) {
	l := newLedger(t)
	regulator, notary := l.as(metrology.RoleRegulator, "reg"), l.as(metrology.RoleNotary, "notary")
	version := func(n int, from metrology.Date) metrology.RuleDocument {
		document := programme("p")
		document.Version, document.EffectiveFrom = n, from
		return document
	}
	approve := func(n int) error {
		_, err := l.submit(notary, "ruleset:Approve", metrology.DecideRuleset{ID: "p", Version: n}, nil)
		return err
	}
	_, err := l.submit(regulator, "ruleset:Propose", version(2, "2026-07-01"), nil)
	require.Equal(t, metrology.CodeNotFound, metrology.ErrorCode(err), "versions follow one another")
	l.must(regulator, "ruleset:Propose", version(1, "2026-01-01"), nil)
	require.NoError(t, approve(1))
	l.must(regulator, "ruleset:Propose", version(2, "2026-07-01"), nil)
	l.must(notary, "ruleset:Reject", metrology.DecideRuleset{ID: "p", Version: 2}, nil)
	l.must(regulator, "ruleset:Propose", version(3, "2026-07-01"), nil)
	require.Equal(t, metrology.CodeState, metrology.ErrorCode(approve(3)), "version 1 still runs, whatever became of version 2")

	l.must(regulator, "ruleset:Repeal", metrology.RepealRuleset{ID: "p", Version: 1, Until: "2026-06-30"}, nil)
	require.Equal(t, metrology.CodeState, metrology.ErrorCode(approve(3)), "the repeal waits for its own approval")
	require.NoError(t, approve(1))
	require.NoError(t, approve(3))
}
