package metrology

import (
	"encoding/json"
	"fmt"
	"math"
)

// The bounds of a directory that stands in a file.
const (
	MaxDrawFileObjects = math.MaxInt32
	maxDrawStrata      = 1000
)

// DrawObjectsFile is a directory of objects that stands in a file, addressed by its
// root. The sums are stated, since no single leaf shows them: whoever approves
// the freeze recomputes them from the file.
type DrawObjectsFile struct {
	Root    string      `json:"root"` // over the objects' leaves, RFC 6962
	Objects int64       `json:"objects"`
	Strata  []DrawTotal `json:"strata"` // bytewise by name
}

// DrawTotal sums up a stratum of a directory.
type DrawTotal struct {
	Stratum  string `json:"stratum"`
	Objects  int64  `json:"objects"`
	Weight   int64  `json:"weight"`   // the sum of weights
	Weighted bool   `json:"weighted"` // the weights differ
}

// check refuses sums that no file has.
func (f DrawObjectsFile) check() error {
	if err := checkHex("file.root", f.Root, 32); err != nil {
		return err
	}
	if len(f.Strata) < 1 || len(f.Strata) > maxDrawStrata {
		return FieldErrorf(CodeInvalid, "file.strata", "has %d entries, not 1 to %d", len(f.Strata), maxDrawStrata)
	}
	left := f.Objects
	for i, s := range f.Strata {
		field := fmt.Sprintf("file.strata[%d]", i)
		if i > 0 && f.Strata[i-1].Stratum >= s.Stratum {
			return FieldErrorf(CodeInvalid, field+".stratum", "does not follow %q bytewise", f.Strata[i-1].Stratum)
		}
		if s.Objects < 1 || s.Objects > left || left > MaxDrawFileObjects {
			return FieldErrorf(CodeInvalid, field+".objects", "is not a part of the file's %d objects, at most %d", f.Objects, MaxDrawFileObjects)
		}
		left -= s.Objects
		if err := s.checkWeight(field); err != nil {
			return err
		}
	}
	if left != 0 {
		return FieldErrorf(CodeInvalid, "file.objects", "is %d more than the strata have", left)
	}
	return nil
}

// checkWeight holds a sum of weights against the number of objects.
func (s DrawTotal) checkWeight(field string) error {
	least := s.Objects
	if s.Weighted {
		least++
	}
	switch {
	case s.Weight < least || s.Weight/s.Objects > math.MaxUint32 || s.Weight > 1<<53-1:
		return FieldErrorf(CodeInvalid, field+".weight", "%d is no sum of %d weights", s.Weight, s.Objects)
	case s.Weighted && s.Objects == 1, !s.Weighted && s.Weight%s.Objects != 0:
		return FieldErrorf(CodeInvalid, field+".weighted", "is not so with these sums")
	}
	return nil
}

// DrawRefuted says by what a posted result was voided.
type DrawRefuted struct {
	Kind    string `json:"kind"`              // such as omitted; chaincode/draw/POSTING.md
	Stratum string `json:"stratum,omitempty"` // where it is wrong
	Object  string `json:"object,omitempty"`  // that shows it
	By      string `json:"by"`                // MSP of the challenger
	Time    int64  `json:"time"`
}

// PostDraw posts the result of a draw whose directory stands in a file. Anybody
// may; the ledger does not recompute it.
type PostDraw struct {
	ID      string          `json:"id"`
	Posting json.RawMessage `json:"posting"`
}

// ChallengeDraw refutes what was posted as the result of a draw. Number counts
// the postings, so that a challenge is of one of them.
type ChallengeDraw struct {
	ID        string          `json:"id"`
	Number    int             `json:"number"` // from 1
	Challenge json.RawMessage `json:"challenge"`
}

// DrawRefutedKey is the key of a posting that was voided, counted from 1.
func DrawRefutedKey(id string, number int) string {
	return DrawKey(id, DrawPartRefuted, fmt.Sprintf("%04d", number))
}

// CheckPosted refuses a challenge of a draw without a posted result, or of
// another posting than the one that stands.
func (d Draw) CheckPosted(result DrawResult, cmd ChallengeDraw) error {
	if _, err := d.Apply(DrawChallenge); err != nil {
		return err
	}
	if result.Posting == nil {
		return Errorf(CodeState, "the ledger recomputed this result itself; there is nothing to challenge")
	}
	if cmd.Number != d.Refuted+1 {
		return FieldErrorf(CodeConflict, "number", "the posting that stands is number %d", d.Refuted+1)
	}
	return nil
}

// Refute voids a result that was posted by roots. The draw, which is a
// function, stays: it awaits another posting of its result.
func (d Draw) Refute() (Draw, error) {
	d, err := d.Apply(DrawChallenge)
	d.Ended, d.Refuted = 0, d.Refuted+1
	return d, err
}

// Check wants the objects either in chunks or in a file.
func (c FreezeDraw) Check() error {
	if (c.File == nil) == (c.Chunks.Objects == 0) {
		return FieldErrorf(CodeInvalid, "file", "objects stand either in chunks or in a file")
	}
	if c.File == nil {
		return c.Chunks.Check()
	}
	if err := c.File.check(); err != nil {
		return err
	}
	return c.Chunks.Check()
}

// Check bounds the chunks that a freeze reads. Exclusions may be none, and so
// may ineligible pairs, and objects that stand in a file.
func (c DrawChunks) Check() error {
	for _, part := range []struct {
		list            string
		count, min, max int
	}{
		{DrawPartObjects, c.Objects, 0, MaxDrawObjects}, {DrawPartInspectors, c.Inspectors, 1, MaxDrawInspectors},
		{DrawPartIneligible, c.Ineligible, 0, MaxDrawIneligible}, {DrawPartExclusions, c.Exclusions, 0, MaxDrawExclusions},
	} {
		if part.count < part.min || part.count > min(part.max, 100) {
			return FieldErrorf(CodeInvalid, "chunks."+part.list, "is not %d to 100", part.min)
		}
	}
	return nil
}
