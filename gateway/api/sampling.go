package api

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// drawSampling asks for a plan's rates from a ruleset. The classes stay at this
// gateway: published, they would brand the merchants of a stratum.
type drawSampling struct {
	Rule    metrology.RuleReference `json:"rule"`
	Classes map[string]string       `json:"classes"` // opaque stratum → class of the ruleset
}

// fillRates completes a plan with the ratios of the ruleset that the query
// names.
func (s *Server) fillRates(c echo.Context, members map[string]jsontext.Value) error {
	text := c.QueryParam("sampling")
	if text == "" {
		return nil
	}
	var asked drawSampling
	if err := unmarshalStrict([]byte(text), &asked); err != nil || len(asked.Classes) == 0 {
		return metrology.FieldErrorf(metrology.CodeInvalid, "sampling", "is not an object with rule and classes")
	}
	ruleset, err := s.register.Ruleset(c.Request().Context(), asked.Rule.ID, asked.Rule.Version)
	if err != nil {
		return err
	}
	var plan map[string]jsontext.Value
	if err := json.Unmarshal(members["plan"], &plan); err != nil || plan == nil {
		return metrology.FieldErrorf(metrology.CodeInvalid, "plan", "is not a JSON object")
	}
	for _, member := range []string{"rates", "quota", "sampling"} {
		if _, given := plan[member]; given {
			return metrology.FieldErrorf(metrology.CodeInvalid, "plan."+member, "follows from the ruleset and cannot be given")
		}
	}
	rates := map[string][2]int64{}
	for stratum, class := range asked.Classes {
		if ruleset.Body.Sampling == nil {
			return metrology.FieldErrorf(metrology.CodeInvalid, "sampling.rule", "ruleset %s holds no ratios", asked.Rule.EventID())
		}
		numerator, denominator, known := ruleset.Body.Sampling.Rate(class)
		if !known {
			return metrology.FieldErrorf(metrology.CodeInvalid, "sampling.classes", "ruleset %s has no class %q", asked.Rule.EventID(), class)
		}
		if err := ruleset.CheckRate(stratum, numerator, denominator, s.today()); err != nil {
			return err
		}
		rates[stratum] = [2]int64{numerator, denominator}
	}
	for member, value := range map[string]any{"rates": rates, "sampling": asked.Rule} {
		if plan[member], err = json.Marshal(value, json.Deterministic(true)); err != nil {
			return err
		}
	}
	members["plan"], err = json.Marshal(plan, json.Deterministic(true))
	return err
}
