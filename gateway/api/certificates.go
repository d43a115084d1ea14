package api

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// BatchSigner signs with the keys of issuers that this gateway holds.
type BatchSigner interface {
	// Sign makes a detached signature of issuer over message. The same key and
	// message give the same signature, so that a retry asks for the same
	// thing. Without a key of the issuer the error is metrology.CodeInvalid
	// for the field "signature".
	Sign(ctx context.Context, issuer string, message []byte) (keyID string, signature []byte, err error)
}

// Evidence makes offline evidence.
type Evidence interface {
	// Bundle returns the evidence file of the certificate with this id, as
	// gateway/evidence writes it.
	Bundle(ctx context.Context, id string) ([]byte, error)
	// Steps returns in JSON the blocks that hold the steps of a draw, as
	// gateway/evidence/DRAW.md describes them.
	Steps(ctx context.Context, steps []public.Transaction) ([]byte, error)
}

func (s *Server) mountCertificates(e *echo.Echo) {
	const one = "/v1/certificates/:id"
	e.POST("/v1/certificates", s.anchorCertificate)
	e.POST(one+"/revocation", certificateStep(s, "certificate:Revoke", s.composeRevocation))
	e.POST(one+"/supersession", certificateStep(s, "certificate:Supersede", s.composeSupersession))
	e.POST(one+"/renditions", certificateStep(s, "certificate:AddRendition", s.composeRendition))
	e.GET(one+"/proof", s.proveCertificate)
	e.POST("/v1/certificate-batches", s.importCertificates)
	s.mountImports(e)
}

// CertificateBody is the body of POST /v1/certificates. Without a signature
// the gateway signs with the key it holds for the issuer.
type CertificateBody struct {
	metrology.Leaf
	Key       string `json:"key,omitempty"`       // id of the issuer's key
	Signature []byte `json:"signature,omitempty"` // over the batch message of a batch of one; base64
}

// anchorCertificate anchors one certificate.
func (s *Server) anchorCertificate(c echo.Context) error {
	who, key, err := writer(c)
	if err != nil {
		return err
	}
	var body CertificateBody
	if err := c.Bind(&body); err != nil {
		return err
	}
	leaf, err := body.Leaf.Bytes()
	if err != nil {
		return err
	}
	hash := rfc6962.DefaultHasher.HashLeaf(leaf)
	message := metrology.BatchMessage(body.Issuer, [32]byte(hash), 1)
	keyID, signature, err := s.signed(c.Request().Context(), who, body.Issuer, message, body.Key, body.Signature)
	if err != nil {
		return err
	}
	cmd := metrology.AnchorCertificate{Issuer: body.Issuer, Leaf: leaf, Key: keyID, Signature: signature}
	call, err := newCall("certificate:Anchor", cmd)
	if err != nil {
		return err
	}
	receipt, err := s.writer.Submit(c.Request().Context(), who, key, call)
	if err != nil {
		return onlyLeafError(err)
	}
	id := hex.EncodeToString(hash)
	return answerWritten(c, receipt, id, certificatePlace(id))
}

// writer returns who writes, and under which Idempotency-Key.
func writer(c echo.Context) (Principal, string, error) {
	who, err := principal(c.Request().Context())
	if err != nil {
		return who, "", err
	}
	key, err := idempotencyKey(c.Request())
	return who, key, err
}

// signed returns the signature that came with the request, or makes one.
func (s *Server) signed(ctx context.Context, who Principal, issuer string, message []byte, key string, signature []byte) (string, []byte, error) {
	switch {
	case key == "" && len(signature) == 0:
		return s.sign(ctx, who, issuer, message)
	case key == "":
		return "", nil, metrology.FieldErrorf(metrology.CodeInvalid, "key", "is required with a signature")
	case len(signature) == 0:
		return "", nil, metrology.FieldErrorf(metrology.CodeInvalid, "signature", "is required with a key")
	}
	return key, signature, nil
}

// sign signs with the key an issuer entrusted to this gateway, for its officers
// alone; which of them act for this issuer the contract knows.
func (s *Server) sign(ctx context.Context, who Principal, issuer string, message []byte) (string, []byte, error) {
	caller := metrology.Caller{MSP: who.MSP, Role: metrology.Role(who.Role), Subject: who.Subject}
	if err := caller.Check(); err != nil {
		return "", nil, err
	}
	if err := caller.Require(metrology.RoleInstitute); err != nil {
		return "", nil, err
	}
	return s.signer.Sign(ctx, issuer, message)
}

// newCall encodes a command as the call of its transaction. The encoding is
// deterministic, so the same command is the same request.
func newCall(function string, command any) (Call, error) {
	request, err := json.Marshal(command, json.Deterministic(true))
	if err != nil {
		return Call{}, fmt.Errorf("encode request of %s: %w", function, err)
	}
	return Call{Function: function, Request: request}, nil
}

// onlyLeafError unwraps the rule that the only leaf of a request breaks.
func onlyLeafError(err error) error {
	rejected, isRejected := rejectedLeaves(err)
	if !isRejected || len(rejected) != 1 {
		return err
	}
	return &metrology.Error{Code: rejected[0].Code, Field: rejected[0].Field, Message: rejected[0].Message}
}

func certificatePlace(id string) string { return "/v1/certificates/" + url.PathEscape(id) }

// certificateStep is a route that changes the certificate that the path names
// by its id. compose makes the command out of the certificate and the body.
func certificateStep[B any](s *Server, function string, compose func(context.Context, Principal, public.Certificate, B) (any, error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		who, key, err := writer(c)
		if err != nil {
			return err
		}
		var body B
		if err := c.Bind(&body); err != nil {
			return err
		}
		ctx := c.Request().Context()
		certificate, err := s.register.Certificate(ctx, pathParameter(c)("id"), s.today())
		if err != nil {
			return err
		}
		command, err := compose(ctx, who, certificate, body)
		if err != nil {
			return err
		}
		call, err := newCall(function, command)
		if err != nil {
			return err
		}
		receipt, err := s.writer.Submit(ctx, who, key, call)
		if err != nil {
			return err
		}
		return answerWritten(c, receipt, certificate.ID, certificatePlace(certificate.ID))
	}
}

// RevocationBody is the body of POST /v1/certificates/{id}/revocation.
type RevocationBody struct {
	Reason metrology.CertificateReason `json:"reason"`
}

func (s *Server) composeRevocation(_ context.Context, _ Principal, certificate public.Certificate, body RevocationBody) (any, error) {
	return metrology.RevokeCertificate{Issuer: certificate.Leaf.Issuer, Number: certificate.Leaf.Number, Reason: body.Reason}, nil
}

// SupersessionBody is the body of POST /v1/certificates/{id}/supersession.
type SupersessionBody struct {
	Successor string                      `json:"successor"` // id of the certificate that takes its place, of the same issuer
	Reason    metrology.CertificateReason `json:"reason"`
}

func (s *Server) composeSupersession(ctx context.Context, _ Principal, certificate public.Certificate, body SupersessionBody) (any, error) {
	successor, err := s.register.Certificate(ctx, body.Successor, s.today())
	if metrology.ErrorCode(err) == metrology.CodeNotFound {
		return nil, metrology.FieldErrorf(metrology.CodeNotFound, "successor", "there is no certificate %q", body.Successor)
	}
	if err != nil {
		return nil, err
	}
	if successor.Leaf.Issuer != certificate.Leaf.Issuer {
		return nil, metrology.FieldErrorf(metrology.CodeInvalid, "successor", "is a certificate of another issuer")
	}
	return metrology.SupersedeCertificate{
		Issuer: certificate.Leaf.Issuer, Number: certificate.Leaf.Number, Successor: successor.Leaf.Number, Reason: body.Reason,
	}, nil
}

// RenditionBody is the body of POST /v1/certificates/{id}/renditions. Without
// a signature the gateway signs with the key it holds for the issuer.
type RenditionBody struct {
	Digests   []metrology.Digest `json:"digests"`
	Key       string             `json:"key,omitempty"`       // id of the issuer's key
	Signature []byte             `json:"signature,omitempty"` // over the rendition message; base64
}

func (s *Server) composeRendition(ctx context.Context, who Principal, certificate public.Certificate, body RenditionBody) (any, error) {
	issuer := certificate.Leaf.Issuer
	message := metrology.RenditionMessage(issuer, certificate.ID, body.Digests)
	keyID, signature, err := s.signed(ctx, who, issuer, message, body.Key, body.Signature)
	if err != nil {
		return nil, err
	}
	return metrology.AddRendition{
		Issuer: issuer, Number: certificate.Leaf.Number, Digests: body.Digests, Key: keyID, Signature: signature,
	}, nil
}

// proveCertificate answers with the offline evidence of a certificate.
func (s *Server) proveCertificate(c echo.Context) error {
	ctx := c.Request().Context()
	certificate, err := s.register.Certificate(ctx, pathParameter(c)("id"), s.today())
	if err != nil {
		return err
	}
	bundle, err := s.evidence.Bundle(ctx, certificate.ID)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="`+certificate.ID+`.steelyard.json"`)
	return c.Blob(http.StatusOK, echo.MIMEApplicationJSON, bundle)
}

// rejectedLeaves reads the list that an error of metrology.CodeRejectedLeaves carries.
func rejectedLeaves(err error) ([]metrology.RejectedLeaf, bool) {
	var rule *metrology.Error
	if !errors.As(err, &rule) || rule.Code != metrology.CodeRejectedLeaves {
		return nil, false
	}
	var rejected []metrology.RejectedLeaf
	if json.Unmarshal(jsontext.Value(rule.Message), &rejected) != nil {
		return nil, false
	}
	return rejected, true
}
