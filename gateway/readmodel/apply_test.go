package readmodel_test

import (
	"context"
	"database/sql"
	"net/url"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/readmodel"
)

func TestApplyRefuses(t *testing.T) {
	event := func(change func(*ledger.Event)) ledger.Transaction {
		x := registers(merchant("m9"), "Nine")
		change(x.Event)
		return x
	}
	kinds := map[string]struct {
		transaction ledger.Transaction
		says        string
	}{
		"UnknownKind":         {act("merchant.registered", "m9", put("receipt/1", "x")), `kind "receipt" is not known`},
		"UnknownPrivateKind":  {act("merchant.registered", "m9", disclose("secret/a/b", "x")), `private kind "secret" is not known`},
		"UnknownEventVersion": {event(func(e *ledger.Event) { e.Payload = []byte(`{"type":"merchant.registered","version":2,"id":"m9"}`) }), "has version 2; this gateway knows 1"},
		"UnknownEventFamily":  {act("lottery.drawn", "m9"), "of a family this gateway does not know"},
		"EventUnderOtherName": {event(func(e *ledger.Event) { e.Name = "pledge.signed" }), `event "pledge.signed" says it is "merchant.registered"`},
		"UnreadableEvent":     {event(func(e *ledger.Event) { e.Payload = []byte("{") }), "read event"},
		"UnreadableRecord":    {act("merchant.registered", "m9", ledger.Write{Namespace: chaincode, Key: "merchant/m9", Value: []byte(`{"id":7}`)}), "key merchant/m9"},
		"Deletion":            {act("merchant.registered", "m9", ledger.Write{Namespace: chaincode, Key: "merchant/m1", Delete: true}), "nothing is ever deleted"},
		"UnknownCertificate":  {act("certificate.revoked", "lab/7", put("certificate/lab/7", metrology.Certificate{})), "no certificate was anchored under this key"},
		"LeafWithoutRecord":   {withoutRecord(), "wrote no record of certificate N-2"},
		"LeafNotCanonical":    {spoiledLeaf(), "leaf 0"},
	}
	onEach(t, func(t *testing.T, r *register) {
		r.apply(registers(merchant("m1"), "One"))
		for name, test := range kinds {
			t.Run(name, func(t *testing.T) {
				// A good transaction before the bad one is taken back with it.
				r.refuses(r.next(registers(merchant("m2"), "Two"), test.transaction), test.says)
			})
		}
		r.apply(registers(merchant("m2"), "Two")) // it goes on after all that
	})
}

func withoutRecord() ledger.Transaction {
	x := anchors("r", leaf("N-1", ""), leaf("N-2", ""))
	x.Writes = append(x.Writes[:1], x.Writes[2:]...)
	return x
}

func spoiledLeaf() ledger.Transaction {
	x := anchors("r", leaf("N-1", ""))
	x.Args[0] = []byte(`{"issuer":"lab","leaves":[{"number":"N-1","version":1}]}`)
	return x
}

func TestApplyFollowsOneLedger(t *testing.T) {
	onEach(t, func(t *testing.T, r *register) {
		foreign := r.next()
		foreign.Hash = ledger.Hash{1}
		require.ErrorIs(t, r.refuses(foreign, "its hash is"), ledger.ErrForeignLedger)
		later := r.next()
		later.Number = 1
		require.ErrorIs(t, r.refuses(later, "block 0 comes first"), ledger.ErrGap)

		r.apply(registers(merchant("m1"), "One"))
		gap := r.next()
		gap.Number++
		require.ErrorIs(t, r.refuses(gap, "block 2 comes next"), ledger.ErrGap)
		require.ErrorIs(t, r.refuses(r.blocks[1], "block 2 comes next"), ledger.ErrGap)
		fork := r.next()
		fork.PreviousHash = ledger.Hash{1}
		require.ErrorIs(t, r.refuses(fork, "its predecessor has hash"), ledger.ErrForeignLedger)

		position, err := r.Position(t.Context())
		require.NoError(t, err)
		require.Equal(t, &ledger.Position{Number: 1, Hash: r.blocks[1].Hash}, position)
	})
}

func TestPositionRefusesForeignLedger(t *testing.T) {
	onEach(t, func(t *testing.T, r *register) {
		position, err := r.Position(t.Context())
		require.NoError(t, err)
		require.Nil(t, position, "before block 0")
		r.apply()
		for name, change := range map[string]func(*readmodel.Config){
			"Genesis": func(c *readmodel.Config) { c.Genesis = ledger.Hash{1} },
			"Channel": func(c *readmodel.Config) { c.Channel = "other" },
		} {
			t.Run(name, func(t *testing.T) {
				config := r.config
				change(&config)
				other, err := readmodel.Open(t.Context(), config)
				require.NoError(t, err)
				defer other.Close()
				_, err = other.Position(t.Context())
				require.ErrorIs(t, err, ledger.ErrForeignLedger)
				require.ErrorIs(t, other.Apply(t.Context(), r.next()), ledger.ErrForeignLedger)
			})
		}
	})
}

func TestInvalidTransactionsChangeNothing(t *testing.T) {
	onEach(t, func(t *testing.T, r *register) {
		r.apply(registers(merchant("m1"), "One"))
		before := r.dump()
		amended := merchant("m1")
		amended.Region = "440300"
		x := invalid(registers(amended, "Other"), peer.TxValidationCode_MVCC_READ_CONFLICT)
		x.ID, x.Timestamp = "tx-invalid", time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
		r.apply(x, ledger.Transaction{ID: "tx-unread", Code: peer.TxValidationCode_BAD_PAYLOAD}, ledger.Transaction{Code: peer.TxValidationCode_NIL_ENVELOPE})
		after := r.dump()
		for table := range before {
			if table != "transactions" && table != "position" {
				require.Equal(t, before[table], after[table], table)
			}
		}
		found, err := r.Transaction(t.Context(), "tx-invalid")
		require.NoError(t, err)
		require.Equal(t, "MVCC_READ_CONFLICT", found.Code)
		require.False(t, found.Valid)
		require.Empty(t, found.Event)
		_, err = r.Transaction(t.Context(), "tx-unread")
		require.NoError(t, err)
		status, err := r.Status(t.Context())
		require.NoError(t, err)
		require.Equal(t, "2026-03-15T08:00:00Z", status.LastTime, "the time of an invalid transaction counts for nothing")
		require.EqualValues(t, 3, status.Height)
	})
}

func TestDuplicateTransactionIDKeepsTheFirst(t *testing.T) {
	onEach(t, func(t *testing.T, r *register) {
		first := registers(merchant("m1"), "One")
		again := invalid(first, peer.TxValidationCode_DUPLICATE_TXID)
		r.apply(first, again)
		r.apply(again)
		found, err := r.Transaction(t.Context(), first.ID)
		require.NoError(t, err)
		require.True(t, found.Valid)
		require.Equal(t, uint64(1), found.Block)
		require.Equal(t, 0, found.Index)
		require.Equal(t, []string{metrology.RegulatorMSP, metrology.NotaryMSP}, found.Endorsers)
		require.Equal(t, "m1", found.Subject)
	})
}

// On a real network chaincode definitions are written to the same channel.
func TestOtherChaincodesAreLeftAlone(t *testing.T) {
	onEach(t, func(t *testing.T, r *register) {
		lifecycle := act("CommitChaincodeDefinition.x", "x", ledger.Write{Namespace: "_lifecycle", Key: "namespaces/fields/metrology/Sequence", Value: []byte{1}},
			ledger.PrivateWrite{Namespace: "_lifecycle", Collection: "_implicit_org_RegulatorMSP", KeyHash: []byte{1}, Missing: true},
			ledger.PrivateWrite{Namespace: "other", Collection: metrology.CollectionDisclosed, KeyHash: []byte{2}, Missing: true})
		lifecycle.ID, lifecycle.Chaincode = "tx-lifecycle", "_lifecycle"
		through := registers(merchant("m1"), "One") // another chaincode called the contract
		through.Chaincode, through.Event = "wrapper", &ledger.Event{Name: "wrapped", Payload: []byte("x")}
		r.apply(lifecycle, through)
		dump := r.dump()
		require.Len(t, dump["transactions"], 3)
		require.Empty(t, dump["history"])
		require.Empty(t, dump["missing"])
		require.Len(t, dump["merchants"], 1)
		require.Len(t, dump["disclosed"], 1)
	})
}

func TestStrangeTextStopsNothing(t *testing.T) {
	onEach(t, func(t *testing.T, r *register) {
		strange := invalid(act("merchant.registered", "x"), peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE)
		strange.ID, strange.Function = "nul\x00\xff", "a\x00b\xff"
		r.apply(strange)
		found, err := r.Transaction(t.Context(), "nul\x00\xff")
		require.NoError(t, err)
		require.Equal(t, "a\ufffdb\ufffd", found.Function)
		_, err = r.Merchant(t.Context(), "\x00", today)
		require.Equal(t, metrology.CodeNotFound, metrology.ErrorCode(err))
	})
}

func TestAbortedApplyIsTakenBack(t *testing.T) {
	onEach(t, func(t *testing.T, r *register) {
		r.apply(registers(merchant("m1"), "One"))
		before := r.dump()
		block := r.next(registers(merchant("m2"), "Two"))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, r.Apply(ctx, block), context.Canceled)
		require.Equal(t, before, r.dump())

		// The process ends in the middle of a block: the database is reopened
		// with the transaction open.
		r.refuses(r.next(registers(merchant("m2"), "Two"), act("lottery.drawn", "x")), "lottery")
		require.NoError(t, r.Close())
		r.open()
		require.Equal(t, before, r.dump())
		r.take(block)
		_, err := r.Merchant(t.Context(), "m2", today)
		require.NoError(t, err)
	})
}

func TestOpenRefuses(t *testing.T) {
	_, err := readmodel.Open(t.Context(), readmodel.Config{Driver: "mysql"})
	require.ErrorContains(t, err, "neither sqlite nor pgx")
	_, err = readmodel.Open(t.Context(), readmodel.Config{Driver: "pgx", DSN: "postgres:///none?host=/nowhere"})
	require.Error(t, err)
}

// Lists must not depend on the language of a database.
func TestOpenRefusesOtherOrderOfText(t *testing.T) {
	db, err := sql.Open("pgx", postgresDSN(t))
	require.NoError(t, err)
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `CREATE DATABASE german TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'de' LOCALE 'C'`); err != nil {
		t.Skipf("this server makes no database with another order: %v", err)
	}
	defer func() {
		_, err := db.ExecContext(context.Background(), `DROP DATABASE german WITH (FORCE)`)
		require.NoError(t, err)
	}()
	dsn, err := url.Parse(postgresDSN(t))
	require.NoError(t, err)
	dsn.Path = "/german"
	_, err = readmodel.Open(t.Context(), readmodel.Config{Driver: "pgx", DSN: dsn.String()})
	require.ErrorContains(t, err, "must order text by its UTF-8 bytes")
}
