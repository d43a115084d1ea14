package web

import (
	"context"
	"sort"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// statisticsPage is the body of the page of statistics over the published
// inspections, each by the revision that counts.
type statisticsPage struct {
	All     bool // whether every published inspection was counted
	Counted int
	Results []bar // by result code; an inspection may have several
	Regions []bar // visits in each region at county level or as registered
	Without []bar // visits in each region in which nothing was found
	Late    int   // published after their deadline
}

// bar is one row of a chart, with the numbers beside it.
type bar struct {
	Label string
	Count int
	Of    int
	Y     int     // upper edge in the drawing
	Width float64 // of the bar in the drawing, at most barWidth
}

const (
	barWidth  = 300.0
	barHeight = 20
)

// Percent of Count in Of, rounded.
func (b bar) Percent() int {
	if b.Of == 0 {
		return 0
	}
	return (200*b.Count + b.Of) / (2 * b.Of)
}

// Height of the drawing of a chart.
func chartHeight(bars []bar) int { return len(bars) * barHeight }

func (s *Server) statistics(ctx context.Context, r request) (reply, error) {
	inspections, all, err := s.gather(ctx, r.today)
	if err != nil {
		return reply{}, err
	}
	words := s.views[r.lang].words
	body := statisticsPage{All: all, Counted: len(inspections)}
	regionOf := s.regions(ctx)
	results, regions, clean := make(map[string]int), make(map[string]int), make(map[string]int)
	for _, inspection := range inspections {
		if inspection.PublishedLate {
			body.Late++
		}
		region := regionOf(inspection.Site)
		regions[region]++
		found := findings(inspection)
		clean[region] += 0 // a region without one has its row, too
		if len(found) > 0 && !found.brands() {
			clean[region]++
		}
		for code := range found {
			results[words.term("result", code)]++
		}
	}
	body.Results = chart(results, func(string) int { return len(inspections) })
	body.Regions = chart(regions, func(string) int { return len(inspections) })
	body.Without = chart(clean, func(region string) int { return regions[region] })
	return reply{view: "statistics", title: s.say(r.lang, "statistics.title"), body: body}, nil
}

// regions looks up the region of a site once; "" where it cannot be had.
func (s *Server) regions(ctx context.Context) func(site string) string {
	known := make(map[string]string)
	return func(id string) string {
		if region, asked := known[id]; asked {
			return region
		}
		site, err := s.register.Site(ctx, id)
		if err == nil {
			known[id] = site.Region
		} else {
			known[id] = ""
		}
		return known[id]
	}
}

// resultSet holds the result codes of one visit.
type resultSet map[metrology.ResultCode]bool

// findings are the results of the revision that counts.
func findings(inspection public.Inspection) resultSet {
	found := make(resultSet)
	if len(inspection.Revisions) == 0 {
		return found
	}
	last := inspection.Revisions[len(inspection.Revisions)-1]
	if last.Body == nil {
		return found
	}
	for _, item := range last.Body.Items {
		for _, code := range item.Results {
			found[code] = true
		}
	}
	return found
}

// brands reports whether a result speaks against the merchant.
func (r resultSet) brands() bool {
	for code := range r {
		if meaning, known := code.Meaning(); !known || meaning.Brands {
			return true
		}
	}
	return false
}

// chart lays out counts, the greatest first.
func chart(counts map[string]int, of func(label string) int) []bar {
	bars := make([]bar, 0, len(counts))
	for label, count := range counts {
		bars = append(bars, bar{Label: label, Count: count, Of: of(label)})
	}
	sort.Slice(bars, func(i, k int) bool {
		if bars[i].Count != bars[k].Count {
			return bars[i].Count > bars[k].Count
		}
		return bars[i].Label < bars[k].Label
	})
	for i := range bars {
		bars[i].Y = i*barHeight + 3
		bars[i].Width = barWidth * float64(bars[i].Count) / float64(max(1, bars[i].Of))
	}
	return bars
}
