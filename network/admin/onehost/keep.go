package onehost

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/steelyard-ledger/steelyard/network/admin/lifecycle"
	"github.com/steelyard-ledger/steelyard/network/admin/process"
	"github.com/steelyard-ledger/steelyard/network/consortium"
)

// How often Keep looks, how long a node may take to answer, and how long BFT
// ordering may stand still with requests waiting. A change of the leader needs
// some 5 s, and 14 s when a node was behind; to restart a node meanwhile would
// only begin it anew.
const (
	keepLook   = time.Second
	keepAnswer = 5 * time.Second
	keepStill  = 25 * time.Second
)

// keeper is one Keep at work.
type keeper struct {
	*Network
	tell  func(text string)
	still standstill
}

// Keep looks after a running network until ctx ends. It starts again what has
// ended, and under BFT an ordering node that keeps the others from ordering:
// one that does not answer, or that is stuck in a change of the leader, where
// SmartBFT's parts can come to wait for one another for ever. What was stopped
// on purpose it leaves alone. It tells each thing that it does.
func (n *Network) Keep(ctx context.Context, tell func(text string)) error {
	if err := n.findTools(ctx); err != nil {
		return err
	}
	k := keeper{Network: n, tell: tell, still: standstill{since: time.Now()}}
	for {
		if err := k.revive(); err != nil {
			return err
		}
		if n.Plan.Orderer == consortium.BFT {
			if err := k.unblock(ctx); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(keepLook):
		}
	}
}

// revive starts what has ended.
func (k *keeper) revive() error {
	programs, err := k.kept()
	if err != nil {
		return err
	}
	for _, program := range programs {
		pid, err := program.PID()
		if err != nil {
			return err
		}
		if pid != 0 || program.Stopped() {
			continue
		}
		k.tell(program.Name + " had ended and is started again")
		if err := program.Start(); err != nil {
			return err
		}
	}
	return nil
}

// kept are the programs that belong to a network that is up.
func (n *Network) kept() ([]process.Program, error) {
	var programs []process.Program
	for _, node := range append(n.Plan.Orderers(), n.Plan.Peers()...) {
		program, err := n.nodeProgram(node)
		if err != nil {
			return nil, err
		}
		programs = append(programs, program)
	}
	deployments, err := n.Deployments()
	if err != nil {
		return nil, err
	}
	for _, d := range deployments {
		for _, organization := range n.members(d) {
			programs = append(programs, n.ServiceProgram(organization, d))
		}
	}
	return programs, nil
}

// unblock starts an ordering node again when ordering stands still.
func (k *keeper) unblock(ctx context.Context) error {
	nodes := slices.DeleteFunc(k.Plan.Orderers(), func(node consortium.Node) bool { return k.OrdererProgram(node).Stopped() })
	if len(nodes) == 0 {
		return nil
	}
	seen := make([]sight, len(nodes))
	var looking sync.WaitGroup
	for i, node := range nodes {
		looking.Go(func() { seen[i] = k.look(ctx, node) })
	}
	looking.Wait()
	i, found := k.still.stuck(time.Now(), seen)
	if !found || ctx.Err() != nil {
		return nil
	}
	k.tell(fmt.Sprintf("nothing was ordered for %s though requests wait: %s is started again", keepStill, nodes[i].Name))
	program := k.OrdererProgram(nodes[i])
	if err := program.Kill(ctx); err != nil {
		return err
	}
	return program.Start()
}

// sight is what an ordering node's metrics say.
type sight struct {
	answers               bool
	height, waiting, view float64 // blocks, requests in its pool, number of the leader's term that it is in
}

func (k *keeper) look(ctx context.Context, node consortium.Node) sight {
	ctx, cancel := context.WithTimeout(ctx, keepAnswer)
	defer cancel()
	values, err := lifecycle.Gauges(ctx, k.Plan, node,
		"ledger_blockchain_height", "consensus_smartbft_pool_count_of_elements", "consensus_smartbft_viewchange_current_view")
	if err != nil {
		return sight{}
	}
	return sight{answers: true, height: values[0], waiting: values[1], view: values[2]}
}

// standstill remembers since when ordering stands still.
type standstill struct {
	since  time.Time
	height float64
	tried  []int // nodes started again since then
}

// stuck says which node to start again: when requests have waited and no block
// has come for keepStill, one that does not answer, else the one that the
// change of the leader has left behind, each once before any a second time.
func (s *standstill) stuck(now time.Time, seen []sight) (node int, found bool) {
	highest, waits := 0.0, false
	for _, one := range seen {
		highest = max(highest, one.height)
		waits = waits || one.waiting > 0
	}
	if highest > s.height || !waits {
		*s = standstill{since: now, height: highest}
		return 0, false
	}
	if now.Sub(s.since) < keepStill {
		return 0, false
	}
	left := slices.DeleteFunc(indices(seen), func(i int) bool { return slices.Contains(s.tried, i) })
	if len(left) == 0 {
		left, s.tried = indices(seen), nil
	}
	node = slices.MinFunc(left, func(a, b int) int {
		x, y := seen[a], seen[b]
		if x.answers != y.answers {
			if x.answers {
				return 1
			}
			return -1
		}
		return cmp.Or(cmp.Compare(x.view, y.view), cmp.Compare(x.height, y.height))
	})
	s.tried, s.since = append(s.tried, node), now
	return node, true
}

func indices(seen []sight) (all []int) {
	for i := range seen {
		all = append(all, i)
	}
	return all
}
