package draw

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Drawn is a selected object with those who inspect it.
type Drawn struct {
	Object
	Outright   bool     // taken for its weight
	Inspectors []string // in the order of the slots; none if the draw is infeasible
}

// DrawnList is all that a draw selected, in id order. It is the file beside a
// posting: from it follow the posting's lists and roots.
type DrawnList []Drawn

// drawnOf joins the selection of all strata with the assignment.
func drawnOf(strata []Stratum, assignment Assignment) DrawnList {
	var list DrawnList
	for _, s := range strata {
		outright, selected := s.Lists()
		for _, o := range outright {
			list = append(list, Drawn{Object: o, Outright: true, Inspectors: assignment.Inspectors[o.ID]})
		}
		for _, o := range selected {
			list = append(list, Drawn{Object: o, Inspectors: assignment.Inspectors[o.ID]})
		}
	}
	slices.SortFunc(list, func(a, b Drawn) int { return strings.Compare(a.ID, b.ID) })
	return list
}

// In gives a stratum's two lists in id order.
func (list DrawnList) In(stratum string) (outright, selected Objects) {
	outright, selected = Objects{}, Objects{}
	for _, d := range list {
		switch {
		case d.Stratum != stratum:
		case d.Outright:
			outright = append(outright, d.Object)
		default:
			selected = append(selected, d.Object)
		}
	}
	return outright, selected
}

// IDs lists the objects.
func (list DrawnList) IDs() []string {
	ids := make([]string, len(list))
	for i, d := range list {
		ids[i] = d.ID
	}
	return ids
}

// appendAssigned is the leaf LP(object) ‖ LP(inspector)….
func (d Drawn) appendAssigned(out []byte) []byte {
	out = appendLP(out, d.ID)
	for _, inspector := range d.Inspectors {
		out = appendLP(out, inspector)
	}
	return out
}

// AssignmentsRoot is the root over who inspects what, by the ids of objects.
func (list DrawnList) AssignmentsRoot() Digest { return rootOf(list, Drawn.appendAssigned) }

// Carries says whether a list is the one that a posting names: every root and
// count follows from it.
func (p Posting) Carries(list DrawnList) error {
	if got := list.AssignmentsRoot(); got != p.AssignmentsRoot {
		return refuse(KindProof, "assignments", "root of the list is %s, not the posted one", got)
	}
	total := uint64(0)
	for _, s := range p.Strata {
		outright, selected := list.In(s.Stratum)
		if ListRoot(outright) != s.OutrightRoot || ListRoot(selected) != s.SelectedRoot {
			return refuse(KindProof, fmt.Sprintf("stratum %q", s.Stratum), "roots of the lists are not the posted ones")
		}
		total += uint64(len(outright) + len(selected))
	}
	if total != uint64(len(list)) {
		return refuse(KindProof, "list", "%d objects are of strata that the posting does not have", uint64(len(list))-total)
	}
	return nil
}

// drawnHeader is the first row of a file of drawn objects.
const drawnHeader = "id,stratum,weight,list,inspectors"

// Lists of drawn objects in a file.
const (
	listOutright = "outright"
	listSelected = "selected"
)

// WriteCSV writes the list; inspectors are parted by spaces.
func (list DrawnList) WriteCSV(out io.Writer) error {
	buffered := bufio.NewWriter(out)
	rows := csv.NewWriter(buffered)
	rows.Write(strings.Split(drawnHeader, ",")) // errors stay until Flush
	for _, d := range list {
		kind := listSelected
		if d.Outright {
			kind = listOutright
		}
		rows.Write([]string{d.ID, d.Stratum, strconv.FormatUint(uint64(d.Weight), 10), kind, strings.Join(d.Inspectors, " ")})
	}
	rows.Flush()
	return errors.Join(rows.Error(), buffered.Flush())
}

// ReadDrawn reads what WriteCSV writes, up to a number of objects.
func ReadDrawn(in io.Reader, most int) (DrawnList, error) {
	rows := csv.NewReader(in)
	rows.ReuseRecord, rows.FieldsPerRecord = true, 5
	var list DrawnList
	for line := 0; ; line++ {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) && line > 0 {
			return list, nil
		}
		if err != nil {
			return nil, refuse(KindSyntax, "drawn file", "%v", err)
		}
		if line == 0 {
			if strings.Join(row, ",") != drawnHeader {
				return nil, refuse(KindSyntax, "drawn file", "the first row is not %s", drawnHeader)
			}
			continue
		}
		if len(list) == most {
			return nil, refuse(KindSyntax, "drawn file", "more than %d objects", most)
		}
		d, err := readDrawnRow(row)
		if err == nil && len(list) > 0 && d.ID <= list[len(list)-1].ID {
			err = outOfOrder(list[len(list)-1].ID, d.ID)
		}
		if err != nil {
			return nil, inEntry(err, fmt.Sprintf("drawn file row %d %q", line, row[0]))
		}
		list = append(list, d)
	}
}

func readDrawnRow(row []string) (Drawn, error) {
	weight, err := parseWeight(row[2])
	if err != nil {
		return Drawn{}, err
	}
	d := Drawn{Object: Object{ID: strings.Clone(row[0]), Stratum: strings.Clone(row[1]), Weight: weight}, Outright: row[3] == listOutright}
	if row[3] != listOutright && row[3] != listSelected {
		return d, refuse(KindSyntax, "", "list %q is neither %s nor %s", row[3], listOutright, listSelected)
	}
	if row[4] != "" {
		d.Inspectors = strings.Split(strings.Clone(row[4]), " ")
	}
	for _, inspector := range d.Inspectors {
		if err := checkID(inspector); err != nil {
			return d, err
		}
	}
	return d, d.Check()
}
