package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"fmt"

	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// derive computes a value that only this gateway can, from the identity, the
// Idempotency-Key and the use it is for.
func (s Secret) derive(who Principal, key, use string) []byte {
	mac := hmac.New(sha256.New, s[:])
	for _, part := range []string{who.Label, key, use} {
		fmt.Fprintf(mac, "%d:%s", len(part), part)
	}
	return mac.Sum(nil)
}

// Name is what this gateway calls itself towards others that share its
// database: the same after a restart, and telling nothing of the secret.
func (s Secret) Name() string { return hex.EncodeToString(s.derive(Principal{}, "", "name")[:8]) }

// salt makes the 32 random bytes of a private document.
func (s Secret) salt(who Principal, key, member string) string {
	return hex.EncodeToString(s.derive(who, key, "salt/"+member))
}

// holderSalt opens what a draw's directory commits to about an inspector. It
// follows from this gateway's secret, so that it can tell posts what they drew.
func (s Secret) holderSalt(id, inspector string) public.HolderSalt {
	return public.HolderSalt(s.derive(Principal{Label: "draw/" + id}, inspector, "holder"))
}

// idEncoding has no look-alikes in upper case and no padding.
var idEncoding = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// newID makes an identifier of 80 bits with a prefix that tells what it names.
func (s Secret) newID(who Principal, key, prefix string) string {
	return prefix + idEncoding.EncodeToString(s.derive(who, key, "id/"+prefix)[:10])
}
