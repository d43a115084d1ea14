package web

import (
	"math/big"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// inspectionView is an inspection with a strip for every measurement.
type inspectionView struct {
	public.Inspection
	Latest  *revisionView // the revision that counts
	Earlier []revisionView
}

// revisionView is one body of an inspection.
type revisionView struct {
	public.Revision
	Items []itemView
}

// itemView is one matter inspected.
type itemView struct {
	metrology.BodyItem
	Strips []strip
}

// strip draws one signed error against the band of the maximum permissible
// error (MPE), on a scale of one half more than the band to either side.
// Positions are in units of the drawing, 0 to stripWidth.
type strip struct {
	metrology.MeasurementResult
	Drawn      bool    // false: the limits or the error cannot be put on one scale
	Band, Wide float64 // left edge and width of the MPE band
	At         float64 // of the error
	Over       bool    // the error lies beyond the scale and is drawn at its end
}

const stripWidth = 300.0

// Middle is where the zero stands.
func (strip) Middle() float64 { return stripWidth / 2 }

// Right is the right edge of the band.
func (s strip) Right() float64 { return s.Band + s.Wide }

// Width of the drawing.
func (strip) Width() float64 { return stripWidth }

// newStrip places a measurement. Limits given in intervals are not drawn: the
// record does not say how much an error is in them.
func newStrip(m metrology.MeasurementResult) strip {
	s := strip{MeasurementResult: m}
	value := m.Error
	switch m.Limit {
	case metrology.LimitPercent:
		value = m.Percent
	case metrology.LimitAbsolute:
	case metrology.LimitInterval:
		return s
	default:
		return s
	}
	lower, upper := number(m.Lower), number(m.Upper)
	reach := 1.5 * max(-lower, upper, lower, -upper)
	if reach <= 0 {
		return s
	}
	at := func(x float64) float64 { return stripWidth/2 + stripWidth/2*max(-1, min(1, x/reach)) }
	s.Drawn = true
	s.Band, s.At = at(lower), at(number(value))
	if m.Lower.IsZero() { // no lower limit
		s.Band = 0
	}
	s.Wide = at(upper) - s.Band
	if m.Upper.IsZero() {
		s.Wide = stripWidth - s.Band
	}
	s.Over = number(value) > reach || number(value) < -reach
	return s
}

// number is for drawing alone; verdicts come from the ledger.
func number(d metrology.Decimal) float64 {
	if d.IsZero() {
		return 0
	}
	f, _ := new(big.Float).SetRat(d.Rat()).Float64()
	return f
}

func viewInspections(all []public.Inspection) []inspectionView {
	views := make([]inspectionView, len(all))
	for i, inspection := range all {
		views[i] = viewInspection(inspection)
	}
	return views
}

func viewInspection(inspection public.Inspection) inspectionView {
	view := inspectionView{Inspection: inspection}
	for i, revision := range inspection.Revisions {
		shown := revisionView{Revision: revision}
		if revision.Body != nil {
			for _, item := range revision.Body.Items {
				strips := make([]strip, len(item.Measurements))
				for k, m := range item.Measurements {
					strips[k] = newStrip(m)
				}
				shown.Items = append(shown.Items, itemView{item, strips})
			}
		}
		if i == len(inspection.Revisions)-1 {
			view.Latest = &shown
		} else {
			view.Earlier = append(view.Earlier, shown)
		}
	}
	return view
}
