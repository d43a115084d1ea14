package readmodel

import (
	"context"
	"strconv"
	"time"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// inspectionRow is an inspection before its bodies and deadlines are joined.
type inspectionRow struct {
	metrology.Inspection
	region string
	asOf   public.AsOf
}

const inspectionColumns = `SELECT e.doc, e.region, e.block, e.tx_id, e.claimed FROM inspections e`

// visible is the one condition under which anything of an inspection may be
// shown; it is metrology.InspectionState.Public in SQL.
const visible = `e.state IN ('published', 'objected', 'retested', 'upheld', 'corrected')`

func scanInspection(row scanner) (inspectionRow, error) {
	var r inspectionRow
	var doc string
	err := row.Scan(append([]any{&doc, &r.region}, asOf(&r.asOf)...)...)
	if err != nil {
		return r, err
	}
	r.Inspection, err = read[metrology.Inspection]([]byte(doc))
	return r, err
}

// Inspections lists published inspections by id.
func (s *Store) Inspections(ctx context.Context, f public.InspectionFilter, _ metrology.Date) (public.Page[public.Inspection], error) {
	var w where
	w.add(visible)
	if err := w.region("e.region", f.Region); err != nil {
		return public.Page[public.Inspection]{}, err
	}
	w.equal("e.site", f.Site)
	w.equal("e.state", f.State)
	if f.Merchant != "" {
		w.add(`e.id IN (SELECT owner FROM disclosed WHERE merchant = ?)`, f.Merchant)
	}
	scope := f.Region + "\x00" + f.Site + "\x00" + f.State + "\x00" + f.Merchant
	rows, err := list(ctx, s, "inspections", inspectionColumns, "e.id", w, f.PageRequest, scope,
		func(r inspectionRow) string { return r.ID }, scanInspection)
	if err != nil {
		return public.Page[public.Inspection]{}, err
	}
	book, err := s.ruleBook(ctx)
	if err != nil {
		return public.Page[public.Inspection]{}, err
	}
	page := public.Page[public.Inspection]{Items: make([]public.Inspection, len(rows.Items)), Next: rows.Next}
	for i, row := range rows.Items {
		if page.Items[i], err = s.showInspection(ctx, row, book); err != nil {
			return page, err
		}
	}
	return page, nil
}

// Inspection returns one published inspection. One that is not public yet, or
// was withdrawn, is not found.
func (s *Store) Inspection(ctx context.Context, id string, _ metrology.Date) (public.Inspection, error) {
	row, err := one(ctx, s, "inspection", id, inspectionColumns+` WHERE e.id = ? AND `+visible, scanInspection, id)
	if err != nil {
		return public.Inspection{}, err
	}
	book, err := s.ruleBook(ctx)
	if err != nil {
		return public.Inspection{}, err
	}
	return s.showInspection(ctx, row, book)
}

// OverdueInspections lists inspections that should have been published by
// today. It names neither site nor merchant.
func (s *Store) OverdueInspections(ctx context.Context, request public.PageRequest, today metrology.Date) (public.Page[public.OverdueInspection], error) {
	book, err := s.ruleBook(ctx)
	if err != nil {
		return public.Page[public.OverdueInspection]{}, err
	}
	var w where
	w.add(`e.state IN ('entered', 'reviewed')`)
	rows, err := list(ctx, s, "overdue inspections", inspectionColumns, "e.id", w, request, "",
		func(r inspectionRow) string { return r.ID }, scanInspection)
	if err != nil {
		return public.Page[public.OverdueInspection]{}, err
	}
	page := public.Page[public.OverdueInspection]{Items: []public.OverdueInspection{}, Next: rows.Next}
	for _, row := range rows.Items {
		due, found := book.Deadline(metrology.DeadlinePublication, row.region, row.Visited)
		if found && due.Last.Before(today) {
			page.Items = append(page.Items, public.OverdueInspection{ID: row.ID, Visited: row.Visited, Due: due})
		}
	}
	return page, nil
}

// ruleBook holds the deadlines and calendars that were approved.
func (s *Store) ruleBook(ctx context.Context) (metrology.RuleBook, error) {
	deadlines, err := s.rulesInForce(ctx, metrology.RulesetDeadline)
	if err != nil {
		return metrology.RuleBook{}, err
	}
	calendars, err := s.rulesInForce(ctx, metrology.RulesetCalendar)
	return metrology.NewRuleBook(append(deadlines, calendars...)), err
}

func (s *Store) showInspection(ctx context.Context, row inspectionRow, book metrology.RuleBook) (public.Inspection, error) {
	i := public.Inspection{
		ID: row.ID, Site: row.Site, Basis: row.Basis, State: row.State, Reason: row.Reason, Inspectors: row.Inspectors,
		Visited: row.Visited, Published: row.Published, Objections: row.Objections, Follows: row.Follows, SettledBy: row.SettledBy,
		AsOf: row.asOf,
	}
	bodies, err := s.bodies(ctx, row.ID)
	if err != nil {
		return i, err
	}
	for _, revision := range row.Revisions {
		body := bodies[strconv.Itoa(revision.Number)]
		i.Revisions = append(i.Revisions, public.Revision{InspectionRevision: revision, Body: body})
		if body != nil {
			i.Merchant = body.Merchant
			i.NozzleMean = nozzleMean(*body)
		}
	}
	if due, found := book.Deadline(metrology.DeadlinePublication, row.region, row.Visited); found {
		i.PublicationDue = &due
		if published, err := time.Parse(time.RFC3339, row.Published); err == nil {
			i.PublishedLate = due.Last.Before(metrology.DateOf(published))
		}
	}
	return i, nil
}

// bodies loads the bodies of an inspection by revision number.
func (s *Store) bodies(ctx context.Context, id string) (map[string]*public.InspectionBody, error) {
	type row struct{ part, doc string }
	const query = `SELECT part, doc FROM disclosed WHERE kind = 'inspection-body' AND owner = ?`
	rows, err := all(ctx, s, "inspection bodies", query, func(r scanner) (row, error) {
		var v row
		err := r.Scan(&v.part, &v.doc)
		return v, err
	}, id)
	if err != nil {
		return nil, err
	}
	bodies := make(map[string]*public.InspectionBody, len(rows))
	for _, r := range rows {
		body, err := read[metrology.InspectionBody]([]byte(r.doc))
		if err != nil {
			return nil, err
		}
		bodies[r.part] = public.BodyOf(body)
	}
	return bodies, nil
}

// nozzleMean is the mean error over the nozzles that a body measured; nil when
// there are fewer than two.
func nozzleMean(body public.InspectionBody) *public.NozzleMean {
	var results []metrology.MeasurementResult
	for _, item := range body.Items {
		for _, m := range item.Measurements {
			if m.Part != "" {
				results = append(results, m)
			}
		}
	}
	mean, count := metrology.MeanPercent(results)
	if count < 2 {
		return nil
	}
	return &public.NozzleMean{Percent: mean, Count: count}
}
