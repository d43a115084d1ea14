package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
)

// ticketDocument is the part of GET /v1/draws/{id}/tickets/{siteId} that can be
// checked; other members are the gateway's word.
type ticketDocument struct {
	Draw    string            `json:"draw"`
	Site    string            `json:"site"`
	Answer  string            `json:"answer"`
	Frozen  *frozenDocument   `json:"frozen"`
	Proof   *draw.ObjectProof `json:"proof"`
	Absence *draw.Absence     `json:"absence"`
	Seed    *draw.Digest      `json:"seed"`
	Ticket  *draw.Digest      `json:"ticket"`
	// The largest key that was selected.
	Threshold       *draw.Digest `json:"threshold"`
	ThresholdWeight uint32       `json:"thresholdWeight"`
}

type frozenDocument struct {
	PlanHash draw.Digest `json:"planHash"`
	draw.Directories
	Freeze draw.Digest `json:"freeze"`
}

// runTicket checks an answer to “was I drawn?” and prints a line for each step.
func runTicket(name string, stdin io.Reader, stdout io.Writer) error {
	data, err := readDocument(name, stdin)
	if err != nil {
		return &drawError{exitUnreadable, err}
	}
	var t ticketDocument
	if err := json.Unmarshal(data, &t); err != nil {
		return &drawError{exitRefused, fmt.Errorf("read ticket: %w", err)}
	}
	steps := t.check()
	for _, s := range steps {
		fmt.Fprintf(stdout, "%-9s  %-16s  %s\n", s.Status, s.Name, s.Detail)
	}
	if draw.Failed(steps) {
		return &drawError{exitRefused, errors.New("the answer does not verify")}
	}
	return nil
}

func (t ticketDocument) check() []draw.Step {
	return []draw.Step{t.checkFreeze(), t.checkPlace(), t.checkTicket(), t.checkAnswer()}
}

// judged makes a step of an error, or of what there is to say.
func judged(name string, err error, format string, args ...any) draw.Step {
	if err != nil {
		return draw.Step{Name: name, Status: draw.Fail, Detail: err.Error()}
	}
	return draw.Step{Name: name, Status: draw.Pass, Detail: fmt.Sprintf(format, args...)}
}

func (t ticketDocument) checkFreeze() draw.Step {
	const step = "freeze"
	if t.Frozen == nil {
		return draw.Step{Name: step, Status: draw.NotShown, Detail: "the directories are not frozen yet"}
	}
	var err error
	if got := draw.Freeze(t.Draw, t.Frozen.PlanHash, t.Frozen.Directories); got != t.Frozen.Freeze {
		err = fmt.Errorf("the freeze F is %s, not the one shown", got)
	}
	return judged(step, err, "F %s; compare it with the ledger or another gateway", t.Frozen.Freeze)
}

// checkPlace checks that the place stands in the directory, or that it does not.
func (t ticketDocument) checkPlace() draw.Step {
	const step = "directory"
	switch {
	case t.Frozen == nil || t.Proof == nil && t.Absence == nil:
		return draw.Step{Name: step, Status: draw.NotShown, Detail: "no proof is carried"}
	case t.Proof != nil && t.Absence != nil:
		return judged(step, errors.New("both a proof and an absence are carried"), "")
	case t.Absence != nil:
		err := t.Absence.Verify(t.Frozen.ObjectsRoot, t.Frozen.Objects)
		if err == nil && t.Absence.ID != t.Site {
			err = fmt.Errorf("the absence shown is that of %q", t.Absence.ID)
		}
		return judged(step, err, "%s does not stand in it: %s", t.Site, neighbours(*t.Absence))
	}
	err := t.Proof.Verify(t.Frozen.ObjectsRoot, t.Frozen.Objects)
	if err == nil && t.Proof.Object.ID != t.Site {
		err = fmt.Errorf("the proof shown is that of %q", t.Proof.Object.ID)
	}
	o := t.Proof.Object
	return judged(step, err, "%s is leaf %d of %d, stratum %q, weight %d", t.Site, t.Proof.Proof.Index, t.Frozen.Objects, o.Stratum, o.Weight)
}

// neighbours names the leaves between which an id would stand.
func neighbours(a draw.Absence) string {
	switch {
	case a.Before == nil && a.After == nil:
		return "the directory is empty"
	case a.Before == nil:
		return fmt.Sprintf("%s is the first", a.After.Object.ID)
	case a.After == nil:
		return fmt.Sprintf("%s is the last", a.Before.Object.ID)
	}
	return fmt.Sprintf("%s and %s are neighbours", a.Before.Object.ID, a.After.Object.ID)
}

func (t ticketDocument) checkTicket() draw.Step {
	const step = "ticket"
	if t.Seed == nil || t.Ticket == nil {
		return draw.Step{Name: step, Status: draw.NotShown, Detail: "no seed or no ticket is carried"}
	}
	var err error
	if got := draw.Ticket(*t.Seed, t.Site); got != *t.Ticket {
		err = fmt.Errorf("the ticket under this seed is %s", got)
	}
	return judged(step, err, "%s; compare seed %s with the ledger or another gateway", t.Ticket, t.Seed)
}

// checkAnswer holds the answer against ticket and threshold.
func (t ticketDocument) checkAnswer() draw.Step {
	const step = "answer"
	if t.Seed == nil || t.Threshold == nil || t.Proof == nil || t.Answer != "selected" && t.Answer != "not-selected" {
		return draw.Step{Name: step, Status: draw.NotShown, Detail: fmt.Sprintf("%q does not follow from a ticket and a threshold", t.Answer)}
	}
	p := draw.Published{Threshold: &draw.Key{Ticket: *t.Threshold, Weight: 1}}
	if t.ThresholdWeight != 0 {
		p.Weighted, p.Threshold.Weight = true, t.ThresholdWeight
	}
	within := p.Key(*t.Seed, t.Proof.Object).Compare(*p.Threshold) <= 0
	var err error
	if within != (t.Answer == "selected") {
		err = fmt.Errorf("it says %s, the ticket does not", t.Answer)
	}
	relation := "beyond"
	if within {
		relation = "within"
	}
	return judged(step, err, "%s: the ticket is %s the threshold", t.Answer, relation)
}
