package contract

import (
	"encoding/hex"
	"encoding/json"

	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/signature"
	"github.com/steelyard-ledger/steelyard/chaincode/worldstate"
)

// Certificate is the contract family "certificate".
type Certificate struct{ contractapi.Contract }

// NewCertificate makes the family.
func NewCertificate() *Certificate {
	return &Certificate{Contract: contractapi.Contract{Name: "certificate", TransactionContextHandler: new(Context)}}
}

// GetEvaluateTransactions lists what writes nothing.
func (*Certificate) GetEvaluateTransactions() []string { return []string{"CheckBatch"} }

// AnchorBatch anchors up to metrology.MaxBatchLeaves certificates, all or
// none. Every bad leaf is reported at once (CodeRejectedLeaves).
func (*Certificate) AnchorBatch(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, anchorBatch)
}

// Anchor anchors one certificate: a batch of one.
func (*Certificate) Anchor(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, anchorOne)
}

// CheckBatch answers with the leaves ([]metrology.RejectedLeaf) that
// AnchorBatch would refuse, so that the good ones can be anchored.
func (*Certificate) CheckBatch(ctx *Context, request string) (string, error) {
	return read(ctx, request, checkBatch)
}

// AddRendition adds the digests of another file of the same certificate.
func (*Certificate) AddRendition(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, addRendition)
}

// Revoke takes a certificate back.
func (*Certificate) Revoke(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, revokeCertificate)
}

// Supersede puts another anchored certificate in a certificate's place.
func (*Certificate) Supersede(ctx *Context, request, operation string) (string, error) {
	return write(ctx, request, operation, supersedeCertificate)
}

func anchorOne(t *transaction, cmd metrology.AnchorCertificate) (metrology.Event, error) {
	leaves := []json.RawMessage{cmd.Leaf}
	tree, err := newLeafTree(leaves)
	if err != nil {
		return metrology.Event{}, err
	}
	return anchorBatch(t, metrology.AnchorBatch{
		Issuer: cmd.Issuer, Leaves: leaves, Root: tree.rootHex(), Key: cmd.Key, Signature: cmd.Signature,
	})
}

func anchorBatch(t *transaction, cmd metrology.AnchorBatch) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventCertificatesAnchored, metrology.BatchID(cmd.Issuer, cmd.Root))
	issuer, err := t.issuerFor(cmd.Issuer)
	if err != nil {
		return event, err
	}
	if _, err := issuer.Apply(metrology.IssuerAnchor); err != nil {
		return event, err
	}
	leaves, err := t.judgeLeaves(issuer, cmd.Leaves)
	if err != nil {
		return event, err
	}
	if rejected := rejections(leaves); len(rejected) > 0 {
		return event, metrology.RejectedLeavesError(rejected)
	}
	tree, err := newLeafTree(cmd.Leaves)
	if err != nil {
		return event, err
	}
	if tree.rootHex() != cmd.Root {
		return event, metrology.FieldErrorf(metrology.CodeInvalid, "root", "is not the RFC 6962 root of the leaves, %s", tree.rootHex())
	}
	message := metrology.BatchMessage(cmd.Issuer, tree.root, uint64(len(cmd.Leaves)))
	if err := t.checkSigned(issuer, cmd.Key, message, cmd.Signature); err != nil {
		return event, err
	}
	return event, t.putBatch(cmd, leaves, tree)
}

// putBatch saves the batch and one small record for each certificate; the
// leaves themselves stay in the request.
func (t *transaction) putBatch(cmd metrology.AnchorBatch, leaves []metrology.BatchLeaf, tree leafTree) error {
	t.BatchWrites()
	for i, leaf := range leaves {
		record := metrology.Certificate{
			Batch: cmd.Root, Index: i, LeafHash: hex.EncodeToString(tree.leaves[i]), State: metrology.CertificateAnchored,
		}
		if err := t.Put(metrology.CertificateKey(cmd.Issuer, leaf.Leaf.Number), record); err != nil {
			return err
		}
	}
	if err := t.passGate(metrology.GateInstitute); err != nil {
		return err
	}
	return t.Put(metrology.Key(metrology.KindBatch, cmd.Issuer, cmd.Root), metrology.Batch{
		Issuer: cmd.Issuer, Root: cmd.Root, Count: len(leaves), Key: cmd.Key, Signature: cmd.Signature,
		TransactionID: t.ID, Anchored: t.Stamp(),
	})
}

func checkBatch(t *transaction, q metrology.CheckBatch) (any, error) {
	if err := metrology.CheckID("issuer", q.Issuer); err != nil {
		return nil, err
	}
	issuer, err := t.loadIssuer(q.Issuer)
	if err != nil {
		return nil, err
	}
	if _, err := issuer.Apply(metrology.IssuerAnchor); err != nil {
		return nil, err
	}
	leaves, err := t.judgeLeaves(issuer, q.Leaves)
	if err != nil {
		return nil, err
	}
	return rejections(leaves), nil
}

func addRendition(t *transaction, cmd metrology.AddRendition) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventCertificateRendition, metrology.CertificateID(cmd.Issuer, cmd.Number))
	issuer, err := t.issuerFor(cmd.Issuer)
	if err != nil {
		return event, err
	}
	if _, err := issuer.Apply(metrology.IssuerAnchor); err != nil {
		return event, err
	}
	certificate, err := t.loadCertificate(cmd.Issuer, "number", cmd.Number)
	if err != nil {
		return event, err
	}
	message := metrology.RenditionMessage(cmd.Issuer, certificate.LeafHash, cmd.Digests)
	if certificate, err = certificate.AddRendition(cmd.Digests); err != nil {
		return event, err
	}
	if err := t.checkSigned(issuer, cmd.Key, message, cmd.Signature); err != nil {
		return event, err
	}
	if err := t.passGate(metrology.GateInstitute); err != nil {
		return event, err
	}
	return event, t.Put(metrology.CertificateKey(cmd.Issuer, cmd.Number), certificate)
}

func revokeCertificate(t *transaction, cmd metrology.RevokeCertificate) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventCertificateRevoked, metrology.CertificateID(cmd.Issuer, cmd.Number))
	event.Reason = string(cmd.Reason)
	if err := t.answersFor(cmd.Issuer, metrology.RoleRegulator); err != nil {
		return event, err
	}
	certificate, err := t.loadCertificate(cmd.Issuer, "number", cmd.Number)
	if err != nil {
		return event, err
	}
	if certificate, err = certificate.Revoke(cmd.Reason, t.Caller.Role, t.Stamp()); err != nil {
		return event, err
	}
	return event, t.Put(metrology.CertificateKey(cmd.Issuer, cmd.Number), certificate)
}

func supersedeCertificate(t *transaction, cmd metrology.SupersedeCertificate) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventCertificateSuperseded, metrology.CertificateID(cmd.Issuer, cmd.Number))
	event.Reason = string(cmd.Reason)
	if err := t.answersFor(cmd.Issuer); err != nil {
		return event, err
	}
	certificate, err := t.loadCertificate(cmd.Issuer, "number", cmd.Number)
	if err != nil {
		return event, err
	}
	successor, err := t.loadCertificate(cmd.Issuer, "successor", cmd.Successor)
	if err != nil {
		return event, err
	}
	if certificate, err = certificate.Supersede(cmd, successor, t.Caller.Role, t.Stamp()); err != nil {
		return event, err
	}
	return event, t.Put(metrology.CertificateKey(cmd.Issuer, cmd.Number), certificate)
}

// maxSuccessions bounds how many times an issuer's certificates passed to
// another that then ended, too.
const maxSuccessions = 8

// answersFor refuses a caller who is neither an officer of the issuer, nor of
// the one that came after it once it had ended, nor holds one of the other
// roles.
func (t *transaction) answersFor(id string, others ...metrology.Role) error {
	_, err := t.issuerFor(id, others...)
	for range maxSuccessions {
		if t.Caller.Role != metrology.RoleInstitute || metrology.ErrorCode(err) != metrology.CodeForbidden {
			return err
		}
		ended, found, loadErr := worldstate.Get[metrology.Issuer](t.Space, metrology.Key(metrology.KindIssuer, id))
		if loadErr != nil {
			return loadErr
		}
		if !found || ended.Successor == "" {
			return err
		}
		id = ended.Successor
		err = t.actsFor(metrology.PrincipalIssuer, id)
	}
	return err
}

// loadCertificate loads a certificate by its number. field is the member of
// the request that gave the number.
func (t *transaction) loadCertificate(issuer, field, number string) (metrology.Certificate, error) {
	if err := metrology.CheckText(field, number, metrology.MaxNumberBytes); err != nil {
		return metrology.Certificate{}, err
	}
	key := metrology.CertificateKey(issuer, number)
	return worldstate.Require[metrology.Certificate](t.Space, key, "certificate", metrology.CertificateID(issuer, number))
}

// checkSigned refuses a message without a signature by a key of the issuer
// that is valid today.
func (t *transaction) checkSigned(issuer metrology.Issuer, keyID string, message, signed []byte) error {
	registered, err := issuer.SigningKey(keyID, t.Today())
	if err != nil {
		return err
	}
	key, err := signature.ParseKey(registered.SPKI)
	if err != nil {
		return metrology.Errorf(metrology.CodeInternal, "the stored key %s cannot be read: %v", keyID, err)
	}
	return key.Verify(message, signed)
}
