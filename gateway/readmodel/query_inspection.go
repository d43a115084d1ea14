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
	if err := f.Validate(); err != nil {
		return public.Page[public.Inspection]{}, err
	}
	if f.From != "" {
		w.add("e.visited >= ?", string(f.From))
	}
	if f.To != "" {
		w.add("e.visited <= ?", string(f.To))
	}
	if f.Merchant != "" {
		w.add(`e.id IN (SELECT owner FROM disclosed WHERE merchant = ?)`, f.Merchant)
	}
	scope := f.Region + "\x00" + f.Site + "\x00" + f.State + "\x00" + f.Merchant + "\x00" + string(f.From) + "\x00" + string(f.To)
	rows, err := list(ctx, s, "inspections", inspectionColumns, "e.id", w, f.PageRequest, scope,
		func(r inspectionRow) string { return r.ID }, scanInspection)
	if err != nil {
		return public.Page[public.Inspection]{}, err
	}
	items, err := s.showInspections(ctx, rows.Items)
	return public.Page[public.Inspection]{Items: items, Next: rows.Next}, err
}

// Inspection returns one published inspection. One that is not public yet, or
// was withdrawn, is not found.
func (s *Store) Inspection(ctx context.Context, id string, _ metrology.Date) (public.Inspection, error) {
	row, err := one(ctx, s, "inspection", id, inspectionColumns+` WHERE e.id = ? AND `+visible, scanInspection, id)
	if err != nil {
		return public.Inspection{}, err
	}
	shown, err := s.showInspections(ctx, []inspectionRow{row})
	if err != nil {
		return public.Inspection{}, err
	}
	return shown[0], nil
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

// showInspections joins rows with their bodies and deadlines.
func (s *Store) showInspections(ctx context.Context, rows []inspectionRow) ([]public.Inspection, error) {
	book, err := s.ruleBook(ctx)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	bodies, err := s.bodies(ctx, ids)
	if err != nil {
		return nil, err
	}
	shown := make([]public.Inspection, len(rows))
	for i, row := range rows {
		shown[i] = showInspection(row, bodies, book)
	}
	return shown, nil
}

func showInspection(row inspectionRow, bodies map[bodyKey]*public.InspectionBody, book metrology.RuleBook) public.Inspection {
	i := public.Inspection{
		ID: row.ID, Site: row.Site, Region: row.region, Basis: row.Basis, State: row.State, Reason: row.Reason, Inspectors: row.Inspectors,
		Visited: row.Visited, Published: row.Published, Objections: row.Objections, Follows: row.Follows, SettledBy: row.SettledBy,
		AsOf: row.asOf,
	}
	for _, revision := range row.Revisions {
		body := bodies[bodyKey{row.ID, strconv.Itoa(revision.Number)}]
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
	return i
}

// bodyKey is an inspection's id and the number of a revision.
type bodyKey struct{ inspection, revision string }

// bodies loads the bodies of inspections.
func (s *Store) bodies(ctx context.Context, ids []string) (map[bodyKey]*public.InspectionBody, error) {
	bodies := map[bodyKey]*public.InspectionBody{}
	const query = `SELECT owner, part, doc FROM disclosed WHERE kind = 'inspection-body' AND owner`
	_, err := among(ctx, s, "inspection bodies", query, ids, "owner, part", func(r scanner) (bodyKey, error) {
		var key bodyKey
		var doc string
		if err := r.Scan(&key.inspection, &key.revision, &doc); err != nil {
			return key, err
		}
		body, err := read[metrology.InspectionBody]([]byte(doc))
		bodies[key] = public.BodyOf(body)
		return key, err
	})
	return bodies, err
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
