package authority

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"

	"github.com/steelyard-ledger/steelyard/network/enroll/identity"
)

// listPath is the request for a revocation list (Fabric CA server, swagger-fabric-ca.json).
const listPath = "/api/v1/gencrl"

// maxAnswer bounds what is read of an answer: some 100,000 revoked certificates.
const maxAnswer = 16 << 20

// subjectKeyID is how Fabric names a key: SHA-256 of the uncompressed point.
func subjectKeyID(key *ecdsa.PublicKey) ([]byte, error) {
	point, err := key.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encode key: %w", err)
	}
	sum := sha256.Sum256(point)
	return sum[:], nil
}

// RevocationList has the CA make its list of revoked certificates that have
// not expired, as PEM.
func (ca *CA) RevocationList(ctx context.Context, registrar *identity.Identity) ([]byte, *x509.RevocationList, error) {
	text, list, err := ca.revocationList(ctx, registrar)
	if err != nil {
		return nil, nil, fmt.Errorf("ask for the revocation list: %w", ca.explain(err))
	}
	return text, list, nil
}

func (ca *CA) revocationList(ctx context.Context, registrar *identity.Identity) ([]byte, *x509.RevocationList, error) {
	body, err := json.Marshal(map[string]string{"caname": ca.config.Name})
	if err != nil {
		return nil, nil, err
	}
	answer, err := ca.post(ctx, registrar, listPath, body)
	if err != nil {
		return nil, nil, err
	}
	text, err := decodeList(answer)
	if err != nil {
		return nil, nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, nil, errors.New("the CA's answer holds no revocation list")
	}
	list, err := x509.ParseRevocationList(block.Bytes)
	if err != nil {
		return nil, nil, fmt.Errorf("read the revocation list: %w", err)
	}
	return text, list, nil
}

// decodeList reads the CA's answer: {"result":{"CRL":base64 of PEM},"errors":[{"code","message"}]}.
func decodeList(answer []byte) ([]byte, error) {
	var envelope struct {
		Result json.RawMessage `json:"result"` // an empty string beside errors
		Errors []struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(answer, &envelope); err != nil {
		return nil, fmt.Errorf("read the CA's answer: %w", err)
	}
	if len(envelope.Errors) > 0 {
		return nil, &Refusal{Code: envelope.Errors[0].Code, Message: envelope.Errors[0].Message}
	}
	var result struct {
		CRL string `json:"CRL"`
	}
	if err := json.Unmarshal(envelope.Result, &result); err != nil {
		return nil, fmt.Errorf("read the CA's answer: %w", err)
	}
	text, err := base64.StdEncoding.DecodeString(result.CRL)
	if err != nil {
		return nil, fmt.Errorf("read the CA's answer: %w", err)
	}
	return text, nil
}

func (ca *CA) post(ctx context.Context, signer *identity.Identity, path string, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	token, err := token(signer, http.MethodPost, path, body)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(ca.config.URL, "/")+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", token)
	request.Header.Set("Content-Type", "application/json")
	settings := &tls.Config{MinVersion: tls.VersionTLS12}
	if settings.RootCAs, err = readPool(ca.config.TLSRoots); err != nil {
		return nil, err
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: settings, DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, err
	}
	if len(answer) > maxAnswer {
		return nil, fmt.Errorf("the CA's answer is longer than %d bytes", maxAnswer)
	}
	return answer, nil
}

// token is how Fabric CA is told who asks: the certificate and a signature
// over method, path, body and certificate, base64 with dots between.
func token(signer *identity.Identity, method, path string, body []byte) (string, error) {
	key, err := signer.Key()
	if err != nil {
		return "", err
	}
	encode := base64.StdEncoding.EncodeToString
	certificate := encode(signer.CertificatePEM)
	digest := sha256.Sum256([]byte(strings.Join([]string{method, encode([]byte(path)), encode(body), certificate}, ".")))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		return "", fmt.Errorf("sign request: %w", err)
	}
	if order := key.Params().N; s.Cmp(new(big.Int).Rsh(order, 1)) > 0 {
		s.Sub(order, s) // Fabric takes the lower of the two values of S alone
	}
	signature, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
	if err != nil {
		return "", fmt.Errorf("encode signature: %w", err)
	}
	return certificate + "." + encode(signature), nil
}
