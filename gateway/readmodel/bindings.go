package readmodel

import (
	"context"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// binding projects who acts for whom; one that was revoked is no longer listed.
func (a *applier) binding(raw []byte) error {
	b, err := read[metrology.Binding](raw)
	if err != nil {
		return err
	}
	if b.Revoked {
		return a.exec(`DELETE FROM bindings WHERE msp = ? AND subject = ? AND kind = ? AND principal = ?`, b.MSP, b.Subject, string(b.Kind), b.Principal)
	}
	return a.exec(`INSERT INTO bindings (msp, subject, kind, principal) VALUES (?, ?, ?, ?) ON CONFLICT (msp, subject, kind, principal) DO NOTHING`,
		b.MSP, b.Subject, string(b.Kind), b.Principal)
}

// Principals lists the merchants or issuers that a post acts for, by their ids.
// It is for the post's own desk.
func (s *Store) Principals(ctx context.Context, msp, subject string, kind metrology.PrincipalKind) ([]string, error) {
	return all(ctx, s, "bindings", `SELECT principal FROM bindings WHERE msp = ? AND subject = ? AND kind = ? ORDER BY principal`,
		func(row scanner) (id string, err error) { return id, row.Scan(&id) }, msp, subject, string(kind))
}
