package readmodel_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

func drawIn(id string, phase metrology.DrawPhase) metrology.Draw {
	return metrology.Draw{ID: id, Phase: phase, Terms: metrology.DrawTerms{Authority: id[:6]}, Approvals: []metrology.DrawApproval{}}
}

// TestDrawProjection: a draw's keys come back in their places, and directories
// are what was frozen.
func TestDrawProjection(t *testing.T) {
	onEach(t, func(t *testing.T, r *register) {
		const id = "440300-000001"
		ctx := t.Context()
		key := func(parts ...string) string { return metrology.DrawKey(id, parts...) }
		chunk := func(objects ...string) metrology.DrawChunk {
			var c metrology.DrawChunk
			for _, object := range objects {
				c.Objects = append(c.Objects, metrology.DrawObject{ID: object, Stratum: "A", Weight: 1})
			}
			return c
		}
		r.apply(
			act(metrology.EventDrawPlanned, id, put(key(metrology.DrawPartPhase), drawIn(id, metrology.DrawPlanned)),
				put(key(metrology.DrawPartPlan), json.RawMessage(`{"quota":{}}`)), put("draw-count/440300", metrology.DrawCount{Filed: 1}),
				put("obs/"+id+"/NotaryMSP", metrology.DrawObservation{Draw: id, Org: "NotaryMSP"}),
				put("obs/"+id+"/InstituteMSP", metrology.DrawObservation{Draw: id, Org: "InstituteMSP"})),
			act(metrology.EventDrawPlanned, "440300-000002", put("draw/440300-000002/phase", drawIn("440300-000002", metrology.DrawVoid))),
			act(metrology.EventDrawPlanned, "440300-000003", put("draw/440300-000003/phase", drawIn("440300-000003", metrology.DrawCancelled))),
			act(metrology.EventDrawPlanned, "440500-000001", put("draw/440500-000001/phase", drawIn("440500-000001", metrology.DrawPlanned))),
		)
		r.apply(act(metrology.EventDrawDirectoryFiled, id,
			put(metrology.DrawChunkKey(id, "objects", 0), chunk("S-1", "S-2")), put(metrology.DrawChunkKey(id, "objects", 1), chunk("S-3")),
			put(metrology.DrawChunkKey(id, "objects", 2), chunk("S-4"))))
		open, err := r.DrawDirectories(ctx, id)
		require.NoError(t, err)
		require.Len(t, open.ShowObjects().Objects, 4)
		require.False(t, open.ShowObjects().Frozen)

		r.apply(act(metrology.EventDrawFrozen, id, put(key(metrology.DrawPartPhase), drawIn(id, metrology.DrawFrozen)),
			put(key(metrology.DrawPartFreeze), metrology.DrawFreeze{Chunks: metrology.DrawChunks{Objects: 2}})))
		r.apply(act(metrology.EventDrawClosed, id, put(key(metrology.DrawPartCommitment, "NotaryMSP"), metrology.DrawCommitment{Org: "NotaryMSP"}),
			put(key(metrology.DrawPartReveal, "NotaryMSP"), metrology.DrawReveal{Org: "NotaryMSP"}),
			put(key(metrology.DrawPartClose), metrology.DrawClose{Contribution: "c"}),
			put("obs/"+id+"/NotaryMSP", metrology.DrawObservation{Draw: id, Org: "NotaryMSP", Time: 5}),
			put(key(metrology.DrawPartBeacon), metrology.DrawBeacon{Round: 7}), put(key(metrology.DrawPartResult), metrology.DrawResult{Time: 9}),
			put(key(metrology.DrawPartEscrow, "NotaryMSP"), metrology.DrawEscrow{Holder: "NotaryMSP"}),
			put(key(metrology.DrawPartLeaves, "NotaryMSP"), metrology.DrawLeaves{Org: "NotaryMSP", Leaves: 3}),
			put(key(metrology.DrawPartOpening), metrology.DrawOpening{Org: "NotaryMSP"}),
			put("escrow-key/NotaryMSP", metrology.EscrowKey{Org: "NotaryMSP", Key: "old"}),
			put(key(metrology.DrawPartChanges), metrology.DrawChanges{List: []metrology.DrawChange{{By: "S-9"}}})))
		frozen, err := r.DrawDirectories(ctx, id)
		require.NoError(t, err)
		require.Len(t, frozen.ShowObjects().Objects, 3, "a chunk that was not frozen does not count")

		record, err := r.Draw(ctx, id)
		require.NoError(t, err)
		require.Equal(t, metrology.DrawFrozen, record.Phase)
		require.JSONEq(t, `{"quota":{}}`, string(record.Plan))
		require.Equal(t, []metrology.DrawObservation{{Draw: id, Org: "NotaryMSP", Time: 5}}, record.Observations, "one that was only prepared is none")
		require.Len(t, record.Commitments, 1)
		require.Len(t, record.Reveals, 1)
		require.Equal(t, "c", record.Close.Contribution)
		require.EqualValues(t, 7, record.Beacon.Round)
		require.EqualValues(t, 9, record.Result.Time)
		require.Equal(t, "S-9", record.Changes[0].By)
		require.Equal(t, "NotaryMSP", record.Escrow[0].Holder)
		require.EqualValues(t, 3, record.Leaves[0].Leaves)
		require.Equal(t, "NotaryMSP", record.Opening.Org)
		r.apply(act(metrology.EventDrawEscrowKeyPublished, "NotaryMSP", put("escrow-key/NotaryMSP", metrology.EscrowKey{Org: "NotaryMSP", Key: "new"})))
		keys, err := r.EscrowKeys(ctx)
		require.NoError(t, err)
		require.Equal(t, []metrology.EscrowKey{{Org: "NotaryMSP", Key: "new"}}, keys)
		require.Equal(t, public.DrawNumbers{Filed: 3, Cancelled: 1, Void: 1}, record.Numbers)
		require.Len(t, record.History, 4)
		steps, err := r.DrawSteps(ctx, id)
		require.NoError(t, err)
		require.Len(t, steps, 4)

		for filter, want := range map[public.DrawFilter]int{
			{}: 4, {Authority: "440300"}: 3, {Phase: "void"}: 1, {Authority: "440500", Phase: "void"}: 0,
		} {
			page, err := r.Draws(ctx, filter)
			require.NoError(t, err)
			require.Len(t, page.Items, want, "%+v", filter)
		}
		_, err = r.Draw(ctx, "440300-000009")
		require.Equal(t, metrology.CodeNotFound, metrology.ErrorCode(err))
		r.apply(act(metrology.EventDrawClosed, id, put(key("novelty"), 1)))
		_, err = r.Draw(ctx, id)
		require.ErrorContains(t, err, "use a newer one")
		before := r.dump()
		require.NoError(t, r.Drop(ctx))
		for _, block := range r.blocks {
			require.NoError(t, r.Apply(ctx, block))
		}
		require.Equal(t, before, r.dump(), "a rebuild comes to the same rows")
	})
}
