package api

import (
	"bytes"
	"context"
	"encoding/hex"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/stretchr/testify/require"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/signature"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// certificateLedger is a ledger and a register in memory, with the contract's
// rules for certificates and none for anything else.
type certificateLedger struct {
	Register // what is not asked for here is not there
	mutex    sync.Mutex

	issuer       metrology.Issuer
	public       signature.Key
	certificates map[string]public.Certificate // by id
	entities     map[string]bool               // ids of merchants, sites and instruments
	calls        map[string]Call               // by idempotency key
	order        []Call                        // as they came
	fail         func(Call) error              // what Submit meets before it does anything
	unknown      bool                          // commits are not known in time
}

func (l *certificateLedger) Evaluate(_ context.Context, _ Principal, function string, request []byte) ([]byte, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	var check metrology.CheckBatch
	if err := unmarshalStrict(request, &check); err != nil || function != "certificate:CheckBatch" {
		return nil, fmt.Errorf("evaluate %s: %w", function, err)
	}
	if check.Issuer != l.issuer.ID {
		return nil, metrology.Errorf(metrology.CodeNotFound, "issuer %q is not registered", check.Issuer)
	}
	rejected, err := l.judge(check.Leaves)
	if err != nil {
		return nil, err
	}
	return stdjson.Marshal(rejected)
}

func (l *certificateLedger) judge(raws []stdjson.RawMessage) ([]metrology.RejectedLeaf, error) {
	leaves, err := metrology.ReadLeaves(l.issuer, raws, testToday)
	if err != nil {
		return nil, err
	}
	rejected := []metrology.RejectedLeaf{}
	for i, leaf := range leaves {
		for id, taken := range l.certificates {
			if leaf.Err == nil && taken.Leaf.Number == leaf.Leaf.Number {
				leaf.Err = metrology.FieldErrorf(metrology.CodeConflict, "number", "%q is already taken", leaf.Leaf.Number)
				leaf.Same = id == hex.EncodeToString(rfc6962.DefaultHasher.HashLeaf(leaf.Raw))
			}
		}
		if leaf.Err != nil {
			rejected = append(rejected, leaf.Reject(i))
		}
	}
	return rejected, nil
}

func (l *certificateLedger) Submit(_ context.Context, who Principal, key string, call Call) (Receipt, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.fail != nil {
		if err := l.fail(call); err != nil {
			return Receipt{}, err
		}
	}
	transaction := "tx-" + key
	if earlier, used := l.calls[key]; used {
		if earlier.Function != call.Function || !bytes.Equal(earlier.Request, call.Request) || fmt.Sprint(earlier.Transient) != fmt.Sprint(call.Transient) {
			return Receipt{}, metrology.Errorf(metrology.CodeOperationReused, "the key was used for another request")
		}
		return Receipt{TransactionID: transaction, Committed: true}, nil
	}
	if err := l.run(call, transaction); err != nil {
		return Receipt{}, err
	}
	l.calls[key] = call
	l.order = append(l.order, call)
	return Receipt{TransactionID: transaction, Committed: !l.unknown, BlockNumber: 7}, nil
}

func (l *certificateLedger) run(call Call, transaction string) error {
	switch call.Function {
	case "certificate:Anchor":
		var cmd metrology.AnchorCertificate
		if err := unmarshalStrict(call.Request, &cmd); err != nil {
			return err
		}
		hash := rfc6962.DefaultHasher.HashLeaf(cmd.Leaf)
		return l.anchor([]stdjson.RawMessage{cmd.Leaf}, [32]byte(hash), cmd.Key, cmd.Signature, transaction)
	case "certificate:AnchorBatch":
		var cmd metrology.AnchorBatch
		if err := unmarshalStrict(call.Request, &cmd); err != nil {
			return err
		}
		root, err := hex.DecodeString(cmd.Root)
		if err != nil {
			return err
		}
		return l.anchor(cmd.Leaves, [32]byte(root), cmd.Key, cmd.Signature, transaction)
	case "merchant:Register", "site:Register", "instrument:Register":
		var cmd struct{ ID string }
		if err := stdjson.Unmarshal(call.Request, &cmd); err != nil {
			return err
		}
		if l.entities[cmd.ID] {
			return metrology.FieldErrorf(metrology.CodeConflict, "id", "%q is already taken", cmd.ID)
		}
		l.entities[cmd.ID] = true
	}
	return nil
}

func (l *certificateLedger) anchor(raws []stdjson.RawMessage, root [32]byte, key string, signed []byte, transaction string) error {
	rejected, err := l.judge(raws)
	if err != nil {
		return err
	}
	if len(rejected) > 0 {
		return metrology.RejectedLeavesError(rejected)
	}
	if key != l.public.ID() {
		return metrology.FieldErrorf(metrology.CodeSignature, "key", "is not a key of the issuer")
	}
	if err := l.public.Verify(metrology.BatchMessage(l.issuer.ID, root, uint64(len(raws))), signed); err != nil {
		return err
	}
	for _, raw := range raws {
		leaf, err := metrology.ParseLeaf(raw)
		if err != nil {
			return err
		}
		id := hex.EncodeToString(rfc6962.DefaultHasher.HashLeaf(raw))
		l.certificates[id] = public.Certificate{
			ID: id, Leaf: leaf, State: metrology.CertificateAnchored, Day: testToday,
			Batch:    public.Batch{Root: hex.EncodeToString(root[:]), Key: key},
			Anchored: public.AsOf{Block: 7, TransactionID: transaction, Time: "2026-11-20T01:00:00Z"},
		}
	}
	return nil
}

func (l *certificateLedger) Status(context.Context) (public.Status, error) {
	return public.Status{Height: 8, LastTime: "2026-11-20T01:00:00Z"}, nil
}

func (l *certificateLedger) Issuer(_ context.Context, id string) (public.Issuer, error) {
	if id != l.issuer.ID {
		return public.Issuer{}, metrology.Errorf(metrology.CodeNotFound, "there is no issuer %q", id)
	}
	return public.Issuer{Issuer: l.issuer}, nil
}

func (l *certificateLedger) Certificate(_ context.Context, id string, _ metrology.Date) (public.Certificate, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if certificate, found := l.certificates[id]; found {
		return certificate, nil
	}
	return public.Certificate{}, metrology.Errorf(metrology.CodeNotFound, "there is no certificate %q", id)
}

func (l *certificateLedger) CertificatesByDigest(_ context.Context, algorithm, value string, _ metrology.Date) ([]public.Certificate, error) {
	var found []public.Certificate
	for _, certificate := range l.certificates {
		for _, digest := range certificate.Leaf.Digests {
			if digest.Algorithm == algorithm && digest.Value == value {
				found = append(found, certificate)
			}
		}
	}
	return found, nil
}

func (l *certificateLedger) entity(id string) error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if !l.entities[id] {
		return metrology.Errorf(metrology.CodeNotFound, "there is no %q", id)
	}
	return nil
}

func (l *certificateLedger) Merchant(_ context.Context, id string, _ metrology.Date) (public.Merchant, error) {
	return public.Merchant{}, l.entity(id)
}

func (l *certificateLedger) Site(_ context.Context, id string) (public.Site, error) {
	return public.Site{}, l.entity(id)
}

func (l *certificateLedger) Instrument(_ context.Context, id string, _ metrology.Date) (public.Instrument, error) {
	return public.Instrument{}, l.entity(id)
}

// oneSigner holds the key of one issuer and always signs alike.
type oneSigner struct {
	issuer string
	signer *signature.Signer
	mutex  sync.Mutex
	made   map[string][]byte
}

func (s *oneSigner) Sign(_ context.Context, issuer string, message []byte) (string, []byte, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if issuer != s.issuer {
		return "", nil, metrology.FieldErrorf(metrology.CodeInvalid, "signature", "is required: this gateway holds no key of issuer %s", issuer)
	}
	if s.made[string(message)] == nil {
		signed, err := s.signer.Sign(message)
		if err != nil {
			return "", nil, err
		}
		s.made[string(message)] = signed
	}
	return s.signer.Key().ID(), s.made[string(message)], nil
}

type fixedEvidence struct{}

func (fixedEvidence) Bundle(_ context.Context, id string) ([]byte, error) {
	return []byte(`{"of":"` + id + `"}`), nil
}

func (fixedEvidence) Steps(context.Context, []public.Transaction) ([]byte, error) {
	return []byte(`{"blocks":[]}`), nil
}

// testToday is the day of these tests in Asia/Shanghai.
const testToday = metrology.Date("2026-11-23")

// nowInTests is the first moment of that day.
func nowInTests() time.Time { return time.Date(2026, 11, 22, 16, 0, 0, 0, time.UTC) }

// bench is an API over a certificateLedger.
type bench struct {
	t      *testing.T
	ledger *certificateLedger
	signer *signature.Signer
	router http.Handler
}

func newBench(t *testing.T) *bench {
	t.Helper()
	signer, err := signature.GenerateP256()
	require.NoError(t, err)
	ledger := &certificateLedger{
		issuer: metrology.Issuer{ID: "N-1", Region: "310115", State: metrology.IssuerActive, Grants: []metrology.Grant{{
			Authority: metrology.AuthorityAuthorized, From: "2020-01-01", Until: "2030-01-01",
			Scope: []metrology.ScopeItem{{Category: "fuel-dispenser", Regulation: "JJG 443-2023"}},
		}}},
		public: signer.Key(), certificates: map[string]public.Certificate{}, entities: map[string]bool{}, calls: map[string]Call{},
	}
	limits := DefaultLimits()
	limits.Upload = 1 << 20
	router := NewEcho(slog.New(slog.DiscardHandler), limits, NewTokens(map[string]Principal{
		"institute": {Label: "institute", MSP: "InstituteMSP", Role: "institute", Subject: "p-1"},
		"regulator": {Label: "regulator", MSP: "RegulatorMSP", Role: "regulator", Subject: "p-2"},
	}))
	New(Config{
		Writer: ledger, Register: ledger, Signer: &oneSigner{issuer: "N-1", signer: signer, made: map[string][]byte{}},
		Evidence: fixedEvidence{}, Clock: nowInTests,
		Secret: Secret{1}, Ready: func() error { return nil },
	}).Mount(router)
	return &bench{t: t, ledger: ledger, signer: signer, router: router}
}

// ask sends one request; headers come in pairs.
func (b *bench) ask(method, target, token, body string, headers ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	request := httptest.NewRequest(method, target, io.NopCloser(bytes.NewReader([]byte(body))))
	request.ContentLength = int64(len(body))
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	b.router.ServeHTTP(recorder, request)
	b.requireDocumented(request, body, recorder)
	return recorder
}

// testDocument is the OpenAPI document as a validator, made once.
var testDocument = sync.OnceValues(func() (validator.Validator, error) {
	parsed, err := libopenapi.NewDocument(Document())
	if err != nil {
		return nil, err
	}
	v, errs := validator.NewValidator(parsed)
	return v, errors.Join(errs...)
})

// requireDocumented holds an answer against the OpenAPI document, and the
// request too if it was accepted.
func (b *bench) requireDocumented(request *http.Request, body string, recorder *httptest.ResponseRecorder) {
	b.t.Helper()
	if strings.Contains(recorder.Header().Get("Content-Type"), "ndjson") {
		return // the validator takes NDJSON for one JSON value
	}
	document, err := testDocument()
	require.NoError(b.t, err)
	result := recorder.Result()
	result.Request = request
	request.Body = io.NopCloser(strings.NewReader(body))
	_, faults := document.ValidateHttpResponse(request, result)
	require.Empty(b.t, faults, "%s %s: the answer is not as documented: %s", request.Method, request.URL, recorder.Body)
	if recorder.Code >= http.StatusBadRequest || strings.Contains(request.Header.Get("Content-Type"), "ndjson") {
		return
	}
	request.Body = io.NopCloser(strings.NewReader(body))
	_, faults = document.ValidateHttpRequest(request)
	require.Empty(b.t, faults, "%s %s: the request was accepted and is not as documented", request.Method, request.URL)
}

// requireProblem requires a problem document of a type that names a field.
func requireProblem(t *testing.T, answer *httptest.ResponseRecorder, name, field string) Problem {
	t.Helper()
	var problem Problem
	require.NoError(t, stdjson.Unmarshal(answer.Body.Bytes(), &problem), answer.Body.String())
	require.Equal(t, "/problems/"+name, problem.Type, answer.Body.String())
	require.Equal(t, field, problem.Field, answer.Body.String())
	require.Equal(t, problemKinds[name].Status, answer.Code)
	require.Equal(t, "application/problem+json", answer.Header().Get("Content-Type"))
	return problem
}

func decodeAnswer[T any](t *testing.T, answer *httptest.ResponseRecorder) (decoded T) {
	t.Helper()
	require.NoError(t, unmarshalStrict(answer.Body.Bytes(), &decoded), answer.Body.String())
	return decoded
}
