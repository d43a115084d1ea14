package drawfiles

import (
	"context"
	"log/slog"
	"time"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// Register is the read model that is watched.
type Register interface {
	Draws(ctx context.Context, f public.DrawFilter) (public.Page[public.Draw], error)
	Draw(ctx context.Context, id string) (public.DrawRecord, error)
}

// Collector fetches the files that large draws name and the store lacks.
type Collector struct {
	Register Register
	Store    *Store
	Logger   *slog.Logger
}

// collectEvery is the time between two rounds. A file that nobody had is asked
// for again at the next.
const collectEvery = 30 * time.Second

// fetchTime bounds one round of fetching.
const fetchTime = 30 * time.Minute

// Run collects until ctx ends. Without other gateways there is nothing to do.
func (c Collector) Run(ctx context.Context) {
	if len(c.Store.sources) == 0 {
		return
	}
	ticker := time.NewTicker(collectEvery)
	defer ticker.Stop()
	for {
		if err := c.Collect(ctx); err != nil && ctx.Err() == nil {
			c.Logger.WarnContext(ctx, "fetching files of draws", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Collect fetches what is missing of every large draw. A file that cannot be
// had is logged; the others go on.
func (c Collector) Collect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	page := public.PageRequest{Limit: public.MaxLimit}
	for {
		draws, err := c.Register.Draws(ctx, public.DrawFilter{PageRequest: page})
		if err != nil {
			return err
		}
		for _, d := range draws.Items {
			if !d.ByFile {
				continue
			}
			record, err := c.Register.Draw(ctx, d.ID)
			if err != nil {
				return err
			}
			c.collect(ctx, record)
		}
		if page.Cursor = draws.Next; page.Cursor == "" {
			return nil
		}
	}
}

// collect fetches the files of one draw: its directory and the lists of every
// posting, voided ones too.
func (c Collector) collect(ctx context.Context, r public.DrawRecord) {
	if r.Frozen != nil {
		c.note(ctx, r.ID, c.Store.FetchDirectory(ctx, r.Frozen.ObjectsRoot))
	}
	results := r.Voided
	if r.Result != nil {
		results = append([]metrology.DrawResult{*r.Result}, results...)
	}
	for _, result := range results {
		if result.Posting == nil {
			continue
		}
		posting, err := draw.ParsePosting(result.Posting)
		if err == nil {
			err = c.Store.FetchDrawn(ctx, posting.AssignmentsRoot.String())
		}
		c.note(ctx, r.ID, err)
	}
}

func (c Collector) note(ctx context.Context, id string, err error) {
	if err != nil && ctx.Err() == nil {
		c.Logger.InfoContext(ctx, "a file of the draw is missing", "draw", id, "error", err)
	}
}
