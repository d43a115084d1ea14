package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestScenarios holds the table of scenarios against fabric-gateway's features
// as the module in use publishes them, and the tests it names against the
// tests there are.
func TestScenarios(t *testing.T) {
	table, err := os.ReadFile("../../network/embedded/SCENARIOS.md")
	require.NoError(t, err)
	published, listed := features(t), []string{}
	known := testNames(t)
	named := 0
	for line := range strings.Lines(string(table)) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if !strings.HasPrefix(line, "| ") || len(cells) < 2 || strings.Contains(line, "| here |") {
			continue
		}
		if len(cells) == 3 {
			listed = append(listed, strings.TrimPrefix(cells[0], "| ")+": "+cells[1])
		}
		here := strings.TrimSuffix(cells[len(cells)-1], " |")
		if strings.HasPrefix(here, "not: ") {
			continue
		}
		tests := regexp.MustCompile("`([A-Za-z0-9/]+)`").FindAllStringSubmatch(here, -1)
		require.NotEmpty(t, tests, "%s: neither a test nor a reason", line)
		for _, test := range tests {
			for part := range strings.SplitSeq(test[1], "/") {
				require.True(t, known[part], "%s: there is no test %s", line, test[1])
			}
			named++
		}
	}
	slices.Sort(listed)
	require.Equal(t, published, listed)
	t.Logf("%d scenarios, %d tests named", len(listed), named)
}

// features lists "feature: scenario" of the module's published scenarios.
func features(t *testing.T) (all []string) {
	directory, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/hyperledger/fabric-gateway").Output()
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(directory)), "scenario", "features", "*.feature"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	scenario := regexp.MustCompile(`(?m)^\s*Scenario(?: Outline)?: (.+?)\s*$`)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, match := range scenario.FindAllStringSubmatch(string(content), -1) {
			all = append(all, strings.TrimSuffix(filepath.Base(file), ".feature")+": "+match[1])
		}
	}
	slices.Sort(all)
	return all
}

// testNames are the words in quotes and the functions of the test files: a name
// in the table has each of its parts among them.
func testNames(t *testing.T) map[string]bool {
	names := map[string]bool{}
	quoted := regexp.MustCompile(`"([A-Za-z0-9]+)(?:/[A-Za-z_0-9]*)?"|^func (Test[A-Za-z]+)`)
	for _, pattern := range []string{"*_test.go", "../../network/embedded/*_test.go"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			for line := range strings.Lines(string(content)) {
				for _, match := range quoted.FindAllStringSubmatch(line, -1) {
					names[match[1]+match[2]] = true
				}
			}
		}
	}
	return names
}
