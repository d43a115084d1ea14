package public

import (
	"fmt"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// Posted is the result of a large draw: counts and thresholds from the ledger,
// and the places from the list beside it.
type Posted struct {
	Strata []PostedStratum
	Root   string        // of the list
	Kept   bool          // this gateway has the list
	Places []PostedPlace // the first of it, in id order
	More   int           // how many there are besides
}

// PostedStratum is one stratum of a posting.
type PostedStratum struct {
	Name           string
	Drawn, Objects uint64
	Threshold      string // ticket, hex; empty: all or none were drawn
}

// PostedPlace is a place on the list.
type PostedPlace struct {
	ID, Stratum string
	Inspectors  []string // ids of the draw, in the order of the slots
}

// Posted reads a result that was posted by roots, with at most so many places.
func (d DrawDirectories) Posted(most int) (Posted, error) {
	strata, root, err := d.Record.postedStrata()
	if err != nil {
		return Posted{}, err
	}
	posted := Posted{Strata: strata, Root: root}
	if d.Files == nil {
		return posted, nil
	}
	drawn, err := d.Files.Drawn(root)
	if metrology.ErrorCode(err) == metrology.CodeNotFound {
		return posted, nil // it has not come here yet
	}
	if err != nil {
		return Posted{}, fmt.Errorf("read list of draw %s: %w", d.Record.ID, err)
	}
	posted.Kept, posted.More = true, max(0, len(drawn)-most)
	for _, place := range drawn[:len(drawn)-posted.More] {
		posted.Places = append(posted.Places, PostedPlace{place.ID, place.Stratum, place.Inspectors})
	}
	return posted, nil
}

// CountPosted counts the places of a result that was posted by roots.
func (r DrawRecord) CountPosted() (int, error) {
	strata, _, err := r.postedStrata()
	count := 0
	for _, stratum := range strata {
		count += int(stratum.Drawn)
	}
	return count, err
}

func (r DrawRecord) postedStrata() ([]PostedStratum, string, error) {
	posting, err := draw.ParsePosting(r.Result.Posting)
	if err != nil {
		return nil, "", fmt.Errorf("read posting of draw %s: %w", r.ID, err)
	}
	strata := make([]PostedStratum, len(posting.Strata))
	for i, p := range posting.Strata {
		strata[i] = PostedStratum{Name: p.Stratum, Drawn: p.Outright + p.Selected, Objects: p.Objects}
		if p.Threshold != nil {
			strata[i].Threshold = p.Threshold.Ticket.String()
		}
	}
	return strata, posting.AssignmentsRoot.String(), nil
}
