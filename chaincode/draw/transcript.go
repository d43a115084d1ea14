package draw

import (
	"github.com/steelyard-ledger/steelyard/chaincode/draw/strictjson"
)

// Transcript is a whole draw as it is handed to those who check it.
// TRANSCRIPT.md describes the document. What it does not carry is nil, and its
// check reads NOT SHOWN.
type Transcript struct {
	Draw          string
	Plan          []byte // JSON
	Approvals     []Approval
	Directories   *ShownDirectories
	Freeze        *FreezeRecord
	Commitments   []Commit
	Reveals       []Reveal
	Close         *CloseRecord
	Observations  []Observation
	Beacon        *Beacon
	SealedSecret  *Digest
	Leaves        []LeavesRecord
	Result        []byte // JSON
	Posting       []byte // JSON; instead of a result, one posted by roots
	Substitutions []Substitution
	Ledger        []byte // JSON: transactions, endorsements and blocks
}

// Approval is an organisation's own transaction agreeing to a step.
type Approval struct {
	Step string // plan or freeze
	Org  string
	Hash Digest // the plan hash or F
}

// ShownDirectories are the lists, or for objects the names of files with them.
type ShownDirectories struct {
	Objects    []Object
	Files      []string // CSV, relative to the transcript; instead of Objects
	Inspectors []Inspector
	Ineligible []Pair
}

// FreezeRecord is what the write-once key of a freeze holds.
type FreezeRecord struct {
	PlanHash    Digest
	Directories Directories
	Freeze      Digest
	Round       uint64
}

// Commit is an organisation's commitment.
type Commit struct {
	Org        string
	Commitment Digest
}

// Reveal is the secret behind a commitment.
type Reveal struct {
	Org    string
	Secret Digest
}

// CloseRecord is what the closing transaction wrote. Times are seconds since
// 1970, as their transactions claim.
type CloseRecord struct {
	Freeze       Digest
	Contribution Digest
	Time         int64
}

// Observation is an organisation's statement, through its own peer, that it
// has seen the close.
type Observation struct {
	Org          string
	Freeze       Digest
	Contribution Digest
	Time         int64
}

// LeavesRecord is what a holder of a sealed draw's secret committed to before
// the opening.
type LeavesRecord struct {
	Org    string
	Root   Digest
	Leaves uint64
}

// Substitution replaces a selected object by the next standby of its stratum.
type Substitution struct {
	Stratum string
	Object  string
	By      string
	Reason  string
}

// ParseTranscript reads the document of TRANSCRIPT.md.
func ParseTranscript(data []byte) (Transcript, error) {
	var t Transcript
	err := strictjson.Decode(data, func(d *strictjson.Decoder) error {
		return readMembers(d, map[string]func() error{
			"definition":    func() error { return readConstant(d, "DR-1") },
			"draw":          func() (err error) { t.Draw, err = d.String(); return err },
			"plan":          func() (err error) { t.Plan, err = d.Raw(); return err },
			"approvals":     func() (err error) { t.Approvals, err = readList(d, readApproval); return err },
			"directories":   func() (err error) { t.Directories, err = readDirectories(d); return err },
			"freeze":        func() (err error) { t.Freeze, err = readFreeze(d); return err },
			"commitments":   func() (err error) { t.Commitments, err = readList(d, readCommit); return err },
			"reveals":       func() (err error) { t.Reveals, err = readList(d, readReveal); return err },
			"close":         func() (err error) { t.Close, err = readClose(d); return err },
			"observations":  func() (err error) { t.Observations, err = readList(d, readObservation); return err },
			"beacon":        func() error { b, err := readBeacon(d); t.Beacon = &b; return err },
			"sealedSecret":  func() (err error) { t.SealedSecret, err = readOptionalDigest(d); return err },
			"leaves":        func() (err error) { t.Leaves, err = readList(d, readLeaves); return err },
			"result":        func() (err error) { t.Result, err = d.Raw(); return err },
			"posting":       func() (err error) { t.Posting, err = d.Raw(); return err },
			"substitutions": func() (err error) { t.Substitutions, err = readList(d, readSubstitution); return err },
			"ledger":        func() (err error) { t.Ledger, err = d.Raw(); return err },
		}, "approvals", "directories", "freeze", "commitments", "reveals", "close", "observations",
			"beacon", "sealedSecret", "leaves", "result", "posting", "substitutions", "ledger")
	})
	if err != nil {
		return Transcript{}, asError("", err)
	}
	return t, nil
}

func readConstant(d *strictjson.Decoder, want string) error {
	text, err := d.String()
	if err == nil && text != want {
		return d.Errorf("%q, only %q is known", text, want)
	}
	return err
}

func readApproval(d *strictjson.Decoder) (Approval, error) {
	var a Approval
	err := readMembers(d, map[string]func() error{
		"step": func() (err error) { a.Step, err = d.String(); return err },
		"org":  func() (err error) { a.Org, err = d.String(); return err },
		"hash": func() (err error) { a.Hash, err = readDigest(d); return err },
	})
	return a, err
}

func readDirectories(d *strictjson.Decoder) (*ShownDirectories, error) {
	var s ShownDirectories
	err := readMembers(d, map[string]func() error{
		"objects":    func() (err error) { s.Objects, err = readList(d, readObject); return err },
		"files":      func() (err error) { s.Files, err = readStrings(d); return err },
		"inspectors": func() (err error) { s.Inspectors, err = readList(d, readInspector); return err },
		"ineligible": func() (err error) { s.Ineligible, err = readList(d, readPair); return err },
	}, "objects", "files")
	if err == nil && (s.Objects == nil) == (s.Files == nil) {
		err = d.Errorf("either objects or files are needed")
	}
	return &s, err
}

func readFreeze(d *strictjson.Decoder) (*FreezeRecord, error) {
	var f FreezeRecord
	dirs := &f.Directories
	err := readMembers(d, map[string]func() error{
		"planHash":       func() (err error) { f.PlanHash, err = readDigest(d); return err },
		"objectsRoot":    func() (err error) { dirs.ObjectsRoot, err = readDigest(d); return err },
		"objects":        func() (err error) { dirs.Objects, err = readCount(d); return err },
		"inspectorsRoot": func() (err error) { dirs.InspectorsRoot, err = readDigest(d); return err },
		"inspectors":     func() (err error) { dirs.Inspectors, err = readCount(d); return err },
		"ineligibleRoot": func() (err error) { dirs.IneligibleRoot, err = readDigest(d); return err },
		"ineligible":     func() (err error) { dirs.Ineligible, err = readCount(d); return err },
		"freeze":         func() (err error) { f.Freeze, err = readDigest(d); return err },
		"round":          func() (err error) { f.Round, err = readCount(d); return err },
	})
	return &f, err
}

func readCommit(d *strictjson.Decoder) (Commit, error) {
	var c Commit
	err := readMembers(d, map[string]func() error{
		"org":        func() (err error) { c.Org, err = d.String(); return err },
		"commitment": func() (err error) { c.Commitment, err = readDigest(d); return err },
	})
	return c, err
}

func readReveal(d *strictjson.Decoder) (Reveal, error) {
	var r Reveal
	err := readMembers(d, map[string]func() error{
		"org":    func() (err error) { r.Org, err = d.String(); return err },
		"secret": func() (err error) { r.Secret, err = readDigest(d); return err },
	})
	return r, err
}

func readClose(d *strictjson.Decoder) (*CloseRecord, error) {
	var c CloseRecord
	err := readMembers(d, map[string]func() error{
		"freeze":       func() (err error) { c.Freeze, err = readDigest(d); return err },
		"contribution": func() (err error) { c.Contribution, err = readDigest(d); return err },
		"time":         func() (err error) { c.Time, err = d.Integer(0, maxInteger); return err },
	})
	return &c, err
}

func readObservation(d *strictjson.Decoder) (Observation, error) {
	var o Observation
	err := readMembers(d, map[string]func() error{
		"org":          func() (err error) { o.Org, err = d.String(); return err },
		"freeze":       func() (err error) { o.Freeze, err = readDigest(d); return err },
		"contribution": func() (err error) { o.Contribution, err = readDigest(d); return err },
		"time":         func() (err error) { o.Time, err = d.Integer(0, maxInteger); return err },
	})
	return o, err
}

func readLeaves(d *strictjson.Decoder) (LeavesRecord, error) {
	var l LeavesRecord
	err := readMembers(d, map[string]func() error{
		"org":    func() (err error) { l.Org, err = d.String(); return err },
		"root":   func() (err error) { l.Root, err = readDigest(d); return err },
		"leaves": func() (err error) { l.Leaves, err = readCount(d); return err },
	})
	return l, err
}

func readSubstitution(d *strictjson.Decoder) (Substitution, error) {
	var s Substitution
	err := readMembers(d, map[string]func() error{
		"stratum": func() (err error) { s.Stratum, err = d.String(); return err },
		"object":  func() (err error) { s.Object, err = d.String(); return err },
		"by":      func() (err error) { s.By, err = d.String(); return err },
		"reason":  func() (err error) { s.Reason, err = d.String(); return err },
	})
	return s, err
}
