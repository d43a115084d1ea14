package directory

import (
	"errors"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/intake"
)

// read decodes the members of a row.
func read[T any](record intake.Record) (row T, err error) {
	if err := json.Unmarshal(record.Members, &row, json.RejectUnknownMembers(true)); err != nil {
		return row, metrology.Errorf(metrology.CodeInvalid, "the row cannot be read: %v", err)
	}
	return row, nil
}

func faultOf(record intake.Record, err error) *intake.Fault {
	var rule *metrology.Error
	if errors.As(err, &rule) {
		return record.FaultOf(rule)
	}
	return &intake.Fault{Rule: metrology.CodeInvalid, Reason: err.Error()}
}

// checkID refuses an id that the draw's definition does not allow.
func checkID(field, id string) error {
	return ruleOf(field, draw.Pair{Inspector: id, Object: id}.Check())
}

// ruleOf tells a rule of the draw's definition about a member of a row.
func ruleOf(field string, err error) error {
	var rule *draw.Error
	if errors.As(err, &rule) {
		return metrology.FieldErrorf(metrology.CodeInvalid, field, "%s", rule.Reason)
	}
	return err
}

// objectRow is a row of intake.DrawObjects.
type objectRow struct {
	ID        string                    `json:"id"`
	Stratum   string                    `json:"stratum"`
	Weight    int64                     `json:"weight"`
	Visit     metrology.Date            `json:"visit"` // the day it would be visited; empty: any of the visits' days
	Exclusion metrology.ExclusionReason `json:"exclusion"`
}

func (c *compiling) object(record intake.Record) (Row, error) {
	o, err := read[objectRow](record)
	if err != nil {
		return Row{}, err
	}
	if o.Exclusion == "" {
		err = c.checkObject(&o)
	} else {
		err = metrology.OneOf("exclusion", o.Exclusion, metrology.ExclusionReasons...)
	}
	if err != nil {
		return Row{}, err
	}
	if err := c.list(o.ID, where(record)); err != nil {
		return Row{}, err
	}
	if o.Exclusion != "" {
		return c.leaveOut(o.ID, o.Exclusion), nil
	}
	if o.Visit != "" {
		c.visit[o.ID] = o.Visit
	}
	c.add(metrology.DrawObject{ID: o.ID, Stratum: o.Stratum, Weight: o.Weight}, record.Line)
	return Row{Outcome: Taken}, nil
}

// checkObject holds a place that is to be taken against the rules and gives it
// its opaque label.
func (c *compiling) checkObject(o *objectRow) error {
	label, err := c.Label(o.Stratum)
	if err != nil {
		return err
	}
	o.Stratum = label
	if o.Weight < 1 || o.Weight > math.MaxUint32 {
		return metrology.FieldErrorf(metrology.CodeInvalid, "weight", "%d is not 1 to %d", o.Weight, uint32(math.MaxUint32))
	}
	if o.Visit != "" && (c.Visits == nil || o.Visit.Before(c.Visits.From) || c.Visits.To.Before(o.Visit)) {
		return metrology.FieldErrorf(metrology.CodeInvalid, "visit", "%s is not one of the days that the plan names for visits", o.Visit)
	}
	if c.Place == nil {
		return nil
	}
	return c.Place(o.ID)
}

// classes are credit-risk classes of 国市监信发〔2022〕6号. They are no opaque
// labels: published, one would brand a merchant.
var classes = []string{"A", "B", "C", "D"}

// Label gives the opaque label of a stratum that a file names.
func (r Rules) Label(stratum string) (string, error) {
	label, known := stratum, true
	if r.Strata != nil {
		label, known = r.Strata[stratum]
	}
	switch {
	case stratum == "":
		return "", metrology.FieldErrorf(metrology.CodeInvalid, "stratum", "is required")
	case !known:
		return "", metrology.FieldErrorf(metrology.CodeInvalid, "stratum", "%q has no label", stratum)
	case slices.Contains(classes, label):
		return "", metrology.FieldErrorf(metrology.CodeInvalid, "stratum", "%q is a credit-risk class, which is not public; give strata opaque labels", label)
	}
	return label, ruleOf("stratum", draw.Object{ID: "X", Stratum: label, Weight: 1}.Check())
}

func (c *compiling) leaveOut(id string, reason metrology.ExclusionReason) Row {
	c.excluded[id] = true
	c.result.Exclusions = append(c.result.Exclusions, metrology.DrawExclusion{ID: id, Reason: reason})
	return Row{Outcome: Excluded, ID: id, Reason: reason}
}

// exclusion takes a row of intake.DrawExclusions. It may name a place that was
// listed to be taken, or one that was not listed at all.
func (c *compiling) exclusion(record intake.Record) (Row, error) {
	o, err := read[objectRow](record)
	if err != nil {
		return Row{}, err
	}
	if err := checkID("id", o.ID); err != nil {
		return Row{}, err
	}
	if err := metrology.OneOf("exclusion", o.Exclusion, metrology.ExclusionReasons...); err != nil {
		return Row{}, err
	}
	if c.excluded[o.ID] {
		return Row{}, metrology.FieldErrorf(metrology.CodeConflict, "id", "%q is excluded already", o.ID)
	}
	c.leaveOut(o.ID, o.Exclusion)
	return Row{Outcome: Taken}, nil
}

// inspectorRow is a row of intake.DrawInspectors.
type inspectorRow struct {
	ID     string `json:"id"`
	Post   string `json:"post"` // subject of the inspector's certificate; empty: the list commits to nobody
	Cap    int64  `json:"cap"`
	Skills string `json:"skills"` // separated by ; , 、 / or space
}

func (c *compiling) inspector(record intake.Record) (Row, error) {
	i, err := read[inspectorRow](record)
	if err != nil {
		return Row{}, err
	}
	if _, twice := c.inspectors[record.Source]; twice {
		return Row{}, metrology.FieldErrorf(metrology.CodeConflict, "source", "stands twice")
	}
	if i.ID == "" {
		i.ID = c.InspectorID(record.Source)
	}
	if err := checkID("id", i.ID); err != nil {
		return Row{}, err
	}
	if i.Cap < 0 || i.Cap > math.MaxUint32 {
		return Row{}, metrology.FieldErrorf(metrology.CodeInvalid, "cap", "%d is out of range", i.Cap)
	}
	taken := func(other metrology.DrawInspector) bool { return other.ID == i.ID }
	if slices.ContainsFunc(c.result.Inspectors, taken) {
		return Row{}, metrology.FieldErrorf(metrology.CodeConflict, "id", "%q stands twice", i.ID)
	}
	skills := skillsOf(i.Skills)
	if err := ruleOf("skills", draw.Inspector{ID: i.ID, Skills: skills}.Check()); err != nil {
		return Row{}, err
	}
	holder, err := c.commit(i)
	if err != nil {
		return Row{}, err
	}
	c.inspectors[record.Source] = i.ID
	c.result.Staff = append(c.result.Staff, Staff{record.Source, i.ID, i.Post})
	c.result.Inspectors = append(c.result.Inspectors, metrology.DrawInspector{ID: i.ID, Cap: i.Cap, Skills: skills, Holder: holder})
	return Row{Outcome: Taken}, nil
}

// commit commits to an inspector's post. Two ids of one post could both be drawn
// for one place.
func (c *compiling) commit(i inspectorRow) (string, error) {
	if i.Post == "" || c.Holder == nil {
		return "", nil
	}
	if err := metrology.CheckID("post", i.Post); err != nil {
		return "", err
	}
	if slices.ContainsFunc(c.result.Staff, func(other Staff) bool { return other.Post == i.Post }) {
		return "", metrology.FieldErrorf(metrology.CodeConflict, "post", "%q stands twice", i.Post)
	}
	return c.Holder(i.ID, i.Post), nil
}

// skillsOf splits a cell into distinct skills.
func skillsOf(cell string) []string {
	skills := strings.FieldsFunc(cell, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(";；,，、/|", r) })
	slices.Sort(skills)
	return append([]string{}, slices.Compact(skills)...)
}

// pairRow is a row of intake.DrawIneligible.
type pairRow struct {
	Object string `json:"object"`
}

func (c *compiling) pair(record intake.Record) (Row, error) {
	p, err := read[pairRow](record)
	if err != nil {
		return Row{}, err
	}
	inspector, known := c.inspectors[record.Source]
	if !known {
		return Row{}, metrology.FieldErrorf(metrology.CodeNotFound, "source", "is not in the list of inspectors")
	}
	if err := checkID("object", p.Object); err != nil {
		return Row{}, err
	}
	if _, known := c.listed[p.Object]; !known {
		return Row{}, metrology.FieldErrorf(metrology.CodeNotFound, "object", "%q is not in the directory of places", p.Object)
	}
	if c.paired[[2]string{inspector, p.Object}] {
		return Row{}, metrology.FieldErrorf(metrology.CodeConflict, "object", "the pair stands twice")
	}
	c.bar(inspector, p.Object)
	return Row{Outcome: Taken}, nil
}

// bar makes a pair ineligible, once whatever the reasons.
func (c *compiling) bar(inspector, object string) {
	pair := [2]string{inspector, object}
	if !c.paired[pair] {
		c.paired[pair] = true
		c.result.Ineligible = append(c.result.Ineligible, pair[:])
	}
}
