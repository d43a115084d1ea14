package metrology

import "slices"

// KindEscrowKey is the kind of the keys to which secrets of sealed draws are
// encrypted: MSP, value EscrowKey.
const KindEscrowKey Kind = "escrow-key"

// The parts that a sealed draw adds to its keys.
const (
	DrawPartEscrow  = "escrow"  // MSP: value DrawEscrow
	DrawPartLeaves  = "leaves"  // MSP: value DrawLeaves
	DrawPartOpening = "opening" // value DrawOpening
)

// DrawHolders hold the secret of a sealed draw: the regulator, and the notary
// in escrow, so that no one organisation can keep a result shut.
var DrawHolders = []string{RegulatorMSP, NotaryMSP}

// EscrowKey is a holder's X25519 key (RFC 7748), to which the secrets of sealed
// draws are encrypted.
type EscrowKey struct {
	Org  string `json:"org"`
	Key  string `json:"key"` // 32 bytes in hex
	Time int64  `json:"time"`
}

// DrawEscrow is a sealed draw's secret for one holder: HPKE in base mode with
// DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM (RFC 9180), its info
// EscrowInfo. The ciphertext may stand in public state, where the transient
// data of a private collection would pass through the peers of organisations
// that must not know the secret; and its delivery is on record.
type DrawEscrow struct {
	Holder string `json:"holder"` // MSP
	Key    string `json:"key"`    // of the holder, as published
	Box    string `json:"box"`    // 80 bytes in hex: encapsulated key, then ciphertext and tag
}

// escrowBox is the size of a box: an X25519 key, a secret and a tag.
const escrowBox = 32 + 32 + 16

// EscrowInfo binds a box to its draw and holder.
func EscrowInfo(draw, holder string) []byte { return []byte("DR1/escrow\x00" + draw + "\x00" + holder) }

// DrawLeaves is what a holder commits to while the result is sealed: the root
// over the salted leaves of the assignment (chaincode/draw/TRANSCRIPT.md).
type DrawLeaves struct {
	Org    string `json:"org"`
	Root   string `json:"root"`
	Leaves int64  `json:"leaves"`
	Time   int64  `json:"time"`
}

// DrawOpening is the secret of a sealed draw, opened. Wrong names the holders
// whose committed leaves are not those of the outcome.
type DrawOpening struct {
	Org    string   `json:"org"` // who opened it
	Secret string   `json:"secret"`
	Wrong  []string `json:"wrong,omitempty"`
	Time   int64    `json:"time"`
}

// PublishEscrowKey makes a holder's key known. Whoever puts another in its place
// names the one in force: a gateway that has not read all of the ledger yet
// must not take its organisation's key from the gateway that can use it.
type PublishEscrowKey struct {
	Key      string `json:"key"`
	Replaces string `json:"replaces,omitempty"` // the key in force, if there is one
}

// CommitToLeaves records a holder's root over the sealed result.
type CommitToLeaves struct {
	ID     string `json:"id"`
	Root   string `json:"root"`
	Leaves int64  `json:"leaves"`
}

// UnsealDraw opens a sealed draw.
type UnsealDraw struct {
	ID     string `json:"id"`
	Secret string `json:"secret"`
}

// The events of sealed draws.
const (
	EventDrawEscrowKeyPublished EventType = "draw.escrow-key-published"
	EventDrawEscrowAccepted     EventType = "draw.escrow-accepted"
	EventDrawSealed             EventType = "draw.sealed"
	EventDrawUnsealed           EventType = "draw.unsealed"
)

// Sealed says whether the draw's result is, or was, sealed.
func (d Draw) Sealed() bool { return d.Terms.Seal != "" }

// checkSeal refuses a sealed plan that does not say until when, and an open
// one that does.
func (t DrawTerms) checkSeal() error {
	switch {
	case t.Seal == "" && t.OpenWithin != 0:
		return FieldErrorf(CodeInvalid, "plan.openWithin", "is stated, but the plan has no seal")
	case t.Seal != "" && (t.OpenWithin < 1 || t.OpenWithin > longestDraw):
		return FieldErrorf(CodeInvalid, "plan.openWithin", "is not a number of seconds above 0, at most a year")
	}
	return nil
}

// CheckEscrow refuses a filing that does not give every holder its box: the
// secret that opens terms.Seal, encrypted to the key that the holder published.
func (cmd PlanDraw) CheckEscrow(terms DrawTerms, published []*EscrowKey) error {
	if terms.Seal == "" {
		if len(cmd.Escrow) > 0 {
			return FieldErrorf(CodeInvalid, "escrow", "is given, but the plan has no seal")
		}
		return nil
	}
	if len(cmd.Escrow) != len(DrawHolders) {
		return FieldErrorf(CodeInvalid, "escrow", "has %d boxes; %v have one each", len(cmd.Escrow), DrawHolders)
	}
	for i, holder := range DrawHolders {
		box, field := cmd.Escrow[i], indexed("escrow", i)
		switch {
		case box.Holder != holder:
			return FieldErrorf(CodeInvalid, field+".holder", "is not %s", holder)
		case published[i] == nil:
			return FieldErrorf(CodeState, field+".key", "%s has published no key", holder)
		case box.Key != published[i].Key:
			return FieldErrorf(CodeInvalid, field+".key", "is not the one that %s published", holder)
		}
		if err := checkHex(field+".box", box.Box, escrowBox); err != nil {
			return err
		}
	}
	return nil
}

// NewEscrowKey checks a holder's key that is to follow the one in force, which
// is empty if there is none.
func NewEscrowKey(cmd PublishEscrowKey, inForce string, caller Caller, now int64) (EscrowKey, error) {
	if err := requireHolder(caller); err != nil {
		return EscrowKey{}, err
	}
	if cmd.Replaces != inForce && cmd.Key != inForce {
		return EscrowKey{}, FieldErrorf(CodeConflict, "replaces", "is not the key in force of %s", caller.MSP)
	}
	return EscrowKey{Org: caller.MSP, Key: cmd.Key, Time: now}, checkHex("key", cmd.Key, 32)
}

func requireHolder(caller Caller) error { return caller.Require(RoleRegulator, RoleNotary) }

// AcceptEscrow records that the notary has opened its box and found the secret
// of the seal. A sealed draw is not frozen before that.
func (d Draw) AcceptEscrow(caller Caller, now int64) (Draw, error) {
	if err := caller.Require(RoleNotary); err != nil {
		return d, err
	}
	if !d.Sealed() {
		return d, Errorf(CodeState, "this draw is open; there is nothing in escrow")
	}
	d, err := d.Apply(DrawAcceptEscrow)
	if err != nil {
		return d, err
	}
	if d.Escrowed != 0 {
		return d, Errorf(CodeConflict, "the notary has accepted this draw's escrow already")
	}
	d.Escrowed = now
	return d, nil
}

// CommitLeaves records a holder's root over the sealed result. That the root
// is right only another holder can tell before the opening; the opening
// recomputes it.
func (d Draw) CommitLeaves(cmd CommitToLeaves, caller Caller, now int64) (Draw, DrawLeaves, error) {
	if err := requireHolder(caller); err != nil {
		return d, DrawLeaves{}, err
	}
	if !d.Sealed() {
		return d, DrawLeaves{}, Errorf(CodeState, "this draw is open; the contract computes its result")
	}
	d, err := d.Apply(DrawCommitLeaves)
	if err != nil {
		return d, DrawLeaves{}, err
	}
	if err := checkRange("leaves", int(min(cmd.Leaves, MaxDrawObjects+1)), 0, MaxDrawObjects); err != nil {
		return d, DrawLeaves{}, err
	}
	return d, DrawLeaves{Org: caller.MSP, Root: cmd.Root, Leaves: cmd.Leaves, Time: now}, checkHex("root", cmd.Root, 32)
}

// CheckUnseal refuses an opening by who does not hold the secret, or by the
// notary before the declared time: escrow answers a refusal to open, it is no
// second way to tell early. That the secret fits the seal is for the caller to
// check.
func (d Draw) CheckUnseal(cmd UnsealDraw, caller Caller, now int64) error {
	if err := requireHolder(caller); err != nil {
		return err
	}
	if !d.Sealed() {
		return Errorf(CodeState, "this draw is open; there is nothing to unseal")
	}
	if _, err := d.Apply(DrawPost); err != nil {
		return err
	}
	if caller.Role == RoleNotary && now < d.OpenBy {
		return Errorf(CodeState, "the notary opens this draw from %d on, when it should have been opened", d.OpenBy)
	}
	return checkHex("secret", cmd.Secret, 32)
}

// Wrong lists the holders whose leaves are not those of the outcome.
func wrongLeaves(committed []*DrawLeaves, root string, leaves int64) []string {
	var wrong []string
	for _, c := range committed {
		if c != nil && (c.Root != root || c.Leaves != leaves) {
			wrong = append(wrong, c.Org)
		}
	}
	slices.Sort(wrong)
	return wrong
}

// NewDrawOpening records an opening beside the root that the outcome gives.
func NewDrawOpening(cmd UnsealDraw, committed []*DrawLeaves, root string, leaves int64, caller Caller, now int64) DrawOpening {
	return DrawOpening{Org: caller.MSP, Secret: cmd.Secret, Wrong: wrongLeaves(committed, root, leaves), Time: now}
}
