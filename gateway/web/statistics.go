package web

import (
	"context"
	"math"
	"sort"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// statisticsPage is the body of the page of statistics over the published
// inspections, each by the revision that counts.
type statisticsPage struct {
	Tally     tally
	Results   []bar // by result code; an inspection may have several
	Regions   []bar // visits in each region in which nothing was found
	Sectors   []bar // the same by sector
	Due       []bar // instruments by the month in which their verification ends
	Overdue   []bar // by region, those whose verification is over or was never recorded
	Drawn     []bar // places drawn of those in the directory, by draw
	Published []bar // places drawn with a published inspection, by draw
}

// bar is one row of a chart, with the numbers beside it.
type bar struct {
	Label string
	Count int
	Of    int
	Width float64 // of the bar in its drawing, at most barWidth
}

const barWidth = 300.0

// Percent of Count in Of, rounded.
func (b bar) Percent() int {
	if b.Of == 0 {
		return 0
	}
	return (200*b.Count + b.Of) / (2 * b.Of)
}

func (s *Server) statistics(ctx context.Context, r request) (reply, error) {
	counted, err := s.tally(ctx, r.today)
	if err != nil {
		return reply{}, err
	}
	words := s.views[r.lang].words
	body := statisticsPage{Tally: counted}
	for code, count := range counted.ByResult {
		body.Results = append(body.Results, bar{Label: words.term("result", code), Count: count, Of: counted.Counted})
	}
	for region, of := range counted.ByRegion {
		body.Regions = append(body.Regions, bar{Label: words.region(region), Count: of.Without, Of: of.All})
	}
	for sector, of := range counted.BySector {
		label := ""
		if sector != "" {
			label = words.term("sector", sector)
		}
		body.Sectors = append(body.Sectors, bar{Label: label, Count: of.Without, Of: of.All})
	}
	for _, draw := range counted.Samplings {
		body.Drawn = append(body.Drawn, bar{Label: draw.Draw, Count: draw.Drawn, Of: draw.Directory})
		body.Published = append(body.Published, bar{Label: draw.Draw, Count: draw.Published, Of: draw.Drawn})
	}
	body.Due, body.Overdue = dueBars(counted.Due, words)
	for _, bars := range [][]bar{body.Results, body.Regions, body.Sectors, body.Overdue} {
		greatestFirst(bars)
	}
	for _, bars := range [][]bar{body.Results, body.Regions, body.Sectors, body.Due, body.Overdue, body.Drawn, body.Published} {
		layOut(bars)
	}
	return reply{view: "statistics", title: s.say(r.lang, "statistics.title"), body: body}, nil
}

// dueBars adds up the load by month, in their order, and by region what is not
// verified today.
func dueBars(counts []public.DueCount, words catalogue) (months, regions []bar) {
	all, byDue, byRegion, over := 0, map[string]int{}, map[string]int{}, map[string]int{}
	for _, count := range counts {
		all += count.Instruments
		byDue[count.Due] += count.Instruments
		byRegion[count.Region] += count.Instruments
		if count.Due == "over" || count.Due == "none" {
			over[count.Region] += count.Instruments
		}
	}
	for due, count := range byDue {
		months = append(months, bar{Label: due, Count: count, Of: all})
	}
	sort.Slice(months, func(i, k int) bool { return months[i].Label < months[k].Label }) // months before words
	for i := range months {
		months[i].Label = words.term("due", months[i].Label)
	}
	for region, count := range byRegion {
		regions = append(regions, bar{Label: words.region(region), Count: over[region], Of: count})
	}
	return months, regions
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

// greatestFirst orders bars by their count, then by their label.
func greatestFirst(bars []bar) {
	sort.Slice(bars, func(i, k int) bool {
		if bars[i].Count != bars[k].Count {
			return bars[i].Count > bars[k].Count
		}
		return bars[i].Label < bars[k].Label
	})
}

// layOut gives the bars their widths.
func layOut(bars []bar) {
	for i := range bars {
		bars[i].Width = math.Round(min(barWidth, barWidth*float64(bars[i].Count)/float64(max(1, bars[i].Of))))
	}
}
