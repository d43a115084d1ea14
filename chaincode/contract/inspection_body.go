package contract

import (
	"encoding/json"
	"strconv"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/worldstate"
)

func inspectionKey(id string) string { return metrology.Key(metrology.KindInspection, id) }

// inspection loads an inspection for one of the roles.
func (t *transaction) inspection(id string, roles ...metrology.Role) (metrology.Inspection, error) {
	if err := t.Caller.Require(roles...); err != nil {
		return metrology.Inspection{}, err
	}
	if err := metrology.CheckID("id", id); err != nil {
		return metrology.Inspection{}, err
	}
	return worldstate.Require[metrology.Inspection](t.Space, inspectionKey(id), "inspection", id)
}

// putInspection saves the public record, and body, if any, as its latest
// revision.
func (t *transaction) putInspection(inspection metrology.Inspection, body *metrology.InspectionBody) error {
	if body != nil {
		if err := t.disclose(metrology.InspectionBodyKey(inspection.ID, inspection.Latest()), body); err != nil {
			return err
		}
	}
	return t.Put(inspectionKey(inspection.ID), inspection)
}

// takeFirstReport is takeReport for the report of a visit, which is about the
// occupant on record for the day. A later report on the same visit is held
// against the first (metrology.InspectionBody.CheckAgainst), whatever became of
// the register of occupants since.
func (t *transaction) takeFirstReport(inspection metrology.Inspection) (metrology.InspectionBody, error) {
	body, err := t.takeReport(inspection)
	if err != nil {
		return body, err
	}
	site, err := t.site("site", inspection.Site)
	if err != nil {
		return body, err
	}
	if occupant := site.OccupantOn(inspection.Visited); body.Merchant != occupant {
		return body, metrology.FieldErrorf(metrology.CodeInvalid, "merchant",
			"%q did not occupy the site on %s; on record is %q", body.Merchant, inspection.Visited, occupant)
	}
	return body, nil
}

// takeReport reads the report that travels beside the command, checks what it
// names and computes errors and verdicts.
func (t *transaction) takeReport(inspection metrology.Inspection) (metrology.InspectionBody, error) {
	report, err := takeTransient[metrology.InspectionReport](t, "inspection")
	if err != nil {
		return metrology.InspectionBody{}, err
	}
	site, err := t.site("site", inspection.Site)
	if err != nil {
		return metrology.InspectionBody{}, err
	}
	if report.Institution != "" {
		if _, err := t.loadIssuer(report.Institution); err != nil {
			return metrology.InspectionBody{}, err
		}
	}
	if err := t.checkMeasured(report); err != nil {
		return metrology.InspectionBody{}, err
	}
	rules, err := t.rulesOf(report)
	if err != nil {
		return metrology.InspectionBody{}, err
	}
	return report.Evaluate(rules, inspection.Visited, site.Region)
}

// checkMeasured refuses instruments and parts that are not registered.
func (t *transaction) checkMeasured(report metrology.InspectionReport) error {
	var ids []string
	seen := map[string]int{}
	for _, m := range report.Measurements() {
		if _, known := seen[m.Instrument]; m.Instrument != "" && !known {
			seen[m.Instrument] = len(ids)
			ids = append(ids, m.Instrument)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = metrology.Key(metrology.KindInstrument, id)
	}
	instruments, err := worldstate.GetAll[metrology.Instrument](t.Space, keys)
	if err != nil {
		return err
	}
	for i, item := range report.Items {
		for j, m := range item.Measurements {
			if m.Instrument == "" {
				continue
			}
			field := "items[" + strconv.Itoa(i) + "].measurements[" + strconv.Itoa(j) + "]"
			if err := m.CheckInstrument(field, instruments[seen[m.Instrument]]); err != nil {
				return err
			}
		}
	}
	return nil
}

// rulesOf loads the rulesets that a report names, as far as they exist.
func (t *transaction) rulesOf(report metrology.InspectionReport) (map[metrology.RuleReference]metrology.Ruleset, error) {
	rules := map[metrology.RuleReference]metrology.Ruleset{}
	var keys []string
	var references []metrology.RuleReference
	asked := map[metrology.RuleReference]bool{{}: true}
	for _, m := range report.Measurements() {
		if !asked[m.Rule] {
			asked[m.Rule] = true
			references = append(references, m.Rule)
			keys = append(keys, metrology.RulesetKey(m.Rule.ID, m.Rule.Version))
		}
	}
	if len(keys) == 0 {
		return rules, nil
	}
	found, err := worldstate.GetAll[metrology.Ruleset](t.Space, keys)
	if err != nil {
		return nil, err
	}
	for i, rule := range found {
		if rule != nil {
			rules[references[i]] = *rule
		}
	}
	return rules, nil
}

// currentBody reads the body that counts. A purged one is INTERNAL: its record
// would be withdrawn.
func (t *transaction) currentBody(inspection metrology.Inspection) (body metrology.InspectionBody, err error) {
	key := metrology.InspectionBodyKey(inspection.ID, inspection.Current())
	raw, found, err := t.GetDisclosed(key)
	if err != nil {
		return body, err
	}
	if !found {
		return body, metrology.Errorf(metrology.CodeInternal, "the private value at %s is missing on this peer", key)
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		return body, metrology.Errorf(metrology.CodeInternal, "the private value at %s cannot be read: %v", key, err)
	}
	return body, nil
}

// checkFollows refuses an entry that follows something that has no pending
// matter, is not public, or was at another site.
func (t *transaction) checkFollows(inspection metrology.Inspection) error {
	if inspection.Follows == "" {
		return nil
	}
	earlier, err := worldstate.Require[metrology.Inspection](t.Space, inspectionKey(inspection.Follows), "inspection", inspection.Follows)
	if err != nil {
		return err
	}
	if _, err := earlier.Settle(inspection.ID, t.Stamp()); err != nil {
		return err
	}
	if earlier.Site != inspection.Site {
		return metrology.FieldErrorf(metrology.CodeInvalid, "follows", "inspection %q was at another site", earlier.ID)
	}
	body, err := t.currentBody(earlier)
	if err == nil && !body.Has(metrology.ResultPending) {
		err = metrology.FieldErrorf(metrology.CodeInvalid, "follows", "inspection %q left nothing pending", earlier.ID)
	}
	return err
}

// settleEarlier closes the pending matter of the inspection that a published
// one follows. One withdrawn meanwhile has nothing left to settle.
func (t *transaction) settleEarlier(inspection metrology.Inspection) error {
	earlier, found, err := t.earlier(inspection)
	if err != nil || !found {
		return err
	}
	if earlier, err = earlier.Settle(inspection.ID, t.Stamp()); err != nil {
		return err
	}
	return t.Put(inspectionKey(earlier.ID), earlier)
}

// unsettleEarlier opens again what a withdrawn inspection had settled.
func (t *transaction) unsettleEarlier(inspection metrology.Inspection) error {
	earlier, found, err := t.earlier(inspection)
	if err != nil || !found || earlier.SettledBy != inspection.ID {
		return err
	}
	if earlier, err = earlier.Unsettle(t.Stamp()); err != nil {
		return err
	}
	return t.Put(inspectionKey(earlier.ID), earlier)
}

// earlier loads the inspection that another follows; found is false when it
// follows none, or one that was withdrawn.
func (t *transaction) earlier(inspection metrology.Inspection) (earlier metrology.Inspection, found bool, err error) {
	if inspection.Follows == "" {
		return earlier, false, nil
	}
	earlier, err = worldstate.Require[metrology.Inspection](t.Space, inspectionKey(inspection.Follows), "inspection", inspection.Follows)
	return earlier, err == nil && earlier.State != metrology.InspectionWithdrawn, err
}
