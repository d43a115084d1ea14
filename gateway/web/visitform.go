package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
	"github.com/steelyard-ledger/steelyard/gateway/verdict"
	"github.com/steelyard-ledger/steelyard/gateway/web/form"
)

// visitAid is what the form of a visit shows besides its controls.
type visitAid struct {
	Subject string // of the visitor's post
	Site    string
	Place   string // name of the site; empty: not registered, or not named yet
	Rows    []visitRow
	Tables  visitTables
	Hidden  []kept       // what was filled in and this form does not ask for
	Drawn   *drawnGround // the draw that filled the form in; nil: none did
	Proofs  []proofRow
	First   bool // a first entry, which says where, when and on what ground
}

// visitTables are the rules in force that a browser needs for a verdict.
type visitTables struct {
	Units map[string]metrology.UnitScale `json:"units"`
	Rules []metrology.RuleDocument       `json:"rules"`
}

// proofRow is one piece of evidence: the names of its two controls.
type proofRow struct {
	Number       int
	Kind, Digest string
}

// Common are the results in common use, Uncommon the others.
func (*visitAid) Common() []string   { return resultsWhere(true) }
func (*visitAid) Uncommon() []string { return resultsWhere(false) }

// Rare reports whether one of the others is chosen.
func (a *visitAid) Rare(chosen []string) bool {
	return slices.ContainsFunc(a.Uncommon(), func(code string) bool { return slices.Contains(chosen, code) })
}

func resultsWhere(common bool) []string {
	var codes []string
	for _, meaning := range metrology.ResultCodes {
		if meaning.Common == common {
			codes = append(codes, string(meaning.Code))
		}
	}
	return codes
}

// Proved reports whether there is evidence.
func (a *visitAid) Proved() bool { return len(a.Proofs) > 1 }

// Kinds are the kinds of evidence.
func (*visitAid) Kinds() []metrology.EvidenceKind {
	return []metrology.EvidenceKind{metrology.EvidencePhoto, metrology.EvidenceRecord, metrology.EvidenceFilm, metrology.EvidenceSample, metrology.EvidenceTest}
}

// JSON is what the browser computes verdicts from.
func (a *visitAid) JSON() (string, error) {
	raw, err := json.Marshal(a.Tables)
	return string(raw), err
}

// measuredTone is how the verdict of a measurement may be shown.
func measuredTone(v metrology.Verdict) verdict.Tone {
	switch v {
	case metrology.VerdictPass:
		return verdict.Good
	case metrology.VerdictFail:
		return verdict.Bad
	}
	return verdict.Unknown
}

const (
	visitItem    = "inspection.items[0]."
	visitMeasure = visitItem + "measurements"
)

// aidVisit prepares the form of a visit: one row per instrument or part that is
// registered at the place, with the rule that answers for it today.
func (s *Server) aidVisit(ctx context.Context, v visit, o form.Operation, filled url.Values) (any, error) {
	aid := &visitAid{Subject: v.Person.Subject, First: o.ID == "enterInspection"}
	if err := s.findPlace(ctx, v, o, filled, aid); err != nil {
		return nil, err
	}
	if err := s.fillFromDraw(ctx, v, aid, filled); err != nil {
		return nil, err
	}
	suggestVisit(v, aid, filled)
	if aid.Site == "" {
		return aid, nil
	}
	region := ""
	place, err := s.register.Site(ctx, aid.Site)
	switch {
	case err == nil:
		aid.Place, region = nameOf(place.Details, place.ID), place.Region
		if last := len(place.Occupants) - 1; aid.First && v.sent == nil && last >= 0 && place.Occupants[last].To == "" {
			suggest(filled, "inspection.merchant", place.Occupants[last].Merchant)
		}
	case metrology.ErrorCode(err) != metrology.CodeNotFound:
		return nil, err
	}
	if aid.Tables, err = s.tablesFor(ctx, v.today, region); err != nil {
		return nil, err
	}
	instruments, err := s.register.Instruments(ctx, public.InstrumentFilter{Site: aid.Site, PageRequest: public.PageRequest{Limit: public.MaxLimit}}, v.today)
	if err != nil {
		return nil, fmt.Errorf("list instruments: %w", err)
	}
	aid.rows(instruments.Items, filled)
	for i := range aid.Rows {
		aid.Rows[i].Interval = filled.Get(aid.Rows[i].At+"interval") != "" || aid.Tables.byInterval(aid.Rows[i].known("category"))
		aid.Rows[i].Result = aid.Tables.evaluate(aid.Rows[i], filled, v.today, region)
	}
	aid.Tables.narrow(instruments.Items)
	for i := range form.RowCount(filled, visitItem+"evidence") + 1 {
		at := visitItem + "evidence[" + strconv.Itoa(i) + "]."
		aid.Proofs = append(aid.Proofs, proofRow{i, at + "kind", at + "digest"})
	}
	aid.hide(filled)
	return aid, nil
}

// findPlace finds where the visit was: in the form, or in the inspection that
// is revised, whose report then fills the form in.
func (s *Server) findPlace(ctx context.Context, v visit, o form.Operation, filled url.Values, aid *visitAid) error {
	aid.Site = strings.TrimSpace(filled.Get("site"))
	id := filled.Get(parameterPath("id"))
	if aid.First || id == "" {
		return nil
	}
	found, err := s.desks.Register.OpenInspection(ctx, id, v.today)
	if metrology.ErrorCode(err) == metrology.CodeNotFound {
		return nil // the interface says so when the form is sent
	}
	if err != nil {
		return err
	}
	aid.Site = found.Site
	if v.sent == nil {
		return s.fillCorrection(ctx, v, o, filled)
	}
	return nil
}

// fillFromDraw fills a new entry in with what the draw says that its address
// names. Nobody types ids, salts or leaves of a draw.
func (s *Server) fillFromDraw(ctx context.Context, v visit, aid *visitAid, filled url.Values) error {
	draw := strings.TrimSpace(filled.Get("basis.draw"))
	if aid.First && v.sent == nil && aid.Site != "" && draw != "" && filled.Get("assigned[0].salt") == "" {
		visits, err := s.drawnVisits(ctx, v, draw)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(visits, func(d public.DrawnVisit) bool { return d.Site == aid.Site }); i >= 0 {
			fillDrawn(filled, visits[i])
		}
	}
	if aid.First {
		aid.Drawn = groundOf(filled, aid.Subject)
	}
	return nil
}

// suggestVisit fills in what is usual.
func suggestVisit(v visit, aid *visitAid, filled url.Values) {
	if aid.First {
		suggest(filled, "visited", string(v.today))
		if !slices.Contains(form.Split(filled.Get("inspectors")), v.Person.Subject) {
			filled.Set("inspectors", strings.TrimSpace(v.Person.Subject+"\n"+filled.Get("inspectors")))
		}
	}
	suggest(filled, "inspection.outcome", string(metrology.VisitDone))
	suggest(filled, visitItem+"matter", string(metrology.MatterInstruments))
}

// tablesFor are the tolerances in force on a day in a region, the newest
// version of each.
func (s *Server) tablesFor(ctx context.Context, day metrology.Date, region string) (visitTables, error) {
	tables := visitTables{Units: metrology.UnitScales()}
	page, err := s.desks.Register.Rulesets(ctx, public.PageRequest{Limit: public.MaxLimit})
	if err != nil {
		return tables, fmt.Errorf("list rules: %w", err)
	}
	for _, r := range page.Items {
		if r.Body.MPE == nil || !r.EffectiveOn(day) || !r.AppliesIn(region) {
			continue
		}
		i := slices.IndexFunc(tables.Rules, func(d metrology.RuleDocument) bool { return d.ID == r.ID })
		switch {
		case i < 0:
			tables.Rules = append(tables.Rules, r.RuleDocument)
		case tables.Rules[i].Version < r.Version:
			tables.Rules[i] = r.RuleDocument
		}
	}
	return tables, nil
}

// narrow leaves what the instruments of a place need, since a page is to stay
// small: their rows, without title and source.
func (t *visitTables) narrow(instruments []public.Instrument) {
	var needed []metrology.RuleDocument
	for _, r := range t.Rules {
		var rows []metrology.MPERow
		for _, row := range r.Body.MPE.Rows {
			if slices.ContainsFunc(instruments, func(i public.Instrument) bool { return i.Category == row.Category }) {
				rows = append(rows, row)
			}
		}
		if len(rows) > 0 {
			needed = append(needed, metrology.RuleDocument{ID: r.ID, Version: r.Version, Body: metrology.RuleBody{MPE: &metrology.MPETable{Rows: rows}}})
		}
	}
	t.Rules = needed
}

// visitAsked are the controls that the form shows itself.
var visitAsked = []string{"site", "basis.kind", "basis.draw", "basis.rank", "inspectors", "visited", "post", "follows",
	"inspection.merchant", "inspection.outcome", "inspection.institution", "inspection.remark", visitItem + "matter", visitItem + "results"}

// hide carries along what was filled in and is not asked for here, such as
// further matters.
func (a *visitAid) hide(filled url.Values) {
	for _, k := range keep(filled) {
		shown := !drawnHidden(k.Name, a.Drawn) && slices.Contains(visitAsked, k.Name) || strings.HasPrefix(k.Name, visitMeasure+"[") || strings.HasPrefix(k.Name, visitItem+"evidence[") ||
			strings.HasPrefix(k.Name, "assigned[") && a.Drawn == nil || k.Name == parameterPath("id") || k.Name == formKey || k.Name == formMore
		if !shown {
			a.Hidden = append(a.Hidden, k)
		}
	}
}

// measured drops the rows in which nothing was measured and numbers the others
// anew, so that what is wrong with one is shown beside it.
func measured(sent url.Values) url.Values {
	kept := url.Values{}
	for name, values := range sent {
		if !strings.HasPrefix(name, visitMeasure+"[") {
			kept[name] = values
		}
	}
	next := 0
	for i := range form.RowCount(sent, visitMeasure) {
		at := visitMeasure + "[" + strconv.Itoa(i) + "]."
		if strings.TrimSpace(sent.Get(at+"indication")) == "" && strings.TrimSpace(sent.Get(at+"reference")) == "" {
			continue
		}
		to := visitMeasure + "[" + strconv.Itoa(next) + "]."
		for name, values := range sent {
			if member, of := strings.CutPrefix(name, at); of {
				kept[to+member] = values
			}
		}
		next++
	}
	return kept
}
