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

// creators remembers those of one block by their serialised identity: a few
// submit most of its transactions.
type creators map[string]Creator

// parse reads a signature header. Block 0 may have a creator without a
// certificate: nobody signed it.
func (known creators) parse(signatureHeader []byte) (Creator, error) {
	var header common.SignatureHeader
	if err := proto.Unmarshal(signatureHeader, &header); err != nil {
		return Creator{}, fmt.Errorf("decode signature header: %w", err)
	}
	if creator, ok := known[string(header.GetCreator())]; ok {
		return creator, nil
	}
	creator, err := parseCreator(header.GetCreator())
	if err == nil {
		known[string(header.GetCreator())] = creator
	}
	return creator, err
}

func parseCreator(serialized []byte) (Creator, error) {
	var identity msp.SerializedIdentity
	if err := proto.Unmarshal(serialized, &identity); err != nil {
		return Creator{}, fmt.Errorf("decode creator: %w", err)
	}
	creator := Creator{MSPID: identity.GetMspid()}
	if len(identity.GetIdBytes()) == 0 {
		return creator, nil
	}
	certificate, err := parseCertificate(identity.GetIdBytes())
	if err != nil {
		return Creator{}, fmt.Errorf("read creator of %s: %w", creator.MSPID, err)
	}
	attributes, err := Attributes(certificate)
	if err != nil {
		return Creator{}, fmt.Errorf("read creator of %s: %w", creator.MSPID, err)
	}
	creator.Certificate, creator.Role, creator.Subject = certificate.Raw, attributes["role"], attributes["subject"]
	return creator, nil
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
