package command

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/draw/parallel"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// objects are the synthetic register in id order.
func (r *drawRunning) objects() draw.Objects {
	list := make(draw.Objects, r.sites)
	for i := range list {
		list[i] = siteOf(i)
	}
	slices.SortFunc(list, func(a, b draw.Object) int { return bytes.Compare([]byte(a.ID), []byte(b.ID)) })
	return list
}

// writeObjects writes the register as a directory file.
func (r *drawRunning) writeObjects(out io.Writer) error {
	buffered := bufio.NewWriter(out)
	buffered.WriteString(draw.CSVHeader) // errors stay until Flush
	var row []byte
	for _, o := range r.objects() {
		row = draw.AppendRow(row[:0], o)
		buffered.Write(row)
	}
	return buffered.Flush()
}

// putObjects puts the directory file and keeps what the freeze has to state.
func (r *drawRunning) putObjects(ctx context.Context) error {
	in, out := io.Pipe()
	go func() { out.CloseWithError(r.writeObjects(out)) }()
	answer, err := r.put(ctx, postRegulator, r.path("/directories/objects"), in)
	if err != nil {
		return err
	}
	r.file = &metrology.DrawObjectsFile{}
	if err := json.Unmarshal(answer, r.file); err != nil {
		return err
	}
	r.say("objects put in a file: root %s", r.file.Root)
	return nil
}

// saveObjects writes the directory file beside the transcript.
func (r *drawRunning) saveObjects(transcript string) error {
	file, err := os.Create(filepath.Join(filepath.Dir(transcript), r.file.Root+".csv"))
	if err != nil {
		return fmt.Errorf("write directory file: %w", err)
	}
	return errors.Join(r.writeObjects(file), file.Close())
}

// postMistake posts, as the regulator, a list that has one name swapped for a
// standby.
func (r *drawRunning) postMistake(ctx context.Context) error {
	raw, err := r.raw(ctx, r.path("/transcript"))
	if err != nil {
		return err
	}
	transcript, err := draw.ParseTranscript(raw)
	if err != nil {
		return err
	}
	own, _, err := transcript.Outcome(parallel.New(r.objects(), 1))
	if err != nil {
		return err
	}
	posting, list := own.Posting, slices.Clone(own.Drawn)
	swapped := posting.Strata[0]
	at := slices.IndexFunc(list, func(d draw.Drawn) bool { return d.Stratum == swapped.Stratum })
	if at < 0 || len(swapped.Standby) == 0 {
		return fmt.Errorf("stratum %q has nothing to swap", swapped.Stratum)
	}
	out := list[at].ID
	list[at].Object = swapped.Standby[0]
	slices.SortFunc(list, func(a, b draw.Drawn) int { return bytes.Compare([]byte(a.ID), []byte(b.ID)) })
	posting.Strata = slices.Clone(posting.Strata)
	_, selected := list.In(swapped.Stratum)
	posting.Strata[0].SelectedRoot, posting.AssignmentsRoot = draw.ListRoot(selected), list.AssignmentsRoot()
	encoded, err := json.Marshal(posting)
	if err != nil {
		return err
	}
	if err := r.post(ctx, postRegulator, r.path("/posting"), metrology.PostDraw{ID: r.id, Posting: encoded}); err != nil {
		return err
	}
	r.wrong = true
	r.say("the regulator posts a list with %s in the place of %s", swapped.Standby[0].ID, out)
	var file bytes.Buffer
	if err := list.WriteCSV(&file); err != nil {
		return err
	}
	_, err = r.put(ctx, postRegulator, r.path("/posting/lists"), &file)
	return err
}
