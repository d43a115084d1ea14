package draw

import (
	"math/bits"
	"slices"
)

// fill completes the matching with the caps as they are. If it cannot, it
// returns what the failed searches reached, which does not depend on the order
// they were made in.
func (m *matching) fill() (deadEnds, bool) {
	dead := deadEnds{inspectors: make([]uint64, m.words)}
	for k := range m.perObject {
		for s := int32(k); int(s) < len(m.holder); s += int32(m.perObject) {
			if m.holder[s] < 0 {
				m.placeFreely(s)
			}
		}
	}
	whole := true
	for s := range m.holder {
		if m.holder[s] < 0 && !m.augment(int32(s), &dead) {
			whole = false
		}
	}
	slices.Sort(dead.slots)
	dead.slots = slices.Compact(dead.slots)
	return dead, whole
}

// placeFreely gives a slot the least used inspector who is free, if any.
func (m *matching) placeFreely(slot int32) {
	o, k := int(slot)/m.perObject, int(slot)%m.perObject
	var best int32 = -1
	for w := range m.words {
		free := m.eligible[o*m.words+w] & m.skilled[k][w] & m.spare[w]
		for ; free != 0; free &= free - 1 {
			i := int32(w<<6 + bits.TrailingZeros64(free))
			if (best < 0 || m.used[i] < m.used[best]) && m.onObject(slot, i) < 0 {
				best = i
			}
		}
	}
	if best >= 0 {
		m.place(slot, best)
	}
}

// raise adds to every cap, from the original caps.
func (m *matching) raise(caps []int64, plus uint32) {
	for i := range caps {
		m.cap[i] = caps[i] + int64(plus)
		m.respare(int32(i))
	}
}

// choices fills m.candidates with the inspectors whom the slot might get in
// some filling, as far as is known: eligible and skilled, and either of its
// label and free of its object, or held by an open slot of its object and label.
func (m *matching) choices(slot int32) []uint64 {
	o, k := int(slot)/m.perObject, int(slot)%m.perObject
	label := m.slotLabel[slot]
	for w := range m.words {
		m.candidates[w] = m.eligible[o*m.words+w] & m.skilled[k][w] & m.labelled[label][w]
	}
	from, to := m.siblings(slot)
	for s := from; s < to; s++ {
		h := m.holder[s]
		if m.fixed[s] || m.slotLabel[s] != label {
			clearBit(m.candidates, h)
		} else if m.may(slot, h) {
			setBit(m.candidates, h)
		}
	}
	return m.candidates
}

// fix gives the slot the candidate for good if all other open slots can still
// be filled, and says whether it did. All slots must be filled before.
func (m *matching) fix(slot, candidate int32) bool {
	label, old := m.slotLabel[slot], m.holder[slot]
	if old != candidate {
		sibling := m.onObject(slot, candidate)
		if !m.reroute(slot, candidate, sibling, label) {
			m.place(slot, old)
			m.split(label)
			return false
		}
	}
	m.open.remove(candidate, slot)
	m.fixed[slot] = true
	return true
}

// reroute moves the slot to the candidate and whoever must make room. On
// failure the slot is left without an inspector.
func (m *matching) reroute(slot, candidate, sibling, label int32) bool {
	if sibling < 0 && hasBit(m.spare, candidate) {
		m.place(slot, candidate)
		return true
	}
	m.moving, m.vacated = slot, m.holder[slot]
	m.place(slot, -1)
	m.begin()
	m.reached[slot] = m.search // not to be displaced itself
	if sibling >= 0 {
		m.reach(sibling, -1)
	} else {
		m.enter(candidate, -1)
	}
	// While searching, the candidate counts as being on the object already.
	m.holder[slot], m.fixed[slot] = candidate, true
	t, end := m.chase(label)
	m.holder[slot], m.fixed[slot], m.moving = -1, false, -1
	if t < 0 {
		return false
	}
	m.shift(t, end)
	m.place(slot, candidate)
	return true
}

// split gives what a failed search reached a label of its own.
func (m *matching) split(label int32) {
	fresh := int32(len(m.labelled))
	tight := make([]uint64, m.words)
	for _, i := range m.seenList {
		setBit(tight, i)
		clearBit(m.labelled[label], i)
		m.inspLabel[i] = fresh
	}
	m.labelled = append(m.labelled, tight)
	for _, s := range m.reachedList {
		m.slotLabel[s] = fresh
	}
}
