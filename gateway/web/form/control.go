package form

import (
	"net/url"
	"slices"
)

// Control is a field as it is shown, with what was typed into it.
type Control struct {
	Field
	Path     string // name and id of the control
	Needed   bool   // a form without it cannot be right: it is required, and so is all that it stands in
	Value    string
	Chosen   []string // of Choices
	Fault    string   // in the reader's words; empty: none
	Controls []Control
	Rows     [][]Control
}

// Has reports whether an option is chosen.
func (c Control) Has(option string) bool {
	return c.Value == option || slices.Contains(c.Chosen, option)
}

// Open reports whether an optional group shows its members at once.
func (c Control) Open() bool {
	if c.Required || c.Fault != "" {
		return true
	}
	return slices.ContainsFunc(c.Controls, Control.Used) || slices.ContainsFunc(c.Rows, func(row []Control) bool {
		return slices.ContainsFunc(row, Control.Used)
	})
}

// Used reports whether it holds something, or a fault.
func (c Control) Used() bool {
	return c.Value != "" || c.Fault != "" || len(c.Chosen) > 0 || (c.Kind == Group || c.Kind == Rows) && !c.Required && c.Open() ||
		slices.ContainsFunc(c.Controls, Control.Used)
}

// Find looks for the control at a path, however deep it stands.
func Find(controls []Control, path string) (Control, bool) {
	for _, c := range controls {
		if c.Path == path {
			return c, true
		}
		for _, within := range append([][]Control{c.Controls}, c.Rows...) {
			if found, is := Find(within, path); is {
				return found, true
			}
		}
	}
	return Control{}, false
}

// Fill shows fields with what was sent, and each fault at its control. more
// names a list that is to have one more row.
func Fill(fields []Field, sent url.Values, faults map[string]string, more string) []Control {
	return fill(fields, "", true, sent, faults, more)
}

func fill(fields []Field, prefix string, needed bool, sent url.Values, faults map[string]string, more string) []Control {
	controls := make([]Control, len(fields))
	for i, f := range fields {
		path := prefix + f.Name
		c := Control{Field: f, Path: path, Needed: needed && f.Required, Value: sent.Get(path), Fault: faults[path]}
		switch f.Kind {
		case Choices:
			c.Value, c.Chosen = "", sent[path]
		case Group:
			c.Controls = fill(f.Fields, path+".", c.Needed, sent, faults, more)
		case Rows:
			count := max(RowCount(sent, path), 1)
			if more == path {
				count = min(count+1, MaxRows)
			}
			for row := range count {
				c.Rows = append(c.Rows, fill(f.Fields, rowPath(path, row), false, sent, faults, more))
			}
		}
		controls[i] = c
	}
	return controls
}

// Paths lists the paths of all controls, so that a fault that none of them can
// show is told above the form.
func Paths(controls []Control) []string {
	var paths []string
	for _, c := range controls {
		paths = append(paths, c.Path)
		paths = append(paths, Paths(c.Controls)...)
		for _, row := range c.Rows {
			paths = append(paths, Paths(row)...)
		}
	}
	return paths
}
