package ledger

import (
	"errors"
	"fmt"
	"runtime"

	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"go.etcd.io/bbolt"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/network/embedded/msp"
	"github.com/steelyard-ledger/steelyard/network/embedded/transaction"
)

// transactionCheck is one transaction of a block on its way through validation.
type transactionCheck struct {
	id   string
	kind cb.HeaderType
	code pb.TxValidationCode
	// for endorser transactions that could be read:
	action  *transaction.Action
	sets    []parsedSet
	signers []*msp.Identity
}

func (t *transactionCheck) valid() bool { return t.code == pb.TxValidationCode_VALID }

func (t *transactionCheck) fail(code pb.TxValidationCode) { t.code = code }

// examine does the part of validation that needs no state, on all processors:
// syntax, creator signature, transaction id, proposal hash, endorsers' signatures.
func (l *Ledger) examine(block *cb.Block) []*transactionCheck {
	checks := make([]*transactionCheck, len(block.GetData().GetData()))
	if block.GetHeader().GetNumber() == 0 {
		// The first block is the configuration everything else is judged by.
		for i := range checks {
			checks[i] = &transactionCheck{kind: cb.HeaderType_CONFIG}
		}
		return checks
	}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, serialized := range block.GetData().GetData() {
		group.Go(func() error {
			checks[i] = l.examineOne(serialized)
			return nil
		})
	}
	_ = group.Wait() // the functions return no errors; a bad transaction has a code
	return checks
}

func (l *Ledger) examineOne(serialized []byte) *transactionCheck {
	check := &transactionCheck{kind: -1}
	var raw cb.Envelope
	if err := proto.Unmarshal(serialized, &raw); err != nil {
		check.fail(pb.TxValidationCode_INVALID_OTHER_REASON)
		return check
	}
	envelope, code, err := transaction.ReadEnvelope(&raw)
	if err != nil {
		check.fail(code)
		return check
	}
	check.id, check.kind = envelope.ChannelHeader.GetTxId(), envelope.Type()
	if check.code = l.CheckEnvelope(envelope); !check.valid() {
		return check
	}
	if check.kind == cb.HeaderType_ENDORSER_TRANSACTION {
		l.examineAction(envelope, check)
	}
	return check
}

// CheckEnvelope tests headers and the creator's signature.
func (l *Ledger) CheckEnvelope(envelope *transaction.Envelope) pb.TxValidationCode {
	if err := envelope.CheckHeader(); err != nil {
		return pb.TxValidationCode_BAD_COMMON_HEADER
	}
	creator, err := l.msp.Deserialize(envelope.SignatureHeader.GetCreator())
	if err != nil || creator.Validate() != nil || creator.Verify(envelope.Raw.GetPayload(), envelope.Raw.GetSignature()) != nil {
		return pb.TxValidationCode_BAD_CREATOR_SIGNATURE
	}
	switch envelope.Type() {
	case cb.HeaderType_ENDORSER_TRANSACTION:
		header := envelope.SignatureHeader
		if envelope.ChannelHeader.GetTxId() != transaction.ID(header.GetNonce(), header.GetCreator()) {
			return pb.TxValidationCode_BAD_PROPOSAL_TXID
		}
		return pb.TxValidationCode_VALID
	case cb.HeaderType_CONFIG:
		return pb.TxValidationCode_VALID
	default:
		return pb.TxValidationCode_UNSUPPORTED_TX_PAYLOAD
	}
}

func (l *Ledger) examineAction(envelope *transaction.Envelope, check *transactionCheck) {
	action, err := envelope.ReadAction()
	if err != nil {
		check.fail(pb.TxValidationCode_INVALID_ENDORSER_TRANSACTION)
		return
	}
	if envelope.ChannelHeader.GetChannelId() != l.channel {
		check.fail(pb.TxValidationCode_TARGET_CHAIN_NOT_FOUND)
		return
	}
	check.action = action
	results, err := action.Results()
	if err == nil {
		check.sets, err = parseSets(results)
	}
	if err != nil {
		check.fail(pb.TxValidationCode_BAD_RWSET)
		return
	}
	var extension pb.ChaincodeHeaderExtension
	if proto.Unmarshal(envelope.ChannelHeader.GetExtension(), &extension) != nil {
		check.fail(pb.TxValidationCode_BAD_HEADER_EXTENSION)
		return
	}
	if check.code = l.checkChaincode(action, extension.GetChaincodeId().GetName()); !check.valid() {
		return
	}
	seen := map[string]bool{}
	for i := range check.sets {
		if seen[check.sets[i].namespace] {
			check.fail(pb.TxValidationCode_ILLEGAL_WRITESET)
			return
		}
		seen[check.sets[i].namespace] = true
	}
	signatures := make([]msp.SignedData, len(action.Endorsements))
	for i, endorsement := range action.Endorsements {
		signed := append(append([]byte{}, action.ResponsePayload...), endorsement.GetEndorser()...)
		signatures[i] = msp.SignedData{Data: signed, Identity: endorsement.GetEndorser(), Signature: endorsement.GetSignature()}
	}
	check.signers = l.msp.Signers(signatures)
}

// checkChaincode tests that header, action and event name the same, defined chaincode.
func (l *Ledger) checkChaincode(action *transaction.Action, name string) pb.TxValidationCode {
	id := action.Chaincode.GetChaincodeId()
	if id == nil {
		return pb.TxValidationCode_INVALID_OTHER_REASON
	}
	if name == "" || name != id.GetName() || id.GetVersion() == "" || l.definitions[name] == nil {
		return pb.TxValidationCode_INVALID_CHAINCODE
	}
	event, err := action.Event()
	if err != nil || event != nil && event.GetChaincodeId() != name {
		return pb.TxValidationCode_INVALID_OTHER_REASON
	}
	return pb.TxValidationCode_VALID
}

// keyName names a key of the public state (collection "") or the hash of a
// private key.
type keyName struct{ namespace, collection, key string }

// endorsementCheck judges the endorsements of a block's transactions in order.
type endorsementCheck struct {
	ledger *Ledger
	tx     *bbolt.Tx
	// changed holds the keys whose policy an earlier, well endorsed
	// transaction of this block changes: which policy would hold for a later
	// one is not known yet, so the later one fails.
	changed map[keyName]bool
}

var errPolicyChanged = errors.New("validation parameters have been changed by an earlier transaction of this block")

// judge checks one transaction against chaincode, collection and key policies.
func (c *endorsementCheck) judge(check *transactionCheck) error {
	namespaces := map[string]bool{check.action.Chaincode.GetChaincodeId().GetName(): true}
	for i := range check.sets {
		if check.sets[i].writes() {
			namespaces[check.sets[i].namespace] = true
		}
	}
	for name := range namespaces {
		definition := c.ledger.definitions[name]
		if definition == nil {
			return fmt.Errorf("chaincode %s is not defined", name)
		}
		var set *parsedSet
		for i := range check.sets {
			if check.sets[i].namespace == name {
				set = &check.sets[i]
			}
		}
		if err := c.judgeNamespace(definition, set, check.signers); err != nil {
			return err
		}
	}
	for i := range check.sets {
		for name := range changedPolicies(&check.sets[i]) {
			c.changed[name] = true
		}
	}
	return nil
}

// judgeNamespace applies a key's own policy where it has one, else the
// collection's, else the chaincode's; with nothing written, the chaincode's.
func (c *endorsementCheck) judgeNamespace(definition *Definition, set *parsedSet, signers []*msp.Identity) error {
	checked := map[string]bool{} // collections (or "") whose policy was found satisfied
	any := false
	for _, name := range writtenKeys(set) {
		if c.changed[name] {
			return errPolicyChanged
		}
		stored, err := c.stored(name)
		if err != nil {
			return err
		}
		if key := stored.policy(); len(key) > 0 {
			policy, err := c.ledger.msp.KeyPolicy(key)
			if err != nil {
				return err
			}
			if err := policy.Evaluate(signers); err != nil {
				return err
			}
			any = true
			continue
		}
		scope, policy := "", definition.Policy
		if collection := definition.Collections[name.collection]; collection != nil && collection.Endorsement != nil {
			scope, policy = name.collection, collection.Endorsement
		}
		if !checked[scope] {
			if err := policy.Evaluate(signers); err != nil {
				return err
			}
			checked[scope] = true
		}
		any = true
	}
	if any {
		return nil
	}
	return definition.Policy.Evaluate(signers)
}

func (c *endorsementCheck) stored(name keyName) (*record, error) {
	if name.collection == "" {
		return decodeRecord(c.tx.Bucket(bucketState).Get(join(name.namespace, name.key)))
	}
	return decodeRecord(c.tx.Bucket(bucketHashed).Get(join(name.namespace, name.collection, name.key)))
}

// writtenKeys lists the keys whose value or policy the set changes.
func writtenKeys(set *parsedSet) []keyName {
	if set == nil {
		return nil
	}
	var names []keyName
	for _, write := range set.kv.GetWrites() {
		names = append(names, keyName{set.namespace, "", write.GetKey()})
	}
	for _, write := range set.kv.GetMetadataWrites() {
		names = append(names, keyName{set.namespace, "", write.GetKey()})
	}
	for _, collection := range set.collections {
		for _, write := range collection.hashed.GetHashedWrites() {
			names = append(names, keyName{set.namespace, collection.name, string(write.GetKeyHash())})
		}
		for _, write := range collection.hashed.GetMetadataWrites() {
			names = append(names, keyName{set.namespace, collection.name, string(write.GetKeyHash())})
		}
	}
	return names
}

func changedPolicies(set *parsedSet) map[keyName]bool {
	names := map[keyName]bool{}
	for _, write := range set.kv.GetMetadataWrites() {
		names[keyName{set.namespace, "", write.GetKey()}] = true
	}
	for _, collection := range set.collections {
		for _, write := range collection.hashed.GetMetadataWrites() {
			names[keyName{set.namespace, collection.name, string(write.GetKeyHash())}] = true
		}
	}
	return names
}

// conflict reports what the transaction read that is no longer so.
func conflict(tx *bbolt.Tx, sets []parsedSet) (pb.TxValidationCode, error) {
	for i := range sets {
		set := &sets[i]
		for _, read := range set.kv.GetReads() {
			if same, err := unchanged(tx.Bucket(bucketState), join(set.namespace, read.GetKey()), read.GetVersion()); !same || err != nil {
				return pb.TxValidationCode_MVCC_READ_CONFLICT, err
			}
		}
		for _, query := range set.kv.GetRangeQueriesInfo() {
			if free, err := phantomFree(tx, set.namespace, query); !free || err != nil {
				return pb.TxValidationCode_PHANTOM_READ_CONFLICT, err
			}
		}
		for _, collection := range set.collections {
			for _, read := range collection.hashed.GetHashedReads() {
				key := join(set.namespace, collection.name, string(read.GetKeyHash()))
				if same, err := unchanged(tx.Bucket(bucketHashed), key, read.GetVersion()); !same || err != nil {
					return pb.TxValidationCode_MVCC_READ_CONFLICT, err
				}
			}
		}
	}
	return pb.TxValidationCode_VALID, nil
}

func unchanged(bucket *bbolt.Bucket, key []byte, version *kvrwset.Version) (bool, error) {
	stored, err := decodeRecord(bucket.Get(key))
	if err != nil {
		return false, err
	}
	return sameVersion(stored.height(), version), nil
}
