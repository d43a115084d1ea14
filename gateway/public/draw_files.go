package public

import (
	"fmt"
	"slices"
	"strings"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// DrawFiles are the files beside large draws, addressed by their roots. One
// that is not at hand is a metrology.CodeNotFound error.
type DrawFiles interface {
	// Summary tells what a directory holds.
	Summary(root string) (metrology.DrawObjectsFile, error)
	// Directory is a directory to be walked.
	Directory(root string) draw.Directory
	// Prove proves that an id stands in a directory, or that it does not.
	Prove(root, id string) (*draw.ObjectProof, *draw.Absence, error)
	// Drawn reads the lists of a posting.
	Drawn(root string) (draw.DrawnList, error)
}

// ListsRoot is the root by which the lists of the posting that stands are
// found.
func (r DrawRecord) ListsRoot() (string, error) {
	if r.Result == nil || r.Result.Posting == nil {
		return "", metrology.Errorf(metrology.CodeState, "no result of this draw is posted by roots")
	}
	posting, err := draw.ParsePosting(r.Result.Posting)
	if err != nil {
		return "", fmt.Errorf("read posting of draw %s: %w", r.ID, err)
	}
	return posting.AssignmentsRoot.String(), nil
}

// CheckSums holds the sums of the file of objects against those of the freeze.
func (d DrawDirectories) CheckSums() error {
	if d.Files == nil {
		return noFiles()
	}
	frozen := d.Record.Frozen
	summary, err := d.Files.Summary(frozen.ObjectsRoot)
	if err != nil {
		return err
	}
	if summary.Objects != frozen.Objects || !slices.Equal(summary.Strata, frozen.Strata) {
		return fmt.Errorf("the freeze states other numbers of objects or sums of weights than its file has")
	}
	return nil
}

// EachObject visits the objects of a large draw.
func (d DrawDirectories) EachObject(visit func(metrology.DrawObject) error) error {
	return d.Files.Directory(d.Record.Frozen.ObjectsRoot).Each(func(o draw.Object) error {
		return visit(metrology.DrawObject{ID: o.ID, Stratum: o.Stratum, Weight: int64(o.Weight)})
	})
}

// CheckFile holds the file of objects against the freeze: its sums, and that
// nobody in it is excluded or could not be inspected. It walks the file.
func (d DrawDirectories) CheckFile() error {
	if err := d.CheckSums(); err != nil {
		return err
	}
	plan, err := draw.ParsePlan(d.Record.Plan)
	if err != nil {
		return fmt.Errorf("read plan: %w", err)
	}
	_, inspectors, ineligible, err := d.readLists()
	if err != nil {
		return err
	}
	excluded := make(map[string]bool, len(d.Exclusions))
	for _, e := range d.Exclusions {
		excluded[e.ID] = true
	}
	return draw.CheckFeasible(plan, 1, notExcluded{d.Files.Directory(d.Record.Frozen.ObjectsRoot), excluded}, inspectors, ineligible)
}

// notExcluded walks a directory and fails at an object that is excluded.
type notExcluded struct {
	draw.Directory
	excluded map[string]bool
}

func (n notExcluded) Each(visit func(draw.Object) error) error {
	return n.Directory.Each(func(o draw.Object) error {
		if n.excluded[o.ID] {
			return fmt.Errorf("%q is in the directory and excluded as well", o.ID)
		}
		return visit(o)
	})
}

// lookUpInFile answers for a place of a large draw, from proofs and from what
// was posted.
func (t *DrawTicket) lookUpInFile(lists DrawDirectories) error {
	r := lists.Record
	if _, _, err := draw.Prove(draw.Objects{}, t.Site); err != nil {
		return notAnObject()
	}
	if lists.Files == nil {
		return noFiles()
	}
	proof, absence, err := lists.Files.Prove(r.Frozen.ObjectsRoot, t.Site)
	if err != nil {
		return err
	}
	if err := t.show(proof, absence); err != nil {
		return err
	}
	if t.Object == nil || r.Result == nil || r.Result.Posting == nil {
		return nil
	}
	posting, err := draw.ParsePosting(r.Result.Posting)
	if err != nil {
		return fmt.Errorf("read posting of draw %s: %w", r.ID, err)
	}
	seed, err := draw.ParseDigest(r.Result.Seed)
	if err != nil {
		return fmt.Errorf("read seed of draw %s: %w", r.ID, err)
	}
	t.Seed, t.Ticket, t.Answer = seed.String(), draw.Ticket(seed, t.Site).String(), TicketNoQuota
	at := slices.IndexFunc(posting.Strata, func(p draw.Published) bool { return p.Stratum == proof.Object.Stratum })
	if at < 0 {
		return nil
	}
	return t.placePosted(lists.Files, posting, posting.Strata[at], seed, proof.Object)
}

func noFiles() error {
	return metrology.Errorf(metrology.CodeNotFound, "this gateway keeps no files of large draws")
}

// placePosted finds a place in its stratum as posted.
func (t *DrawTicket) placePosted(files DrawFiles, posting draw.Posting, p draw.Published, seed draw.Digest, o draw.Object) error {
	t.Quota, t.Answer = int(p.Quota), TicketNotSelected
	if p.Threshold != nil {
		t.Threshold = p.Threshold.Ticket.String()
		if p.Weighted {
			t.ThresholdWeight = int64(p.Threshold.Weight)
		}
	}
	if at := slices.Index(p.Standby, o); at >= 0 {
		t.Rank = int(p.Selected) + at + 1
		return nil
	}
	drawn, err := files.Drawn(posting.AssignmentsRoot.String())
	if metrology.ErrorCode(err) == metrology.CodeNotFound {
		if p.Within(seed, o) { // the lists are not at hand, the threshold is
			t.Answer = TicketSelected
		}
		return nil
	}
	if err != nil {
		return err
	}
	at, found := slices.BinarySearchFunc(drawn, t.Site, func(d draw.Drawn, id string) int { return strings.Compare(d.ID, id) })
	if !found {
		return nil
	}
	t.Answer, t.Inspectors = TicketSelected, drawn[at].Inspectors
	if drawn[at].Outright {
		t.Answer = TicketOutright
		return nil
	}
	own := p.Key(seed, o)
	t.Rank = 1
	for _, d := range drawn {
		if d.Stratum == o.Stratum && !d.Outright && p.Key(seed, d.Object).Compare(own) < 0 {
			t.Rank++
		}
	}
	return nil
}
