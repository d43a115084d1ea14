package ledger

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"google.golang.org/protobuf/proto"
)

// attributesOID is the extension in which Fabric CA certifies attributes, as
// {"attrs":{"name":"value"}}.
var attributesOID = asn1.ObjectIdentifier{1, 2, 3, 4, 5, 6, 7, 8, 1}

// parse reads a signature header. Block 0 may have a creator without a
// certificate: nobody signed it.
func (c *Creator) parse(signatureHeader []byte) error {
	var header common.SignatureHeader
	if err := proto.Unmarshal(signatureHeader, &header); err != nil {
		return fmt.Errorf("decode signature header: %w", err)
	}
	var identity msp.SerializedIdentity
	if err := proto.Unmarshal(header.GetCreator(), &identity); err != nil {
		return fmt.Errorf("decode creator: %w", err)
	}
	c.MSPID = identity.GetMspid()
	if len(identity.GetIdBytes()) == 0 {
		return nil
	}
	certificate, err := parseCertificate(identity.GetIdBytes())
	if err != nil {
		return fmt.Errorf("read creator of %s: %w", c.MSPID, err)
	}
	c.Certificate = certificate.Raw
	attributes, err := Attributes(certificate)
	if err != nil {
		return fmt.Errorf("read creator of %s: %w", c.MSPID, err)
	}
	c.Role, c.Subject = attributes["role"], attributes["subject"]
	return nil
}

// Attributes reads the attributes that Fabric CA certified; nil when there are none.
func Attributes(certificate *x509.Certificate) (map[string]string, error) {
	for _, extension := range certificate.Extensions {
		if !extension.Id.Equal(attributesOID) {
			continue
		}
		var value struct {
			Attrs map[string]string `json:"attrs"`
		}
		if err := json.Unmarshal(extension.Value, &value); err != nil {
			return nil, fmt.Errorf("decode certificate attributes: %w", err)
		}
		return value.Attrs, nil
	}
	return nil, nil
}

func parseCertificate(pemBytes []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(pemBytes)
	if block == nil {
		return nil, errors.New("parse certificate: no PEM block")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("parse certificate: %w", err)
	}
	return certificate, nil
}
