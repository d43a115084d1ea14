package evidence

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/signature"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
)

// chaincodeName is the chaincode whose word counts; others on the channel may
// write keys of the same names.
const chaincodeName = "metrology"

var (
	// ErrNotProven says that the evidence does not hold: nothing follows from it.
	ErrNotProven = errors.New("the evidence does not hold")
	// ErrOtherFile says that the evidence holds, but for another file.
	ErrOtherFile = errors.New("the evidence is for another file")
)

// Result is what holding evidence proves: that Leaf was anchored in Block, as
// of that block.
type Result struct {
	Leaf          metrology.Leaf
	Matched       []metrology.Digest // of the file, found in the leaf; empty when no file was compared
	Channel       string
	Block         uint64
	BlockHash     ledger.Hash
	TransactionID string
	Claimed       time.Time // the submitter's claim; blocks carry no time
	IssuerKey     string    // id of the key that signed the batch
	Endorsers     []string  // organisations whose peers endorsed
	Orderers      []string  // organisations of the orderers that signed the block, one per orderer
	Readers       []string  // organisations whose peers confirmed that the transaction was valid; empty without a reading
}

// Verify checks a bundle against the pinned trust file and, when digests of a
// file are given, that the leaf names one of them. Errors wrap ErrNotProven or
// ErrOtherFile; with ErrOtherFile the result is filled.
func Verify(bundle Bundle, trust ledger.Trust, file []metrology.Digest) (Result, error) {
	return NewVerifier(trust).Verify(bundle, file)
}

// Verifier checks many bundles against one trust file and remembers the
// identities it has accepted. It is not safe for concurrent use.
type Verifier struct {
	blocks *ledger.Verifier
	peers  peers
}

// NewVerifier makes a verifier.
func NewVerifier(trust ledger.Trust) *Verifier {
	return &Verifier{blocks: ledger.NewVerifier(trust), peers: newPeers(trust.Organizations)}
}

// Verify is the function Verify with the verifier's trust file.
func (v *Verifier) Verify(bundle Bundle, file []metrology.Digest) (Result, error) {
	result, err := v.verify(bundle)
	if err != nil {
		return Result{}, fmt.Errorf("%w: %w", ErrNotProven, err)
	}
	for _, digest := range file {
		for _, named := range result.Leaf.Digests {
			if digest == named {
				result.Matched = append(result.Matched, digest)
			}
		}
	}
	if len(file) > 0 && len(result.Matched) == 0 {
		return result, fmt.Errorf("%w: certificate %s of %s does not name its digest", ErrOtherFile, result.Leaf.Number, result.Leaf.Issuer)
	}
	return result, nil
}

// verify goes from the leaf up: what costs little comes first, so that garbage
// is refused before any signature is looked at.
func (v *Verifier) verify(bundle Bundle) (Result, error) {
	if bundle.Format != Format {
		return Result{}, fmt.Errorf("format %q, want %q", bundle.Format, Format)
	}
	leaf, err := metrology.ParseLeaf(bundle.Leaf)
	if err != nil {
		return Result{}, err
	}
	block, err := bundle.Block.ledgerBlock([]int{bundle.Transaction})
	if err != nil {
		return Result{}, err
	}
	transaction := block.Transactions[bundle.Transaction]
	batch, err := batchOf(bundle, leaf, transaction)
	if err != nil {
		return Result{}, err
	}
	checks, err := verifyBlock(bundle, v.blocks, block)
	if err != nil {
		return Result{}, err
	}
	if err := verifyIssuer(bundle, batch); err != nil {
		return Result{}, err
	}
	endorsers, err := verifyTransaction(bundle.Block.Envelopes[bundle.Transaction], transaction.ID, v.peers)
	if err != nil {
		return Result{}, err
	}
	if err := checkGate(transaction, endorsers); err != nil {
		return Result{}, err
	}
	keys := []string{metrology.Key(metrology.KindBatch, batch.Issuer, batch.Root), metrology.CertificateKey(leaf.Issuer, leaf.Number)}
	readers, err := verifyReading(bundle, keys, v.peers)
	if err != nil {
		return Result{}, err
	}
	return Result{
		Leaf: leaf, Channel: transaction.Channel, Block: block.Number, BlockHash: block.Hash, TransactionID: transaction.ID,
		Claimed: transaction.Timestamp, IssuerKey: batch.Key, Endorsers: endorsers, Orderers: checks.Signers, Readers: readers,
	}, nil
}

// batchOf finds the record of the leaf's batch among the transaction's writes.
// Its key names issuer and root, so finding the key proves the leaf.
func batchOf(bundle Bundle, leaf metrology.Leaf, transaction ledger.Transaction) (metrology.Batch, error) {
	if transaction.Chaincode != chaincodeName {
		return metrology.Batch{}, fmt.Errorf("the transaction is of chaincode %q, want %q", transaction.Chaincode, chaincodeName)
	}
	for _, write := range transaction.Writes {
		kind, parts := metrology.SplitKey(write.Key)
		if write.Namespace != chaincodeName || write.Delete || kind != metrology.KindBatch || len(parts) != 2 || parts[0] != leaf.Issuer {
			continue
		}
		batch, err := readBatch(write.Value)
		if err != nil {
			return metrology.Batch{}, err
		}
		if batch.Issuer != parts[0] || batch.Root != parts[1] {
			return metrology.Batch{}, errors.New("the batch record contradicts its key")
		}
		return batch, verifyInclusion(bundle, batch)
	}
	return metrology.Batch{}, fmt.Errorf("the transaction anchors no batch of issuer %q", leaf.Issuer)
}

// readBatch reads a batch record. Members that later versions of the contract
// may add do not matter here.
func readBatch(value []byte) (metrology.Batch, error) {
	var batch metrology.Batch
	if err := json.Unmarshal(value, &batch); err != nil {
		return batch, fmt.Errorf("decode batch record: %w", err)
	}
	if batch.Count < 1 {
		return batch, fmt.Errorf("the batch record counts %d leaves", batch.Count)
	}
	return batch, nil
}

func verifyInclusion(bundle Bundle, batch metrology.Batch) error {
	hasher := rfc6962.DefaultHasher
	root, err := proof.RootFromInclusionProof(hasher, bundle.Index, uint64(batch.Count), hasher.HashLeaf(bundle.Leaf), bundle.Hashes)
	if err != nil {
		return fmt.Errorf("check inclusion proof: %w", err)
	}
	if hex.EncodeToString(root) != batch.Root {
		return errors.New("the inclusion proof does not lead to the batch's root")
	}
	return nil
}

// verifyIssuer checks the issuer's own signature over the batch. That the key
// was registered for the issuer is what the endorsing peers checked.
func verifyIssuer(bundle Bundle, batch metrology.Batch) error {
	key, err := signature.ParseKey(bundle.IssuerKey)
	if err != nil {
		return err
	}
	if key.ID() != batch.Key {
		return fmt.Errorf("the key carried is %s, the batch was signed with %s", key.ID(), batch.Key)
	}
	root, err := hex.DecodeString(batch.Root)
	if err != nil || len(root) != 32 {
		return errors.New("the batch record's root is no SHA-256 digest")
	}
	return key.Verify(metrology.BatchMessage(batch.Issuer, [32]byte(root), uint64(batch.Count)), batch.Signature)
}

// checkGate checks the gate that every anchor passes: beside the majority, a
// peer of the institutes must have endorsed.
func checkGate(transaction ledger.Transaction, endorsers []string) error {
	for _, write := range transaction.Writes {
		kind, parts := metrology.SplitKey(write.Key)
		if write.Namespace != chaincodeName || kind != metrology.KindGate || len(parts) != 1 || parts[0] != metrology.GateInstitute {
			continue // anchors pass no other gate
		}
		if !slices.Contains(endorsers, metrology.InstituteMSP) {
			return fmt.Errorf("%s did not endorse, which gate %q demands", metrology.InstituteMSP, write.Key)
		}
		return nil
	}
	return errors.New("the transaction passed no gate of the institutes, as every anchor does")
}

// verifyBlock follows the configuration from the pinned block 0 to the one in
// force and checks the orderers' signatures over the block with it.
func verifyBlock(bundle Bundle, verifier *ledger.Verifier, block ledger.Block) (ledger.Checks, error) {
	if len(bundle.Configurations) == 0 || len(bundle.Configurations) > maxConfigurations {
		return ledger.Checks{}, fmt.Errorf("%d configuration blocks, want 1 to %d", len(bundle.Configurations), maxConfigurations)
	}
	if bundle.Block.Number == 0 {
		return ledger.Checks{}, errors.New("block 0 holds no certificate")
	}
	var ordering *ledger.Ordering
	for i, carried := range bundle.Configurations {
		if (i == 0) != (carried.Number == 0) || i > 0 && carried.Number <= bundle.Configurations[i-1].Number {
			return ledger.Checks{}, errors.New("the configuration blocks do not begin with block 0 and rise")
		}
		configuration, err := carried.ledgerBlock([]int{0})
		if err != nil {
			return ledger.Checks{}, err
		}
		if _, err := verifySigned(verifier, configuration, ordering); err != nil {
			return ledger.Checks{}, err
		}
		if ordering, err = ledger.ParseOrdering(configuration); err != nil {
			return ledger.Checks{}, err
		}
	}
	inForce, err := block.LastConfig()
	if err != nil {
		return ledger.Checks{}, err
	}
	if inForce != ordering.Config || inForce >= block.Number {
		return ledger.Checks{}, fmt.Errorf("block %d was cut under the configuration of block %d, the last one carried is %d", block.Number, inForce, ordering.Config)
	}
	return verifySigned(verifier, block, ordering)
}

// verifySigned checks one block. Package ledger passes over signatures that do
// not hold; here none may be carried that is not needed.
func verifySigned(verifier *ledger.Verifier, block ledger.Block, ordering *ledger.Ordering) (ledger.Checks, error) {
	carried, err := signaturesOf(block)
	if err != nil {
		return ledger.Checks{}, err
	}
	if block.Number == 0 && proto.Size(carried) > 0 {
		return ledger.Checks{}, errors.New("block 0 is pinned, so it carries no signatures")
	}
	checks, err := verifier.VerifyAlone(block, ordering)
	if err != nil {
		return ledger.Checks{}, err
	}
	if block.Number > 0 && (len(carried.GetSignatures()) != checks.Quorum || len(checks.Signers) != checks.Quorum) {
		return ledger.Checks{}, fmt.Errorf("block %d carries %d signatures, %d hold, want exactly %d",
			block.Number, len(carried.GetSignatures()), len(checks.Signers), checks.Quorum)
	}
	return checks, nil
}
