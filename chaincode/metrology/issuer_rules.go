package metrology

import (
	"fmt"
	"slices"
)

// Bounds of an issuer's record. They are limits of this format.
const (
	maxGrants    = 32   // past ones stay
	maxScope     = 2000 // rows of one grant
	maxKeys      = 32
	maxSPKIBytes = 128
)

// NewIssuer checks a registration and returns the record it makes.
func NewIssuer(cmd RegisterIssuer, caller Caller, stamp string) (Issuer, error) {
	if err := caller.Require(RoleRegulator); err != nil {
		return Issuer{}, err
	}
	if err := CheckID("id", cmd.ID); err != nil {
		return Issuer{}, err
	}
	if err := checkGrants(cmd.Region, cmd.Grants); err != nil {
		return Issuer{}, err
	}
	return Issuer{ID: cmd.ID, Region: cmd.Region, Grants: cmd.Grants, State: IssuerActive, Registered: stamp, Profile: true}, nil
}

func checkGrants(region string, grants []Grant) error {
	if err := CheckRegion("region", region); err != nil {
		return err
	}
	if len(grants) == 0 || len(grants) > maxGrants {
		return FieldErrorf(CodeInvalid, "grants", "%d grants, want 1 to %d", len(grants), maxGrants)
	}
	for i, grant := range grants {
		if err := grant.check(fmt.Sprintf("grants[%d]", i)); err != nil {
			return err
		}
	}
	return nil
}

func (g Grant) check(field string) error {
	if err := OneOf(field+".authority", g.Authority, AuthorityAuthorized, AuthorityEstablished, AuthorityAccredited); err != nil {
		return err
	}
	if err := checkText(field+".number", g.Number, false); err != nil {
		return err
	}
	if err := checkPeriod(field, g.From, g.Until); err != nil {
		return err
	}
	if len(g.Scope) == 0 || len(g.Scope) > maxScope {
		return FieldErrorf(CodeInvalid, field+".scope", "%d rows, want 1 to %d", len(g.Scope), maxScope)
	}
	for i, item := range g.Scope {
		row := fmt.Sprintf("%s.scope[%d]", field, i)
		if err := checkText(row+".category", item.Category, true); err != nil {
			return err
		}
		if err := checkText(row+".regulation", item.Regulation, true); err != nil {
			return err
		}
	}
	return nil
}

// checkPeriod refuses a period that does not exist or ends before it begins.
// field is the path of the object that holds from and until.
func checkPeriod(field string, from, until Date) error {
	if err := CheckDate(field+".from", from); err != nil {
		return err
	}
	if err := CheckDate(field+".until", until); err != nil {
		return err
	}
	if until.Before(from) {
		return FieldErrorf(CodeInvalid, field+".until", "ends on %s, before its start on %s", until, from)
	}
	return nil
}

// within reports whether day lies in the period, both ends included.
func within(day, from, until Date) bool { return !day.Before(from) && !until.Before(day) }

// Apply returns the issuer after a command that needs no more than a state
// change. Who may is decided by the contract, which knows the bindings.
func (i Issuer) Apply(command IssuerCommand) (Issuer, error) {
	next, err := IssuerTransitions.Next("issuer", i.State, command)
	i.State = next
	return i, err
}

// Amend returns the issuer after AmendIssuer.
func (i Issuer) Amend(cmd AmendIssuer, today Date) (Issuer, error) {
	i, err := i.Apply(IssuerAmend)
	if err != nil {
		return i, err
	}
	if err := checkGrants(cmd.Region, cmd.Grants); err != nil {
		return i, err
	}
	for n, old := range i.Grants {
		kept := func(g Grant) bool { return g.keeps(old, today) }
		if old.From.Before(today) && !slices.ContainsFunc(cmd.Grants, kept) {
			return i, FieldErrorf(CodeInvalid, "grants",
				"grant %d of the record, %s from %s, is missing or changed for days gone by: end it, and add another", n, old.Authority, old.From)
		}
	}
	i.Region, i.Grants, i.Profile = cmd.Region, cmd.Grants, i.Profile || cmd.Profile
	return i, nil
}

// keeps reports whether g says of all days before today what old said. Who asks
// years later whether a document was within its issuer's authority is answered
// from the grants, so a renewal must not take the grant before it away.
func (g Grant) keeps(old Grant, today Date) bool {
	same := g.Authority == old.Authority && g.From == old.From && slices.Equal(g.Scope, old.Scope)
	if old.Until.Before(today) {
		return same && g.Until == old.Until
	}
	return same && !g.Until.Before(today.AddDays(-1))
}

// AddKey returns the issuer with one more key. id and scheme are what the
// contract found in the key's DER.
func (i Issuer) AddKey(cmd AddIssuerKey, id, scheme string) (Issuer, error) {
	i, err := i.Apply(IssuerAddKey)
	if err != nil {
		return i, err
	}
	if len(cmd.SPKI) > maxSPKIBytes {
		return i, FieldErrorf(CodeInvalid, "spki", "is longer than %d bytes", maxSPKIBytes)
	}
	if err := CheckDate("from", cmd.From); err != nil {
		return i, err
	}
	if err := CheckDate("until", cmd.Until); err != nil {
		return i, err
	}
	if cmd.Until.Before(cmd.From) {
		return i, FieldErrorf(CodeInvalid, "until", "ends on %s, before its start on %s", cmd.Until, cmd.From)
	}
	if len(i.Keys) >= maxKeys {
		return i, FieldErrorf(CodeInvalid, "spki", "the issuer already has %d keys", maxKeys)
	}
	for _, key := range i.Keys {
		if key.ID == id {
			return i, FieldErrorf(CodeConflict, "spki", "key %s is already registered", id)
		}
	}
	key := IssuerKey{ID: id, Scheme: scheme, SPKI: cmd.SPKI, From: cmd.From, Until: cmd.Until}
	i.Keys = append(append([]IssuerKey(nil), i.Keys...), key)
	return i, nil
}

// RevokeKey returns the issuer with one key ended. One that was replaced or
// lost may turn out to be compromised.
func (i Issuer) RevokeKey(cmd RevokeIssuerKey, stamp string) (Issuer, error) {
	i, err := i.Apply(IssuerRevokeKey)
	if err != nil {
		return i, err
	}
	if err := OneOf("reason", cmd.Reason, KeyCompromised, KeyReplaced, KeyLost); err != nil {
		return i, err
	}
	i.Keys = append([]IssuerKey(nil), i.Keys...)
	for n := range i.Keys {
		key := &i.Keys[n]
		if key.ID != cmd.Key {
			continue
		}
		switch {
		case key.Ended == "":
			key.Ended = stamp
		case cmd.Reason != KeyCompromised || key.Reason == KeyCompromised: // the one thing learnt later
			return i, FieldErrorf(CodeState, "key", "key %s was revoked at %s", key.ID, key.Ended)
		}
		key.Reason = cmd.Reason
		return i, nil
	}
	return i, FieldErrorf(CodeNotFound, "key", "%q is not a key of issuer %s", cmd.Key, i.ID)
}

// KeyStolen reports whether the key of an id was reported stolen.
func (i Issuer) KeyStolen(id string) bool {
	return slices.ContainsFunc(i.Keys, func(k IssuerKey) bool { return k.ID == id && k.Reason == KeyCompromised })
}

// Suspend returns the issuer after SuspendIssuer.
func (i Issuer) Suspend(cmd SuspendIssuer) (Issuer, error) {
	if err := OneOf("reason", cmd.Reason, SuspensionReasons...); err != nil {
		return i, err
	}
	i, err := i.Apply(IssuerSuspend)
	i.Reason = cmd.Reason
	return i, err
}

// Resume returns the issuer after a suspension was lifted.
func (i Issuer) Resume() (Issuer, error) {
	i, err := i.Apply(IssuerResume)
	i.Reason = ""
	return i, err
}

// End returns the issuer after EndIssuer. Whether the successor exists is the
// contract's to check.
func (i Issuer) End(cmd EndIssuer) (Issuer, error) {
	if err := OneOf("reason", cmd.Reason, EndReasons...); err != nil {
		return i, err
	}
	switch {
	case cmd.Successor == "" && cmd.Reason == IssuerMerged:
		return i, FieldErrorf(CodeInvalid, "successor", "is required for reason %q", IssuerMerged)
	case cmd.Successor == i.ID:
		return i, FieldErrorf(CodeInvalid, "successor", "an issuer cannot succeed itself")
	case cmd.Successor != "":
		if err := CheckID("successor", cmd.Successor); err != nil {
			return i, err
		}
	}
	i, err := i.Apply(IssuerEnd)
	i.Reason, i.Successor = cmd.Reason, cmd.Successor
	return i, err
}

// SigningKey returns the key that may sign a batch today.
func (i Issuer) SigningKey(id string, today Date) (IssuerKey, error) {
	for _, key := range i.Keys {
		if key.ID != id {
			continue
		}
		switch {
		case key.Ended != "":
			return key, FieldErrorf(CodeSignature, "key", "key %s was revoked at %s", id, key.Ended)
		case !within(today, key.From, key.Until):
			return key, FieldErrorf(CodeSignature, "key", "key %s is valid from %s to %s", id, key.From, key.Until)
		}
		return key, nil
	}
	return IssuerKey{}, FieldErrorf(CodeSignature, "key", "%q is not a key of issuer %s", id, i.ID)
}

// Work is what an issuer did and needs authority for.
type Work struct {
	Kind       CertificateKind // of the document
	Category   string          // of the instrument; a calibration may leave it open, then any row of a scope fits
	Regulation string          // likewise
	Compulsory bool            // the instrument is under compulsory verification
}

// permits reports whether the authority is one for such work. CNAS
// accreditation covers calibration only, and an instrument under compulsory
// verification is verified by statutory or authorised institutions, never on
// standards assessed for their holder's own work (计量法 Art. 8, 9, 20).
func (a Authority) permits(work Work) bool {
	switch {
	case !work.Kind.Verification():
		return true
	case work.Compulsory:
		return a == AuthorityAuthorized
	}
	return a != AuthorityAccredited
}

// covers reports whether the grant lets its holder do the work on that day.
func (g Grant) covers(work Work, day Date) bool {
	if !g.Authority.permits(work) || !within(day, g.From, g.Until) {
		return false
	}
	for _, item := range g.Scope {
		if (work.Category == "" || item.Category == work.Category) && (work.Regulation == "" || item.Regulation == work.Regulation) {
			return true
		}
	}
	return false
}

// AuthorityFor returns the authority under which the issuer may do the work on
// that day: of several, the one for compulsory verification, else the first.
func (i Issuer) AuthorityFor(work Work, day Date) (authority Authority, found bool) {
	for _, grant := range i.Grants {
		if !grant.covers(work, day) {
			continue
		}
		if grant.Authority == AuthorityAuthorized {
			return AuthorityAuthorized, true
		}
		if !found {
			authority, found = grant.Authority, true
		}
	}
	return authority, found
}

// CheckLeaf refuses a leaf that is outside the issuer's scope or validity, on
// the day of the work or today, or that is dated after today. The leaf must
// have passed Validate.
func (i Issuer) CheckLeaf(leaf Leaf, today Date) error {
	if leaf.Issuer != i.ID {
		return FieldErrorf(CodeInvalid, "issuer", "the leaf names issuer %q, the batch %q", leaf.Issuer, i.ID)
	}
	if today.Before(leaf.Issued) {
		return FieldErrorf(CodeInvalid, "issued", "issued on %s, after today, %s", leaf.Issued, today)
	}
	return i.checkScope(leaf, nil, today)
}

// CheckDuty refuses a leaf about instruments under compulsory verification
// that the issuer has no authority to verify. known holds what the ledger has
// for the ids in the leaf; of other instruments the ledger cannot know whether
// they are under that duty.
func (i Issuer) CheckDuty(leaf Leaf, known map[string]*Instrument, today Date) error {
	return i.checkScope(leaf, known, today)
}

func (i Issuer) checkScope(leaf Leaf, known map[string]*Instrument, today Date) error {
	for n, named := range leaf.Instruments {
		work := Work{Kind: leaf.Kind, Category: named.Category, Regulation: leaf.Regulation}
		subject := string(leaf.Kind)
		if instrument := known[named.ID]; instrument != nil && instrument.UnderDuty() {
			work.Compulsory, subject = true, "compulsory verification"
		}
		for _, day := range []Date{leaf.Performed, today} {
			if _, ok := i.AuthorityFor(work, day); !ok {
				return FieldErrorf(CodeScope, fmt.Sprintf("instruments[%d].category", n),
					"issuer %s has no authority for a %s of category %q by %q on %s", i.ID, subject, work.Category, work.Regulation, day)
			}
		}
	}
	return nil
}
