package draw

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// Object is a place that can be drawn.
type Object struct {
	ID      string `json:"id"`
	Stratum string `json:"stratum"` // an opaque label; a public class letter would brand a merchant
	Weight  uint32 `json:"weight"`  // at least 1
}

// Inspector can be assigned to at most Cap objects of a draw. The id is made
// for this draw; who it is, only those entitled know.
type Inspector struct {
	ID     string   `json:"id"`
	Cap    uint32   `json:"cap"`
	Skills []string `json:"skills"`
}

// Pair is an inspector who must not be sent to an object, for a reason that is
// not public.
type Pair struct {
	Inspector string
	Object    string
}

// Leaf is the object's leaf in the directory tree, without the leaf prefix.
func (o Object) Leaf() []byte { return o.appendLeaf(nil) }

func (o Object) appendLeaf(out []byte) []byte {
	out = appendLP(out, o.ID)
	out = appendLP(out, o.Stratum)
	return binary.BigEndian.AppendUint32(out, o.Weight)
}

// Leaf is the inspector's leaf, skills sorted bytewise.
func (i Inspector) Leaf() []byte { return i.appendLeaf(nil) }

func (i Inspector) appendLeaf(out []byte) []byte {
	out = appendLP(out, i.ID)
	out = binary.BigEndian.AppendUint32(out, i.Cap)
	for _, skill := range slices.Sorted(slices.Values(i.Skills)) {
		out = appendLP(out, skill)
	}
	return out
}

// Leaf is the pair's leaf.
func (p Pair) Leaf() []byte { return p.appendLeaf(nil) }

func (p Pair) appendLeaf(out []byte) []byte {
	return appendLP(appendLP(out, p.Inspector), p.Object)
}

func (p Pair) compare(q Pair) int {
	return cmp.Or(strings.Compare(p.Inspector, q.Inspector), strings.Compare(p.Object, q.Object))
}

// Check enforces the rules for one object.
func (o Object) Check() error {
	if err := checkID(o.ID); err != nil {
		return err
	}
	if err := checkLabel("stratum", o.Stratum); err != nil {
		return err
	}
	if o.Weight == 0 {
		return refuse(KindWeight, "", "weight 0")
	}
	return nil
}

// Check enforces the rules for one inspector.
func (i Inspector) Check() error {
	if err := checkID(i.ID); err != nil {
		return err
	}
	return checkSkills(i.Skills)
}

// Check enforces the rules for one pair. Its ids need not stand in the
// directories: a recusal may outlive an exclusion.
func (p Pair) Check() error {
	if err := checkID(p.Inspector); err != nil {
		return err
	}
	return checkID(p.Object)
}

func checkSkills(skills []string) error {
	for i, skill := range skills {
		if err := checkLabel("skill", skill); err != nil {
			return err
		}
		if slices.Contains(skills[:i], skill) {
			return refuse(KindDuplicate, "", "skill %q occurs twice", skill)
		}
	}
	return nil
}

// Directory is a list of objects that can be walked more than once, in id
// order: in memory, in a file, in chunks on a ledger.
type Directory interface {
	Each(visit func(Object) error) error
}

// Objects is a directory in memory, in id order.
type Objects []Object

// Each visits the objects in order.
func (list Objects) Each(visit func(Object) error) error {
	for _, o := range list {
		if err := visit(o); err != nil {
			return err
		}
	}
	return nil
}

// NewObjects checks every object and sorts a copy of the list by id.
func NewObjects(list []Object) (Objects, error) {
	return sorted("objects", list, Object.Check,
		func(a, b Object) int { return strings.Compare(a.ID, b.ID) },
		func(o Object) string { return fmt.Sprintf("%q", o.ID) })
}

// Inspectors is a checked list of inspectors in id order.
type Inspectors []Inspector

// NewInspectors checks every inspector and sorts a copy of the list by id.
func NewInspectors(list []Inspector) (Inspectors, error) {
	return sorted("inspectors", list, Inspector.Check,
		func(a, b Inspector) int { return strings.Compare(a.ID, b.ID) },
		func(i Inspector) string { return fmt.Sprintf("%q", i.ID) })
}

// Root is the root over the inspectors' leaves.
func (list Inspectors) Root() Digest {
	return rootOf(list, Inspector.appendLeaf)
}

// Ineligible is a checked list of pairs in (inspector, object) order.
type Ineligible []Pair

// NewIneligible checks every pair and sorts a copy of the list.
func NewIneligible(list []Pair) (Ineligible, error) {
	return sorted("ineligible", list, Pair.Check, Pair.compare,
		func(p Pair) string { return fmt.Sprintf("[%q,%q]", p.Inspector, p.Object) })
}

// Root is the root over the pairs' leaves.
func (list Ineligible) Root() Digest {
	return rootOf(list, Pair.appendLeaf)
}

// sorted checks each entry of a list, sorts a copy and refuses equal entries.
// Errors name the entry by its place in the list given.
func sorted[T any](name string, list []T, check func(T) error, compare func(a, b T) int, show func(T) string) ([]T, error) {
	for i, entry := range list {
		if err := check(entry); err != nil {
			return nil, inEntry(err, fmt.Sprintf("%s[%d] %s", name, i, show(entry)))
		}
	}
	if slices.IsSortedFunc(list, compare) {
		list = slices.Clone(list)
	} else {
		list = slices.SortedStableFunc(slices.Values(list), compare)
	}
	for i := 1; i < len(list); i++ {
		if compare(list[i-1], list[i]) == 0 {
			return nil, refuse(KindDuplicate, name+" "+show(list[i]), "occurs twice")
		}
	}
	return list, nil
}

// inEntry names the entry in an error that does not name one yet.
func inEntry(err error, entry string) error {
	if e, ok := err.(*Error); ok && e.Entry == "" {
		named := *e
		named.Entry = entry
		return &named
	}
	return err
}

func rootOf[T any](list []T, appendLeaf func(T, []byte) []byte) Digest {
	tree := newMerkleTree()
	var buf []byte
	for _, entry := range list {
		buf = appendLeaf(entry, leafBuffer(buf))
		if err := tree.add(buf); err != nil {
			panic("append to a merkle range: " + err.Error()) // only a corrupted range fails
		}
	}
	return tree.root()
}
