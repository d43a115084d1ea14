package command

import (
	"fmt"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// runStrata are opaque labels; each synthetic site has one.
var runStrata = []string{"K1", "K2", "K3", "K4"}

// runDepartments take part in a joint draw.
var runDepartments = []metrology.DrawDepartment{
	{Code: "dept-market", Name: "市场监督管理"}, {Code: "dept-fire", Name: "消防救援"}, {Code: "dept-energy", Name: "能源主管"}, {Code: "dept-transport", Name: "交通运输"},
}

// planDocument is the plan of a demonstration: a twentieth of every stratum,
// two inspectors to a site of whom one leads.
func (r *drawRunning) planDocument() map[string]any {
	rates := map[string][]int{}
	for _, stratum := range runStrata {
		rates[stratum] = []int{1, 20}
	}
	plan := map[string]any{
		"authority": r.authority, "title": "示范抽查：集贸市场在用衡器与加油机（合成名录）", "scope": "synthetic register",
		"regulator": metrology.RegulatorMSP, "observations": 2, "margin": r.margin, "timeWindow": 900, "demonstration": true,
		"beacon": r.chain, "rates": rates, "assign": [][]string{{"lead"}, {}}, "ladder": []int{1, 2},
	}
	if r.departments > 0 {
		assign := [][]string{}
		for _, d := range runDepartments[:r.departments] {
			assign = append(assign, []string{d.Code, "lead"}, []string{d.Code})
		}
		plan["departments"], plan["assign"] = runDepartments[:r.departments], assign
	}
	if r.sealed {
		plan["seal"], plan["openWithin"] = r.seal, r.openWithin
	}
	return plan
}

// directories are the synthetic register in chunks.
func (r *drawRunning) directories() []metrology.FileDrawDirectory {
	var chunks []metrology.FileDrawDirectory
	for begin := 0; begin < r.sites && !r.byFile; begin += metrology.MaxDrawChunk {
		chunk := metrology.FileDrawDirectory{List: metrology.DrawPartObjects, Chunk: begin / metrology.MaxDrawChunk}
		for i := begin; i < min(begin+metrology.MaxDrawChunk, r.sites); i++ {
			o := siteOf(i)
			chunk.Objects = append(chunk.Objects, metrology.DrawObject{ID: o.ID, Stratum: o.Stratum, Weight: int64(o.Weight)})
		}
		chunks = append(chunks, chunk)
	}
	return append(chunks,
		metrology.FileDrawDirectory{List: metrology.DrawPartInspectors, DrawChunk: metrology.DrawChunk{Inspectors: r.people()}},
		metrology.FileDrawDirectory{List: metrology.DrawPartIneligible, DrawChunk: metrology.DrawChunk{Ineligible: r.barred()}},
		metrology.FileDrawDirectory{List: metrology.DrawPartExclusions, DrawChunk: metrology.DrawChunk{Exclusions: []metrology.DrawExclusion{
			{ID: siteID(r.sites), Reason: metrology.ExcludedVisitCap}, {ID: siteID(r.sites + 1), Reason: metrology.ExcludedClosed},
		}}},
	)
}

// chunks says what directories sent.
func (r *drawRunning) chunks() metrology.DrawChunks {
	objects := (r.sites + metrology.MaxDrawChunk - 1) / metrology.MaxDrawChunk
	if r.byFile {
		objects = 0
	}
	return metrology.DrawChunks{Objects: objects, Inspectors: 1, Ineligible: 1, Exclusions: 1}
}

func siteID(i int) string { return fmt.Sprintf("DEMO-S%05d", i+1) }

// siteOf is a site of the synthetic register.
func siteOf(i int) draw.Object {
	return draw.Object{ID: siteID(i), Stratum: runStrata[i%len(runStrata)], Weight: 1}
}

func inspectorID(i int) string { return fmt.Sprintf("DEMO-I%03d", i+1) }

// people are the inspectors; every second one may lead. Their caps leave twice
// the room that is needed, so that few pairs barred do no harm.
func (r *drawRunning) people() []metrology.DrawInspector {
	drawn := int64(r.sites/20 + len(runStrata))
	leads := int64((r.inspectors + 1) / 2)
	if r.departments > 0 {
		leads = int64(r.inspectors / (2 * r.departments)) // of the department that has fewest
	}
	var people []metrology.DrawInspector
	for i := range r.inspectors {
		skills := []string{}
		if i%2 == 0 {
			skills = []string{"lead"}
		}
		if r.departments > 0 { // pairs of one who may lead and one who need not, in turn
			skills = append(skills, runDepartments[i/2%r.departments].Code)
		}
		people = append(people, metrology.DrawInspector{ID: inspectorID(i), Cap: 2*drawn/leads + 2, Skills: skills})
	}
	return people
}

// barred keeps each tenth inspector from a few sites.
func (r *drawRunning) barred() [][]string {
	pairs := [][]string{}
	for i := 0; i < r.inspectors; i += 10 {
		for k := range 3 {
			pairs = append(pairs, []string{inspectorID(i), siteID((i*7 + k) % r.sites)})
		}
	}
	return pairs
}
