package authority

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Refusal is what the CA answered instead of doing what it was asked for.
type Refusal struct {
	Code    int // Fabric CA's own (lib/caerrors)
	Message string
}

// Codes of Fabric CA that say more here than there.
const (
	codeAuthentication = 20
	codeExpired        = 27
	codeAuthorization  = 71
)

func (r *Refusal) Error() string {
	switch r.Code {
	case codeAuthentication:
		return "the CA refuses (20): wrong name or secret, a secret that has been used, or a certificate that is revoked"
	case codeExpired:
		return "the CA refuses (27): the certificate has expired; enroll with a new secret"
	case codeAuthorization:
		return "the CA refuses (71): this identity may not do that, or not with these attributes"
	}
	return fmt.Sprintf("the CA refuses (%d): %s", r.Code, r.Message)
}

// refused finds the CA's answer in the client's text, the only place where it stands.
var refused = regexp.MustCompile(`Error Code: (\d+) - ([^\n]*)`)

// explain says in a sentence what a failed request means. The client's errors
// repeat the whole request, which has no place in a log.
func (ca *CA) explain(err error) error {
	if err == nil {
		return nil
	}
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return refusal
	}
	if found := refused.FindStringSubmatch(err.Error()); found != nil {
		code, _ := strconv.Atoi(found[1]) // digits; one too long for a code says nothing
		return &Refusal{Code: code, Message: strings.TrimSpace(found[2])}
	}
	var unknown *tls.CertificateVerificationError
	if errors.As(err, &unknown) {
		return fmt.Errorf("the server at %s is not the CA that the TLS roots certify: %w", ca.config.URL, unknown.Err)
	}
	var transport *url.Error
	if errors.As(err, &transport) {
		if transport.Timeout() && !errors.Is(err, context.Canceled) {
			return fmt.Errorf("the CA at %s does not answer in time", ca.config.URL)
		}
		return fmt.Errorf("the CA at %s does not answer: %w", ca.config.URL, transport.Err)
	}
	return err
}
