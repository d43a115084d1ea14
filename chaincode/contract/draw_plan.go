package contract

import (
	"encoding/hex"
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
	if plan.Seal != nil {
		return plan, terms, metrology.FieldErrorf(metrology.CodeInvalid, "plan.seal", "this contract draws openly; it takes no sealed plan")
	}
	if err := json.Unmarshal(plan.Canonical, &terms); err != nil {
		var semantic *json.SemanticError
		field := "plan"
		if errors.As(err, &semantic) {
			field = memberPath("/plan" + jsontext.Pointer(semantic.JSONPointer))
		}
		return plan, terms, metrology.FieldErrorf(metrology.CodeInvalid, field, "has the wrong type")
	}
	_, err = chainOf(terms.Beacon)
	return plan, terms, err
}

// chainOf gives the beacon that a plan pins.
func chainOf(pin metrology.DrawChain) (draw.Chain, error) {
	chain := draw.Chain{Scheme: pin.Scheme, Period: uint32(pin.Period), GenesisTime: pin.GenesisTime, BeaconID: pin.BeaconID}
	var err error
	if chain.PublicKey, err = hex.DecodeString(pin.PublicKey); err != nil {
		return chain, metrology.FieldErrorf(metrology.CodeInvalid, "plan.beacon.publicKey", "is not hex")
	}
	if chain.GenesisSeed, err = hex.DecodeString(pin.GenesisSeed); err != nil {
		return chain, metrology.FieldErrorf(metrology.CodeInvalid, "plan.beacon.genesisSeed", "is not hex")
	}
	switch {
	case pin.Scheme != draw.BeaconScheme:
		return chain, metrology.FieldErrorf(metrology.CodeInvalid, "plan.beacon.scheme", "only %s is known", draw.BeaconScheme)
	case pin.Period < 1 || pin.Period > 24*3600:
		return chain, metrology.FieldErrorf(metrology.CodeInvalid, "plan.beacon.period", "is not 1 second to 1 day")
	case chain.Hash().String() != pin.ChainHash:
		return chain, metrology.FieldErrorf(metrology.CodeInvalid, "plan.beacon.chainHash", "is not the hash of the beacon's parameters, %s", chain.Hash())
	}
	return chain, nil
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
