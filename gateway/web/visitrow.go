package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
	"github.com/steelyard-ledger/steelyard/gateway/web/form"
)

// visitRow is one measurement: of an instrument at the place, or of one of its
// parts.
type visitRow struct {
	At     string // beginning of the names of its controls
	Title  string
	Fixed  []kept // members that are known
	Serial string
	// Interval is whether a verification interval is asked for: a tolerance is
	// counted in it, or none is known.
	Interval bool
	Result   *metrology.MeasurementResult // computed from what was typed; nil: nothing to compute
}

// known is a member that is not typed.
func (r visitRow) known(name string) string {
	for _, k := range r.Fixed {
		if k.Name == r.At+name {
			return k.Value
		}
	}
	return ""
}

// Typed are the members of a measurement that are typed.
func (r visitRow) Typed() []string {
	if r.Interval {
		return []string{"indication", "reference", "interval", "unit"}
	}
	return []string{"indication", "reference", "unit"}
}

// rows lists the measurements that were filled in, then what else stands at the
// place.
func (a *visitAid) rows(instruments []public.Instrument, filled url.Values) {
	taken := map[string]bool{}
	count := form.RowCount(filled, visitMeasure)
	for i := range count {
		at := visitMeasure + "[" + strconv.Itoa(i) + "]."
		instrument, part := filled.Get(at+"instrument"), filled.Get(at+"part")
		taken[instrument+"\x00"+part] = true
		row := visitRow{At: at, Title: strings.TrimSpace(instrument + " " + part)}
		for _, known := range instruments {
			if known.ID == instrument {
				row.Title, row.Serial = titleOf(known, part), known.Serial
			}
		}
		for _, name := range []string{"instrument", "part", "category", "class", "occasion", "rule.id", "rule.version"} {
			row.Fixed = append(row.Fixed, kept{at + name, filled.Get(at + name)})
		}
		a.Rows = append(a.Rows, row)
	}
	for _, i := range instruments {
		if i.State == metrology.InstrumentRetired {
			continue
		}
		parts := []string{""}
		if len(i.Parts) > 0 {
			parts = nil
			for _, part := range i.Parts {
				parts = append(parts, part.ID)
			}
		}
		for _, part := range parts {
			if !taken[i.ID+"\x00"+part] {
				a.Rows = append(a.Rows, a.newRow(len(a.Rows), i, part, filled))
			}
		}
	}
}

func titleOf(i public.Instrument, part string) string {
	if part == "" {
		return i.Name
	}
	return i.Name + " · " + part
}

// newRow is an empty measurement of an instrument or its part.
func (a *visitAid) newRow(number int, i public.Instrument, part string, filled url.Values) visitRow {
	at := visitMeasure + "[" + strconv.Itoa(number) + "]."
	row := visitRow{At: at, Title: titleOf(i, part), Serial: i.Serial}
	rule, table := a.Tables.ruleFor(i.Category)
	fixed := map[string]string{"instrument": i.ID, "part": part, "category": i.Category, "occasion": string(metrology.OccasionInService)}
	if rule.ID != "" {
		fixed["rule.id"], fixed["rule.version"] = rule.ID, strconv.Itoa(rule.Version)
		if slices.ContainsFunc(table, func(r metrology.MPERow) bool { return r.Category == i.Category && r.Class == i.Accuracy }) {
			fixed["class"] = i.Accuracy
		}
		if unit := unitOf(table, i.Category); unit != "" {
			suggest(filled, at+"unit", unit)
		}
	}
	for _, name := range []string{"instrument", "part", "category", "class", "occasion", "rule.id", "rule.version"} {
		row.Fixed = append(row.Fixed, kept{at + name, fixed[name]})
	}
	return row
}

// ruleFor finds the table that knows a category.
func (t visitTables) ruleFor(category string) (metrology.RuleReference, []metrology.MPERow) {
	for _, r := range t.Rules {
		if slices.ContainsFunc(r.Body.MPE.Rows, func(row metrology.MPERow) bool { return row.Category == category }) {
			return metrology.RuleReference{ID: r.ID, Version: r.Version}, r.Body.MPE.Rows
		}
	}
	return metrology.RuleReference{}, nil
}

// byInterval reports whether a category's tolerances are counted in
// verification intervals, or are not known.
func (t visitTables) byInterval(category string) bool {
	_, table := t.ruleFor(category)
	return table == nil || slices.ContainsFunc(table, func(r metrology.MPERow) bool { return r.Category == category && r.Limit == metrology.LimitInterval })
}

// unitOf is the unit in which a table counts a category; empty when in
// intervals.
func unitOf(rows []metrology.MPERow, category string) string {
	for _, row := range rows {
		if row.Category == category && row.Limit != metrology.LimitInterval {
			return row.Unit
		}
	}
	return ""
}

// evaluate computes error and verdict of what was typed, as the contract will.
func (t visitTables) evaluate(row visitRow, filled url.Values, day metrology.Date, region string) *metrology.MeasurementResult {
	member := func(name string) string { return strings.TrimSpace(filled.Get(row.At + name)) }
	m := metrology.Measurement{Category: row.known("category"), Class: row.known("class"), Occasion: metrology.Occasion(row.known("occasion")), Unit: member("unit"), Rule: metrology.RuleReference{ID: row.known("rule.id")}}
	m.Rule.Version, _ = strconv.Atoi(row.known("rule.version")) // 0: no rule is named
	var err error
	if m.Indication, err = metrology.ParseDecimal(member("indication")); err != nil {
		return nil
	}
	if m.Reference, err = metrology.ParseDecimal(member("reference")); err != nil {
		return nil
	}
	if text := member("interval"); text != "" {
		if m.Interval, err = metrology.ParseDecimal(text); err != nil {
			return nil
		}
	}
	if m.Check("") != nil {
		return nil
	}
	var rule *metrology.Ruleset
	for _, r := range t.Rules {
		if (metrology.RuleReference{ID: r.ID, Version: r.Version}) == m.Rule {
			rule = &metrology.Ruleset{RuleDocument: r, State: metrology.RulesetInForce}
		}
	}
	result := m.Evaluate(rule, day, region)
	return &result
}
