package contract

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// withheld is a transaction that was endorsed and may be submitted at any
// time. It is valid while what it read stands.
type withheld struct {
	*memoryStub
	claimed time.Time
	reads   map[string][]byte
	spent   bool
}

func (w *withheld) GetTxTimestamp() (*timestamppb.Timestamp, error) {
	return timestamppb.New(w.claimed), nil
}

func (w *withheld) GetState(key string) ([]byte, error) {
	w.reads[key] = w.ledger.state[key]
	return w.ledger.state[key], nil
}

func (w *withheld) GetMultipleStates(keys ...string) ([][]byte, error) {
	values := make([][]byte, len(keys))
	for i, key := range keys {
		values[i], _ = w.GetState(key)
	}
	return values, nil
}

// submit validates as a peer does (MVCC, and each transaction id once) and
// says whether the transaction took effect.
func (w *withheld) submit() bool {
	if w.spent {
		return false
	}
	w.spent = true
	for key, read := range w.reads {
		if !bytes.Equal(read, w.ledger.state[key]) {
			return false
		}
	}
	for _, write := range w.writes {
		write()
	}
	return true
}

// peerWindow is by how many seconds honest peers let a claimed time differ.
// A margin is more than twice that.
const peerWindow = drawMargin/2 - 1

// adversary holds every organisation's identities and orders transactions as
// it likes. Peers are honest: they run the contract and bound claimed times.
type adversary struct {
	drawing
	pool  []*withheld
	fixed string // the close on the ledger when the beacon became known
	ended metrology.DrawPhase
}

// known says whether the round's signature is known, by true time.
func (a *adversary) known() bool {
	due := a.phase().RoundTime
	return due != 0 && a.now.Unix() >= due
}

func (a *adversary) endorse(t *rapid.T, by actor, function string, request any) {
	a.count++
	claimed := a.now.Add(time.Duration(rapid.IntRange(-peerWindow, peerWindow).Draw(t, "claimed")) * time.Second)
	stub := &withheld{claimed: claimed, reads: map[string][]byte{}, memoryStub: &memoryStub{
		ledger: a.ledger, creator: by, id: fmt.Sprintf("tx-%d", a.count),
		arguments: []string{function, text(a.t, request), fmt.Sprintf("op-%d", a.count)},
	}}
	if a.chaincode.Invoke(stub).GetStatus() == shim.OK {
		a.pool = append(a.pool, stub)
	}
}

// submitOne sends the newest transaction or, half the time, any.
func (a *adversary) submitOne(t *rapid.T) {
	if len(a.pool) == 0 {
		return
	}
	which := len(a.pool) - 1
	if rapid.Bool().Draw(t, "withheld") {
		which = rapid.IntRange(0, len(a.pool)-1).Draw(t, "which")
	}
	a.pool[which].submit()
	a.pool = append(a.pool[:which:which], a.pool[which+1:]...)
}

// usefulSteps are those that lead on, so that runs get somewhere.
var usefulSteps = map[metrology.DrawPhase][]string{
	metrology.DrawCommitting: {"Commit", "Commit", "Open"}, metrology.DrawRevealing: {"Reveal", "Reveal", "Close"},
	metrology.DrawClosed: {"Observe", "Observe", "Beacon"}, metrology.DrawSeeded: {"Result", "CommitLeaves"},
	metrology.DrawSealed: {"CommitLeaves", "Unseal"},
}

// step has one random transaction endorsed that the adversary could want.
func (a *adversary) step(t *rapid.T) {
	org := rapid.SampledFrom(metrology.DrawOrganizations).Draw(t, "org")
	function := rapid.SampledFrom([]string{"Commit", "Open", "Reveal", "Close", "Observe", "Beacon", "Result", "CommitLeaves", "Unseal", "Void", "Cancel"}).Draw(t, "step")
	if useful := usefulSteps[a.phase().Phase]; useful != nil && rapid.Bool().Draw(t, "useful") {
		function = rapid.SampledFrom(useful).Draw(t, "useful step")
	}
	var request any = metrology.DrawAction{ID: a.id}
	switch function {
	case "Commit":
		request = a.commitment(org)
	case "Reveal":
		request = metrology.RevealToDraw{ID: a.id, Secret: drawSecret(a.id, org).String()}
	case "Observe":
		if _, closed := a.state[metrology.DrawKey(a.id, metrology.DrawPartClose)]; !closed {
			return
		}
		request = metrology.ObserveDraw{ID: a.id, Contribution: a.closing().Contribution}
	case "Beacon":
		if !a.known() {
			return // nobody has the signature yet
		}
		request = a.signature()
	case "CommitLeaves": // right or wrong
		request = metrology.CommitToLeaves{ID: a.id, Root: salt(rapid.SampledFrom([]string{"one", "other"}).Draw(t, "root")), Leaves: 3}
	case "Unseal":
		request = a.unsealing()
	case "Cancel":
		if rapid.IntRange(0, 29).Draw(t, "cancel") > 0 {
			return // else few runs would get anywhere
		}
		request = metrology.CancelDraw{ID: a.id, Reason: metrology.DrawForceMajeure}
	}
	a.endorse(t, a.officer(org), "draw:"+function, request)
}

// check: when the signature becomes known, what can come out is settled.
func (a *adversary) check(t require.TestingT) {
	closing := string(a.state[metrology.DrawKey(a.id, metrology.DrawPartClose)])
	if a.known() && a.fixed == "" {
		a.fixed = closing + "."
	}
	phase := a.phase().Phase
	if phase == metrology.DrawSeeded || phase == metrology.DrawSealed || phase == metrology.DrawDrawn {
		require.Equal(t, a.fixed, closing+".", "a draw's outcome follows from a close that stood before its round")
	}
	if a.phase().Sealed() && phase == metrology.DrawDrawn {
		require.Equal(t, sealSecret(a.id).String(), a.opening().Secret, "the secret of the plan's seal, fixed before all else")
	}
	if a.ended != "" {
		require.Equal(t, a.ended, phase, "what has ended stays as it is")
	}
	if len(metrology.DrawTransitions[phase]) == 0 {
		a.ended = phase
	}
}

// TestDrawAdversary: transactions that are withheld, reordered and given
// false times within the peers' window never give a second outcome.
func TestDrawAdversary(t *testing.T) {
	enacted := newLedger(t).planDraw(1).approve().freeze().enact()
	open := enacted
	open.ledger = enacted.fork(t)
	open = open.commit(metrology.DrawOrganizations...).open().reveal(metrology.InstituteMSP, metrology.NotaryMSP)
	sealed := newLedger(t).planSealedDraw(1).accept().approve().freeze().enact()
	sealed = sealed.commit(metrology.DrawOrganizations...).open().reveal(metrology.DrawOrganizations...)
	outcomes := map[metrology.DrawPhase]int{}
	rapid.Check(t, func(t *rapid.T) {
		run := rapid.SampledFrom([]drawing{enacted, open, sealed}).Draw(t, "from")
		run.ledger = run.fork(run.t)
		a := &adversary{drawing: run}
		for range rapid.IntRange(50, 250).Draw(t, "length") {
			switch rapid.IntRange(0, 14).Draw(t, "move") {
			case 0:
				a.now = a.now.Add(time.Duration(rapid.SampledFrom([]int{1, 2, 3, 5, 10, 20}).Draw(t, "seconds")) * time.Second)
			case 1, 2, 3, 4, 5, 6:
				a.step(t)
			default:
				a.submitOne(t)
			}
			a.check(t)
		}
		outcomes[a.phase().Phase]++
	})
	t.Logf("ended in %v", outcomes)
}

// TestDrawLateTransactions keeps one transaction of each kind from every phase
// and submits it after each later step: none takes effect.
func TestDrawLateTransactions(t *testing.T) {
	const regulator, institute, notary = metrology.RegulatorMSP, metrology.InstituteMSP, metrology.NotaryMSP
	d := newLedger(t).planDraw(1).approve().freeze().enact().commit(institute, metrology.AssociationMSP, notary)
	d.now = time.Unix(d.phase().RoundTime-3*drawMargin, 0)
	var kept []*withheld
	keep := func(org, function string, request any) {
		d.count++
		w := &withheld{claimed: d.now, reads: map[string][]byte{}, memoryStub: &memoryStub{
			ledger: d.ledger, creator: d.officer(org), id: fmt.Sprintf("kept-%d", d.count),
			arguments: []string{"draw:" + function, text(t, request), fmt.Sprintf("kept-%d", d.count)},
		}}
		require.EqualValues(t, shim.OK, d.chaincode.Invoke(w).GetStatus(), function)
		kept = append(kept, w)
	}
	refuse := func() {
		for _, w := range kept {
			require.False(t, w.submit(), w.arguments[0])
			w.spent = false // a copy comes again later
		}
	}
	keep(regulator, "Commit", d.commitment(regulator))
	keep(regulator, "Cancel", metrology.CancelDraw{ID: d.id, Reason: metrology.DrawForceMajeure})
	keep(regulator, "Open", metrology.DrawAction{ID: d.id})
	d = d.open().reveal(institute)
	refuse()
	d.now = time.Unix(d.phase().RoundTime-2*drawMargin, 0)
	keep(notary, "Reveal", metrology.RevealToDraw{ID: d.id, Secret: drawSecret(d.id, notary).String()})
	keep(regulator, "Close", metrology.DrawAction{ID: d.id})
	d = d.reveal(metrology.AssociationMSP)
	require.False(t, kept[len(kept)-1].submit(), "a close that has not seen a secret")
	d = d.close()
	refuse()
	keep(metrology.AssociationMSP, "Observe", metrology.ObserveDraw{ID: d.id, Contribution: d.closing().Contribution})
	d = d.observe(institute, notary).awaitRound().seed()
	refuse()
	d = d.post()
	refuse()
	require.Equal(t, metrology.DrawDrawn, d.phase().Phase)
}
