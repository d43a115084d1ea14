package authority

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hyperledger/fabric-sdk-go/pkg/client/msp"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/logging"
	"github.com/hyperledger/fabric-sdk-go/pkg/core/config"
	"github.com/hyperledger/fabric-sdk-go/pkg/fabsdk"
	"gopkg.in/yaml.v3"

	"github.com/steelyard-ledger/steelyard/network/enroll/identity"
)

// Names within the client's configuration; nobody else sees them.
const (
	organization = "organization"
	authorityID  = "authority"
)

// session is the MSP client with its temporary directory, for one request.
type session struct {
	mspID     string
	directory string
	client    *msp.Client
	close     func()
}

// within makes a session, with an identity that the request is signed by
// unless it is nil, and ends it after the request. A request that takes too
// long is given up; its goroutine ends with the program.
func (ca *CA) within(ctx context.Context, signer *identity.Identity, request func(*session) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s, err := ca.open(signer)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		err := request(s)
		s.close() // before the answer is known, so that no key outlives it
		done <- err
	}()
	select {
	case err := <-done:
		return ca.explain(err)
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("the CA at %s does not answer: %w", ca.config.URL, ctx.Err()), os.RemoveAll(s.directory))
	}
}

func (ca *CA) open(signer *identity.Identity) (s *session, err error) {
	if err := os.MkdirAll(ca.config.Directory, 0o700); err != nil {
		return nil, fmt.Errorf("prepare the CA client: %w", err)
	}
	directory, err := os.MkdirTemp(ca.config.Directory, ".session-*") // mode 0700
	if err != nil {
		return nil, fmt.Errorf("prepare the CA client: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("prepare the CA client: %w", err), os.RemoveAll(directory))
		}
	}()
	settings, err := ca.settings(directory, signer)
	if err != nil {
		return nil, err
	}
	for _, module := range []string{"fabsdk", "fabsdk/core", "fabsdk/fab", "fabsdk/msp", "fabsdk/client", "fabsdk/util"} {
		logging.SetLevel(module, logging.CRITICAL) // errors are returned as well
	}
	sdk, err := fabsdk.New(config.FromRaw(settings, "yaml"))
	if err != nil {
		return nil, err
	}
	client, err := msp.New(sdk.Context(), msp.WithOrg(organization), msp.WithCAInstance(authorityID))
	if err != nil {
		sdk.Close()
		return nil, err
	}
	s = &session{mspID: ca.config.MSPID, directory: directory, client: client}
	s.close = func() {
		sdk.Close()
		_ = os.RemoveAll(directory)
	}
	if signer == nil {
		return s, nil
	}
	if err := s.place(signer); err != nil {
		sdk.Close()
		return nil, err
	}
	return s, nil
}

// settings is the client's configuration, in its own words.
func (ca *CA) settings(directory string, signer *identity.Identity) ([]byte, error) {
	type object map[string]any
	authority := object{"url": ca.config.URL, "tlsCACerts": object{"path": ca.config.TLSRoots}}
	if ca.config.Name != "" {
		authority["caName"] = ca.config.Name
	}
	if signer != nil {
		authority["registrar"] = object{"enrollId": signer.Name()}
	}
	return yaml.Marshal(object{
		"version": "1.0.0",
		"client": object{
			"organization": organization,
			"logging":      object{"level": "critical"},
			"tlsCerts":     object{"systemCertPool": false},
			"credentialStore": object{
				"path":        filepath.Join(directory, "users"),
				"cryptoStore": object{"path": directory},
			},
			"BCCSP": object{"security": object{
				"enabled": true, "default": object{"provider": "SW"},
				"hashAlgorithm": "SHA2", "softVerify": true, "level": 256,
			}},
		},
		"organizations": object{organization: object{
			"mspid": ca.config.MSPID, "cryptoPath": filepath.Join(directory, "msp"),
			"certificateAuthorities": []string{authorityID},
		}},
		"certificateAuthorities": object{authorityID: authority},
	})
}

// place puts the identity where the client looks for it: the certificate by
// name and organisation, the key by its subject key identifier.
func (s *session) place(signer *identity.Identity) error {
	key, err := signer.Key()
	if err != nil {
		return err
	}
	id, err := subjectKeyID(&key.PublicKey)
	if err != nil {
		return err
	}
	if err := identity.WriteFile(s.keyFile(id), signer.KeyPEM, 0o600); err != nil {
		return err
	}
	return identity.WriteFile(filepath.Join(s.directory, "users", signer.Name()+"@"+s.mspID+"-cert.pem"), signer.CertificatePEM, 0o600)
}

func (s *session) keyFile(subjectKeyID []byte) string {
	return filepath.Join(s.directory, "keystore", hex.EncodeToString(subjectKeyID)+"_sk")
}

// identity takes out of the client's directory what an enrolment put there.
func (s *session) identity(name string) (*identity.Identity, error) {
	enrolled, err := s.client.GetSigningIdentity(name)
	if err != nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	key, err := os.ReadFile(s.keyFile(enrolled.PrivateKey().SKI()))
	if err != nil {
		return nil, fmt.Errorf("read the key: %w", err)
	}
	return identity.New(s.mspID, enrolled.EnrollmentCertificate(), key)
}
