package readmodel_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/public"
	"github.com/steelyard-ledger/steelyard/gateway/readmodel"
)

const secret = "Zhang San Noodles"

var m1Profile = profileKey(metrology.KindMerchant, "m1")

func amends(w ledger.PrivateWrite) ledger.Transaction {
	return act(metrology.EventMerchantAmended, "m1", put("merchant/m1", merchant("m1")), w)
}

func TestDeletedValuesLeaveNothing(t *testing.T) {
	remove := privately(m1Profile)
	remove.Delete = true
	for name, w := range map[string]ledger.PrivateWrite{
		"Purged":   purge(m1Profile),
		"Deleted":  remove,
		"Replaced": disclose(m1Profile, profile("Li Si")),
		"Missing":  absent(disclose(m1Profile, profile("Li Si"))),
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, r *register) {
				r.apply(registers(merchant("m1"), secret))
				require.Equal(t, secret, r.name("m1"))
				x := amends(w)
				x.ID = "tx-later"
				r.apply(x)
				require.NotEqual(t, secret, r.name("m1"))
				page, err := r.Merchants(t.Context(), public.MerchantFilter{Text: "noodles"}, today)
				require.NoError(t, err)
				require.Empty(t, page.Items)
				for table, rows := range r.dump() {
					for _, row := range rows {
						require.NotContains(t, row, secret, table)
					}
				}
				r.notOnDisk(secret)
			})
		})
	}
}

// notOnDisk looks for a text in the files of SQLite while they are in use.
// PostgreSQL keeps dead rows until its own vacuum.
func (r *register) notOnDisk(text string) {
	if r.config.Driver != "sqlite" {
		return
	}
	for _, suffix := range []string{"", "-wal", "-journal"} {
		raw, err := os.ReadFile(r.config.DSN + suffix)
		if os.IsNotExist(err) {
			continue
		}
		require.NoError(r.t, err)
		for _, form := range [][]byte{[]byte(text), bytes.ToLower([]byte(text))} {
			require.False(r.t, bytes.Contains(raw, form), "%q is still in the file with suffix %q", text, suffix)
		}
	}
}

// name is a merchant's name as shown, empty when there is none.
func (r *register) name(id string) string {
	r.t.Helper()
	m, err := r.Merchant(r.t.Context(), id, today)
	require.NoError(r.t, err)
	if m.Details == nil {
		return ""
	}
	return m.Details.Name
}

func TestMissingValuesAreFilled(t *testing.T) {
	onEach(t, func(t *testing.T, r *register) {
		whole := registers(merchant("m1"), "One")
		late := whole
		late.Private = []ledger.PrivateWrite{absent(whole.Private[0])}
		block := r.apply(registers(merchant("m0"), "Zero"), late)
		require.Equal(t, "", r.name("m1"))
		require.Equal(t, []uint64{1}, r.missing())

		again := block
		again.Transactions = []ledger.Transaction{block.Transactions[0], whole}
		again.Transactions[1].Index = 1
		fork := again
		fork.Hash = ledger.Hash{1}
		require.Equal(t, 0, r.fill(fork), "a block that was not applied gives nothing")
		require.Equal(t, 0, r.fill(block), "still missing")
		require.Equal(t, 1, r.fill(again))
		require.Equal(t, 0, r.fill(again), "nothing is taken twice")
		require.Empty(t, r.missing())
		require.Equal(t, "One", r.name("m1"))
		position, err := r.Position(t.Context())
		require.NoError(t, err)
		require.Equal(t, uint64(1), position.Number)
	})
}

// A value that comes after it was replaced, deleted or purged must not come back.
func TestLateValuesThatNoLongerCount(t *testing.T) {
	for name, test := range map[string]struct {
		then  ledger.PrivateWrite
		shown string
	}{
		"Purged":   {purge(m1Profile), ""},
		"Replaced": {disclose(m1Profile, profile("Two")), "Two"},
		"Missing":  {absent(disclose(m1Profile, profile("Two"))), ""},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, r *register) {
				whole := registers(merchant("m1"), "One")
				late := whole
				late.Private = []ledger.PrivateWrite{absent(whole.Private[0])}
				block := r.apply(late)
				x := amends(test.then)
				x.ID = "tx-later"
				r.apply(x)
				block.Transactions = []ledger.Transaction{whole}
				require.Equal(t, 0, r.fill(block))
				require.Equal(t, test.shown, r.name("m1"))
				if name == "Missing" {
					require.Equal(t, []uint64{2}, r.missing(), "only the newest value is asked for")
				} else {
					require.Empty(t, r.missing())
				}
			})
		})
	}
}

func (r *register) missing() []uint64 {
	r.t.Helper()
	numbers, err := r.Missing(r.t.Context())
	require.NoError(r.t, err)
	return numbers
}

func (r *register) fill(block ledger.Block) int {
	r.t.Helper()
	n, err := r.Fill(r.t.Context(), block)
	require.NoError(r.t, err)
	return n
}

func TestOtherCollectionsStayAway(t *testing.T) {
	onEach(t, func(t *testing.T, r *register) {
		w := disclose("inspector/i1", "Wang Wu")
		w.Collection = metrology.CollectionRestricted
		gone := absent(w)
		r.apply(act("inspection.entered", "i1", w, gone))
		require.Empty(t, r.dump()["disclosed"])
		require.Empty(t, r.missing())
	})
}

func TestPrivateKeys(t *testing.T) {
	inspection := metrology.Inspection{ID: "v1", Revisions: []metrology.InspectionRevision{{Number: 1}, {Number: 2}}}
	transaction := ledger.Transaction{Writes: []ledger.Write{
		put("merchant/m1", merchant("m1")),
		put("inspection/v1", inspection),
		put("binding/RegulatorMSP/s/merchant/m1", "x"),
		{Namespace: "metrology", Key: "site/s1", Delete: true},
	}}
	require.Equal(t, []string{
		metrology.Key(metrology.KindProfile, "merchant", "m1"), metrology.Key(metrology.KindProfile, "inspection", "v1"),
		metrology.InspectionBodyKey("v1", 1), metrology.InspectionBodyKey("v1", 2),
	}, readmodel.PrivateKeys(transaction))
	require.Contains(t, readmodel.PrivateKeys(registers(merchant("m1"), secret)), m1Profile, "as the contract names it")
}
