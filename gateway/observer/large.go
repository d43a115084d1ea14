package observer

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// recomputed is a large draw as this observer computed it, and how many of its
// postings were looked at.
type recomputed struct {
	own      *draw.Outcome // nil once the posting was checked
	disputed draw.Disputed
	checked  int
}

// settled says whether nothing is left to do in a draw that has ended: the
// ledger recomputed it, or the posting that stands was checked.
func (o *Observer) settled(d metrology.Draw) bool {
	known := o.large[d.ID]
	return !d.ByFile || known != nil && known.checked > d.Refuted
}

// lists reads the directories of a draw; the file of a large one is fetched
// where it is missing.
func (o *Observer) lists(ctx context.Context, r public.DrawRecord) (public.DrawDirectories, error) {
	if r.ByFile {
		if err := o.Files.FetchDirectory(ctx, r.Frozen.ObjectsRoot); err != nil {
			return public.DrawDirectories{}, err
		}
	}
	return o.Register.DrawDirectories(ctx, r.ID)
}

// recompute computes a large draw, once, and keeps its lists for all to fetch.
func (o *Observer) recompute(ctx context.Context, r public.DrawRecord) (*recomputed, error) {
	now := o.large[r.ID]
	if now != nil && now.own != nil {
		return now, nil
	}
	lists, err := o.lists(ctx, r)
	if err != nil {
		return nil, err
	}
	own, disputed, err := lists.Outcome()
	if err != nil {
		return nil, err
	}
	if err := o.Files.KeepDrawn(own.Drawn); err != nil {
		return nil, err
	}
	if now == nil {
		now = &recomputed{}
		o.large[r.ID] = now
	}
	now.own, now.disputed = &own, disputed
	return now, nil
}

// firstWord is how long after the round, in seconds, an observer leaves the
// posting of a large draw to others before it posts by itself.
const firstWord = 15

// postLarge posts the result of a large draw by its roots.
func (o *Observer) postLarge(ctx context.Context, r public.DrawRecord) *step {
	now, err := o.recompute(ctx, r)
	if err != nil {
		o.grumble(ctx, r.ID, "recompute draw", err)
		return nil
	}
	if r.Refuted == 0 && o.Clock().Unix() < r.RoundTime+firstWord {
		return nil
	}
	posting, err := json.Marshal(now.own.Posting)
	if err != nil {
		o.grumble(ctx, r.ID, "encode posting", err)
		return nil
	}
	return &step{function: "draw:Post", request: metrology.PostDraw{ID: r.ID, Posting: posting}, again: fmt.Sprintf("/%d", r.Refuted+1)}
}

// checkLarge holds the posting that stands against the draw and challenges one
// that is wrong. One whose lists cannot be had is looked at again.
func (o *Observer) checkLarge(ctx context.Context, r public.DrawRecord) *step {
	if r.Result == nil || r.Result.Posting == nil {
		return nil
	}
	challenge, err := o.findWrong(ctx, r)
	if err != nil {
		o.grumble(ctx, r.ID, "check the posted result of draw", err)
		return nil
	}
	if challenge == nil {
		*o.large[r.ID] = recomputed{checked: r.Refuted + 1}
		return nil
	}
	o.Logger.WarnContext(ctx, "the posted result of the draw is wrong", "draw", r.ID, "posted by", r.Result.PostedBy,
		"kind", challenge.Kind, "stratum", challenge.Stratum, "object", challenge.Object())
	encoded, err := json.Marshal(challenge)
	if err != nil {
		o.grumble(ctx, r.ID, "encode challenge", err)
		return nil
	}
	request := metrology.ChallengeDraw{ID: r.ID, Number: r.Refuted + 1, Challenge: encoded}
	return &step{function: "draw:Challenge", request: request, again: fmt.Sprintf("/%d", r.Refuted+1)}
}

func (o *Observer) findWrong(ctx context.Context, r public.DrawRecord) (*draw.Challenge, error) {
	now, err := o.recompute(ctx, r)
	if err != nil {
		return nil, err
	}
	against := now.disputed
	if against.Posting, err = draw.ParsePosting(r.Result.Posting); err != nil {
		return nil, err
	}
	listed := now.own.Drawn
	if root := against.Posting.AssignmentsRoot; root != now.own.Posting.AssignmentsRoot {
		if err := o.Files.FetchDrawn(ctx, root.String()); err != nil {
			return nil, fmt.Errorf("it differs from the draw, and its lists are not to be had: %w", err)
		}
		if listed, err = o.Files.Drawn(root.String()); err != nil {
			return nil, err
		}
	}
	return draw.FindChallenge(*now.own, against, listed, o.Files.Directory(r.Frozen.ObjectsRoot))
}

// grumble logs a failure, and one that repeats only once.
func (o *Observer) grumble(ctx context.Context, id, what string, err error) {
	at := id + "/" + what
	if text := err.Error(); o.told[at] != text && ctx.Err() == nil {
		o.told[at] = text
		o.Logger.ErrorContext(ctx, what, "draw", id, "error", err)
	}
}
