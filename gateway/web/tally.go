package web

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// tally counts the published inspections, each by the revision that counts, and
// what belongs beside them. It names nobody.
type tally struct {
	Height    uint64 // of the ledger when it was counted
	Day       metrology.Date
	Counted   int // inspections
	Late      int // published after their deadline
	ByResult  map[metrology.ResultCode]int
	ByRegion  map[string]share // by division code
	BySector  map[string]share // by the merchant's sector
	ByDraw    map[string]int   // inspections that carry out a draw
	Due       []public.DueCount
	Samplings []sampling
}

// share is how many of all had nothing found against the merchant.
type share struct{ Without, All int }

// sampling is what became of one draw: the places in its directory, those
// drawn, and those of them with a published inspection.
type sampling struct {
	Draw                        string
	Directory, Drawn, Published int
}

// tallied keeps the last tally. Counting reads every published inspection, so
// it is done anew when the ledger has grown, and at most once in freshFor.
type tallied struct {
	mu   sync.Mutex
	at   time.Time
	last *tally
}

const (
	freshFor     = time.Minute
	maxSamplings = 20 // draws shown, the newest
)

func (s *Server) tally(ctx context.Context, today metrology.Date) (tally, error) {
	status, err := s.register.Status(ctx)
	if err != nil {
		return tally{}, fmt.Errorf("ask for the status: %w", err)
	}
	s.counted.mu.Lock()
	defer s.counted.mu.Unlock()
	if last := s.counted.last; last != nil && last.Day == today && (last.Height == status.Height || s.clock().Sub(s.counted.at) < freshFor) {
		return *last, nil
	}
	counted := tally{
		Height: status.Height, Day: today, ByResult: map[metrology.ResultCode]int{}, ByRegion: map[string]share{}, BySector: map[string]share{}, ByDraw: map[string]int{},
	}
	sectorOf := s.sectors(ctx, today)
	err = s.eachInspection(ctx, public.InspectionFilter{}, today, func(inspection public.Inspection) error {
		counted.add(inspection, sectorOf(inspection.Merchant))
		return nil
	})
	if err != nil {
		return tally{}, err
	}
	if counted.Due, err = s.register.VerificationLoad(ctx, today); err != nil {
		return tally{}, fmt.Errorf("count verifications due: %w", err)
	}
	if counted.Samplings, err = s.samplings(ctx, counted.ByDraw); err != nil {
		return tally{}, err
	}
	s.counted.last, s.counted.at = &counted, s.clock()
	return counted, nil
}

func (t *tally) add(inspection public.Inspection, sector string) {
	t.Counted++
	if inspection.PublishedLate {
		t.Late++
	}
	if inspection.Basis.Draw != "" {
		t.ByDraw[inspection.Basis.Draw]++
	}
	found := findings(inspection)
	for code := range found {
		t.ByResult[code]++
	}
	without := len(found) > 0 && !found.brands()
	for key, shares := range map[string]map[string]share{inspection.Region: t.ByRegion, sector: t.BySector} {
		counted := shares[key]
		counted.All++
		if without {
			counted.Without++
		}
		shares[key] = counted
	}
}

// eachInspection goes through the published inspections page by page.
func (s *Server) eachInspection(ctx context.Context, f public.InspectionFilter, today metrology.Date, visit func(public.Inspection) error) error {
	f.PageRequest = public.PageRequest{Limit: public.MaxLimit}
	for {
		page, err := s.register.Inspections(ctx, f, today)
		if err != nil {
			return fmt.Errorf("read inspections: %w", err)
		}
		for _, inspection := range page.Items {
			if err := visit(inspection); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		f.Cursor = page.Next
	}
}

// sectors looks up the sector of a merchant once; "" where it cannot be had.
func (s *Server) sectors(ctx context.Context, today metrology.Date) func(merchant string) string {
	known := make(map[string]string)
	return func(id string) string {
		if sector, asked := known[id]; asked || id == "" {
			return sector
		}
		known[id] = ""
		if merchant, err := s.register.Merchant(ctx, id, today); err == nil {
			known[id] = string(merchant.Sector)
		}
		return known[id]
	}
}

// samplings counts the newest draws that have a result.
func (s *Server) samplings(ctx context.Context, published map[string]int) ([]sampling, error) {
	page, err := s.register.LatestDraws(ctx, public.PageRequest{Limit: public.MaxLimit})
	if err != nil {
		return nil, fmt.Errorf("list draws: %w", err)
	}
	var list []sampling
	for _, d := range page.Items {
		if d.Phase != metrology.DrawDrawn || len(list) == maxSamplings {
			continue
		}
		record, err := s.register.Draw(ctx, d.ID)
		if err != nil {
			return nil, fmt.Errorf("read draw %s: %w", d.ID, err)
		}
		if record.Result == nil || record.Frozen == nil {
			continue
		}
		counted := sampling{Draw: d.ID, Directory: int(record.Frozen.Objects), Published: published[d.ID]}
		if counted.Drawn, err = drawnPlaces(record); err != nil {
			return nil, fmt.Errorf("read result of draw %s: %w", d.ID, err)
		}
		list = append(list, counted)
	}
	return list, nil
}

// drawnPlaces counts the places of a result, whether its lists stand on the
// ledger or beside it.
func drawnPlaces(record public.DrawRecord) (count int, err error) {
	if record.Result.Posting != nil {
		return record.CountPosted()
	}
	strata, err := readResult(record.Result.Result)
	for _, stratum := range strata {
		count += len(stratum.Outright) + len(stratum.Selected)
	}
	return count, err
}
