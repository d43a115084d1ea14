package draw

import "slices"

// ChallengeKind says what a challenge shows to be wrong.
type ChallengeKind string

// The kinds of challenge. Each is decided from what it carries, the posting and
// the freeze, without the directory.
const (
	ChallengeListed     ChallengeKind = "listed"     // a listed object's ticket exceeds the threshold
	ChallengeOmitted    ChallengeKind = "omitted"    // an object within the threshold is in neither list
	ChallengeGhost      ChallengeKind = "ghost"      // a listed object is not in the directory
	ChallengeAltered    ChallengeKind = "altered"    // a listed object stands otherwise in the directory
	ChallengeOutright   ChallengeKind = "outright"   // the outright list is not the one the weights make
	ChallengeOrder      ChallengeKind = "order"      // a list is not sorted or names an object twice
	ChallengeList       ChallengeKind = "list"       // the whole ranked list has another count or threshold
	ChallengeStandby    ChallengeKind = "standby"    // the standby ranks are not those that follow
	ChallengeAssignment ChallengeKind = "assignment" // the lists give other assignments
)

// MaxAssigned is how many drawn objects a challenge's assignment is recomputed
// for.
const MaxAssigned = 5000

// Challenge is a refutation of a posted result, as it is put on a ledger. Its
// kind says which members it carries.
type Challenge struct {
	Kind        ChallengeKind `json:"kind"`
	Stratum     string        `json:"stratum,omitempty"`
	Listed      *ObjectProof  `json:"listed,omitempty"`      // in a posted list
	Next        *ObjectProof  `json:"next,omitempty"`        // in the same list, at a larger index
	InDirectory *ObjectProof  `json:"inDirectory,omitempty"` // in the frozen directory
	Absent      *Absence      `json:"absent,omitempty"`      // from the frozen directory
	NotOutright *Absence      `json:"notOutright,omitempty"` // from the posted outright list
	NotSelected *Absence      `json:"notSelected,omitempty"` // from the posted ranked list
	List        []Object      `json:"list,omitempty"`        // a whole posted list, in id order
	Lists       []Lists       `json:"lists,omitempty"`       // those of all strata, as posted
}

// Lists are the posted lists of one stratum, in id order.
type Lists struct {
	Outright []Object `json:"outright"`
	Selected []Object `json:"selected"`
}

// Disputed is what a challenge is decided against.
type Disputed struct {
	Seed        Digest // the one the draw selects with
	Plan        Plan
	Directories Directories // as frozen
	Inspectors  Inspectors
	Ineligible  Ineligible
	Posting     Posting
}

// Refute returns nil if the challenge shows the posting to be wrong.
func (c Challenge) Refute(d Disputed) error {
	if c.Kind == ChallengeAssignment {
		return d.refuteAssignment(c.Lists)
	}
	at := slices.IndexFunc(d.Posting.Strata, func(p Published) bool { return p.Stratum == c.Stratum })
	if at < 0 {
		return unrefuted("stratum", "%q is not posted", c.Stratum)
	}
	p := d.Posting.Strata[at]
	if !c.complete() {
		return unrefuted("challenge", "a challenge of kind %q carries other members", c.Kind)
	}
	switch c.Kind {
	case ChallengeListed:
		return p.RefuteListed(d.Seed, *c.Listed)
	case ChallengeOmitted:
		return p.RefuteOmitted(d.Seed, d.Directories, *c.InDirectory, *c.NotOutright, *c.NotSelected)
	case ChallengeGhost:
		return p.RefuteGhost(d.Directories, *c.Listed, *c.Absent)
	case ChallengeAltered:
		return p.RefuteAltered(d.Directories, *c.Listed, *c.InDirectory)
	case ChallengeOutright:
		return p.RefuteOutright(d.Directories, c.List, c.InDirectory)
	case ChallengeOrder:
		return p.RefuteOrder(*c.Listed, *c.Next)
	case ChallengeList:
		return p.RefuteList(d.Seed, c.List)
	default:
		return p.RefuteStandby(d.Seed, d.Directories, c)
	}
}

// complete says whether the members are there that the kind reads.
func (c Challenge) complete() bool {
	switch c.Kind {
	case ChallengeListed:
		return c.Listed != nil
	case ChallengeOmitted:
		return c.InDirectory != nil && c.NotOutright != nil && c.NotSelected != nil
	case ChallengeGhost:
		return c.Listed != nil && c.Absent != nil
	case ChallengeAltered:
		return c.Listed != nil && c.InDirectory != nil
	case ChallengeOrder:
		return c.Listed != nil && c.Next != nil
	case ChallengeOutright, ChallengeList:
		return true // an empty list is one
	case ChallengeStandby:
		return c.Absent != nil || c.Listed != nil || c.InDirectory != nil
	}
	return false
}

// RefuteOrder shows two objects of one list of which the later does not have
// the larger id: then no absence could be shown.
func (p Published) RefuteOrder(earlier, later ObjectProof) error {
	inOne := earlier.Verify(p.OutrightRoot, p.Outright) == nil && later.Verify(p.OutrightRoot, p.Outright) == nil ||
		earlier.Verify(p.SelectedRoot, p.Selected) == nil && later.Verify(p.SelectedRoot, p.Selected) == nil
	if !inOne {
		return unrefuted(p.Stratum, "the two objects are not in one list")
	}
	if earlier.Proof.Index < later.Proof.Index && earlier.Object.ID >= later.Object.ID {
		return nil
	}
	return unrefuted(later.Object.ID, "it stands where it belongs")
}

// RefuteList takes the whole ranked list and shows that its count is not the
// posted one, that its largest key is not the threshold, or that it names an
// object twice.
func (p Published) RefuteList(seed Digest, list []Object) error {
	if ListRoot(list) != p.SelectedRoot {
		return unrefuted(p.Stratum, "the list shown is not the published one")
	}
	if uint64(len(list)) != p.Selected || p.Threshold == nil {
		if len(list) == 0 && p.Selected == 0 {
			return unrefuted(p.Stratum, "nothing is listed, as posted")
		}
		return nil
	}
	var worst *Key
	named := make(map[string]bool, len(list))
	for _, o := range list {
		if named[o.ID] {
			return nil
		}
		named[o.ID] = true
		if key := p.Key(seed, o); worst == nil || key.Compare(*worst) > 0 {
			worst = &key
		}
	}
	if worst == nil || *worst != *p.Threshold {
		return nil
	}
	return unrefuted(p.Stratum, "count and threshold are those of the list")
}

// RefuteStandby shows a standby that is not in the directory (Absent), stands
// otherwise in it (InDirectory) or is outright (Listed), or an object that
// should be among the standbys (InDirectory with NotOutright).
func (p Published) RefuteStandby(seed Digest, frozen Directories, c Challenge) error {
	listed := func(id string) int {
		return slices.IndexFunc(p.Standby, func(o Object) bool { return o.ID == id })
	}
	switch {
	case c.Absent != nil:
		if listed(c.Absent.ID) < 0 {
			return unrefuted(c.Absent.ID, "it is no standby")
		}
		return c.Absent.Verify(frozen.ObjectsRoot, frozen.Objects)
	case c.Listed != nil:
		if listed(c.Listed.Object.ID) < 0 {
			return unrefuted(c.Listed.Object.ID, "it is no standby")
		}
		return p.verifyListed(*c.Listed)
	}
	o := c.InDirectory.Object
	if err := c.InDirectory.Verify(frozen.ObjectsRoot, frozen.Objects); err != nil {
		return err
	}
	if at := listed(o.ID); at >= 0 {
		if p.Standby[at] == o {
			return unrefuted(o.ID, "it is a standby as it stands in the directory")
		}
		return nil
	}
	return p.refutePassedOver(seed, *c.InDirectory, c.NotOutright)
}

// refutePassedOver shows an object that ranks before the last standby, beyond
// the threshold, and is not named.
func (p Published) refutePassedOver(seed Digest, passed ObjectProof, notOutright *Absence) error {
	o := passed.Object
	if o.Stratum != p.Stratum || len(p.Standby) == 0 {
		return unrefuted(o.ID, "it is of stratum %q", o.Stratum)
	}
	if notOutright == nil || notOutright.ID != o.ID {
		return unrefuted(o.ID, "that it is not outright is not shown")
	}
	if err := notOutright.Verify(p.OutrightRoot, p.Outright); err != nil {
		return err
	}
	last := p.Standby[len(p.Standby)-1]
	beyond := p.Threshold == nil || p.Key(seed, o).Compare(*p.Threshold) > 0
	if before := (Ranked{o.ID, p.Key(seed, o)}).compare(Ranked{last.ID, p.Key(seed, last)}) < 0; beyond && before {
		return nil
	}
	return unrefuted(o.ID, "it does not rank among the standbys")
}

// refuteAssignment recomputes the assignment of the posted lists and shows that
// it is not the posted one. lists are in the order of the posting's strata.
func (d Disputed) refuteAssignment(lists []Lists) error {
	if len(lists) != len(d.Posting.Strata) {
		return unrefuted("lists", "%d are shown, %d posted", len(lists), len(d.Posting.Strata))
	}
	var drawn DrawnList
	named := make(map[string]bool)
	for i, p := range d.Posting.Strata {
		shown := lists[i]
		if len(drawn)+len(shown.Outright)+len(shown.Selected) > MaxAssigned {
			return unrefuted("lists", "more than %d objects", MaxAssigned)
		}
		if ListRoot(shown.Outright) != p.OutrightRoot || ListRoot(shown.Selected) != p.SelectedRoot {
			return unrefuted(p.Stratum, "the lists shown are not the published ones")
		}
		for _, o := range slices.Concat(shown.Outright, shown.Selected) {
			if named[o.ID] {
				return nil // nobody is drawn twice
			}
			named[o.ID] = true
			drawn = append(drawn, Drawn{Object: o})
		}
	}
	own, err := assignmentOf(d, drawn)
	if err != nil {
		return err
	}
	if own.AssignmentsRoot == d.Posting.AssignmentsRoot && own.sameLoads(d.Posting) {
		return unrefuted("assignments", "they are those that the lists give")
	}
	return nil
}

// Object names the object that shows what is wrong, empty where it is a list.
func (c Challenge) Object() string {
	switch {
	case c.Listed != nil:
		return c.Listed.Object.ID
	case c.InDirectory != nil:
		return c.InDirectory.Object.ID
	case c.Absent != nil:
		return c.Absent.ID
	}
	return ""
}
