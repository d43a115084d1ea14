package readmodel_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/public"
	"github.com/steelyard-ledger/steelyard/gateway/readmodel"
)

func site(id string) metrology.Site {
	return metrology.Site{ID: id, Kind: metrology.SiteStall, Region: "310115", Parent: "market", Owner: "m2", State: metrology.SiteOpen, Profile: true,
		Occupants: []metrology.Occupancy{{Merchant: "m3", From: "2025-01-01", To: "2025-12-31"}, {Merchant: "m1", From: "2026-01-01"}}}
}

func pledge(id, merchant string, state metrology.PledgeState) metrology.Pledge {
	return metrology.Pledge{ID: id, Merchant: merchant, Programme: "p", State: state, Terms: []metrology.PledgeTerm{
		{From: "2026-01-01", Until: "2026-12-31", Published: "2026-01-01T00:00:00Z", Commitments: []metrology.Commitment{}},
	}}
}

func instrument(id string) metrology.Instrument {
	i := metrology.Instrument{ID: id, State: metrology.InstrumentInUse, CycleMonths: 6}
	i.Region, i.Site, i.Owner, i.User, i.Category, i.Serial = "310115", "s1", "m2", "m1", "24-2", "S-"+id
	i.Use, i.Mode = metrology.UseTrade, metrology.ModePeriodic
	return i
}

func inspection(id string, state metrology.InspectionState) metrology.Inspection {
	i := metrology.Inspection{ID: id, Site: "s1", Basis: metrology.Basis{Kind: metrology.BasisCampaign}, State: state, Inspectors: []string{"p-1", "p-2"},
		Visited: "2026-02-02", Revisions: []metrology.InspectionRevision{{Number: 1, Kind: metrology.RevisionOriginal}}}
	if state != metrology.InspectionEntered && state != metrology.InspectionReviewed {
		i.Published = "2026-03-12T00:00:00Z"
	}
	return i
}

func enters(i metrology.Inspection, remark string) ledger.Transaction {
	return act(metrology.EventInspectionEntered, i.ID, put(metrology.Key(metrology.KindInspection, i.ID), i),
		disclose(metrology.InspectionBodyKey(i.ID, 1), metrology.InspectionBody{Salt: "00", Merchant: "m1", Outcome: metrology.VisitDone, Remark: remark}))
}

func ruleset(id string, version int, state metrology.RulesetState) metrology.Ruleset {
	return metrology.Ruleset{State: state, RuleDocument: metrology.RuleDocument{
		ID: id, Version: version, Kind: metrology.RulesetDeadline, Region: metrology.RegionNational, EffectiveFrom: "2020-01-01",
		Body: metrology.RuleBody{Deadline: &metrology.DeadlineTable{Rows: []metrology.DeadlineRow{{Code: metrology.DeadlinePublication, WorkingDays: 20}}}},
	}}
}

func ruleWrite(r metrology.Ruleset) ledger.Write {
	return put(metrology.Key(metrology.KindRuleset, r.ID, fmt.Sprint(r.Version)), r)
}

// populate puts something of every family on the ledger.
func populate(r *register) {
	year := metrology.Ruleset{State: metrology.RulesetInForce, RuleDocument: metrology.RuleDocument{ID: "days", Version: 1, Kind: metrology.RulesetCalendar,
		Region: metrology.RegionNational, Body: metrology.RuleBody{Calendar: &metrology.CalendarYear{Year: 2026}}}}
	r.apply(registers(merchant("m1"), "One"), registers(merchant("m2"), "Two"), registers(merchant("m3"), "Three"))
	r.apply(act(metrology.EventSiteRegistered, "s1", put("site/s1", site("s1")), disclose(profileKey(metrology.KindSite, "s1"), profile("Stall 1"))),
		act(metrology.EventPledgeSigned, "p1", put("pledge/p1", pledge("p1", "m1", metrology.PledgeWithdrawn))),
		act(metrology.EventPledgeSigned, "p2", put("pledge/p2", pledge("p2", "m1", metrology.PledgePublished))),
		act(metrology.EventInstrumentRegistered, "i1", put("instrument/i1", instrument("i1"))),
		act(metrology.EventInstrumentRegistered, "i2", put("instrument/i2", instrument("i2"))))
	r.apply(act(metrology.EventIssuerRegistered, "lab", put("issuer/lab", metrology.Issuer{ID: "lab", Region: "310115", Grants: []metrology.Grant{}, Profile: true}),
		disclose(profileKey(metrology.KindIssuer, "lab"), profile("Laboratory"))),
		act(metrology.EventRulesetProposed, "due/1", ruleWrite(ruleset("due", 1, metrology.RulesetInForce)), ruleWrite(year)),
		act(metrology.EventRulesetProposed, "due/2", ruleWrite(ruleset("due", 2, metrology.RulesetProposed))))
	r.apply(anchors("r1", leaf("N-1", "i1"), leaf("N-2", ""), leaf("N-3", "i2")))
	r.apply(enters(inspection("x1", metrology.InspectionEntered), "hidden"), enters(inspection("x2", metrology.InspectionPublished), "shown"))
	again := site("s1")
	again.Owner, again.Occupants[1].To = "m3", "2026-02-28"
	r.apply(act(metrology.EventSiteVacated, "s1", put("site/s1", again)))
}

// An instrument's standing does not rest on a certificate that somebody else
// may have signed; it falls back to the one before.
func TestCompromisedKey(t *testing.T) {
	onEach(t, func(t *testing.T, r *register) {
		populate(r)
		lab := metrology.Issuer{ID: "lab", Region: "310115", Grants: []metrology.Grant{}, Keys: []metrology.IssuerKey{{ID: "k", Reason: metrology.KeyReplaced}}}
		r.apply(act(metrology.EventIssuerKeyRevoked, "lab", put("issuer/lab", lab)))
		i, err := r.Instrument(t.Context(), "i1", today)
		require.NoError(t, err)
		require.Equal(t, public.VerificationValid, i.Verification.Status, "a replaced key was the issuer's own")

		lab.Keys[0].Reason = metrology.KeyCompromised
		r.apply(act(metrology.EventIssuerKeyRevoked, "lab", put("issuer/lab", lab)))
		i, err = r.Instrument(t.Context(), "i1", today)
		require.NoError(t, err)
		require.Equal(t, public.VerificationNone, i.Verification.Status)
		require.Empty(t, i.Verification.Certificate)

		c, err := r.Certificate(t.Context(), leafID(leaf("N-1", "i1")), today)
		require.NoError(t, err)
		require.Equal(t, metrology.StatusKeyCompromised, c.Status)
	})
}

// Lists say of a certificate what a verdict would: what became of its
// instrument counts, however it is asked for.
func TestCertificateStatusFollowsInstrument(t *testing.T) {
	onEach(t, func(t *testing.T, r *register) {
		populate(r)
		for want, change := range map[metrology.CertificateStatus]func(*metrology.Instrument){
			metrology.StatusRepairedSince:     func(i *metrology.Instrument) { i.State, i.Repaired = metrology.InstrumentRepaired, "2026-02-01" },
			metrology.StatusInstrumentFrozen:  func(i *metrology.Instrument) { i.State = metrology.InstrumentInDispute },
			metrology.StatusInstrumentRetired: func(i *metrology.Instrument) { i.State = metrology.InstrumentRetired },
			metrology.StatusValid:             func(*metrology.Instrument) {},
		} {
			i := instrument("i1")
			change(&i)
			r.apply(act(metrology.EventInstrumentRepaired, "i1", put("instrument/i1", i)))
			c, err := r.Certificate(t.Context(), leafID(leaf("N-1", "i1")), today)
			require.NoError(t, err)
			require.Equal(t, want, c.Status)
			listed, err := r.Certificates(t.Context(), public.CertificateFilter{Issuer: "lab", Number: "N-1"}, today)
			require.NoError(t, err)
			require.Equal(t, want, listed.Items[0].Status)
			found, err := r.CertificatesByDigest(t.Context(), metrology.AlgorithmSHA256, digestOf("file N-1").Value, today)
			require.NoError(t, err)
			require.Equal(t, want, found[0].Status)
		}
	})
}

func TestProjection(t *testing.T) {
	onEach(t, func(t *testing.T, r *register) {
		populate(r)
		ctx := t.Context()
		t.Run("Merchant", func(t *testing.T) {
			m, err := r.Merchant(ctx, "m1", today)
			require.NoError(t, err)
			require.Equal(t, merchant("m1"), m.Merchant)
			require.Equal(t, &public.Profile{Name: "One", Phone: "000-One"}, m.Details)
			require.Equal(t, "p2", m.Pledge.ID, "the active pledge stands before a withdrawn one")
			require.Equal(t, public.AsOf{Block: 1, TransactionID: "tx-merchant-registered-m1", Time: "2026-03-15T08:00:00Z"}, m.AsOf)
		})
		t.Run("Site", func(t *testing.T) {
			s, err := r.Site(ctx, "s1")
			require.NoError(t, err)
			require.Equal(t, "Stall 1", s.Details.Name)
			for merchant, count := range map[string]int{"m1": 0, "m2": 0, "m3": 1} {
				page, err := r.Sites(ctx, public.SiteFilter{Merchant: merchant})
				require.NoError(t, err)
				require.Len(t, page.Items, count, "%s is there now", merchant)
			}
		})
		t.Run("Pledge", func(t *testing.T) {
			all, err := r.MerchantPledges(ctx, "m1", today)
			require.NoError(t, err)
			require.Len(t, all, 2)
			require.Equal(t, metrology.StandingActive, all[1].Standing)
			require.Equal(t, metrology.EventPledgeSigned, all[0].History[0].Event)
			p, err := r.Pledge(ctx, "p1", today)
			require.NoError(t, err)
			require.Equal(t, metrology.StandingWithdrawn, p.Standing)
			_, err = r.MerchantPledges(ctx, "nobody", today)
			require.Equal(t, metrology.CodeNotFound, metrology.ErrorCode(err))
		})
		t.Run("Issuer", func(t *testing.T) {
			i, err := r.Issuer(ctx, "lab")
			require.NoError(t, err)
			require.Equal(t, "Laboratory", i.Details.Name)
			require.Len(t, i.History, 1)
		})
		t.Run("Ruleset", func(t *testing.T) {
			page, err := r.Rulesets(ctx, public.PageRequest{})
			require.NoError(t, err)
			require.Len(t, page.Items, 3)
			rule, err := r.Ruleset(ctx, "due", 2)
			require.NoError(t, err)
			require.Equal(t, metrology.RulesetProposed, rule.State)
		})
		t.Run("Batch", func(t *testing.T) {
			leaves, err := r.BatchLeaves(ctx, "lab", "r1")
			require.NoError(t, err)
			require.Equal(t, []string{leafID(leaf("N-1", "i1")), leafID(leaf("N-2", "")), leafID(leaf("N-3", "i2"))}, leaves)
		})
		t.Run("Instrument", func(t *testing.T) {
			i, err := r.Instrument(ctx, "i1", today)
			require.NoError(t, err)
			require.Equal(t, public.VerificationValid, i.Verification.Status)
			require.Equal(t, leafID(leaf("N-1", "i1")), i.Verification.Certificate)
			require.Len(t, i.History, 1)
		})
		t.Run("NotFound", func(t *testing.T) {
			for _, ask := range []func() error{
				func() error { _, err := r.Site(ctx, "x"); return err }, func() error { _, err := r.Pledge(ctx, "x", today); return err },
				func() error { _, err := r.Issuer(ctx, "x"); return err }, func() error { _, err := r.Ruleset(ctx, "due", 9); return err },
				func() error { _, err := r.Instrument(ctx, "x", today); return err }, func() error { _, err := r.Certificate(ctx, "x", today); return err },
				func() error { _, err := r.Transaction(ctx, "x"); return err }, func() error { _, err := r.Inspection(ctx, "x", today); return err },
			} {
				require.Equal(t, metrology.CodeNotFound, metrology.ErrorCode(ask()))
			}
		})
	})
}

func TestCertificateLife(t *testing.T) {
	onEach(t, func(t *testing.T, r *register) {
		populate(r)
		ctx := t.Context()
		first := leaf("N-1", "i1")
		read := func(l metrology.Leaf) public.Certificate {
			t.Helper()
			c, err := r.Certificate(ctx, leafID(l), today)
			require.NoError(t, err)
			return c
		}
		c := read(first)
		require.Equal(t, first, c.Leaf)
		require.Equal(t, metrology.StatusValid, c.Status)
		require.Equal(t, public.Batch{Root: "r1", Count: 3, Key: "k", Signature: []byte("s")}, c.Batch)

		// A rendition makes one more digest findable.
		record := recordOf(first, "r1", 0)
		record.Renditions = []metrology.Digest{digestOf("reprint")}
		r.apply(act(metrology.EventCertificateRendition, "lab/N-1", put(metrology.CertificateKey("lab", "N-1"), record)))
		for _, file := range []string{"file N-1", "reprint"} {
			found, err := r.CertificatesByDigest(ctx, metrology.AlgorithmSHA256, digestOf(file).Value, today)
			require.NoError(t, err)
			require.Len(t, found, 1, file)
			require.Equal(t, leafID(first), found[0].ID)
		}
		none, err := r.CertificatesByDigest(ctx, metrology.AlgorithmSM3, digestOf("file N-1").Value, today)
		require.NoError(t, err)
		require.Empty(t, none, "the algorithm belongs to the digest")

		// A later notice of failure overtakes it; the instrument stands by the notice.
		notice := leaf("N-9", "i1", func(l *metrology.Leaf) {
			l.Kind, l.ValidUntil, l.Performed, l.Issued = metrology.KindResultNotice, "", "2026-02-20", "2026-02-20"
			l.Instruments[0].Conclusion = metrology.ConclusionFail
		})
		r.apply(anchors("r2", notice))
		require.Equal(t, metrology.StatusFailedLater, read(first).Status)
		require.Equal(t, leafID(notice), read(first).FailedLater)
		require.Equal(t, metrology.StatusFailed, read(notice).Status)
		i, err := r.Instrument(ctx, "i1", today)
		require.NoError(t, err)
		require.Equal(t, public.VerificationFailed, i.Verification.Status)

		// Revoked, the notice counts for nothing.
		gone := recordOf(notice, "r2", 0)
		gone.State, gone.Reason = metrology.CertificateRevoked, metrology.RevokedMistake
		r.apply(act(metrology.EventCertificateRevoked, "lab/N-9", put(metrology.CertificateKey("lab", "N-9"), gone)))
		require.Equal(t, metrology.StatusValid, read(first).Status)
		require.Equal(t, metrology.StatusRevoked, read(notice).Status)
		i, err = r.Instrument(ctx, "i1", today)
		require.NoError(t, err)
		require.Equal(t, public.VerificationValid, i.Verification.Status)

		// Superseded, it names its successor by id.
		record.State, record.Successor = metrology.CertificateSuperseded, "N-2"
		r.apply(act(metrology.EventCertificateSuperseded, "lab/N-1", put(metrology.CertificateKey("lab", "N-1"), record)))
		require.Equal(t, metrology.StatusSuperseded, read(first).Status)
		require.Equal(t, leafID(leaf("N-2", "")), read(first).Successor)
	})
}

// A mark names no last day: the instrument's cycle gives it, also when the
// cycle is changed or the instrument registered after the mark was anchored.
func TestMarkLastsForTheCycle(t *testing.T) {
	onEach(t, func(t *testing.T, r *register) {
		mark := leaf("M-1", "i1", func(l *metrology.Leaf) { l.Kind, l.ValidUntil, l.Digests = metrology.KindMark, "", nil })
		r.apply(anchors("r1", mark))
		i := instrument("i1")
		for months, until := range map[int]metrology.Date{6: "2026-07-09", 12: "2027-01-09", 0: ""} {
			i.CycleMonths = months
			x := act(metrology.EventInstrumentAmended, "i1", put("instrument/i1", i))
			x.ID = fmt.Sprint("tx-cycle-", months)
			r.apply(x)
			shown, err := r.Instrument(t.Context(), "i1", today)
			require.NoError(t, err)
			require.Equal(t, until, shown.Verification.ValidUntil, "%d months", months)
		}
	})
}

// A calibration answers no duty to verify.
func TestCalibrationIsNoVerification(t *testing.T) {
	onEach(t, func(t *testing.T, r *register) {
		r.apply(act(metrology.EventInstrumentRegistered, "i1", put("instrument/i1", instrument("i1"))))
		r.apply(anchors("r1", leaf("C-1", "i1", func(l *metrology.Leaf) {
			l.Kind, l.ValidUntil, l.Instruments[0].Conclusion = metrology.KindCalibration, "", metrology.ConclusionNone
		})))
		i, err := r.Instrument(t.Context(), "i1", today)
		require.NoError(t, err)
		require.Equal(t, public.VerificationNone, i.Verification.Status)
	})
}

// A read model made anew from the same blocks holds the same rows, and so does
// one in the other database.
func TestRebuild(t *testing.T) {
	reference := newRegister(t, readmodel.Config{Driver: "sqlite", DSN: filepath.Join(t.TempDir(), "reference.db")})
	populate(reference)
	want := reference.dump()
	for _, table := range []string{"merchants", "sites", "site_merchants", "pledges", "issuers", "instruments", "batches", "certificates",
		"certificate_digests", "certificate_instruments", "rulesets", "inspections", "disclosed", "history", "transactions", "position"} {
		require.NotEmpty(t, want[table], table)
	}
	onEach(t, func(t *testing.T, r *register) {
		populate(r)
		require.Equal(t, want, r.dump())
		require.NoError(t, r.Drop(t.Context()))
		position, err := r.Position(t.Context())
		require.NoError(t, err)
		require.Nil(t, position)
		for _, block := range r.blocks {
			require.NoError(t, r.Apply(t.Context(), block))
		}
		require.Equal(t, want, r.dump())
		for size := 2; size <= len(r.blocks); size *= 3 {
			require.NoError(t, r.Drop(t.Context()))
			for group := range slices.Chunk(r.blocks, size) {
				require.NoError(t, r.Apply(t.Context(), group...))
			}
			require.Equal(t, want, r.dump(), "in groups of %d", size)
		}
	})
}

// TestGroupStandsUpToItsFault: what stands before a block that cannot be taken
// is taken, and nothing after it.
func TestGroupStandsUpToItsFault(t *testing.T) {
	onEach(t, func(t *testing.T, r *register) {
		blocks, _ := ledgerOf(t, 6)
		foreign := slices.Clone(blocks)
		foreign[4].PreviousHash[0]++
		for _, c := range []struct {
			group []ledger.Block
			fault error
			last  uint64
		}{
			{foreign, ledger.ErrForeignLedger, 3},
			{[]ledger.Block{blocks[4], blocks[6], blocks[5]}, ledger.ErrGap, 4},
			{[]ledger.Block{blocks[4], blocks[5]}, ledger.ErrGap, 4}, // not again
			{[]ledger.Block{blocks[5], blocks[6]}, nil, 6},
		} {
			require.ErrorIs(t, r.Apply(t.Context(), c.group...), c.fault)
			position, err := r.Position(t.Context())
			require.NoError(t, err)
			require.Equal(t, c.last, position.Number)
			count, err := r.Issuers(t.Context(), public.PageRequest{})
			require.NoError(t, err)
			require.Len(t, count.Items, int(c.last))
		}
		require.NoError(t, r.Apply(t.Context()), "no blocks are no fault")
	})
}
