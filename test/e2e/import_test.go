package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
)

// TestDrawImport: the directories of a planned draw come from a bureau's files
// and the demonstration's register; bad rows keep everything off the ledger,
// and what was filed freezes and shows on the public page.
func TestDrawImport(t *testing.T) {
	g := embedded.startWith(t, t.TempDir())
	var beacon struct {
		Chain json.RawMessage
	}
	g.read("/v1/beacon", &beacon)
	const id = "310115-000001"
	plan := `{"authority":"310115","title":"进口名录","regulator":"RegulatorMSP","observations":2,"margin":60,"timeWindow":900,"demonstration":true,
		"beacon":` + string(beacon.Chain) + `,"rates":{"K1":[1,2],"K2":[1,1]},"assign":[["lead"],[]],"visits":{"from":"2026-12-01","to":"2026-12-31"}}`
	g.must("regulator", http.MethodPost, "/v1/draws", `{"id":"`+id+`","plan":`+plan+`}`)
	parsed, err := draw.ParsePlan([]byte(plan))
	require.NoError(t, err)
	g.must("notary", http.MethodPost, "/v1/draws/"+id+"/approval", `{"hash":"`+parsed.Hash.String()+`"}`)

	directory := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(directory, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	objects := "登记编号,分层,权重\n"
	for i := range 1200 {
		objects += fmt.Sprintf("BUREAU-%04d,%s,1\n", i, []string{"K1", "K2"}[i%40/39])
	}
	inspectors := "工号,任务上限,技能\n"
	for i := range 12 {
		inspectors += fmt.Sprintf("沪%03d,200,%s\n", i, []string{"lead", ""}[i%2])
	}
	encoded, err := simplifiedchinese.GB18030.NewEncoder().String(objects)
	require.NoError(t, err)
	arguments := []string{"draw", "import", id, "--server", g.url, "--token-file", filepath.Join(g.data, "tokens.json"), "--unregistered",
		"--region", "310115", "--strata", `{"K1":"K1","K2":"K2","station":"K2","market":"K2","stall":"K2","shop":"K2","restaurant":"K2","optician":"K2","clinic":"K2","charging":"K2","vehicle":"K2","other":"K2"}`,
		"--inspectors", file("people.csv", inspectors), "--leave", file("leave.csv", "工号,开始日期,结束日期\n沪003,2026-11-01,2027-01-31\n")}
	bad := refused(t, append(arguments, "--objects", file("bad.csv", objects+"bureau-x,K1,1\nBUREAU-0001,K1,1\n"))...)
	require.Contains(t, bad, `line 1202, column "登记编号": INVALID id id "bureau-x" has other characters`)
	require.Contains(t, bad, `CONFLICT id "BUREAU-0001" stands in line 3 too`)
	require.Contains(t, bad, "nothing was filed")

	out, err := exec.Command(program, append(arguments, "--objects", file("good.csv", encoded))...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "draw-objects     read 1200 = taken 1200 + excluded 0 + rejected 0")
	require.Contains(t, string(out), "draw-inspectors  read 12 = taken 11 + excluded 1 + rejected 0  (on-leave 1)")
	_, chunks, found := strings.Cut(string(out), "freeze with chunks ")
	require.True(t, found, "%s", out)

	round := time.Now().Unix() + 3600
	var pin struct{ GenesisTime, Period int64 }
	require.NoError(t, json.Unmarshal(beacon.Chain, &pin))
	g.must("regulator", http.MethodPost, "/v1/draws/"+id+"/freeze", fmt.Sprintf(`{"round":%d,"chunks":%s}`, (round-pin.GenesisTime)/pin.Period, chunks))
	listed := g.request("", http.MethodGet, "/v1/draws/"+id+"/directories/inspectors", "")
	require.NotContains(t, string(listed.body), "沪", "staff numbers stay with the regulator")
	page := g.request("", http.MethodGet, "/draws/"+id+"/directories", "", "Accept", "text/html", "Accept-Language", "en")
	require.Equal(t, http.StatusOK, page.status)
	require.Contains(t, string(page.body), "K1")
}
