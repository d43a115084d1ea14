package readmodel

import (
	"context"
	"fmt"
	"strconv"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// Visits counts the published inspections of sites in the year of a day, and
// the places that draws have reserved. A site where no rule caps them has no
// entry.
func (s *Store) Visits(ctx context.Context, sites []public.Site, day metrology.Date) (map[string]public.SiteVisits, error) {
	return s.visits(ctx, sites, day, metrology.InspectionState.Public)
}

// CountVisits is Visits with the inspections that are not public yet. It is for
// the regulator alone.
func (s *Store) CountVisits(ctx context.Context, sites []public.Site, day metrology.Date) (map[string]public.SiteVisits, error) {
	return s.visits(ctx, sites, day, func(metrology.InspectionState) bool { return true })
}

func (s *Store) visits(ctx context.Context, sites []public.Site, day metrology.Date, shown func(metrology.InspectionState) bool) (map[string]public.SiteVisits, error) {
	rules, err := s.rulesInForce(ctx, metrology.RulesetVisits)
	if err != nil || len(rules) == 0 {
		return nil, err
	}
	book := metrology.NewRuleBook(rules)
	caps := map[string]metrology.VisitCap{}
	counts := map[string]public.SiteVisits{}
	var ids []string
	for _, site := range sites {
		if rule, found := book.VisitCap(site.Region, day); found {
			ids, caps[site.ID] = append(ids, site.ID), *rule.Body.Visits
			counts[site.ID] = public.SiteVisits{Year: day.Year(), Cap: rule.Body.Visits.PerYear, Rule: rule.Reference(), Region: rule.Region}
		}
	}
	if len(ids) == 0 {
		return counts, nil
	}
	visited := map[drawnPlace]bool{} // by an inspection that cites the draw, whatever the day
	inspections, err := among(ctx, s, "visits", inspectionColumns+` WHERE e.state <> 'withdrawn' AND e.site`, ids, "e.id", scanInspection)
	if err != nil {
		return nil, err
	}
	for _, i := range inspections {
		if !shown(i.State) {
			continue
		}
		visited[drawnPlace{i.Basis.Draw, i.Site}] = true
		if i.Visited.Year() == day.Year() && caps[i.Site].Counts(i.Inspection) {
			count := counts[i.Site]
			count.Recorded++
			counts[i.Site] = count
		}
	}
	return counts, s.countReserved(ctx, counts, caps, visited, day.Year())
}

// drawnPlace is a site that a draw has drawn.
type drawnPlace struct{ draw, site string }

// countReserved adds the draws that reserve a visit to a site and have not
// visited it.
func (s *Store) countReserved(ctx context.Context, counts map[string]public.SiteVisits, caps map[string]metrology.VisitCap, visited map[drawnPlace]bool, year int) error {
	reserved, err := s.reserved(ctx, year)
	if err != nil {
		return err
	}
	for site, count := range counts {
		if caps[site].Exempts(metrology.BasisDraw) {
			continue
		}
		for _, draw := range reserved[site] {
			if !visited[drawnPlace{draw, site}] {
				count.Reserved++
			}
		}
		counts[site] = count
	}
	return nil
}

// reserved lists the draws whose result is on the ledger, by the places they
// drew for a year. It reads every result and is kept until a block comes.
func (s *Store) reserved(ctx context.Context, year int) (map[string][]string, error) {
	return remember(ctx, s, cacheKey{what: "reserved", id: strconv.Itoa(year)}, func() (map[string][]string, error) {
		records, err := s.drawnRecords(ctx)
		if err != nil {
			return nil, err
		}
		places := map[string][]string{}
		for id, record := range records {
			if record.VisitYear() != year {
				continue
			}
			drawn, err := record.Places()
			if err != nil {
				return nil, err
			}
			for _, place := range drawn {
				places[place] = append(places[place], id)
			}
		}
		return places, nil
	})
}

// drawnRecords loads what says where the visits of draws go: their plans,
// results and changes.
func (s *Store) drawnRecords(ctx context.Context) (map[string]*public.DrawRecord, error) {
	const query = `SELECT d.id, p.part, p.item, p.doc FROM draws d JOIN draw_parts p ON p.draw = d.id
		WHERE d.phase = 'drawn' AND p.part IN ('plan', 'result', 'changes') ORDER BY d.id, p.part`
	records := map[string]*public.DrawRecord{}
	_, err := all(ctx, s, "results of draws", query, func(row scanner) (none struct{}, err error) {
		var id, doc string
		var part public.DrawPart
		if err := row.Scan(&id, &part.Name, &part.Item, &doc); err != nil {
			return none, err
		}
		if records[id] == nil {
			records[id] = &public.DrawRecord{}
			records[id].ID, records[id].Phase = id, metrology.DrawDrawn
		}
		part.Value = []byte(doc)
		if err := records[id].AddPart(part); err != nil {
			return none, fmt.Errorf("read %s of draw %s: %w", part.Name, id, err)
		}
		return none, nil
	})
	return records, err
}
