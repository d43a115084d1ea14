package contract

import (
	"errors"
	"fmt"
	"math"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/worldstate"
)

// drawLists are the directories of a draw as they stand in its chunks.
type drawLists struct {
	objects    draw.Objects
	inspectors draw.Inspectors
	ineligible draw.Ineligible
}

func fileDrawDirectory(t *transaction, cmd metrology.FileDrawDirectory) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventDrawDirectoryFiled, cmd.ID)
	if err := t.Caller.Require(metrology.RoleRegulator); err != nil {
		return event, err
	}
	d, err := t.draw(cmd.ID)
	if err != nil {
		return event, err
	}
	if _, err := d.Apply(metrology.DrawFileDirectory); err != nil {
		return event, err
	}
	if err := cmd.Check(); err != nil {
		return event, err
	}
	if _, err := listsOf([]*metrology.DrawChunk{&cmd.DrawChunk}); err != nil {
		return event, err
	}
	if err := d.Terms.CheckInspectors(cmd.Inspectors); err != nil {
		return event, err
	}
	return event, t.Put(metrology.DrawChunkKey(d.ID, cmd.List, cmd.Chunk), cmd.DrawChunk)
}

func freezeDraw(t *transaction, cmd metrology.FreezeDraw) (metrology.Event, error) {
	event := metrology.NewEvent(metrology.EventDrawFrozen, cmd.ID)
	if err := t.Caller.Require(metrology.RoleRegulator); err != nil {
		return event, err
	}
	d, err := t.draw(cmd.ID)
	if err != nil {
		return event, err
	}
	if _, err := d.Apply(metrology.DrawSetFreeze); err != nil { // before the directories are read
		return event, err
	}
	record, err := t.freezeOf(d, cmd)
	if err != nil {
		return event, err
	}
	due, err := roundTime(d.Terms.Beacon, cmd.Round)
	if err != nil {
		return event, err
	}
	if d, err = d.SetFreeze(record.Freeze, cmd.Round, due, t.Caller, record.Time); err != nil {
		return event, err
	}
	d.ByFile = cmd.File != nil
	if err := t.Put(metrology.DrawKey(d.ID, metrology.DrawPartFreeze), record); err != nil {
		return event, err
	}
	return event, t.decide(d)
}

// roundTime is when a round is due; a number beyond all calendars is refused.
func roundTime(pin metrology.DrawChain, round int64) (int64, error) {
	if round < 1 || round > math.MaxInt32*64/pin.Period {
		return 0, metrology.FieldErrorf(metrology.CodeInvalid, "round", "is not a round of this beacon")
	}
	chain, err := draw.Pinned(pin)
	return chain.Time(uint64(round)), err
}

// freezeOf checks the directories against the plan and sums them up. A file of
// objects it takes at its word: those who approve the freeze hold it against
// the file.
func (t *transaction) freezeOf(d metrology.Draw, cmd metrology.FreezeDraw) (metrology.DrawFreeze, error) {
	none := metrology.DrawFreeze{}
	if err := cmd.Check(); err != nil {
		return none, err
	}
	plan, err := t.drawPlan(d.ID)
	if err != nil {
		return none, err
	}
	lists, err := t.drawLists(d.ID, cmd.Chunks)
	if err != nil {
		return none, err
	}
	survey := draw.NewSurvey()
	if err := survey.AddAll(lists.objects); err != nil {
		return none, drawError(err)
	}
	dirs, sums := draw.DirectoriesOf(survey, lists.inspectors, lists.ineligible), survey.Sums()
	record := metrology.DrawFreeze{PlanHash: plan.Hash.String(), Round: cmd.Round, Chunks: cmd.Chunks, Time: t.Now.Unix()}
	if cmd.File != nil {
		if dirs.ObjectsRoot, err = draw.ParseDigest(cmd.File.Root); err != nil {
			return none, drawError(err)
		}
		dirs.Objects, sums, record.Strata = uint64(cmd.File.Objects), sumsOf(cmd.File.Strata), cmd.File.Strata
	}
	drawn, err := plan.Drawn(sums)
	if err != nil {
		return none, drawError(err)
	}
	if err := checkFiled(cmd, plan, drawn); err != nil {
		return none, err
	}
	if err := draw.CheckFeasible(plan, drawn, lists.objects, lists.inspectors, lists.ineligible); err != nil {
		return none, drawError(err)
	}
	record.ObjectsRoot, record.Objects = dirs.ObjectsRoot.String(), int64(dirs.Objects)
	record.InspectorsRoot, record.Inspectors = dirs.InspectorsRoot.String(), int64(dirs.Inspectors)
	record.IneligibleRoot, record.Ineligible = dirs.IneligibleRoot.String(), int64(dirs.Ineligible)
	record.Freeze = draw.Freeze(d.ID, plan.Hash, dirs).String()
	return record, nil
}

// checkFiled refuses a draw that the contract could neither recompute nor take
// by its roots.
func checkFiled(cmd metrology.FreezeDraw, plan draw.Plan, drawn uint64) error {
	switch {
	case cmd.File == nil && drawn > metrology.MaxDrawRecomputed:
		return metrology.FieldErrorf(metrology.CodeInvalid, "chunks.objects", "%d objects would be drawn; above %d their directory stands in a file", drawn, metrology.MaxDrawRecomputed)
	case cmd.File != nil && plan.Seal != nil:
		return metrology.FieldErrorf(metrology.CodeInvalid, "file", "the directory of a sealed draw stands in chunks")
	}
	return nil
}

func (t *transaction) drawPlan(id string) (draw.Plan, error) {
	raw, err := worldstate.Require[rawJSON](t.Space, metrology.DrawKey(id, metrology.DrawPartPlan), "plan of draw", id)
	if err != nil {
		return draw.Plan{}, err
	}
	return draw.ParsePlan(raw)
}

// drawLists loads every chunk of the directories.
func (t *transaction) drawLists(id string, chunks metrology.DrawChunks) (drawLists, error) {
	if err := chunks.Check(); err != nil {
		return drawLists{}, err
	}
	var keys []string
	for _, list := range []struct {
		name  string
		count int
	}{
		{metrology.DrawPartObjects, chunks.Objects}, {metrology.DrawPartInspectors, chunks.Inspectors},
		{metrology.DrawPartIneligible, chunks.Ineligible}, {metrology.DrawPartExclusions, chunks.Exclusions},
	} {
		for chunk := range list.count {
			keys = append(keys, metrology.DrawChunkKey(id, list.name, chunk))
		}
	}
	filed, err := worldstate.GetAll[metrology.DrawChunk](t.Space, keys)
	if err != nil {
		return drawLists{}, err
	}
	for i, chunk := range filed {
		if chunk == nil {
			return drawLists{}, metrology.FieldErrorf(metrology.CodeInvalid, "chunks", "nothing was filed at %s", keys[i])
		}
	}
	return listsOf(filed)
}

// listsOf joins chunks into checked lists: no entry twice, no object that is
// excluded as well.
func listsOf(chunks []*metrology.DrawChunk) (drawLists, error) {
	var whole metrology.DrawChunk
	for _, chunk := range chunks {
		whole.Objects = append(whole.Objects, chunk.Objects...)
		whole.Inspectors = append(whole.Inspectors, chunk.Inspectors...)
		whole.Ineligible = append(whole.Ineligible, chunk.Ineligible...)
		whole.Exclusions = append(whole.Exclusions, chunk.Exclusions...)
	}
	if err := checkSizes(whole); err != nil {
		return drawLists{}, err
	}
	if err := checkExclusions(whole); err != nil {
		return drawLists{}, err
	}
	objects, objectErr := objectsOf(whole.Objects)
	inspectors, inspectorErr := inspectorsOf(whole.Inspectors)
	ineligible, pairErr := ineligibleOf(whole.Ineligible)
	return drawLists{objects, inspectors, ineligible}, errors.Join(objectErr, inspectorErr, pairErr)
}

func checkSizes(whole metrology.DrawChunk) error {
	for _, list := range []struct {
		name      string
		size, max int
	}{
		{metrology.DrawPartObjects, len(whole.Objects), metrology.MaxDrawObjects},
		{metrology.DrawPartInspectors, len(whole.Inspectors), metrology.MaxDrawInspectors},
		{metrology.DrawPartIneligible, len(whole.Ineligible), metrology.MaxDrawIneligible},
		{metrology.DrawPartExclusions, len(whole.Exclusions), metrology.MaxDrawExclusions},
	} {
		if list.size > list.max {
			return metrology.FieldErrorf(metrology.CodeInvalid, list.name, "has %d entries; on the ledger there are at most %d", list.size, list.max)
		}
	}
	return nil
}

func checkExclusions(whole metrology.DrawChunk) error {
	excluded := make(map[string]bool, len(whole.Exclusions))
	for _, e := range whole.Exclusions {
		if excluded[e.ID] {
			return metrology.FieldErrorf(metrology.CodeInvalid, metrology.DrawPartExclusions, "%q is excluded twice", e.ID)
		}
		excluded[e.ID] = true
	}
	for _, o := range whole.Objects {
		if excluded[o.ID] {
			return metrology.FieldErrorf(metrology.CodeInvalid, metrology.DrawPartObjects, "%q is excluded as well", o.ID)
		}
	}
	return nil
}

func objectsOf(filed []metrology.DrawObject) (draw.Objects, error) {
	list := make([]draw.Object, len(filed))
	for i, o := range filed {
		if o.Weight < 0 || o.Weight > math.MaxUint32 {
			return nil, metrology.FieldErrorf(metrology.CodeInvalid, fmt.Sprintf("objects[%d].weight", i), "is out of range")
		}
		list[i] = draw.Object{ID: o.ID, Stratum: o.Stratum, Weight: uint32(o.Weight)}
	}
	objects, err := draw.NewObjects(list)
	return objects, drawError(err)
}

func inspectorsOf(filed []metrology.DrawInspector) (draw.Inspectors, error) {
	list := make([]draw.Inspector, len(filed))
	for i, in := range filed {
		if in.Cap < 0 || in.Cap > math.MaxUint32 {
			return nil, metrology.FieldErrorf(metrology.CodeInvalid, fmt.Sprintf("inspectors[%d].cap", i), "is out of range")
		}
		if in.Holder != "" {
			if _, err := draw.ParseDigest(in.Holder); err != nil {
				return nil, metrology.FieldErrorf(metrology.CodeInvalid, fmt.Sprintf("inspectors[%d].holder", i), "is not 32 bytes in lower-case hex")
			}
		}
		list[i] = draw.Inspector{ID: in.ID, Cap: uint32(in.Cap), Skills: in.Skills}
	}
	inspectors, err := draw.NewInspectors(list)
	return inspectors, drawError(err)
}

func ineligibleOf(filed [][]string) (draw.Ineligible, error) {
	list := make([]draw.Pair, len(filed))
	for i, pair := range filed {
		if len(pair) != 2 {
			return nil, metrology.FieldErrorf(metrology.CodeInvalid, fmt.Sprintf("ineligible[%d]", i), "is not [inspector, object]")
		}
		list[i] = draw.Pair{Inspector: pair[0], Object: pair[1]}
	}
	ineligible, err := draw.NewIneligible(list)
	return ineligible, drawError(err)
}
