package readmodel

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
)

// change is the ledger transaction being applied.
type change struct {
	ledger.Transaction
	event    metrology.Event
	claimed  string
	before   int64           // number of certificates before it
	anchored map[string]bool // keys of certificates that it anchored
	touched  map[string]bool // ids of instruments whose verification may have changed
}

// Apply takes the next blocks: their rows and the position in one database
// transaction. Anything but the next block, and anything it does not
// understand, is an error. What stands before such a block is taken, and
// nothing else is changed.
func (s *Store) Apply(ctx context.Context, blocks ...ledger.Block) error {
	if len(blocks) == 0 {
		return nil
	}
	failed, err := s.applyTogether(ctx, blocks)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("apply block %d: %w", blocks[failed].Number, err)
	if failed > 0 {
		err = errors.Join(err, s.Apply(ctx, blocks[:failed]...))
	}
	return err
}

// applyTogether takes all blocks or none. failed is the place of the block at
// fault; the first one stands for all.
func (s *Store) applyTogether(ctx context.Context, blocks []ledger.Block) (failed int, err error) {
	err = s.change(ctx, func(a *applier) error {
		last, err := s.position(ctx, a.tx)
		if err != nil {
			return err
		}
		for i, block := range blocks {
			a.block = block
			if err := a.takeAfter(last); err != nil {
				failed = i
				return err
			}
			last = &ledger.Position{Number: block.Number, Hash: block.Hash}
		}
		return nil
	})
	return failed, err
}

// takeAfter applies the block if it follows last.
func (a *applier) takeAfter(last *ledger.Position) error {
	if err := a.fence(); err != nil {
		return err
	}
	if err := follows(last, a.block, a.genesis); err != nil {
		return err
	}
	return a.apply()
}

// follows refuses a gap and a foreign ledger.
func follows(last *ledger.Position, block ledger.Block, genesis ledger.Hash) error {
	switch {
	case last == nil && block.Number != 0:
		return fmt.Errorf("block 0 comes first: %w", ledger.ErrGap)
	case last == nil && block.Hash != genesis:
		return fmt.Errorf("its hash is %s, not %s: %w", block.Hash, genesis, ledger.ErrForeignLedger)
	case last != nil && block.Number != last.Number+1:
		return fmt.Errorf("block %d comes next: %w", last.Number+1, ledger.ErrGap)
	case last != nil && block.PreviousHash != last.Hash:
		return fmt.Errorf("its predecessor has hash %s, not %s: %w", last.Hash, block.PreviousHash, ledger.ErrForeignLedger)
	}
	return nil
}

func (a *applier) apply() error {
	claimed := ""
	for _, transaction := range a.block.Transactions {
		c := change{Transaction: transaction, claimed: stamp(transaction.Timestamp), anchored: map[string]bool{}, touched: map[string]bool{}}
		if err := a.transaction(&c); err != nil {
			return fmt.Errorf("transaction %s: %w", transaction.ID, err)
		}
		if c.Valid() {
			claimed = max(claimed, c.claimed)
		}
	}
	return a.advance(claimed)
}

// advance moves the position.
func (a *applier) advance(claimed string) error {
	if a.block.Number == 0 {
		return a.exec(`INSERT INTO position (only_row, channel, number, block_hash, genesis_hash, claimed) VALUES (1, ?, 0, ?, ?, ?)`,
			a.channel, a.block.Hash.String(), a.genesis.String(), claimed)
	}
	return a.exec(`UPDATE position SET number = ?, block_hash = ?, claimed = CASE WHEN ? > claimed THEN ? ELSE claimed END`,
		a.block.Number, a.block.Hash.String(), claimed, claimed)
}

// transaction projects what the contract did. Other chaincodes of the channel,
// Fabric's own _lifecycle among them, leave a row in transactions and no more.
func (a *applier) transaction(c *change) error {
	ours := c.Valid() && c.Chaincode == a.chaincode
	if ours && c.Event != nil {
		if err := json.Unmarshal(c.Event.Payload, &c.event); err != nil {
			return fmt.Errorf("read event %s: %w", c.Event.Name, err)
		}
		if err := checkEvent(c.event, c.Event.Name); err != nil {
			return err
		}
	}
	if err := a.recordTransaction(c); err != nil {
		return err
	}
	if !c.Valid() {
		return nil
	}
	if ours {
		if err := a.recordHistory(c); err != nil {
			return err
		}
		if err := a.anchorLeaves(c); err != nil {
			return err
		}
	}
	return a.writes(c)
}

// writes projects the writes to the contract's namespace, whichever chaincode
// the transaction called first.
func (a *applier) writes(c *change) error {
	for _, write := range c.Writes {
		if write.Namespace != a.chaincode {
			continue
		}
		if err := a.write(c, write); err != nil {
			return fmt.Errorf("key %s: %w", write.Key, err)
		}
	}
	for _, private := range c.Private {
		if private.Namespace != a.chaincode {
			continue
		}
		if err := a.private(c, private); err != nil {
			return fmt.Errorf("private key hash %s: %w", hex.EncodeToString(private.KeyHash), err)
		}
	}
	return a.refreshVerifications(c)
}

// recordTransaction keeps the first entry of a transaction id: a second copy
// of an envelope is invalid on the ledger and must not hide the first.
func (a *applier) recordTransaction(c *change) error {
	if c.ID == "" {
		return nil
	}
	return a.exec(`INSERT INTO transactions (id, block, idx, code, valid, function, msp, role, event, entity, claimed, endorsers)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
		c.ID, a.block.Number, c.Index, c.Code.String(), flag(c.Valid()), c.Function, c.Creator.MSPID, c.Creator.Role,
		string(c.event.Type), c.event.ID, c.claimed, strings.Join(c.Endorsers, ","))
}

func (a *applier) recordHistory(c *change) error {
	if c.event.Type == "" {
		return nil
	}
	family, _, _ := strings.Cut(string(c.event.Type), ".")
	return a.exec(`INSERT INTO history (family, entity, block, idx, tx_id, event, reason, role, claimed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		family, c.event.ID, a.block.Number, c.Index, c.ID, string(c.event.Type), c.event.Reason, c.Creator.Role, c.claimed)
}

// families are the transaction families whose events this read model knows.
var families = map[string]bool{
	"merchant": true, "site": true, "pledge": true, "instrument": true, "issuer": true, "certificate": true,
	"inspection": true, "ruleset": true, "operation": true, "draw": true, "gate": true,
}

func checkEvent(event metrology.Event, name string) error {
	family, _, _ := strings.Cut(string(event.Type), ".")
	switch {
	case string(event.Type) != name:
		return fmt.Errorf("event %q says it is %q", name, event.Type)
	case event.Version != metrology.EventVersion:
		return fmt.Errorf("event %q has version %d; this gateway knows %d: use a newer one", name, event.Version, metrology.EventVersion)
	case !families[family]:
		return fmt.Errorf("event %q is of a family this gateway does not know: use a newer one", name)
	}
	return nil
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func parseHash(text string) (hash ledger.Hash, err error) {
	decoded, err := hex.DecodeString(text)
	if err != nil || len(decoded) != len(hash) {
		return hash, fmt.Errorf("%q is not a hash", text)
	}
	copy(hash[:], decoded)
	return hash, nil
}
