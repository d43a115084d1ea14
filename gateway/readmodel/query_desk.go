package readmodel

import (
	"context"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// OpenInspections lists the inspections that their authority still has to deal
// with: not reviewed, not published, or objected to. It is for the authority's
// own desk; the public sees none of what is not published.
func (s *Store) OpenInspections(ctx context.Context, request public.PageRequest, _ metrology.Date) (public.Page[public.OpenInspection], error) {
	var w where
	w.add(`e.state IN ('entered', 'reviewed', 'objected', 'retested')`)
	rows, err := list(ctx, s, "open inspections", inspectionColumns, "e.id", w, request, "",
		func(r inspectionRow) string { return r.ID }, scanInspection)
	if err != nil {
		return public.Page[public.OpenInspection]{}, err
	}
	items, err := s.showOpen(ctx, rows.Items)
	return public.Page[public.OpenInspection]{Items: items, Next: rows.Next}, err
}

// OpenInspection returns an inspection in whatever state, for the authority's
// own desk. One that was withdrawn has no bodies any more.
func (s *Store) OpenInspection(ctx context.Context, id string, _ metrology.Date) (public.OpenInspection, error) {
	row, err := one(ctx, s, "inspection", id, inspectionColumns+` WHERE e.id = ?`, scanInspection, id)
	if err != nil {
		return public.OpenInspection{}, err
	}
	shown, err := s.showOpen(ctx, []inspectionRow{row})
	if err != nil {
		return public.OpenInspection{}, err
	}
	return shown[0], nil
}

func (s *Store) showOpen(ctx context.Context, rows []inspectionRow) ([]public.OpenInspection, error) {
	shown, err := s.showInspections(ctx, rows)
	if err != nil {
		return nil, err
	}
	book, err := s.ruleBook(ctx)
	if err != nil {
		return nil, err
	}
	open := make([]public.OpenInspection, len(rows))
	for i, row := range rows {
		open[i] = public.OpenInspection{
			Inspection: shown[i], Region: row.region, Post: row.Post, EnteredBy: row.EnteredBy, Reviewer: row.Reviewer,
		}
		due, found := book.InspectionDeadline(row.Inspection, row.region)
		if found && due.Code != metrology.DeadlineObjection { // that one is the merchant's
			open[i].Due = &due
		}
	}
	return open, nil
}
