package draw

import (
	"cmp"
	"slices"
)

// Published is what a posted result states about one stratum. Lists are given
// by their ListRoot, so that a ledger need not hold them. Objects and Weight
// are sums that no single leaf refutes: whoever approves a freeze recomputes
// them from the whole directory.
type Published struct {
	Stratum      string   `json:"stratum"`
	Quota        uint64   `json:"quota"`
	Weighted     bool     `json:"weighted"`
	Objects      uint64   `json:"objects"` // of the stratum in the frozen directory
	Weight       uint64   `json:"weight"`  // their sum of weights
	OutrightRoot Digest   `json:"outrightRoot"`
	Outright     uint64   `json:"outright"`
	SelectedRoot Digest   `json:"selectedRoot"`
	Selected     uint64   `json:"selected"`
	Threshold    *Key     `json:"threshold"`
	Standby      []Object `json:"standby"` // the ranks that follow, at most StandbyRanks
}

// A refutation returns nil if it shows the published list to be wrong. An
// Error of KindProof says why it does not; the list may still be right or
// wrong for other reasons.

func unrefuted(entry, format string, args ...any) error {
	return refuse(KindProof, entry, format, args...)
}

// RefuteCount shows that the list does not have the quota's number of objects,
// or a threshold without ranked objects, or none with them.
func (p Published) RefuteCount() error {
	if p.Outright+p.Selected != p.Quota || (p.Threshold == nil) != (p.Selected == 0) {
		return nil
	}
	return unrefuted(p.Stratum, "%d objects are listed, as many as the quota", p.Quota)
}

// Key is the ranking key of an object of this stratum. seed is the one the draw
// selects with.
func (p Published) Key(seed Digest, o Object) Key {
	k := Key{Ticket: Ticket(seed, o.ID), Weight: 1}
	if p.Weighted {
		k.Weight = o.Weight
	}
	return k
}

// Within answers “was I selected, and why not?” for an object that is not
// outright: whether its key is at most the threshold.
func (p Published) Within(seed Digest, o Object) bool {
	return p.Threshold != nil && p.Key(seed, o).Compare(*p.Threshold) <= 0
}

// RefuteListed shows that a ranked object of the list exceeds the threshold or
// is of another stratum. seed is the one the draw selects with.
func (p Published) RefuteListed(seed Digest, listed ObjectProof) error {
	if err := listed.Verify(p.SelectedRoot, p.Selected); err != nil {
		return err
	}
	if listed.Object.Stratum != p.Stratum || !p.Within(seed, listed.Object) {
		return nil
	}
	return unrefuted(listed.Object.ID, "its ticket is within the threshold")
}

// RefuteGhost shows that a listed object does not stand in the frozen
// directory.
func (p Published) RefuteGhost(frozen Directories, listed ObjectProof, absent Absence) error {
	if err := p.verifyListed(listed); err != nil {
		return err
	}
	if absent.ID != listed.Object.ID {
		return unrefuted(listed.Object.ID, "the absence shown is that of %q", absent.ID)
	}
	return absent.Verify(frozen.ObjectsRoot, frozen.Objects)
}

// RefuteAltered shows that a listed object has another stratum or weight in
// the frozen directory.
func (p Published) RefuteAltered(frozen Directories, listed, inDirectory ObjectProof) error {
	if err := p.verifyListed(listed); err != nil {
		return err
	}
	if err := inDirectory.Verify(frozen.ObjectsRoot, frozen.Objects); err != nil {
		return err
	}
	if listed.Object.ID != inDirectory.Object.ID {
		return unrefuted(listed.Object.ID, "the leaf shown is that of %q", inDirectory.Object.ID)
	}
	if listed.Object == inDirectory.Object {
		return unrefuted(listed.Object.ID, "it is listed as it stands in the directory")
	}
	return nil
}

// verifyListed accepts a proof into either of the two lists.
func (p Published) verifyListed(listed ObjectProof) error {
	if listed.Verify(p.OutrightRoot, p.Outright) == nil {
		return nil
	}
	return listed.Verify(p.SelectedRoot, p.Selected)
}

// RefuteOmitted shows an object of the frozen directory whose ticket is within
// the threshold and which is in neither list.
func (p Published) RefuteOmitted(seed Digest, frozen Directories, omitted ObjectProof, notOutright, notSelected Absence) error {
	id := omitted.Object.ID
	if err := omitted.Verify(frozen.ObjectsRoot, frozen.Objects); err != nil {
		return err
	}
	if omitted.Object.Stratum != p.Stratum {
		return unrefuted(id, "it is of stratum %q", omitted.Object.Stratum)
	}
	if notOutright.ID != id || notSelected.ID != id {
		return unrefuted(id, "the absences shown are those of %q and %q", notOutright.ID, notSelected.ID)
	}
	if err := notOutright.Verify(p.OutrightRoot, p.Outright); err != nil {
		return err
	}
	if err := notSelected.Verify(p.SelectedRoot, p.Selected); err != nil {
		return err
	}
	if !p.Within(seed, omitted.Object) {
		return unrefuted(id, "its ticket exceeds the threshold")
	}
	return nil
}

// RefuteUnweighted shows two objects of the stratum with different weights
// although the result was ranked as one of equal weights.
func (p Published) RefuteUnweighted(frozen Directories, a, b ObjectProof) error {
	for _, proof := range []ObjectProof{a, b} {
		if err := proof.Verify(frozen.ObjectsRoot, frozen.Objects); err != nil {
			return err
		}
		if proof.Object.Stratum != p.Stratum {
			return unrefuted(proof.Object.ID, "it is of stratum %q", proof.Object.Stratum)
		}
	}
	if p.Weighted || a.Object.Weight == b.Object.Weight {
		return unrefuted(p.Stratum, "the weights shown agree with the result")
	}
	return nil
}

// RefuteOutright shows that the outright list is not the one the weights make.
// It takes the whole list; heavier may be an object of the frozen directory
// that should be on it, or nil. Whether a listed object is outright follows
// from the list, the quota and the stratum's totals alone, since leaving out a
// heavier one only raises the bar for the others.
func (p Published) RefuteOutright(frozen Directories, list []Object, heavier *ObjectProof) error {
	if uint64(len(list)) != p.Outright || ListRoot(list) != p.OutrightRoot {
		return unrefuted(p.Stratum, "the list shown is not the published outright list")
	}
	if p.Outright > p.Quota {
		return nil
	}
	justified, weight := p.outright(list)
	if justified < len(list) {
		return nil
	}
	if heavier == nil {
		return unrefuted(p.Stratum, "every listed object's weight makes it outright")
	}
	o := heavier.Object
	if err := heavier.Verify(frozen.ObjectsRoot, frozen.Objects); err != nil {
		return err
	}
	if o.Stratum != p.Stratum || slices.ContainsFunc(list, func(l Object) bool { return l.ID == o.ID }) {
		return unrefuted(o.ID, "it is of another stratum or listed")
	}
	if n := p.Quota - uint64(len(list)); p.Weighted && n > 0 && n*uint64(o.Weight) >= weight {
		return nil
	}
	return unrefuted(o.ID, "its weight does not make it outright")
}

// outright counts how many of the list its weights justify, and gives the
// weight that stays in play after them.
func (p Published) outright(list []Object) (justified int, weight uint64) {
	byWeight := slices.SortedFunc(slices.Values(list), func(a, b Object) int {
		return cmp.Compare(b.Weight, a.Weight)
	})
	weight = p.Weight
	if !p.Weighted {
		return 0, weight
	}
	for {
		start, bar, quota := justified, weight, p.Quota-uint64(justified)
		for justified < len(byWeight) && quota > 0 && quota*uint64(byWeight[justified].Weight) >= bar {
			weight -= min(weight, uint64(byWeight[justified].Weight))
			justified++
		}
		if justified == start {
			return justified, weight
		}
	}
}
