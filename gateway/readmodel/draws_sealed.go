package readmodel

import (
	"context"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// escrowKey projects a key of kind escrow-key.
func (a *applier) escrowKey(raw []byte) error {
	key, err := read[metrology.EscrowKey](raw)
	if err != nil {
		return err
	}
	return a.exec(`INSERT INTO escrow_keys (org, doc) VALUES (?, ?) ON CONFLICT (org) DO UPDATE SET doc = excluded.doc`, key.Org, string(raw))
}

// EscrowKeys lists the keys to which secrets of sealed draws are encrypted.
func (s *Store) EscrowKeys(ctx context.Context) ([]metrology.EscrowKey, error) {
	return all(ctx, s, "escrow keys", `SELECT doc FROM escrow_keys ORDER BY org`, func(row scanner) (metrology.EscrowKey, error) {
		var doc string
		if err := row.Scan(&doc); err != nil {
			return metrology.EscrowKey{}, err
		}
		return read[metrology.EscrowKey]([]byte(doc))
	})
}
