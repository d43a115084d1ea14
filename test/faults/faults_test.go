package faults

import (
	"database/sql/driver"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	gatewaypb "github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/steelyard-ledger/steelyard/network/embedded/ledger"
)

// scenario is what happens while a call is armed: everything, or the gateway
// alone, stops, is prepared, starts, works and stops, since a fault may be in
// each of these.
type scenario struct {
	name    string
	prepare func(r *rig) // before the gateway is started again
}

var scenarios = []scenario{
	{"Run", func(*rig) {}},
	{"Rebuild", func(r *rig) { // the read model is made from block 0
		for _, suffix := range []string{"", "-wal", "-shm"} {
			require.NoError(r.t, os.RemoveAll(r.file("readmodel.db"+suffix)))
		}
	}},
}

// table is what the rows are made of.
type table struct {
	*rig
	oracle *oracle
	asked  map[string]bool
	rows   int
	failed []string // the calls that had their rows
}

// TestFaults lets every call fail in both ways, in the first scenario that
// makes it without a fault.
func TestFaults(t *testing.T) {
	r := newRig(t)
	r.ensure()
	r.begin()
	r.forget()
	all := &table{rig: r, oracle: newOracle(r), asked: map[string]bool{}}
	calls := make([][]string, len(scenarios))
	for i, s := range scenarios {
		r.plan.reset()
		all.run(s, true)
		calls[i] = r.plan.made()
		all.oracle.check(all.asked)
	}
	for i, s := range slices.Backward(scenarios) { // rebuilding is for as long as there is little to rebuild
		for _, call := range calls[i] {
			if i > 0 && slices.Contains(calls[0], call) {
				continue // has its rows in the first scenario
			}
			if !all.fail(t, s, call) {
				return // the runs after it stand on the same data
			}
		}
	}
	all.oracle.rebuild()
	t.Logf("%d calls failed in both ways, %d runs, %d actions: none lost, none doubled", len(all.failed), all.rows, len(all.asked))
	complete(t, all.failed)
}

// run is one row.
func (all *table) run(s scenario, network bool) {
	all.rows++
	all.halt()
	s.prepare(all.rig)
	if network {
		all.restartNetwork()
	}
	all.ensure()
	maps.Copy(all.asked, all.play(fmt.Sprintf("R%d", all.rows)))
	all.halt()
	if network {
		all.restartNetwork()
	}
}

// fail makes the two rows of a call.
func (all *table) fail(t *testing.T, s scenario, call string) (ok bool) {
	all.failed = append(all.failed, call)
	for _, happened := range []bool{false, true} {
		ok = t.Run(fmt.Sprintf("%s/%s/happened=%t", s.name, call, happened), func(t *testing.T) {
			defer func(outer *testing.T) { all.t = outer }(all.t)
			all.t = t
			all.plan.arm(call, happened)
			all.run(s, strings.Contains(call, " Disk."))
			require.True(t, all.plan.disarm(), "the call was not made again")
			all.oracle.check(all.asked)
		})
		if !ok {
			return false
		}
	}
	return true
}

// unreached are the methods of the interfaces that no call of these programs
// reaches, and why.
var unreached = map[string]string{
	"peer /gateway.Gateway/CommitStatus":    "commits are awaited from one block stream",
	"peer /gateway.Gateway/ChaincodeEvents": "events are read from blocks",
	"outbox ExecerContext.ExecContext":      "makes a new file, before there is anything to lose",
	"outbox Tx.Rollback":                    "every change is committed, with what failed left out",
	"read model Tx.Rollback":                "only after another fault",
	"ledger.db Disk.Batch":                  "one block is one change",
}

// complete checks that every method of the interfaces behind the calls was
// made to fail, so that a new one cannot be forgotten.
func complete(t *testing.T, failed []string) {
	met := func(prefix string) bool {
		for _, call := range failed {
			if call == prefix || strings.HasPrefix(call, prefix+" ") {
				return true
			}
		}
		return false
	}
	want := []string{}
	for _, service := range []grpc.ServiceDesc{gatewaypb.Gateway_ServiceDesc, peer.Deliver_ServiceDesc} {
		for _, method := range service.Methods {
			want = append(want, "peer /"+service.ServiceName+"/"+method.MethodName)
		}
		for _, stream := range service.Streams {
			want = append(want, "peer /"+service.ServiceName+"/"+stream.StreamName)
		}
	}
	for _, database := range []string{"outbox ", "read model "} {
		for _, of := range []reflect.Type{
			reflect.TypeFor[driver.Connector](), reflect.TypeFor[driver.ConnPrepareContext](), reflect.TypeFor[driver.ConnBeginTx](), reflect.TypeFor[driver.ExecerContext](),
			reflect.TypeFor[driver.QueryerContext](), reflect.TypeFor[driver.StmtExecContext](), reflect.TypeFor[driver.StmtQueryContext](), reflect.TypeFor[driver.Tx](),
		} {
			want = append(want, methods(database+of.Name(), of)...)
		}
	}
	for _, file := range []string{"ledger.db ", "transient.db "} {
		want = append(want, methods(file+"Disk", reflect.TypeFor[ledger.Disk]())...)
	}
	for _, method := range want {
		reason, named := unreached[method]
		require.NotEqual(t, met(method), named, "%s: either it is made to fail or a reason says why not (%q)", method, reason)
	}
}

// methods names the methods of an interface that can fail.
func methods(prefix string, of reflect.Type) (names []string) {
	for i := range of.NumMethod() {
		method := of.Method(i)
		results := method.Type.NumOut()
		if results > 0 && method.Type.Out(results-1) == reflect.TypeFor[error]() {
			names = append(names, prefix+"."+method.Name)
		}
	}
	return names
}
