package draw

import "math/bits"

// A matching holds a complete filling of all open slots while Assign fixes
// them one by one. It answers the one question of the rule “take the first
// inspector for whom all remaining open slots can still be filled” without
// filling everything anew: put the inspector on the slot and look for a chain
// of moves that ends where capacity is free.
//
// In terms of flow there are three layers: slots; pairs (object, inspector) of
// capacity 1, since nobody is sent twice to one object; inspectors with their
// caps. A search that fails has found a tight set: slots and inspectors that
// need each other entirely in every filling. Tight stays tight as slots are
// fixed, so both get a label of their own and are never searched from outside
// again; there are at most as many such splits as inspectors.
//
// Slot k of object o is numbered o·perObject+k. Sets of inspectors are bit
// sets, which makes one step of a search a few word operations.
type matching struct {
	perObject int
	words     int
	eligible  []uint64   // objects × words: not an ineligible pair
	skilled   [][]uint64 // per slot of an object: has its skills
	cap       []int64
	used      []int64  // slots on each inspector, open and fixed
	spare     []uint64 // used < cap
	holder    []int32  // per slot its inspector, or -1
	fixed     []bool
	open      slotLists // per inspector its open slots

	slotLabel   []int32
	inspLabel   []int32
	labelled    [][]uint64 // per label its inspectors
	seen        []uint64   // inspectors reached by the search
	seenList    []int32
	entrant     []int32 // per reached inspector the slot that would move there, or -1
	reached     []int32 // per slot the number of the search that reached it
	reachedList []int32
	search      int32
	cause       []int32 // per reached slot the slot that takes its place, or -1
	queue       []int32 // slots, and inspectors as their complement
	moving      int32   // the slot being fixed elsewhere, or -1
	vacated     int32   // the inspector it left
	candidates  []uint64
}

// slotLists are doubly linked lists of slots, one per inspector.
type slotLists struct{ head, next, prev []int32 }

func newSlotLists(inspectors, slots int) slotLists {
	l := slotLists{head: make([]int32, inspectors), next: make([]int32, slots), prev: make([]int32, slots)}
	for i := range l.head {
		l.head[i] = -1
	}
	return l
}

func (l *slotLists) insert(inspector, slot int32) {
	first := l.head[inspector]
	l.next[slot], l.prev[slot] = first, -1
	if first >= 0 {
		l.prev[first] = slot
	}
	l.head[inspector] = slot
}

func (l *slotLists) remove(inspector, slot int32) {
	next, prev := l.next[slot], l.prev[slot]
	if prev >= 0 {
		l.next[prev] = next
	} else {
		l.head[inspector] = next
	}
	if next >= 0 {
		l.prev[next] = prev
	}
}

// newMatching prepares an empty matching; skilled has one set per slot of an
// object, eligible one set per object.
func newMatching(caps []int64, skilled [][]uint64, eligible []uint64, words int) *matching {
	objects := len(eligible) / max(words, 1)
	slots := objects * len(skilled)
	m := &matching{
		perObject: len(skilled), words: words, eligible: eligible, skilled: skilled,
		cap: caps, used: make([]int64, len(caps)), spare: make([]uint64, words),
		holder: make([]int32, slots), fixed: make([]bool, slots),
		open:      newSlotLists(len(caps), slots),
		slotLabel: make([]int32, slots), inspLabel: make([]int32, len(caps)),
		seen: make([]uint64, words), entrant: make([]int32, len(caps)), reached: make([]int32, slots), cause: make([]int32, slots),
		candidates: make([]uint64, words), moving: -1,
	}
	for i := range m.holder {
		m.holder[i] = -1
	}
	all := make([]uint64, words)
	for i := range caps {
		setBit(all, int32(i))
		m.respare(int32(i))
	}
	m.labelled = [][]uint64{all}
	return m
}

func setBit(set []uint64, i int32)      { set[i>>6] |= 1 << (i & 63) }
func clearBit(set []uint64, i int32)    { set[i>>6] &^= 1 << (i & 63) }
func hasBit(set []uint64, i int32) bool { return set[i>>6]>>(i&63)&1 == 1 }

func (m *matching) respare(i int32) {
	if m.used[i] < m.cap[i] {
		setBit(m.spare, i)
	} else {
		clearBit(m.spare, i)
	}
}

// place puts a slot on an inspector, taking it off another one.
func (m *matching) place(slot, inspector int32) {
	if old := m.holder[slot]; old >= 0 {
		m.open.remove(old, slot)
		m.used[old]--
		m.respare(old)
	}
	m.holder[slot] = inspector
	if inspector >= 0 {
		m.open.insert(inspector, slot)
		m.used[inspector]++
		m.respare(inspector)
	}
}

// may says whether the inspector has the slot's skills and is no ineligible
// pair with its object.
func (m *matching) may(slot, inspector int32) bool {
	o, k := int(slot)/m.perObject, int(slot)%m.perObject
	return hasBit(m.eligible[o*m.words:(o+1)*m.words], inspector) && hasBit(m.skilled[k], inspector)
}

// siblings is the range of slot numbers of the slot's object.
func (m *matching) siblings(slot int32) (from, to int32) {
	from = slot - slot%int32(m.perObject)
	return from, from + int32(m.perObject)
}

// begin starts a search that has reached nothing.
func (m *matching) begin() {
	for _, i := range m.seenList {
		clearBit(m.seen, i)
	}
	m.seenList, m.reachedList, m.queue = m.seenList[:0], m.reachedList[:0], m.queue[:0]
	m.search++
}

// reach queues a slot that another one may displace.
func (m *matching) reach(slot, cause int32) {
	if m.reached[slot] != m.search {
		m.reached[slot], m.cause[slot] = m.search, cause
		m.reachedList = append(m.reachedList, slot)
		m.queue = append(m.queue, slot)
	}
}

// enter marks and queues a full inspector, whose open slots the cause could
// displace. They are looked at when its turn comes: most searches end before.
func (m *matching) enter(inspector, cause int32) {
	setBit(m.seen, inspector)
	m.seenList = append(m.seenList, inspector)
	m.entrant[inspector] = cause
	m.queue = append(m.queue, ^inspector)
}

// chase works through the queue until a displaced slot finds an inspector with
// spare capacity. It returns that slot and inspector, or -1.
func (m *matching) chase(label int32) (slot, inspector int32) {
	for q := 0; q < len(m.queue); q++ {
		if t := m.queue[q]; t >= 0 {
			if end := m.expand(t, label); end >= 0 {
				return t, end
			}
			continue
		}
		i := ^m.queue[q]
		for t := m.open.head[i]; t >= 0; t = m.open.next[t] {
			// Slots of another label are tight elsewhere and cannot leave.
			if m.reached[t] == m.search || m.slotLabel[t] != label {
				continue
			}
			m.reached[t], m.cause[t] = m.search, m.entrant[i]
			m.reachedList = append(m.reachedList, t)
			if end := m.expand(t, label); end >= 0 {
				return t, end
			}
		}
	}
	return -1, -1
}

// expand finds an inspector with spare capacity for slot t, or enters all
// those it could move to and returns -1.
func (m *matching) expand(t, label int32) int32 {
	o, k := int(t)/m.perObject, int(t)%m.perObject
	eligible, skilled, labelled := m.eligible[o*m.words:(o+1)*m.words], m.skilled[k], m.labelled[label]
	for w := range m.words {
		free := eligible[w] & skilled[w] & labelled[w] & m.spare[w] &^ m.seen[w]
		for ; free != 0; free &= free - 1 {
			i := int32(w<<6 + bits.TrailingZeros64(free))
			if m.onObject(t, i) < 0 {
				return i
			}
		}
	}
	from, to := m.siblings(t)
	if m.moving >= from && m.moving < to && m.may(t, m.vacated) {
		return m.vacated // whatever its label: the pair was the moving slot's
	}
	for s := from; s < to; s++ {
		h := m.holder[s]
		if s != t && h >= 0 && !m.fixed[s] && m.slotLabel[s] == label && m.may(t, h) {
			m.reach(s, t) // t takes s's place with the same inspector, whose load stays
		}
	}
	for w := range m.words {
		fresh := eligible[w] & skilled[w] & labelled[w] &^ m.seen[w]
		for ; fresh != 0; fresh &= fresh - 1 {
			i := int32(w<<6 + bits.TrailingZeros64(fresh))
			if m.onObject(t, i) < 0 {
				m.enter(i, t)
			}
		}
	}
	return -1
}

// onObject gives the slot of the same object that the inspector already holds,
// or -1.
func (m *matching) onObject(slot, inspector int32) int32 {
	from, to := m.siblings(slot)
	for s := from; s < to; s++ {
		if m.holder[s] == inspector {
			return s
		}
	}
	return -1
}

// shift moves the chain that ended with slot t at the inspector: each slot
// takes the place of the one it displaced, so the first has left its own.
func (m *matching) shift(t, inspector int32) {
	for t >= 0 {
		left := m.holder[t]
		m.place(t, inspector)
		inspector, t = left, m.cause[t]
	}
}

// augment fills one more slot, moving others if needed. What a failed search
// reached stays marked in dead: no later search can get out of it either.
func (m *matching) augment(slot int32, dead *deadEnds) bool {
	m.begin()
	m.reach(slot, -1)
	for w, bits := range dead.inspectors {
		m.seen[w] |= bits
	}
	t, end := m.chase(0)
	for w, bits := range dead.inspectors {
		m.seen[w] &^= bits
	}
	if t >= 0 {
		m.shift(t, end)
		return true
	}
	for _, i := range m.seenList {
		setBit(dead.inspectors, i)
	}
	dead.slots = append(dead.slots, m.reachedList...)
	return false
}

// deadEnds is what failed searches reached: at the end, the slots that cannot
// be filled together and all the inspectors they could have.
type deadEnds struct {
	inspectors []uint64
	slots      []int32
}
