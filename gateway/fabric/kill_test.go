package fabric_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/gateway/fabric"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/outbox"
)

// victimFile tells the test binary to be the gateway that gets killed, and
// where its orders are.
const victimFile = "STEELYARD_FABRIC_VICTIM"

// victimOrders is what a victim needs to know.
type victimOrders struct {
	Round  int
	Outbox string
	Wallet string
	Trust  []byte
	Peers  []fabric.Peer
}

func TestMain(m *testing.M) {
	if path := os.Getenv(victimFile); path != "" {
		if err := victim(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// victim adds to one key from several callers at once and prints each
// idempotency key before and after.
func victim(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var orders victimOrders
	if err := json.Unmarshal(data, &orders); err != nil {
		return err
	}
	ctx := context.Background()
	box, err := outbox.Open(ctx, orders.Outbox)
	if err != nil {
		return err
	}
	trust, err := ledger.ParseTrust(orders.Trust)
	if err != nil {
		return err
	}
	client, err := fabric.Connect(ctx, fabric.Config{
		Channel: "steelyard", Chaincode: "metrology", Wallet: orders.Wallet, Trust: trust, Outbox: box, Peers: orders.Peers,
	})
	if err != nil {
		return err
	}
	go func() { _ = client.Follow(ctx, nil, func(context.Context, ...ledger.Block) error { return nil }) }()
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for i := 0; ; i++ {
				key := fmt.Sprintf("%d-%d-%d", orders.Round, worker, i)
				fmt.Println("begun", key)
				if _, err := client.Submit(ctx, key, add("n")); err != nil {
					fmt.Println("failed", key, err)
					continue
				}
				fmt.Println("answered", key)
			}
		})
	}
	group.Wait()
	return nil
}

// killRounds is how often the gateway is killed; STEELYARD_KILL_ROUNDS sets another number.
func killRounds(t *testing.T) int {
	text := os.Getenv("STEELYARD_KILL_ROUNDS")
	if text == "" {
		return 4
	}
	rounds, err := strconv.Atoi(text)
	require.NoError(t, err)
	return rounds
}

// TestKill: a gateway is killed under load, again and again. What it answered
// is on the ledger; what was begun can be asked for again under its key; and
// in the end each key has counted once.
func TestKill(t *testing.T) {
	n := startNetwork(t)
	path := filepath.Join(t.TempDir(), "outbox.db")
	begun := map[string]bool{}
	for round := range killRounds(t) {
		answered := runVictim(t, n, path, round, begun)
		box, err := outbox.Open(t.Context(), path)
		require.NoError(t, err)
		t.Run(fmt.Sprintf("round %d", round), func(t *testing.T) {
			g := startGateway(t, n, func(c *fabric.Config) { c.Outbox = box })
			_, err := g.Recover(t.Context())
			require.NoError(t, err)
			require.GreaterOrEqual(t, g.count(t, "n"), answered, "nothing answered is lost")
			for key := range begun {
				_, err := g.Submit(t.Context(), key, add("n"))
				require.NoError(t, err)
			}
			require.Equal(t, len(begun), g.count(t, "n"), "nothing is lost or doubled")
			t.Logf("%d begun so far, %d answered before the kill", len(begun), answered)
		})
		require.NoError(t, box.Close())
	}
}

// runVictim runs a gateway until it is killed. It adds to begun and returns how
// many keys of all rounds must be on the ledger.
func runVictim(t *testing.T, n *network, path string, round int, begun map[string]bool) (answered int) {
	config := n.config(t, openOutbox(t, filepath.Join(t.TempDir(), "unused.db")))
	orders, err := json.Marshal(victimOrders{Round: round, Outbox: path, Wallet: n.wallet, Trust: n.Trust(), Peers: config.Peers})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "orders.json")
	require.NoError(t, os.WriteFile(file, orders, 0o600))
	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env = append(os.Environ(), victimFile+"="+file)
	output, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	answered = len(begun) // of earlier rounds, all settled
	var once sync.Once
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "begun":
			begun[rest] = true
		case "answered":
			answered++
			once.Do(func() {
				time.AfterFunc(time.Duration(100+40*(round%10))*time.Millisecond, func() { _ = command.Process.Kill() })
			})
		default:
			t.Errorf("victim: %s", lines.Text())
		}
	}
	require.Error(t, command.Wait(), "killed")
	return answered
}
