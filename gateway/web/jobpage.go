package web

import (
	"fmt"
	"net/url"
	"slices"

	"github.com/steelyard-ledger/steelyard/gateway/web/form"
)

// jobPage is the body of a form.
type jobPage struct {
	Job      job
	Token    string
	Key      string
	Controls []form.Control // path parameters, then members
	Fault    string         // that no control can show, in the visitor's words
	Problem  *problemDocument
	Stale    bool  // the form was not made for this session: check and send again
	Earlier  *sent // the form's key was used already
	Filled   url.Values
	Faults   map[string]string // by control
	Aid      any               // of the form's own template
}

// Value is what a control holds.
func (p jobPage) Value(path string) string { return p.Filled.Get(path) }

// Has reports whether an option of a control is chosen.
func (p jobPage) Has(path, option string) bool { return slices.Contains(p.Filled[path], option) }

// Asides are the controls that are filled in as is usual.
func (p jobPage) Asides() []form.Control {
	return slices.DeleteFunc(slices.Clone(p.Controls), func(c form.Control) bool { return !c.Aside })
}

// AsidesOpen reports whether one of them is wrong, or lacks what it needs.
func (p jobPage) AsidesOpen() bool {
	return slices.ContainsFunc(form.Paths(p.Asides()), func(path string) bool { return p.Faults[path] != "" }) ||
		slices.ContainsFunc(p.Asides(), func(c form.Control) bool { return c.Needed && c.Kind != form.Rows && c.Value == "" }) ||
		slices.ContainsFunc(p.Asides(), func(c form.Control) bool { return p.Filled.Get(formMore) == c.Path })
}

// Control is the one at a path; of a list, that of a row there is.
func (p jobPage) Control(path string) (form.Control, error) {
	if c, found := form.Find(p.Controls, path); found {
		return c, nil
	}
	return form.Control{}, fmt.Errorf("there is no control %q", path)
}

// Used reports whether a control holds something, or a fault.
func (p jobPage) Used(paths ...string) bool {
	return slices.ContainsFunc(paths, func(path string) bool {
		c, found := form.Find(p.Controls, path)
		return found && c.Used()
	})
}
