package public

import (
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// NewestVerification is the verification that an instrument's standing rests on.
type NewestVerification struct {
	Certificate string         // id; empty: none recorded
	Until       metrology.Date // last day; empty: the document names none
	Pass        bool
}

// VerificationOn computes how an instrument stands with its duty on a day.
func VerificationOn(i metrology.Instrument, newest NewestVerification, day metrology.Date) Verification {
	v := Verification{Certificate: newest.Certificate, ValidUntil: newest.Until, Day: day}
	switch {
	case i.State == metrology.InstrumentInDispute || i.State == metrology.InstrumentSealed:
		v.Status = VerificationFrozen
	case !i.Use.Compulsory() || i.Mode == metrology.ModeNone:
		v.Status = VerificationNoDuty
	case i.State == metrology.InstrumentRepaired:
		v.Status = VerificationNeeded
	case newest.Certificate == "":
		v.Status = VerificationNone
	case !newest.Pass:
		v.Status = VerificationFailed
	case newest.Until == "":
		v.Status = VerificationValid // such as verified once and used up
	case newest.Until.Before(day):
		v.Status = VerificationExpired
	case newest.Until.Before(day.AddDays(DueSoonDays)):
		v.Status = VerificationDueSoon
	default:
		v.Status = VerificationValid
	}
	return v
}

// PledgeStandingOn is what a pledge of a merchant in a state amounts to on a
// day. Nothing that would assure anybody outlasts the merchant.
func PledgeStandingOn(p metrology.Pledge, merchant metrology.MerchantState, day metrology.Date) metrology.PledgeStanding {
	standing := p.Standing(day)
	if merchant == metrology.MerchantClosed {
		switch standing {
		case metrology.StandingActive, metrology.StandingPending, metrology.StandingUpcoming:
			return metrology.StandingClosed
		}
	}
	return standing
}

// ProfileOf is the public part of a profile: never the salt, and never a sole
// trader's code, which points to a person.
func ProfileOf(p metrology.Profile) *Profile {
	return &Profile{Name: p.Name, Address: p.Address, Phone: p.Phone}
}

// BodyOf is the public part of an inspection's body.
func BodyOf(b metrology.InspectionBody) *InspectionBody {
	return &InspectionBody{Merchant: b.Merchant, Outcome: b.Outcome, Institution: b.Institution, Items: b.Items, Remark: b.Remark}
}
