package contract

import (
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// rawJSON is a document that is saved as it is.
type rawJSON []byte

// MarshalJSON gives the document itself.
func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }

// UnmarshalJSON keeps the document itself.
func (r *rawJSON) UnmarshalJSON(document []byte) error {
	*r = append(rawJSON(nil), document...)
	return nil
}

// readPlan reads a plan as DR-1 and as the protocol do. Its members are told
// apart by case, and members that neither knows are free.
func readPlan(raw []byte) (draw.Plan, metrology.DrawTerms, error) {
	var terms metrology.DrawTerms
	plan, err := draw.ParsePlan(raw)
	if err != nil {
		return plan, terms, drawError(err)
	}
	if err := json.Unmarshal(plan.Canonical, &terms); err != nil {
		var semantic *json.SemanticError
		field := "plan"
		if errors.As(err, &semantic) {
			field = memberPath("/plan" + jsontext.Pointer(semantic.JSONPointer))
		}
		return plan, terms, metrology.FieldErrorf(metrology.CodeInvalid, field, "has the wrong type")
	}
	if _, err := draw.Pinned(terms.Beacon); err != nil {
		return plan, terms, err
	}
	return plan, terms, terms.CheckDepartments(plan.Slots)
}

// drawError tells a rule of DR-1 as one of the ledger.
func drawError(err error) error {
	var rule *draw.Error
	if !errors.As(err, &rule) {
		return err
	}
	code := metrology.CodeInvalid
	if rule.Kind == draw.KindBeacon {
		code = metrology.CodeSignature
	}
	return metrology.Errorf(code, "%s", rule.Error())
}

// checkSampling holds a plan's rates against the ruleset that it says they are
// from.
func (t *transaction) checkSampling(plan draw.Plan, terms metrology.DrawTerms) error {
	if terms.Sampling == nil {
		return nil
	}
	ruleset, err := t.ruleset("plan.sampling", *terms.Sampling)
	if err != nil {
		return err
	}
	for _, quota := range plan.Quotas {
		err := ruleset.CheckRate(quota.Stratum, int64(quota.Numerator), int64(quota.Denominator), metrology.DateOf(t.Now))
		if err != nil {
			return err
		}
	}
	return nil
}
