package embedded_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/steelyard-ledger/steelyard/network/embedded"
)

// written makes a directory with a stopped network of a few blocks.
func written(t *testing.T) embedded.Config {
	t.Helper()
	cfg := config(t, t.TempDir())
	network, err := embedded.Start(t.Context(), cfg)
	require.NoError(t, err)
	c := contract(connect(t, network, "RegulatorMSP"))
	for _, value := range []string{"1", "2", "3"} {
		_, err := c.SubmitTransaction("put", "a", value)
		require.NoError(t, err)
	}
	require.NoError(t, network.Close())
	require.NoError(t, network.Close(), "Close may be repeated")
	return cfg
}

// refused starts a network that must not start, and returns why it did not.
func refused(t *testing.T, cfg embedded.Config) string {
	t.Helper()
	network, err := embedded.Start(t.Context(), cfg)
	if err == nil {
		require.NoError(t, network.Close())
		require.FailNow(t, "started")
	}
	return err.Error()
}

func TestStartRefuses(t *testing.T) {
	t.Run("NoDirectory", func(t *testing.T) {
		require.Contains(t, refused(t, embedded.Config{}), "needs a data directory")
	})
	t.Run("DirectoryInUse", func(t *testing.T) {
		cfg := config(t, t.TempDir())
		start(t, cfg)
		require.Contains(t, refused(t, cfg), "the data directory "+cfg.Dir+" is in use by another process")
	})
	t.Run("PortInUse", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer func() { require.NoError(t, listener.Close()) }()
		cfg := config(t, t.TempDir())
		cfg.Listen = listener.Addr().String()
		require.Contains(t, refused(t, cfg), "cannot listen on "+cfg.Listen)
		cfg.Listen = ""
		start(t, cfg) // nothing is left locked
	})
	t.Run("OtherChannel", func(t *testing.T) {
		cfg := written(t)
		cfg.Channel = "other"
		require.Contains(t, refused(t, cfg), "belongs to channel steelyard")
	})
	t.Run("OtherOrganizations", func(t *testing.T) {
		cfg := written(t)
		cfg.Organizations = []string{"OtherMSP"}
		require.Contains(t, refused(t, cfg), "not to channel steelyard of OtherMSP")
	})
	t.Run("OtherVersionOfTheDirectory", func(t *testing.T) {
		cfg := written(t)
		rewriteFile(t, filepath.Join(cfg.Dir, "network.json"), `"version": 1`, `"version": 9`)
		require.Contains(t, refused(t, cfg), "has version 9; this program reads version 1")
	})
	t.Run("OtherVersionOfTheLedger", func(t *testing.T) {
		cfg := written(t)
		edit(t, cfg, func(tx *bbolt.Tx) error { return tx.Bucket([]byte("meta")).Put([]byte("version"), []byte("9")) })
		require.Contains(t, refused(t, cfg), `has format version "9"`)
	})
	t.Run("ChaincodeTwice", func(t *testing.T) {
		cfg := config(t, t.TempDir())
		cfg.Chaincodes = append(cfg.Chaincodes, cfg.Chaincodes[0])
		require.Contains(t, refused(t, cfg), "named twice")
	})
	t.Run("TooManyOrganizations", func(t *testing.T) {
		cfg := config(t, t.TempDir())
		cfg.Organizations = strings.Split("A,B,C,D,E,F,G,H,I", ",")
		require.Contains(t, refused(t, cfg), "at most 8")
	})
}

func rewriteFile(t *testing.T, path, old, new string) {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(content), old)
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(content), old, new, 1)), 0o600))
}

// edit changes the stored ledger behind the network's back.
func edit(t *testing.T, cfg embedded.Config, change func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(cfg.Dir, "ledger.db"), 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, errors.Join(db.Update(change), db.Close()))
}

func block(number byte) []byte { return []byte{0, 0, 0, 0, 0, 0, 0, number} }

func TestDamageIsNoticedAtStart(t *testing.T) {
	cases := map[string]struct {
		change func(*bbolt.Tx) error
		want   string
	}{
		"BlockChanged": {func(tx *bbolt.Tx) error {
			bucket := tx.Bucket([]byte("blocks"))
			content := append([]byte{}, bucket.Get(block(2))...)
			at := strings.Index(string(content), "RegulatorMSP")
			content[at] ^= 1
			return bucket.Put(block(2), content)
		}, "the transactions of block 2 do not have the hash in its header"},
		"BlockMissing": {func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("blocks")).Delete(block(1))
		}, "no such block number [1]"},
		"BlockUnreadable": {func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("blocks")).Put(block(3), []byte{0xff, 0xff})
		}, "block 3 cannot be read"},
		"LastBlockMissing": {func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("blocks")).Delete(block(3))
		}, "the state does not belong to the last block 2"},
		"BlocksSwapped": {func(tx *bbolt.Tx) error {
			bucket := tx.Bucket([]byte("blocks"))
			return bucket.Put(block(1), append([]byte{}, bucket.Get(block(2))...))
		}, "block 1 says it is block 2"},
		"IndexMissing": {func(tx *bbolt.Tx) error {
			if err := tx.DeleteBucket([]byte("blockhash")); err != nil {
				return err
			}
			_, err := tx.CreateBucket([]byte("blockhash"))
			return err
		}, "is not in the index of hashes"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			cfg := written(t)
			edit(t, cfg, c.change)
			message := refused(t, cfg)
			require.Contains(t, message, c.want)
			require.Contains(t, message, "is damaged")
			require.Contains(t, message, cfg.Dir)
		})
	}
}

func TestBrokenFileIsNoticedAtStart(t *testing.T) {
	for name, spoil := range map[string]func(*testing.T, string){
		"Garbage": func(t *testing.T, path string) {
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			for i := range content {
				content[i] ^= 0x5a
			}
			require.NoError(t, os.WriteFile(path, content, 0o600))
		},
		"CutShort": func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 3*4096)) },
		"Empty":    func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 100)) },
		"PagesLost": func(t *testing.T, path string) {
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			clear(content[2*4096:])
			require.NoError(t, os.WriteFile(path, content, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := written(t)
			spoil(t, filepath.Join(cfg.Dir, "ledger.db"))
			message := refused(t, cfg)
			require.Contains(t, message, "ledger.db")
			require.Contains(t, message, "damaged")
		})
	}
	t.Run("Key", func(t *testing.T) {
		cfg := written(t)
		path := filepath.Join(cfg.Dir, "keys", "RegulatorMSP", "ca.pem")
		require.NoError(t, os.WriteFile(path, []byte("x"), 0o600))
		require.Contains(t, refused(t, cfg), path+" is damaged")
	})
}

func TestKeysAreNotReadableByOthers(t *testing.T) {
	cfg := written(t)
	require.NoError(t, filepath.WalkDir(filepath.Join(cfg.Dir, "keys"), func(path string, entry os.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := entry.Info()
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, path)
		return nil
	}))
}

// TestPurgedDataLeavesTheFiles looks for a purged value in the bytes on disk.
func TestPurgedDataLeavesTheFiles(t *testing.T) {
	const secret = "a telephone number that must vanish"
	cfg := config(t, t.TempDir())
	network := start(t, cfg)
	c := contract(connect(t, network, "RegulatorMSP"))
	_, err := c.Submit("putPrivate", client.WithArguments("disclosed", "k"),
		client.WithTransient(map[string][]byte{"value": []byte(secret)}))
	require.NoError(t, err)
	_, err = c.SubmitTransaction("purge", "disclosed", "k")
	require.NoError(t, err)
	for range 20 { // pages are used again: the value may lie in any of them
		_, err = c.SubmitTransaction("put", "a", strings.Repeat("x", 5000))
		require.NoError(t, err)
	}
	gateway := connect(t, network, "RegulatorMSP")
	events, err := gateway.GetNetwork("steelyard").BlockAndPrivateDataEvents(t.Context(), client.WithStartBlock(1))
	require.NoError(t, err)
	first := <-events
	require.NotContains(t, first.String(), secret)
	require.Equal(t, pb.TxValidationCode_VALID, pb.TxValidationCode(first.GetBlock().GetMetadata().GetMetadata()[2][0]))
	require.NoError(t, network.Close())
	require.NoError(t, filepath.WalkDir(cfg.Dir, func(path string, entry os.DirEntry, err error) error {
		require.NoError(t, err)
		if entry.IsDir() {
			return nil
		}
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		require.False(t, strings.Contains(string(content), secret), path)
		return nil
	}))
	value, err := contract(connect(t, start(t, cfg), "RegulatorMSP")).EvaluateTransaction("get", "a")
	require.NoError(t, err)
	require.Len(t, value, 5000)
}
