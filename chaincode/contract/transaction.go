package contract

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sort"
	"time"

	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/worldstate"
)

// Context is the transaction context of every contract here.
type Context struct {
	contractapi.TransactionContext
}

// transaction is what a rule may know of the transaction it runs in.
type transaction struct {
	*worldstate.Space
	Caller    metrology.Caller
	ID        string
	Now       time.Time // the submitter's claim, bounded only by the endorsing peers' window
	transient map[string][]byte
}

// Today is the civil date of Now in Asia/Shanghai.
func (t *transaction) Today() metrology.Date { return metrology.DateOf(t.Now) }

// Stamp is Now as stored: RFC 3339, UTC, whole seconds.
func (t *transaction) Stamp() string { return t.Now.UTC().Format(time.RFC3339) }

// actsFor refuses unless the caller is bound to the principal on the ledger.
func (t *transaction) actsFor(kind metrology.PrincipalKind, principal string) error {
	key := metrology.Key(metrology.KindBinding, t.Caller.MSP, t.Caller.Subject, string(kind), principal)
	binding, found, err := worldstate.Get[metrology.Binding](t.Space, key)
	if err != nil {
		return err
	}
	return binding.Permits(found, t.Caller, kind, principal)
}

// bind records that subject acts for the principal, or no longer does.
func (t *transaction) bind(b metrology.Binding) error {
	return t.Put(metrology.Key(metrology.KindBinding, b.MSP, b.Subject, string(b.Kind), b.Principal), b)
}

// takeTransient decodes and checks one transient document. Transient data
// never enters a block.
func takeTransient[D interface{ Validate() error }](t *transaction, member string) (document D, err error) {
	raw, found := t.transient[member]
	if !found {
		return document, metrology.FieldErrorf(metrology.CodeInvalid, member, "is required in the transient map")
	}
	if document, err = decode[D](string(raw)); err != nil {
		return document, err
	}
	return document, document.Validate()
}

// takeDisclosed puts one transient document into the collection disclosed.
func takeDisclosed[D interface{ Validate() error }](t *transaction, member, key string) (document D, err error) {
	if document, err = takeTransient[D](t, member); err != nil {
		return document, err
	}
	return document, t.disclose(key, document)
}

// disclose puts a value into the collection disclosed.
func (t *transaction) disclose(key string, value any) error {
	canonical, err := worldstate.Encode(value)
	if err != nil {
		return err
	}
	return t.PutDisclosed(key, canonical)
}

func newTransaction(ctx *Context) (*transaction, error) {
	stub := ctx.GetStub()
	caller, err := callerOf(ctx)
	if err != nil {
		return nil, err
	}
	timestamp, err := stub.GetTxTimestamp()
	if err != nil {
		return nil, fmt.Errorf("get transaction time: %w", err)
	}
	transient, err := stub.GetTransient()
	if err != nil {
		return nil, fmt.Errorf("get transient data: %w", err)
	}
	return &transaction{
		Space:     worldstate.New(stub),
		Caller:    caller,
		ID:        stub.GetTxID(),
		Now:       timestamp.AsTime(),
		transient: transient,
	}, nil
}

func callerOf(ctx *Context) (metrology.Caller, error) {
	identity := ctx.GetClientIdentity()
	if identity == nil {
		return metrology.Caller{}, metrology.Errorf(metrology.CodeForbidden, "the creator is not an X.509 identity")
	}
	msp, err := identity.GetMSPID()
	if err != nil {
		return metrology.Caller{}, metrology.Errorf(metrology.CodeForbidden, "the creator has no MSP id")
	}
	role, _, err := identity.GetAttributeValue("role")
	if err != nil {
		return metrology.Caller{}, metrology.Errorf(metrology.CodeForbidden, "the certificate's attributes cannot be read")
	}
	subject, _, err := identity.GetAttributeValue("subject")
	if err != nil {
		return metrology.Caller{}, metrology.Errorf(metrology.CodeForbidden, "the certificate's attributes cannot be read")
	}
	return metrology.Caller{MSP: msp, Role: metrology.Role(role), Subject: subject}, nil
}

// write runs one writing transaction: who calls, decode, once per operation
// id, the rule with its saves, one event. The event is the answer.
//
// The operation id makes a second commit a no-op: every write reads its
// operation key and writes it, so of two transactions with one id only one can
// be valid, and later ones are answered from what the first left.
func write[C any](ctx *Context, request, operation string, run func(*transaction, C) (metrology.Event, error)) (string, error) {
	answer, err := writeOnce(ctx, request, operation, run)
	return answer, coded(err)
}

func writeOnce[C any](ctx *Context, request, operation string, run func(*transaction, C) (metrology.Event, error)) (string, error) {
	t, err := newTransaction(ctx)
	if err != nil {
		return "", err
	}
	if err := t.Caller.Check(); err != nil {
		return "", err
	}
	if err := metrology.CheckID("operation", operation); err != nil {
		return "", err
	}
	function, _ := ctx.GetStub().GetFunctionAndParameters()
	entry := metrology.Operation{Function: function, RequestHash: requestHash(function, request, t.transient), TransactionID: t.ID}
	key := t.operationKey(operation)
	earlier, found, err := worldstate.Get[metrology.Operation](t.Space, key)
	if err != nil {
		return "", err
	}
	if found {
		return replay(earlier, entry)
	}
	command, err := decode[C](request)
	if err != nil {
		return "", err
	}
	event, err := run(t, command)
	if err != nil {
		return "", err
	}
	entry.Event = &event
	if err := t.Put(key, entry); err != nil {
		return "", err
	}
	payload, err := worldstate.Encode(event)
	if err != nil {
		return "", err
	}
	if err := ctx.GetStub().SetEvent(string(event.Type), payload); err != nil {
		return "", fmt.Errorf("set event: %w", err)
	}
	return string(payload), nil
}

func (t *transaction) operationKey(operation string) string {
	return metrology.Key(metrology.KindOperation, t.Caller.MSP, t.Caller.Subject, operation)
}

// replay answers a second use of an operation id without writing anything.
func replay(earlier, now metrology.Operation) (string, error) {
	if err := earlier.CheckReplay(now); err != nil {
		return "", err
	}
	payload, err := worldstate.Encode(earlier.Event)
	return string(payload), err
}

// requestHash covers all that was asked, the transient part too. Transient
// documents carry a random salt, so the hash tells nothing about them.
func requestHash(function, request string, transient map[string][]byte) string {
	digest := sha256.New()
	add := func(part []byte) {
		sum := sha256.Sum256(part)
		digest.Write(sum[:])
	}
	add([]byte(function))
	add([]byte(request))
	names := make([]string, 0, len(transient))
	for name := range transient {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		add([]byte(name))
		add(transient[name])
	}
	return hex.EncodeToString(digest.Sum(nil))
}

// read runs a transaction that writes nothing. Reading needs no role: what
// stands in public state is public.
func read[Q any](ctx *Context, request string, run func(*transaction, Q) (any, error)) (string, error) {
	answer, err := func() (string, error) {
		t, err := newTransaction(ctx)
		if err != nil {
			return "", err
		}
		query, err := decode[Q](request)
		if err != nil {
			return "", err
		}
		result, err := run(t, query)
		if err != nil {
			return "", err
		}
		payload, err := worldstate.Encode(result)
		return string(payload), err
	}()
	return answer, coded(err)
}

// coded makes the error's text start with its code, since the contract API
// passes on nothing but text.
func coded(err error) error {
	if err == nil {
		return nil
	}
	var e *metrology.Error
	if errors.As(err, &e) {
		return e
	}
	return metrology.Errorf(metrology.CodeInternal, "%v", err)
}
