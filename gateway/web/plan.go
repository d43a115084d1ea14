package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
	"github.com/steelyard-ledger/steelyard/gateway/web/form"
)

// Beacon is a beacon that a plan may pin.
type Beacon struct {
	Name  string // of those below
	Chain metrology.DrawChain
}

// The beacons' names.
const (
	BeaconQuicknet    = "quicknet"
	BeaconConsortium  = "consortium"  // a drand network of its own
	BeaconDevelopment = "development" // this gateway's own, for demonstrations
)

// planFields is what a plan asks for. The interface takes a plan as a document
// with free members; these are the ones that draws.md names.
func planFields() []form.Field {
	text := func(name string) form.Field { return form.Field{Name: name, Kind: form.Text, Required: true} }
	usual := func(name string) form.Field {
		return form.Field{Name: name, Kind: form.Number, Required: true, Aside: true}
	}
	return []form.Field{
		text("authority"), text("title"), text("scope"),
		{Name: "strata", Kind: form.Rows, Required: true, Fields: []form.Field{
			text("stratum"), {Name: "quota", Kind: form.Number}, {Name: "numerator", Kind: form.Number}, {Name: "denominator", Kind: form.Number},
		}},
		{Name: "sealed", Kind: form.Check}, {Name: "openWithin", Kind: form.Number},
		{Name: "slots", Kind: form.Rows, Required: true, Aside: true, Fields: []form.Field{{Name: "skills", Kind: form.Lines}, {Name: "any", Kind: form.Check}}},
		usual("observations"), usual("margin"), usual("timeWindow"),
		{Name: "beacon", Type: "web.Beacon", Kind: form.Choice, Required: true, Aside: true, Options: []string{BeaconQuicknet, BeaconConsortium, BeaconDevelopment}},
	}
}

// plan is what was asked for.
type plan struct {
	Authority    string `json:"authority"`
	Title        string `json:"title"`
	Scope        string `json:"scope"`
	Observations int    `json:"observations"`
	Margin       int64  `json:"margin"`     // seconds
	TimeWindow   int64  `json:"timeWindow"` // seconds
	Beacon       string `json:"beacon"`
	Sealed       bool   `json:"sealed"`
	OpenWithin   int64  `json:"openWithin"` // seconds after the round; of a sealed draw
	Strata       []struct {
		Stratum     string `json:"stratum"`
		Quota       *int64 `json:"quota"`
		Numerator   int64  `json:"numerator"`
		Denominator int64  `json:"denominator"`
	} `json:"strata"`
	Slots []struct {
		Skills []string `json:"skills"`
	} `json:"slots"`
}

// makePlan makes the document of a plan and gives it its authority's next
// number. A number that somebody else takes first is refused as taken.
func (s *Server) makePlan(ctx context.Context, asked []byte) ([]byte, error) {
	var p plan
	if err := json.Unmarshal(asked, &p); err != nil {
		return nil, fmt.Errorf("read what was asked: %w", err)
	}
	number, err := s.nextDraw(ctx, p.Authority)
	if err != nil {
		return nil, err
	}
	filing := metrology.PlanDraw{ID: metrology.DrawID(p.Authority, number)}
	members := s.planMembers(p)
	if p.Sealed {
		seal, boxes, err := s.desks.Seal(ctx, filing.ID)
		if err != nil {
			return nil, fmt.Errorf("seal the plan: %w", err)
		}
		members["seal"], members["openWithin"], filing.Escrow = seal, p.OpenWithin, boxes
	}
	if filing.Plan, err = json.Marshal(members); err != nil {
		return nil, fmt.Errorf("encode plan: %w", err)
	}
	return json.Marshal(filing)
}

// planMembers are the plan as the draw's definition reads it.
func (s *Server) planMembers(p plan) map[string]any {
	members := map[string]any{
		"authority": p.Authority, "title": p.Title, "scope": p.Scope, "regulator": metrology.RegulatorMSP,
		"observations": p.Observations, "margin": p.Margin, "timeWindow": p.TimeWindow, "ladder": []int{1, 2},
	}
	for _, b := range s.desks.Beacons {
		if b.Name == p.Beacon && members["beacon"] == nil {
			members["beacon"] = b.Chain
		}
	}
	if p.Beacon == BeaconDevelopment || p.Margin <= 2*p.TimeWindow {
		members["demonstration"] = true // it proves nothing about time
	}
	quota, rates := map[string]int64{}, map[string][2]int64{}
	for _, stratum := range p.Strata {
		if stratum.Quota != nil {
			quota[stratum.Stratum] = *stratum.Quota
			continue
		}
		rates[stratum.Stratum] = [2]int64{stratum.Numerator, stratum.Denominator}
	}
	if len(quota) > 0 {
		members["quota"] = quota
	}
	if len(rates) > 0 {
		members["rates"] = rates
	}
	slots := make([][]string, len(p.Slots))
	for i, slot := range p.Slots {
		slots[i] = append([]string{}, slot.Skills...)
	}
	members["assign"] = slots
	return members
}

// nextDraw is the next number of an authority. Numbers have no gaps, so that
// it is one more than there are draws.
func (s *Server) nextDraw(ctx context.Context, authority string) (int, error) {
	page, err := s.register.Draws(ctx, public.DrawFilter{Authority: authority, PageRequest: public.PageRequest{Limit: 1}})
	if err != nil {
		return 0, fmt.Errorf("count the authority's draws: %w", err)
	}
	if len(page.Items) == 0 {
		return 1, nil
	}
	record, err := s.register.Draw(ctx, page.Items[0].ID)
	if err != nil {
		return 0, fmt.Errorf("count the authority's draws: %w", err)
	}
	return record.Numbers.Filed + 1, nil
}

// suggestPlan fills a new plan with what is usual.
func (s *Server) suggestPlan(filled url.Values) {
	for path, value := range map[string]string{
		"observations": "2", "margin": "86400", "timeWindow": "900", "beacon": BeaconQuicknet,
		"slots[0].any": "on", "slots[1].any": "on",
	} {
		if filled.Get(path) == "" {
			filled.Set(path, value)
		}
	}
}
