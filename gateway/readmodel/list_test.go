package readmodel_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// lists are the public lists, reduced to ids.
func (r *register) lists() map[string]func(public.PageRequest) ([]string, string, error) {
	ctx := context.Background()
	return map[string]func(public.PageRequest) ([]string, string, error){
		"Merchants": func(p public.PageRequest) ([]string, string, error) {
			page, err := r.Merchants(ctx, public.MerchantFilter{PageRequest: p}, today)
			return ids(page, func(v public.Merchant) string { return v.ID }), page.Next, err
		},
		"Sites": func(p public.PageRequest) ([]string, string, error) {
			page, err := r.Sites(ctx, public.SiteFilter{PageRequest: p})
			return ids(page, func(v public.Site) string { return v.ID }), page.Next, err
		},
		"Issuers": func(p public.PageRequest) ([]string, string, error) {
			page, err := r.Issuers(ctx, p)
			return ids(page, func(v public.Issuer) string { return v.ID }), page.Next, err
		},
		"Instruments": func(p public.PageRequest) ([]string, string, error) {
			page, err := r.Instruments(ctx, public.InstrumentFilter{PageRequest: p}, today)
			return ids(page, func(v public.Instrument) string { return v.ID }), page.Next, err
		},
		"Certificates": func(p public.PageRequest) ([]string, string, error) {
			page, err := r.Certificates(ctx, public.CertificateFilter{PageRequest: p}, today)
			return ids(page, func(v public.Certificate) string { return v.ID }), page.Next, err
		},
		"Inspections": func(p public.PageRequest) ([]string, string, error) {
			page, err := r.Inspections(ctx, public.InspectionFilter{PageRequest: p}, today)
			return ids(page, func(v public.Inspection) string { return v.ID }), page.Next, err
		},
		"Overdue": func(p public.PageRequest) ([]string, string, error) {
			page, err := r.OverdueInspections(ctx, p, "2026-12-31")
			return ids(page, func(v public.OverdueInspection) string { return v.ID }), page.Next, err
		},
		"Open": func(p public.PageRequest) ([]string, string, error) {
			page, err := r.OpenInspections(ctx, p, today)
			return ids(page, func(v public.OpenInspection) string { return v.ID }), page.Next, err
		},
		"Rulesets": func(p public.PageRequest) ([]string, string, error) {
			page, err := r.Rulesets(ctx, p)
			return ids(page, func(v public.Ruleset) string { return fmt.Sprintf("%s/%06d", v.ID, v.Version) }), page.Next, err
		},
	}
}

func ids[T any](page public.Page[T], id func(T) string) []string {
	all := make([]string, len(page.Items))
	for i, item := range page.Items {
		all[i] = id(item)
	}
	return all
}

// crowd puts count of everything on the ledger, with ids that tell orders of
// text by bytes from others.
func crowd(r *register, count int) {
	var x []ledger.Transaction
	var leaves []metrology.Leaf
	for i := range count {
		id := fmt.Sprintf("%c%d", "aB-_Z.1"[i%7], i)
		x = append(x, registers(merchant(id), id),
			act(metrology.EventSiteRegistered, id, put("site/"+id, metrology.Site{ID: id, Kind: metrology.SiteShop, Region: "310115"})),
			act(metrology.EventIssuerRegistered, id, put("issuer/"+id, metrology.Issuer{ID: id})),
			act(metrology.EventInstrumentRegistered, id, put("instrument/"+id, metrology.Instrument{ID: id})),
			act(metrology.EventPledgeSigned, id, put("pledge/"+id, pledge(id, id, metrology.PledgePublished))),
			enters(inspection("p"+id, metrology.InspectionPublished), ""), enters(inspection("o"+id, metrology.InspectionEntered), ""),
			act(metrology.EventRulesetProposed, id, ruleWrite(ruleset(id, 1+i, metrology.RulesetInForce))))
		leaves = append(leaves, leaf(id, ""))
	}
	r.apply(append(x, anchors("r", leaves...))...)
}

func TestPaging(t *testing.T) {
	const count = 23
	onEach(t, func(t *testing.T, r *register) {
		crowd(r, count)
		for name, read := range r.lists() {
			t.Run(name, func(t *testing.T) {
				whole, next, err := read(public.PageRequest{})
				require.NoError(t, err)
				require.Empty(t, next)
				require.Len(t, whole, count)
				require.True(t, name == "Certificates" || slices.IsSorted(whole), "by bytes: %v", whole)
				for _, limit := range []int{1, 7, count - 1, count, public.MaxLimit} {
					var all []string
					for cursor := ""; ; {
						page, next, err := read(public.PageRequest{Cursor: cursor, Limit: limit})
						require.NoError(t, err)
						require.LessOrEqual(t, len(page), limit)
						if all = append(all, page...); next == "" {
							break
						}
						cursor = next
					}
					require.Equal(t, whole, all, "in pages of %d", limit)
				}
				for _, limit := range []int{-1, public.MaxLimit + 1} {
					_, _, err := read(public.PageRequest{Limit: limit})
					require.Equal(t, metrology.CodeInvalid, metrology.ErrorCode(err))
				}
			})
		}
		page, err := r.Merchants(t.Context(), public.MerchantFilter{PageRequest: public.PageRequest{Limit: 9}}, today)
		require.NoError(t, err)
		for _, m := range page.Items {
			require.Equal(t, m.ID, m.Pledge.ID, "each merchant has its own pledge")
		}
	})
}

func TestCursorsOfOthersAreRefused(t *testing.T) {
	onEach(t, func(t *testing.T, r *register) {
		crowd(r, 5)
		lists := r.lists()
		for name, read := range lists {
			_, cursor, err := read(public.PageRequest{Limit: 2})
			require.NoError(t, err)
			for other, read := range lists {
				_, _, err := read(public.PageRequest{Cursor: cursor, Limit: 2})
				if other == name {
					require.NoError(t, err)
				} else {
					require.Equal(t, metrology.CodeInvalid, metrology.ErrorCode(err), "cursor of %s for %s", name, other)
				}
			}
		}
		page, err := r.Merchants(t.Context(), public.MerchantFilter{PageRequest: public.PageRequest{Limit: 2}}, today)
		require.NoError(t, err)
		_, err = r.Merchants(t.Context(), public.MerchantFilter{Region: "31", PageRequest: public.PageRequest{Limit: 2, Cursor: page.Next}}, today)
		require.Equal(t, metrology.CodeInvalid, metrology.ErrorCode(err), "the filter belongs to the cursor")

		raw, err := base64.RawURLEncoding.DecodeString(page.Next)
		require.NoError(t, err)
		rapid.Check(t, func(t *rapid.T) {
			spoiled := slices.Clone(raw)
			spoiled[rapid.IntRange(0, len(raw)-1).Draw(t, "byte")] ^= byte(1 << rapid.IntRange(0, 7).Draw(t, "bit"))
			cursor := base64.RawURLEncoding.EncodeToString(spoiled)
			_, err := r.Merchants(context.Background(), public.MerchantFilter{PageRequest: public.PageRequest{Cursor: cursor}}, today)
			if metrology.ErrorCode(err) != metrology.CodeInvalid {
				t.Fatalf("cursor %s: %v", cursor, err)
			}
		})
		for _, cursor := range []string{"x", "!", page.Next + "A", page.Next[:8]} {
			_, err := r.Merchants(t.Context(), public.MerchantFilter{PageRequest: public.PageRequest{Cursor: cursor}}, today)
			require.Equal(t, metrology.CodeInvalid, metrology.ErrorCode(err), cursor)
		}
	})
}

func TestFilters(t *testing.T) {
	onEach(t, func(t *testing.T, r *register) {
		populate(r)
		ctx := t.Context()
		other := merchant("m4")
		other.Region, other.Kind, other.CreditCode, other.Sector = "440300", metrology.MerchantEnterprise, "91440300MA5G00000X", metrology.SectorShop
		r.apply(registers(other, `50%_Off\ Öl 面馆`))
		merchants := func(f public.MerchantFilter) []string {
			t.Helper()
			page, err := r.Merchants(ctx, f, today)
			require.NoError(t, err)
			return ids(page, func(m public.Merchant) string { return m.ID })
		}
		require.Equal(t, []string{"m1", "m2", "m3"}, merchants(public.MerchantFilter{Region: "31"}))
		require.Equal(t, []string{"m4"}, merchants(public.MerchantFilter{Region: "440300", Sector: "shop"}))
		for _, text := range []string{"面馆", "ÖL", "0%_o", `f\ `, " 91440300ma5g00000x "} {
			require.Equal(t, []string{"m4"}, merchants(public.MerchantFilter{Text: text}), text)
		}
		for _, text := range []string{"_n_", "%", "'", "salt"} {
			require.NotContains(t, merchants(public.MerchantFilter{Text: text}), "m1", text)
		}
		_, err := r.Merchants(ctx, public.MerchantFilter{Region: "31x"}, today)
		require.Equal(t, metrology.CodeInvalid, metrology.ErrorCode(err))

		days := func(n int) *int { return &n }
		for name, test := range map[string]struct {
			filter public.InstrumentFilter
			want   []string
		}{
			"Owner":    {public.InstrumentFilter{Merchant: "m2"}, []string{"i1", "i2"}},
			"User":     {public.InstrumentFilter{Merchant: "m1", Serial: "S-i2"}, []string{"i2"}},
			"Site":     {public.InstrumentFilter{Site: "s2"}, []string{}},
			"Category": {public.InstrumentFilter{Category: "24-2", Region: "3101"}, []string{"i1", "i2"}},
			"Due":      {public.InstrumentFilter{DueWithin: days(117)}, []string{"i1", "i2"}}, // 2026-07-09 is 116 days on
			"NotDue":   {public.InstrumentFilter{DueWithin: days(116)}, []string{}},
		} {
			page, err := r.Instruments(ctx, test.filter, today)
			require.NoError(t, err)
			require.Equal(t, test.want, ids(page, func(i public.Instrument) string { return i.ID }), name)
		}
		for name, f := range map[string]public.CertificateFilter{
			"Number": {Number: "N-1"}, "Both": {Issuer: "lab", Number: "N-1"}, "Instrument": {Instrument: "i1"},
		} {
			page, err := r.Certificates(ctx, f, today)
			require.NoError(t, err)
			require.Equal(t, []string{leafID(leaf("N-1", "i1"))}, ids(page, func(c public.Certificate) string { return c.ID }), name)
		}
	})
}

// Only public states are shown, by every route to an inspection.
func TestVisibility(t *testing.T) {
	onEach(t, func(t *testing.T, r *register) {
		r.apply(registers(merchant("m1"), "One"), act(metrology.EventSiteRegistered, "s1", put("site/s1", site("s1"))))
		r.apply(act(metrology.EventRulesetProposed, "due/1", ruleWrite(ruleset("due", 1, metrology.RulesetInForce))))
		states := []metrology.InspectionState{metrology.InspectionEntered, metrology.InspectionReviewed, metrology.InspectionWithdrawn,
			metrology.InspectionPublished, metrology.InspectionObjected, metrology.InspectionRetested, metrology.InspectionUpheld, metrology.InspectionCorrected}
		for _, state := range states {
			r.apply(enters(inspection("x-"+string(state), state), "remark"))
		}
		ctx := t.Context()
		for _, f := range []public.InspectionFilter{{}, {Merchant: "m1"}, {Site: "s1"}, {Region: "31"}} {
			page, err := r.Inspections(ctx, f, today)
			require.NoError(t, err)
			require.Len(t, page.Items, 5, "%+v", f)
			for _, i := range page.Items {
				require.True(t, i.State.Public())
				require.Equal(t, "remark", i.Revisions[0].Body.Remark)
				require.Equal(t, "m1", i.Merchant)
				require.NotNil(t, i.PublicationDue)
				require.True(t, i.PublishedLate, "20 working days from 2 February end before 12 March")
			}
		}
		for _, state := range states {
			_, err := r.Inspection(ctx, "x-"+string(state), today)
			require.Equal(t, state.Public(), err == nil, "%s: %v", state, err)
			page, err := r.Inspections(ctx, public.InspectionFilter{State: string(state)}, today)
			require.NoError(t, err)
			require.Equal(t, state.Public(), len(page.Items) == 1, state)
		}
		overdue, err := r.OverdueInspections(ctx, public.PageRequest{}, today)
		require.NoError(t, err)
		require.Equal(t, []string{"x-entered", "x-reviewed"}, ids(overdue, func(o public.OverdueInspection) string { return o.ID }))
		overdue, err = r.OverdueInspections(ctx, public.PageRequest{}, "2026-02-03")
		require.NoError(t, err)
		require.Empty(t, overdue.Items)
		open, err := r.OpenInspections(ctx, public.PageRequest{}, today)
		require.NoError(t, err)
		require.Equal(t, []string{"x-entered", "x-objected", "x-retested", "x-reviewed"}, ids(open, func(o public.OpenInspection) string { return o.ID }))
		require.True(t, open.Items[0].Overdue(today))
		require.Equal(t, metrology.DeadlinePublication, open.Items[0].Due.Code)
		for _, i := range open.Items {
			require.Equal(t, i.State == metrology.InspectionEntered || i.State == metrology.InspectionReviewed, i.Overdue(today), "no rule in force says when to retest: %s", i.State)
		}
		require.Equal(t, "remark", open.Items[0].Revisions[0].Body.Remark)
		for _, state := range states {
			found, err := r.OpenInspection(ctx, "x-"+string(state), today)
			require.NoError(t, err)
			require.Equal(t, state, found.State)
		}
		_, err = r.OpenInspection(ctx, "none", today)
		require.Equal(t, metrology.CodeNotFound, metrology.ErrorCode(err))
	})
}

func TestWithdrawnInspectionIsGone(t *testing.T) {
	onEach(t, func(t *testing.T, r *register) {
		r.apply(enters(inspection("x1", metrology.InspectionPublished), secret))
		r.apply(act(metrology.EventInspectionWithdrawn, "x1", put("inspection/x1", inspection("x1", metrology.InspectionWithdrawn)), purge(metrology.InspectionBodyKey("x1", 1))))
		_, err := r.Inspection(t.Context(), "x1", today)
		require.Equal(t, metrology.CodeNotFound, metrology.ErrorCode(err))
		page, err := r.Inspections(t.Context(), public.InspectionFilter{Merchant: "m1"}, today)
		require.NoError(t, err)
		require.Empty(t, page.Items)
		require.Empty(t, r.dump()["disclosed"])
		r.notOnDisk(secret)
	})
}
