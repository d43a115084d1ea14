package public

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// DrawnVisits are visits that draws gave to inspectors. They are for those
// inspectors and for the regulator, and never public.
type DrawnVisits struct {
	Visits []DrawnVisit `json:"visits"`
}

// DrawnVisit is a place with who inspects it, as the entry of an inspection
// under its draw takes it.
type DrawnVisit struct {
	Draw       string                        `json:"draw"`
	Site       string                        `json:"site"`
	Rank       int                           `json:"rank,omitempty"`       // in its stratum, from 1; none if taken outright or still sealed
	Inspectors []string                      `json:"inspectors"`           // subjects; empty where this gateway does not know the post
	Assigned   []metrology.AssignedInspector `json:"assigned"`             // who of the draw each of them is
	Leaf       json.RawMessage               `json:"leaf,omitempty"`       // of a draw that is still sealed
	Days       *VisitDays                    `json:"days,omitempty"`       // that the plan names for its visits
	Post       string                        `json:"post,omitempty"`       // regulator's subject to be in charge, where this gateway has one alone
	Inspection string                        `json:"inspection,omitempty"` // that was entered for it and is public
}

// DrawnPlace is a place that a draw drew, as the draw stands after its changes.
type DrawnPlace struct {
	Site       string
	Rank       int      // in its stratum, from 1; beyond the quota, a standby's; 0: taken outright
	Inspectors []string // ids of the draw, in the order of the slots
}

// DrawnPlaces lists them by site; none while the draw has no result in force
// whose lists stand on the ledger.
func (r DrawRecord) DrawnPlaces() ([]DrawnPlace, error) {
	if r.Phase != metrology.DrawDrawn || r.Result == nil || r.Result.Result == nil {
		return nil, nil
	}
	assigned, err := r.assigned()
	if err != nil {
		return nil, err
	}
	ranks, err := r.ranks()
	if err != nil {
		return nil, err
	}
	places := make([]DrawnPlace, 0, len(assigned))
	for _, site := range slices.Sorted(maps.Keys(assigned)) {
		places = append(places, DrawnPlace{site, ranks[site], assigned[site]})
	}
	return places, nil
}

// ranks are those of all places selected or on standby.
func (r DrawRecord) ranks() (map[string]int, error) {
	var outcome struct {
		Strata map[string]struct {
			Selected []struct {
				ID string `json:"id"`
			} `json:"selected"`
		} `json:"strata"`
	}
	if err := json.Unmarshal(r.Result.Result, &outcome); err != nil {
		return nil, fmt.Errorf("read result of draw %s: %w", r.ID, err)
	}
	ranks := map[string]int{}
	for _, stratum := range outcome.Strata {
		for i, place := range stratum.Selected {
			ranks[place.ID] = i + 1
		}
	}
	for _, standby := range r.Result.Standby {
		for i, id := range standby.Objects {
			ranks[id] = len(outcome.Strata[standby.Stratum].Selected) + i + 1
		}
	}
	return ranks, nil
}
