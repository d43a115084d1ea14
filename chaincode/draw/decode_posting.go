package draw

import (
	"math"

	"github.com/steelyard-ledger/steelyard/chaincode/draw/strictjson"
)

// ParsePosting reads a posting.
func ParsePosting(data []byte) (Posting, error) {
	var p Posting
	err := strictjson.Decode(data, func(d *strictjson.Decoder) error {
		return readMembers(d, map[string]func() error{
			"strata":          func() (err error) { p.Strata, err = readList(d, readPublished); return err },
			"assignmentsRoot": func() (err error) { p.AssignmentsRoot, err = readDigest(d); return err },
			"capPlus":         func() (err error) { p.CapPlus, err = readUint32(d); return err },
			"loads":           func() (err error) { p.Loads, err = readLoads(d); return err },
			"infeasible":      func() (err error) { p.Infeasible, err = d.String(); return err },
		}, "infeasible")
	})
	if err != nil {
		return Posting{}, asError("posting", err)
	}
	return p, nil
}

func readLoads(d *strictjson.Decoder) (map[string]uint32, error) {
	loads := map[string]uint32{}
	err := d.Object(func(inspector string) (err error) {
		loads[inspector], err = readUint32(d)
		return err
	})
	return loads, err
}

func readPublished(d *strictjson.Decoder) (Published, error) {
	var p Published
	err := readMembers(d, map[string]func() error{
		"stratum":      func() (err error) { p.Stratum, err = d.String(); return err },
		"quota":        func() (err error) { p.Quota, err = readCount(d); return err },
		"weighted":     func() (err error) { p.Weighted, err = d.Bool(); return err },
		"objects":      func() (err error) { p.Objects, err = readCount(d); return err },
		"weight":       func() (err error) { p.Weight, err = readCount(d); return err },
		"outrightRoot": func() (err error) { p.OutrightRoot, err = readDigest(d); return err },
		"outright":     func() (err error) { p.Outright, err = readCount(d); return err },
		"selectedRoot": func() (err error) { p.SelectedRoot, err = readDigest(d); return err },
		"selected":     func() (err error) { p.Selected, err = readCount(d); return err },
		"threshold":    func() (err error) { p.Threshold, err = readOptional(d, readKey); return err },
		"standby":      func() (err error) { p.Standby, err = readList(d, readObject); return err },
	})
	return p, err
}

func readKey(d *strictjson.Decoder) (Key, error) {
	var k Key
	err := readMembers(d, map[string]func() error{
		"ticket": func() (err error) { k.Ticket, err = readDigest(d); return err },
		"weight": func() (err error) { k.Weight, err = readUint32(d); return err },
	})
	return k, err
}

// readOptional reads a value or null.
func readOptional[T any](d *strictjson.Decoder, read func(*strictjson.Decoder) (T, error)) (*T, error) {
	if d.Null() {
		return nil, nil
	}
	value, err := read(d)
	return &value, err
}

// ParseChallenge reads a challenge.
func ParseChallenge(data []byte) (Challenge, error) {
	var c Challenge
	err := strictjson.Decode(data, func(d *strictjson.Decoder) error {
		return readMembers(d, map[string]func() error{
			"kind":        func() error { kind, err := d.String(); c.Kind = ChallengeKind(kind); return err },
			"stratum":     func() (err error) { c.Stratum, err = d.String(); return err },
			"listed":      func() (err error) { c.Listed, err = readOptional(d, readObjectProof); return err },
			"next":        func() (err error) { c.Next, err = readOptional(d, readObjectProof); return err },
			"inDirectory": func() (err error) { c.InDirectory, err = readOptional(d, readObjectProof); return err },
			"absent":      func() (err error) { c.Absent, err = readOptional(d, readAbsence); return err },
			"notOutright": func() (err error) { c.NotOutright, err = readOptional(d, readAbsence); return err },
			"notSelected": func() (err error) { c.NotSelected, err = readOptional(d, readAbsence); return err },
			"list":        func() (err error) { c.List, err = readList(d, readObject); return err },
			"lists":       func() (err error) { c.Lists, err = readList(d, readPostedLists); return err },
		}, "stratum", "listed", "next", "inDirectory", "absent", "notOutright", "notSelected", "list", "lists")
	})
	if err != nil {
		return Challenge{}, asError("challenge", err)
	}
	return c, nil
}

func readPostedLists(d *strictjson.Decoder) (Lists, error) {
	var l Lists
	err := readMembers(d, map[string]func() error{
		"outright": func() (err error) { l.Outright, err = readList(d, readObject); return err },
		"selected": func() (err error) { l.Selected, err = readList(d, readObject); return err },
	})
	return l, err
}

func readObjectProof(d *strictjson.Decoder) (ObjectProof, error) {
	var p ObjectProof
	err := readMembers(d, map[string]func() error{
		"object": func() (err error) { p.Object, err = readObject(d); return err },
		"proof":  func() (err error) { p.Proof, err = readMerkleProof(d); return err },
	})
	return p, err
}

func readMerkleProof(d *strictjson.Decoder) (MerkleProof, error) {
	var p MerkleProof
	err := readMembers(d, map[string]func() error{
		"index": func() (err error) { p.Index, err = readCount(d); return err },
		"size":  func() (err error) { p.Size, err = readCount(d); return err },
		"path":  func() (err error) { p.Path, err = readList(d, readDigest); return err },
	})
	if err == nil && (len(p.Path) > 64 || p.Size > math.MaxInt32) {
		err = d.Errorf("a path of %d in a tree of %d", len(p.Path), p.Size)
	}
	return p, err
}

func readAbsence(d *strictjson.Decoder) (Absence, error) {
	var a Absence
	err := readMembers(d, map[string]func() error{
		"id":     func() (err error) { a.ID, err = d.String(); return err },
		"before": func() (err error) { a.Before, err = readOptional(d, readObjectProof); return err },
		"after":  func() (err error) { a.After, err = readOptional(d, readObjectProof); return err },
	})
	return a, err
}
