// Package authority asks a Fabric CA: enrolment, registration, re-enrolment
// and revocation through the MSP client of fabric-sdk-go, and the revocation
// list, which that client cannot ask for alone.
//
// The client keeps identities in directories of its own. Here it gets a
// temporary one for each request, so that keys stand in wallet files and
// nowhere else.
package authority

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/hyperledger/fabric-sdk-go/pkg/client/msp"

	"github.com/steelyard-ledger/steelyard/network/enroll/identity"
)

// patience bounds one request; the client has no limit of its own.
const patience = 30 * time.Second

// Config names a CA and the organisation it works for.
type Config struct {
	MSPID string
	URL   string // https://host:port
	Name  string // of the CA on its server; empty: the server's default
	// TLSRoots is the PEM file with which the server's certificate is checked.
	TLSRoots string
	// Directory is where temporary files with keys may be made.
	Directory string
}

// CA is a Fabric CA to ask.
type CA struct{ config Config }

// New checks the configuration. It does not ask the CA.
func New(config Config) (*CA, error) {
	where, err := url.Parse(config.URL)
	if err != nil || where.Scheme != "https" || where.Host == "" {
		return nil, fmt.Errorf("URL of the CA %q: want https://host:port, since secrets travel there", config.URL)
	}
	if config.TLSRoots == "" {
		return nil, errors.New("the CA's TLS roots are missing: without them any server could take the secrets")
	}
	if _, err := readPool(config.TLSRoots); err != nil {
		return nil, err
	}
	return &CA{config}, nil
}

func readPool(path string) (*x509.CertPool, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read TLS roots of the CA: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(content) {
		return nil, fmt.Errorf("read TLS roots of the CA: no certificate in %s", path)
	}
	return pool, nil
}

// options asks for a certificate that carries the attributes; the CA refuses a
// holder who is registered without one of them.
func options(attributes []string) []msp.EnrollmentOption {
	var requests []*msp.AttributeRequest
	for _, name := range attributes {
		requests = append(requests, &msp.AttributeRequest{Name: name})
	}
	return []msp.EnrollmentOption{msp.WithType("x509"), msp.WithAttributeRequests(requests)}
}

// Enroll makes a key and has the CA certify it for a registered name, with the
// attributes named.
func (ca *CA) Enroll(ctx context.Context, name, secret string, attributes ...string) (*identity.Identity, error) {
	var enrolled *identity.Identity
	err := ca.within(ctx, nil, func(s *session) error {
		err := s.client.Enroll(name, append(options(attributes), msp.WithSecret(secret))...)
		if err == nil {
			enrolled, err = s.identity(name)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("enroll: %w", err)
	}
	return enrolled, carries(enrolled, attributes)
}

// Reenroll makes a new key and has the CA certify it for the same holder. The
// CA must still know the old certificate as good.
func (ca *CA) Reenroll(ctx context.Context, old *identity.Identity, attributes ...string) (*identity.Identity, error) {
	var renewed *identity.Identity
	err := ca.within(ctx, old, func(s *session) error {
		err := s.client.Reenroll(old.Name(), options(attributes)...)
		if err == nil {
			renewed, err = s.identity(old.Name())
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("re-enroll: %w", err)
	}
	return renewed, carries(renewed, attributes)
}

// carries checks that the CA did what it was asked for.
func carries(i *identity.Identity, attributes []string) error {
	for _, name := range attributes {
		if i.Attributes[name] == "" {
			return fmt.Errorf("the CA's certificate lacks the attribute %q", name)
		}
	}
	return nil
}

// Registration is a holder to be.
type Registration struct {
	Name       string            // stands in every certificate of the holder
	Attributes map[string]string // stand there too
}

// Register makes a holder known to the CA, for one enrolment, and returns the
// secret that the CA drew for it.
func (ca *CA) Register(ctx context.Context, registrar *identity.Identity, r Registration) (secret string, err error) {
	request := &msp.RegistrationRequest{Name: r.Name, Type: "client", MaxEnrollments: 1, CAName: ca.config.Name}
	for name, value := range r.Attributes {
		request.Attributes = append(request.Attributes, msp.Attribute{Name: name, Value: value, ECert: true})
	}
	err = ca.within(ctx, registrar, func(s *session) error {
		secret, err = s.client.Register(request)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("register: %w", err)
	}
	return secret, nil
}

// Reasons for a revocation, as Fabric CA knows them (RFC 5280, section 5.3.1).
// The CA takes any other word for "unspecified", so it is refused here.
func Reasons() []string {
	return []string{
		"unspecified", "keycompromise", "cacompromise", "affiliationchange", "superseded",
		"cessationofoperation", "certificatehold", "privilegewithdrawn", "aacompromise",
	}
}

// Revoke revokes one certificate.
func (ca *CA) Revoke(ctx context.Context, registrar *identity.Identity, certificate *x509.Certificate, reason string) error {
	_, err := ca.revoke(ctx, registrar, &msp.RevocationRequest{
		Serial: fmt.Sprintf("%x", certificate.SerialNumber), AKI: fmt.Sprintf("%x", certificate.AuthorityKeyId), Reason: reason,
	})
	return err
}

// RevokeHolder revokes all certificates of a holder and the holder, who cannot
// enroll again. It returns how many certificates that were.
func (ca *CA) RevokeHolder(ctx context.Context, registrar *identity.Identity, name, reason string) (int, error) {
	return ca.revoke(ctx, registrar, &msp.RevocationRequest{Name: name, Reason: reason})
}

func (ca *CA) revoke(ctx context.Context, registrar *identity.Identity, request *msp.RevocationRequest) (int, error) {
	if !slices.Contains(Reasons(), request.Reason) {
		return 0, fmt.Errorf("revoke: reason %q: want one of %s", request.Reason, strings.Join(Reasons(), ", "))
	}
	request.CAName = ca.config.Name
	revoked := 0
	err := ca.within(ctx, registrar, func(s *session) error {
		response, err := s.client.Revoke(request)
		if err == nil {
			revoked = len(response.RevokedCerts)
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("revoke: %w", err)
	}
	return revoked, nil
}

// Chain returns the CA's own certificate and those above it, root last or
// first as the CA tells them.
func (ca *CA) Chain(ctx context.Context) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	err := ca.within(ctx, nil, func(s *session) error {
		info, err := s.client.GetCAInfo()
		if err != nil {
			return err
		}
		for rest := info.CAChain; ; {
			var block *pem.Block
			if block, rest = pem.Decode(rest); block == nil {
				break
			}
			certificate, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return fmt.Errorf("read the CA's certificate: %w", err)
			}
			chain = append(chain, certificate)
		}
		if len(chain) == 0 {
			return errors.New("read the CA's certificate: there is none in its answer")
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("ask for the CA's certificate: %w", err)
	}
	return chain, nil
}
