// Package ledger reads Fabric blocks: it turns the protobuf of a block and the
// private data delivered with it into plain values, and checks a block against
// its predecessor and a pinned trust file. It holds no client and does no I/O.
package ledger

import (
	"encoding/hex"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
)

// Hash is a SHA-256 digest.
type Hash [32]byte

// String is the digest in lower-case hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Zero reports whether h is unset; no SHA-256 digest is known to be zero.
func (h Hash) Zero() bool { return h == Hash{} }

// Block is one parsed block. Parse fills it; Verifier.Verify says whether to
// believe it.
type Block struct {
	Number       uint64
	Hash         Hash // of the header, computed from its three members
	PreviousHash Hash // zero in block 0
	DataHash     Hash // as the header states it
	Transactions []Transaction
	Raw          *common.Block
}

// Transaction is one envelope of a block, whatever its validation code. Only
// one with code VALID changed the ledger. An envelope that no peer could read
// keeps Index, Code and nothing else.
type Transaction struct {
	Index     int
	ID        string
	Code      peer.TxValidationCode
	Type      common.HeaderType
	Channel   string
	Chaincode string
	Function  string   // "family:Action"
	Args      [][]byte // after the function
	Creator   Creator
	Timestamp time.Time // what the submitter claimed, UTC
	Event     *Event    // nil when the chaincode set none
	Writes    []Write
	Private   []PrivateWrite
	Result    []byte   // payload of the chaincode's response
	Endorsers []string // MSP ids in the order of the endorsements; their signatures were checked by the peers only
}

// Valid reports whether the transaction changed the ledger.
func (t Transaction) Valid() bool { return t.Code == peer.TxValidationCode_VALID }

// Creator is who signed the proposal. Role and Subject are the attributes of
// those names in the certificate, empty when it carries none.
type Creator struct {
	MSPID       string
	Certificate []byte // DER
	Role        string
	Subject     string
}

// Event is the one event a chaincode may set per transaction.
type Event struct {
	Name    string
	Payload []byte
}

// Write is a write to public state.
type Write struct {
	Namespace string
	Key       string
	Value     []byte
	Delete    bool
}

// PrivateWrite is a write to a private data collection. The hashes are on
// chain. Key and Value come from the peer and match the hashes; when Missing
// they did not come: purged since, not for this organisation, or not yet at
// this peer. A purge names its key only by hash.
type PrivateWrite struct {
	Namespace  string
	Collection string
	KeyHash    []byte
	ValueHash  []byte // empty for a delete and a purge
	Key        string
	Value      []byte
	Delete     bool
	Purge      bool
	Missing    bool
}
