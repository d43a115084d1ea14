package readmodel_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/readmodel"
)

// work is one anchored document about one instrument, as the oracle keeps it.
type work struct {
	leaf       metrology.Leaf
	instrument string
	revoked    bool
	key        string
}

// Whatever order documents come in, also back-dated, revoked, or signed with a
// key that proves to be stolen, the standing of an instrument and the later
// failure of a certificate are those of all documents looked through afresh.
func TestStandingEqualsOracle(t *testing.T) {
	dir, run := t.TempDir(), 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		r := newRegister(t, readmodel.Config{Driver: "sqlite", DSN: filepath.Join(dir, fmt.Sprint(run))})
		ids := []string{"i1", "i2"}
		for _, id := range ids {
			r.apply(act(metrology.EventInstrumentRegistered, id, put("instrument/"+id, instrument(id))))
		}
		var done []*work
		stolen := map[string]bool{}
		for step := range rapid.IntRange(1, 9).Draw(rt, "steps") {
			switch action := rapid.IntRange(0, 5).Draw(rt, "action"); {
			case action == 0 && len(done) > 0:
				w := done[rapid.IntRange(0, len(done)-1).Draw(rt, "revoke")]
				w.revoked = true
				record := recordOf(w.leaf, w.key, 0)
				record.State, record.Reason = metrology.CertificateRevoked, metrology.RevokedMistake
				r.apply(act(metrology.EventCertificateRevoked, "lab/"+w.leaf.Number, put(metrology.CertificateKey("lab", w.leaf.Number), record)))
			case action == 1 && len(done) > 0:
				stolen[done[rapid.IntRange(0, len(done)-1).Draw(rt, "steal")].key] = true
				lab := metrology.Issuer{ID: "lab", Region: "310115", Grants: []metrology.Grant{}}
				for key := range stolen {
					lab.Keys = append(lab.Keys, metrology.IssuerKey{ID: key, Reason: metrology.KeyCompromised})
				}
				r.apply(act(metrology.EventIssuerKeyRevoked, "lab", put("issuer/lab", lab)))
			default:
				key := fmt.Sprintf("key-%d", step) // its own, so that it can be stolen alone
				var leaves []metrology.Leaf
				for i := range rapid.IntRange(1, 3).Draw(rt, "leaves") {
					w := drawWork(rt, fmt.Sprintf("N-%d-%d", step, i), rapid.SampledFrom(ids).Draw(rt, "instrument"))
					w.key = key
					done, leaves = append(done, w), append(leaves, w.leaf)
				}
				r.apply(anchorsWith(key, leaves...))
			}
		}
		for _, id := range ids {
			want := newest(done, stolen, id)
			got, err := r.Instrument(t.Context(), id, today)
			require.NoError(rt, err)
			require.Equal(rt, want, got.Verification.Certificate)
		}
		for _, w := range done {
			got, err := r.Certificate(t.Context(), leafID(w.leaf), today)
			require.NoError(rt, err)
			require.Equal(rt, laterFailure(done, stolen, w), got.FailedLater, w.leaf.Number)
		}
	})
}

func drawWork(t *rapid.T, number, id string) *work {
	day := metrology.Date(fmt.Sprintf("2026-01-%02d", rapid.IntRange(1, 5).Draw(t, "day")))
	l := leaf(number, id, func(l *metrology.Leaf) { l.Performed, l.Issued = day, day })
	switch rapid.IntRange(0, 3).Draw(t, "kind") {
	case 0:
		l.Kind, l.ValidUntil, l.Instruments[0].Conclusion = metrology.KindResultNotice, "", metrology.ConclusionFail
	case 1:
		l.Kind, l.ValidUntil, l.Instruments[0].Conclusion = metrology.KindCalibration, "", metrology.ConclusionNone
	}
	return &work{leaf: l, instrument: id}
}

// anchorsWith is a batch that has its key's name for a root.
func anchorsWith(key string, leaves ...metrology.Leaf) (t ledger.Transaction) {
	t = anchors(key, leaves...)
	request := metrology.AnchorBatch{Issuer: "lab", Root: key, Key: key, Signature: []byte("s")}
	for _, l := range leaves {
		raw, err := l.Bytes()
		if err != nil {
			panic(err)
		}
		request.Leaves = append(request.Leaves, raw)
	}
	t.Args[0] = encode(request)
	t.Writes[len(t.Writes)-1] = put(metrology.Key(metrology.KindBatch, "lab", key),
		metrology.Batch{Issuer: "lab", Root: key, Count: len(leaves), Key: key, Signature: []byte("s")})
	return t
}

func (w *work) stands(stolen map[string]bool) bool {
	return w.leaf.Kind.Verification() && !w.revoked && !stolen[w.key]
}

func newest(all []*work, stolen map[string]bool, id string) string {
	best := -1
	for i, w := range all { // in the order of the ledger
		if w.instrument == id && w.stands(stolen) && (best < 0 || w.leaf.Performed >= all[best].leaf.Performed) {
			best = i
		}
	}
	if best < 0 {
		return ""
	}
	return leafID(all[best].leaf)
}

func laterFailure(all []*work, stolen map[string]bool, of *work) string {
	found := ""
	var day metrology.Date
	for _, w := range all {
		if w.instrument == of.instrument && w.leaf.Kind == metrology.KindResultNotice && w.stands(stolen) &&
			w.leaf.Performed > of.leaf.Performed && w.leaf.Performed >= day {
			found, day = leafID(w.leaf), w.leaf.Performed
		}
	}
	return found
}
