package contract

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/network/devca"
)

// ledger is a channel in memory. A transaction reads what was committed
// before it, never its own writes; its writes are applied when it succeeds.
type ledger struct {
	t         *testing.T
	chaincode shim.Chaincode
	cas       map[string]*devca.CA // by MSP
	actors    map[metrology.Caller]actor
	state     map[string][]byte
	private   map[string][]byte // by collection and key
	policies  map[string][]byte
	now       time.Time
	count     int
	events    []metrology.Event
}

// actor is a serialized identity.
type actor []byte

func newLedger(t *testing.T) *ledger {
	t.Helper()
	contract, err := New()
	require.NoError(t, err)
	return &ledger{
		t: t, chaincode: contract, cas: map[string]*devca.CA{}, actors: map[metrology.Caller]actor{},
		state: map[string][]byte{}, private: map[string][]byte{}, policies: map[string][]byte{},
		now: time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC), // a Monday, 10:00 in Shanghai
	}
}

// fork copies the ledger as it stands, so that a matrix can try many
// transactions on one state.
func (l *ledger) fork(t *testing.T) *ledger {
	other := *l
	other.t = t
	other.state, other.private, other.policies = maps.Clone(l.state), maps.Clone(l.private), maps.Clone(l.policies)
	return &other
}

// as gives the identity with a role of its own organisation and a subject.
func (l *ledger) as(role metrology.Role, subject string) actor {
	return l.from(metrology.RoleOrganizations[role], role, subject)
}

// from gives an identity whose certificate any organisation's CA may have made.
func (l *ledger) from(organization string, role metrology.Role, subject string) actor {
	l.t.Helper()
	caller := metrology.Caller{MSP: organization, Role: role, Subject: subject}
	if known, ok := l.actors[caller]; ok {
		return known
	}
	if l.cas[organization] == nil {
		ca, err := devca.New(organization, "ca."+organization)
		require.NoError(l.t, err)
		l.cas[organization] = ca
	}
	pair, err := l.cas[organization].User(map[string]string{"role": string(role), "subject": subject})
	require.NoError(l.t, err)
	creator, err := proto.Marshal(&msp.SerializedIdentity{Mspid: organization, IdBytes: pair.Certificate})
	require.NoError(l.t, err)
	l.actors[caller] = creator
	return creator
}

// private documents of a transaction, by transient member. A string is sent as
// it is, anything else as JSON.
type transient map[string]any

// submit runs a writing transaction under a fresh operation id.
func (l *ledger) submit(by actor, function string, request any, documents transient) (metrology.Event, error) {
	l.t.Helper()
	payload, err := l.invoke(by, documents, function, text(l.t, request), fmt.Sprintf("op-%d", l.count+1))
	if err != nil {
		return metrology.Event{}, err
	}
	var event metrology.Event
	require.NoError(l.t, json.Unmarshal([]byte(payload), &event))
	return event, nil
}

// must is submit for what a test takes for granted.
func (l *ledger) must(by actor, function string, request any, documents transient) metrology.Event {
	l.t.Helper()
	event, err := l.submit(by, function, request, documents)
	require.NoError(l.t, err, function)
	return event
}

// invoke runs one transaction with exactly these arguments. The error is what
// a client would decode from the response's text.
func (l *ledger) invoke(by actor, documents transient, function string, arguments ...string) (string, error) {
	l.t.Helper()
	l.count++
	stub := &memoryStub{ledger: l, arguments: append([]string{function}, arguments...), creator: by, id: fmt.Sprintf("tx-%d", l.count),
		transient: map[string][]byte{}}
	for member, document := range documents {
		stub.transient[member] = []byte(text(l.t, document))
	}
	response := l.chaincode.Invoke(stub)
	if response.GetStatus() != shim.OK {
		coded, ok := metrology.ParseError(response.GetMessage())
		require.True(l.t, ok, "an error without a code: %s", response.GetMessage())
		return "", coded
	}
	for _, write := range stub.writes {
		write()
	}
	if stub.event != nil {
		l.events = append(l.events, *stub.event)
	}
	return string(response.GetPayload()), nil
}

// load reads a committed public value.
func load[T any](l *ledger, key string) (value T) {
	l.t.Helper()
	require.Contains(l.t, l.state, key)
	require.NoError(l.t, json.Unmarshal(l.state[key], &value))
	return value
}

// text is a document as sent.
func text(t *testing.T, document any) string {
	if sent, ok := document.(string); ok {
		return sent
	}
	encoded, err := json.Marshal(document)
	require.NoError(t, err)
	return string(encoded)
}

// salt is a well-formed salt.
func salt(seed string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(seed))) }
