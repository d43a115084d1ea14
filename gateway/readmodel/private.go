package readmodel

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
)

// private projects one write to the collection disclosed. What was deleted,
// purged or replaced leaves no row behind; what did not come with the block is
// noted, to be asked for again.
func (a *applier) private(c *change, w ledger.PrivateWrite) error {
	if w.Collection != metrology.CollectionDisclosed {
		return nil // not public
	}
	keyHash := hex.EncodeToString(w.KeyHash)
	n, err := a.count(`DELETE FROM disclosed WHERE key_hash = ?`, keyHash)
	if err != nil {
		return err
	}
	a.deleted = a.deleted || n > 0
	if err := a.exec(`DELETE FROM missing WHERE key_hash = ?`, keyHash); err != nil {
		return err
	}
	switch {
	case w.Delete, w.Purge:
		return nil
	case w.Missing:
		return a.exec(`INSERT INTO missing (key_hash, block, idx, block_hash) VALUES (?, ?, ?, ?)`,
			keyHash, a.block.Number, c.Index, a.block.Hash.String())
	}
	return a.disclose(keyHash, w)
}

// disclose adds the row of a private value.
func (a *applier) disclose(keyHash string, w ledger.PrivateWrite) error {
	kind, parts := metrology.SplitKey(w.Key)
	if len(parts) != 2 {
		return fmt.Errorf("private key of kind %q has %d parts", kind, len(parts))
	}
	var owner, part, name, merchant string
	switch kind {
	case metrology.KindProfile:
		profile, err := read[metrology.Profile](w.Value)
		if err != nil {
			return err
		}
		owner, name = strings.Join(parts, "/"), strings.ToLower(profile.Name)
	case metrology.KindInspectionBody:
		body, err := read[metrology.InspectionBody](w.Value)
		if err != nil {
			return err
		}
		owner, part, merchant = parts[0], parts[1], body.Merchant
	default:
		return fmt.Errorf("private kind %q is not known to this gateway: use a newer one", kind)
	}
	return a.exec(`INSERT INTO disclosed (key_hash, kind, owner, part, name, merchant, doc) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		keyHash, string(kind), owner, part, name, merchant, string(w.Value))
}

// Missing lists the blocks with private values that are in force and did not
// come: peers may get them after the block, from each other. One that was
// purged on every peer before this read model came to it stays here until the
// block that says so.
func (s *Store) Missing(ctx context.Context) ([]uint64, error) {
	return all(ctx, s, "missing values", `SELECT DISTINCT block FROM missing ORDER BY block`, func(row scanner) (uint64, error) {
		var number uint64
		err := row.Scan(&number)
		return number, err
	})
}

// Fill takes, from a block that was read again, the values that were missing
// when it was applied and have not been replaced, deleted or purged since. It
// returns how many. The position stays.
func (s *Store) Fill(ctx context.Context, block ledger.Block) (filled int, err error) {
	err = s.change(ctx, func(a *applier) error {
		a.block = block
		if err := a.fence(); err != nil {
			return err
		}
		for _, t := range block.Transactions {
			if !t.Valid() {
				continue
			}
			for _, w := range t.Private {
				taken, err := a.fill(t.Index, w)
				if err != nil {
					return fmt.Errorf("transaction %s: %w", t.ID, err)
				}
				filled += taken
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("fill from block %d: %w", block.Number, err)
	}
	return filled, nil
}

// PrivateKeys lists the keys that a transaction's private writes can have. The
// chain holds their hashes alone; they follow from the records that the same
// transaction writes.
func PrivateKeys(t ledger.Transaction) []string {
	var keys []string
	for _, w := range t.Writes {
		kind, parts := metrology.SplitKey(w.Key)
		if w.Delete || len(parts) != 1 {
			continue
		}
		keys = append(keys, metrology.Key(metrology.KindProfile, string(kind), parts[0]))
		if kind != metrology.KindInspection {
			continue
		}
		if inspection, err := read[metrology.Inspection](w.Value); err == nil {
			for _, revision := range inspection.Revisions {
				keys = append(keys, metrology.InspectionBodyKey(parts[0], revision.Number))
			}
		}
	}
	return keys
}

// fill takes one value if it is waited for, and returns how many it took.
func (a *applier) fill(index int, w ledger.PrivateWrite) (int, error) {
	if w.Missing || w.Delete || w.Purge || w.Namespace != a.chaincode || w.Collection != metrology.CollectionDisclosed {
		return 0, nil
	}
	keyHash := hex.EncodeToString(w.KeyHash)
	n, err := a.count(`DELETE FROM missing WHERE key_hash = ? AND block = ? AND idx = ? AND block_hash = ?`,
		keyHash, a.block.Number, index, a.block.Hash.String())
	if err != nil || n == 0 {
		return 0, err
	}
	return 1, a.disclose(keyHash, w)
}
