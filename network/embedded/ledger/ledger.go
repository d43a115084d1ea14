// Package ledger is the store of one channel: blocks, state, private data and
// history in one bbolt file, and the rules by which a block changes them.
// A block is either wholly on the disk or not at all.
package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/network/embedded/msp"
)

const (
	fileName      = "ledger.db"
	transientName = "transient.db"
	// formatVersion of the database; another one is refused.
	formatVersion = "1"
	// checkedHeaders is how many of the last blocks are checked at start.
	checkedHeaders = 128
	// initialMapping spares a writer waiting for readers each time the file
	// outgrows its mapping; it is address space, not memory.
	initialMapping = 1 << 30
	lockTimeout    = 500 * time.Millisecond
)

// meta keys.
var (
	metaVersion    = []byte("version")
	metaChannel    = []byte("channel")
	metaCommitHash = []byte("commithash")
	metaPurged     = []byte("purged") // set when the file may still hold purged bytes
)

// Definition is a chaincode as the channel knows it.
type Definition struct {
	Name, Version string
	// Policy is the chaincode's endorsement policy.
	Policy      msp.Policy
	Collections map[string]*Collection
}

// Collection is a private data collection of a chaincode.
type Collection struct {
	Config *pb.StaticCollectionConfig
	// Members are the organisations whose peers hold the clear text.
	Members []string
	// Distribution is the member policy in the form the clients are judged by.
	Distribution msp.Policy
	// Endorsement replaces the chaincode's policy for writes; nil if it has none.
	Endorsement msp.Policy
}

// Member reports whether the organisation's peers hold the clear text.
func (c *Collection) Member(mspID string) bool {
	for _, member := range c.Members {
		if member == mspID {
			return true
		}
	}
	return false
}

// Config says what ledger to open.
type Config struct {
	Dir         string
	Channel     string
	MSP         *msp.Manager
	Definitions map[string]*Definition
	// Between, if set, stands between the ledger and a file of it, for making it
	// fail on purpose.
	Between func(file string, disk Disk) Disk
}

// Disk is what the ledger uses of bbolt, for each of its files.
type Disk interface {
	Begin(writable bool) (*bbolt.Tx, error)
	Update(change func(*bbolt.Tx) error) error
	Batch(change func(*bbolt.Tx) error) error
	View(read func(*bbolt.Tx) error) error
	Info() *bbolt.Info
	Path() string
	Close() error
}

// Ledger is an open ledger. Reads may run at any time; commits come one at a time.
type Ledger struct {
	db          Disk
	transient   Disk
	channel     string
	msp         *msp.Manager
	definitions map[string]*Definition

	mu         sync.RWMutex
	height     uint64
	lastHash   []byte
	commitHash []byte
	cache      blockCache
	// grown is closed and replaced after each block.
	grown   chan struct{}
	waiters map[string][]chan Status
	closed  bool
	// background counts the running clean-ups of the transient store.
	background sync.WaitGroup
}

// Status is the outcome of a committed transaction.
type Status struct {
	Code  pb.TxValidationCode
	Block uint64
}

// Open opens or creates the ledger in the directory. The error says in plain
// words if it is in use, of another version or channel, or damaged.
func Open(cfg Config) (*Ledger, error) {
	path := filepath.Join(cfg.Dir, fileName)
	l := &Ledger{
		channel: cfg.Channel, msp: cfg.MSP, definitions: cfg.Definitions,
		grown: make(chan struct{}), waiters: map[string][]chan Status{},
	}
	err := surviveDamage(path, func() error {
		var err error
		if l.db, err = openFile(path, cfg); err != nil {
			return err
		}
		if err := l.prepare(); err != nil {
			return err
		}
		return l.check()
	})
	if err == nil {
		transient := filepath.Join(cfg.Dir, transientName)
		err = surviveDamage(transient, func() error {
			var err error
			if l.transient, err = openTransient(transient, cfg); err != nil {
				return err
			}
			return l.wipeIfPurged()
		})
	}
	if err != nil {
		for _, db := range []Disk{l.db, l.transient} {
			if db != nil {
				err = errors.Join(err, db.Close())
			}
		}
		return nil, err
	}
	return l, nil
}

// surviveDamage turns into an error what bbolt answers to a broken file: a
// panic, or a fault where the file ends before its pages do.
func surviveDamage(path string, open func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("the ledger file %s is damaged: %v; restore it from a copy or start with an empty directory", path, cause)
		}
	}()
	return open()
}

func openFile(path string, cfg Config) (Disk, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout: lockTimeout, FreelistType: bbolt.FreelistMapType, InitialMmapSize: initialMapping,
	})
	switch {
	case err == nil:
		db.MaxBatchDelay = transientBatch
		if cfg.Between != nil {
			return cfg.Between(filepath.Base(path), db), nil
		}
		return db, nil
	case errors.Is(err, bbolterrors.ErrTimeout):
		return nil, fmt.Errorf("the data directory %s is in use by another process", cfg.Dir)
	case errors.Is(err, bbolterrors.ErrInvalid), errors.Is(err, bbolterrors.ErrChecksum), errors.Is(err, bbolterrors.ErrVersionMismatch):
		return nil, fmt.Errorf("the ledger file %s is damaged: %w", path, err)
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("the ledger file %s may not be opened: %w", path, err)
	default:
		return nil, fmt.Errorf("open the ledger file %s: %w", path, err)
	}
}

// prepare creates what a new file lacks and refuses a foreign one.
func (l *Ledger) prepare() error {
	return l.db.Update(func(tx *bbolt.Tx) error {
		if meta := tx.Bucket(bucketMeta); meta != nil {
			if version := string(meta.Get(metaVersion)); version != formatVersion {
				return fmt.Errorf("the ledger in %s has format version %q; this program reads version %q", l.db.Path(), version, formatVersion)
			}
			if channel := string(meta.Get(metaChannel)); channel != l.channel {
				return fmt.Errorf("the ledger in %s is of channel %q, not %q", l.db.Path(), channel, l.channel)
			}
		}
		for _, name := range allBuckets() {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return fmt.Errorf("create bucket %s: %w", name, err)
			}
		}
		meta := tx.Bucket(bucketMeta)
		if err := meta.Put(metaVersion, []byte(formatVersion)); err != nil {
			return err
		}
		return meta.Put(metaChannel, []byte(l.channel))
	})
}

// Close waits for running reads and closes the files.
func (l *Ledger) Close() error {
	l.mu.Lock()
	closed := l.closed
	l.closed = true
	l.mu.Unlock()
	if closed {
		return nil
	}
	l.background.Wait()
	return errors.Join(l.wipeIfPurged(), l.transient.Close(), l.db.Close())
}

// Height is the number of blocks.
func (l *Ledger) Height() uint64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.height
}

// Tip returns the height and the hash of the last block's header (nil when empty).
func (l *Ledger) Tip() (uint64, []byte) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.height, l.lastHash
}

// Grown returns a channel that is closed when the next block is committed.
func (l *Ledger) Grown() <-chan struct{} {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.grown
}

// Block returns the block of that number. The caller must not change it.
func (l *Ledger) Block(number uint64) (*cb.Block, error) {
	l.mu.RLock()
	cached := l.cache.get(number)
	l.mu.RUnlock()
	if cached != nil {
		return cached, nil
	}
	var block *cb.Block
	err := l.db.View(func(tx *bbolt.Tx) error {
		var err error
		block, err = readBlock(tx, number)
		return err
	})
	return block, err
}

func readBlock(tx *bbolt.Tx, number uint64) (*cb.Block, error) {
	serialized := tx.Bucket(bucketBlocks).Get(numberKey(number))
	if serialized == nil {
		return nil, &NotFoundError{fmt.Sprintf("no such block number [%d] in index", number)}
	}
	block := &cb.Block{}
	if err := proto.Unmarshal(serialized, block); err != nil {
		return nil, fmt.Errorf("block %d cannot be read: %w", number, err)
	}
	return block, nil
}

// BlockByHash returns the block with that header hash.
func (l *Ledger) BlockByHash(hash []byte) (*cb.Block, error) {
	var block *cb.Block
	err := l.db.View(func(tx *bbolt.Tx) error {
		number := tx.Bucket(bucketBlockHash).Get(hash)
		if number == nil {
			return &NotFoundError{fmt.Sprintf("no such block hash [%x] in index", hash)}
		}
		var err error
		block, err = readBlock(tx, binary.BigEndian.Uint64(number))
		return err
	})
	return block, err
}

// Transaction returns where a transaction is and how it ended.
func (l *Ledger) Transaction(txID string) (Height, pb.TxValidationCode, error) {
	var height Height
	var code pb.TxValidationCode
	err := l.db.View(func(tx *bbolt.Tx) error {
		stored := tx.Bucket(bucketTx).Get([]byte(txID))
		if len(stored) != heightLength+1 {
			return &NotFoundError{fmt.Sprintf("no such transaction ID [%s] in index", txID)}
		}
		height, code = heightFrom(stored), pb.TxValidationCode(stored[heightLength])
		return nil
	})
	return height, code, err
}

// blockCacheSize bounds the blocks kept parsed for those who follow the tip.
const blockCacheSize = 64

type blockCache [blockCacheSize]*cb.Block

func (c *blockCache) get(number uint64) *cb.Block {
	if block := c[number%blockCacheSize]; block != nil && block.GetHeader().GetNumber() == number {
		return block
	}
	return nil
}

func (c *blockCache) put(block *cb.Block) { c[block.GetHeader().GetNumber()%blockCacheSize] = block }
