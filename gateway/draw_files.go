package main

import (
	"context"

	"github.com/steelyard-ledger/steelyard/gateway/drawfiles"
	"github.com/steelyard-ledger/steelyard/gateway/public"
	"github.com/steelyard-ledger/steelyard/gateway/readmodel"
)

// register is the read model together with the files of large draws.
type register struct {
	*readmodel.Store
	files *drawfiles.Store
}

func (g *gateway) register() register { return register{g.store, g.files} }

// DrawDirectories gives the lists of a draw with the way to its files.
func (r register) DrawDirectories(ctx context.Context, id string) (public.DrawDirectories, error) {
	lists, err := r.Store.DrawDirectories(ctx, id)
	lists.Files = r.files
	return lists, err
}

// collectFiles fetches the files of large draws that are missing here, until
// ctx ends.
func (g *gateway) collectFiles(ctx context.Context) error {
	drawfiles.Collector{Register: g.store, Store: g.files, Logger: g.log}.Run(ctx)
	return nil
}
