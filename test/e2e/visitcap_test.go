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

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// TestVisitCap: a region's cap comes into force on the ledger; a site that was
// visited shows it, and the directory of the next draw leaves it out.
func TestVisitCap(t *testing.T) {
	g := embedded.startWith(t, t.TempDir())
	var results public.Page[public.Inspection]
	g.read("/v1/inspections?region=310115", &results)
	year := metrology.DateOf(time.Now()).Year()
	require.NotEmpty(t, results.Items)
	visited := results.Items[0].Site
	var site public.Site
	g.read("/v1/sites/"+visited, &site)
	require.Nil(t, site.Visits, "no cap is in force")

	g.must("regulator", http.MethodPost, "/v1/rulesets", fmt.Sprintf(`{"id":"visits-310115","version":1,"kind":"visits","region":"310115","title":"年度检查频次上限",
		"mark":"firm","source":{"title":"test"},"effectiveFrom":"%d-01-01","body":{"visits":{"perYear":1}}}`, year))
	g.must("notary", http.MethodPost, "/v1/rulesets/visits-310115/1/approval", `{}`)
	g.read("/v1/sites/"+visited, &site)
	require.NotNil(t, site.Visits)
	if results.Items[0].Visited.Year() != year { // in the first days of January the demonstration's visits were last year's
		require.False(t, site.Visits.Full(), "%+v", site.Visits)
		return
	}
	require.True(t, site.Visits.Full(), "%+v", site.Visits)

	var beacon struct{ Chain json.RawMessage }
	g.read("/v1/beacon", &beacon)
	const id = "310115-000001"
	g.must("regulator", http.MethodPost, "/v1/draws", `{"id":"`+id+`","plan":{"authority":"310115","title":"频次上限","regulator":"RegulatorMSP","observations":2,
		"margin":60,"timeWindow":900,"demonstration":true,"beacon":`+string(beacon.Chain)+`,"rates":{"K1":[1,1]},"assign":[["lead"],[]]}}`)
	people, places := filepath.Join(t.TempDir(), "people.csv"), filepath.Join(t.TempDir(), "places.csv")
	require.NoError(t, os.WriteFile(people, []byte("工号,任务上限,技能\n001,900,lead\n002,900,lead\n"), 0o600))
	require.NoError(t, os.WriteFile(places, []byte("登记编号,分层,权重\n"+visited+",K1,1\n"), 0o600))
	arguments := []string{"draw", "import", id, "--dry-run", "--server", g.url, "--token-file", filepath.Join(g.data, "tokens.json"), "--inspectors", people}
	strata := `{"K1":"K1"`
	for _, kind := range metrology.SiteKinds {
		strata += `,"` + string(kind) + `":"K1"`
	}
	out, err := exec.Command(program, append(arguments, "--region", "310115", "--strata", strata+"}")...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	account, _, _ := strings.Cut(string(out), "\ndraw-inspectors")
	require.Regexp(t, `register +read .*\(.*visit-cap [1-9]`, account)
	out, _ = exec.Command(program, append(arguments, "--objects", places)...).CombinedOutput()
	require.Contains(t, string(out), `line 2, column "登记编号": STATE id site "`+visited+`" has `)
}
