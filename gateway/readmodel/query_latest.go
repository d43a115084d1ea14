package readmodel

import (
	"context"
	"strconv"
	"strings"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// LatestInspections lists published inspections, those first whose record
// changed last; within a block by id, downwards.
func (s *Store) LatestInspections(ctx context.Context, page public.PageRequest, _ metrology.Date) (public.Page[public.Inspection], error) {
	var w where
	w.add(visible)
	rows, err := latest(ctx, s, "latest inspections", inspectionColumns, "e", w, page, scanInspection,
		func(r inspectionRow) (uint64, string) { return r.asOf.Block, r.ID })
	if err != nil {
		return public.Page[public.Inspection]{}, err
	}
	items, err := s.showInspections(ctx, rows.Items)
	return public.Page[public.Inspection]{Items: items, Next: rows.Next}, err
}

// LatestDraws lists draws, those first whose phase changed last.
func (s *Store) LatestDraws(ctx context.Context, page public.PageRequest) (public.Page[public.Draw], error) {
	return latest(ctx, s, "latest draws", drawColumns, "d", where{}, page, scanDraw,
		func(d public.Draw) (uint64, string) { return d.AsOf.Block, d.ID })
}

// latest reads one page ordered by the block that last changed a row, newest
// first, and by id. A row that changes between two pages moves to the front and
// may be met twice, but none is left out. table is the alias in query.
func latest[T any](ctx context.Context, s *Store, what, query, table string, w where, request public.PageRequest,
	scan func(scanner) (T, error), keyOf func(T) (block uint64, id string)) (public.Page[T], error) {
	limit, err := limitOf(request)
	if err != nil {
		return public.Page[T]{}, err
	}
	if request.Cursor != "" {
		after, err := s.openCursor(request.Cursor, what)
		if err != nil {
			return public.Page[T]{}, err
		}
		number, id, _ := strings.Cut(after, ":")
		block, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return public.Page[T]{}, metrology.FieldErrorf(metrology.CodeInvalid, "cursor", "is not one that this list gave out")
		}
		w.add("("+table+".block < ? OR "+table+".block = ? AND "+table+".id < ?)", block, block, id)
	}
	query += w.sql() + " ORDER BY " + table + ".block DESC, " + table + ".id DESC LIMIT ?"
	items, err := all(ctx, s, what, query, scan, append(w.args, limit+1)...)
	if err != nil {
		return public.Page[T]{}, err
	}
	page := public.Page[T]{Items: items}
	if len(items) > limit {
		page.Items = items[:limit]
		block, id := keyOf(items[limit-1])
		page.Next = s.sealCursor(strconv.FormatUint(block, 10)+":"+id, what)
	}
	return page, nil
}
