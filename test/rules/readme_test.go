package rules

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// The two READMEs keep in step: the same blocks in the same order, and as many
// headings.
func TestReadmesKeepInStep(t *testing.T) {
	parts := func(name, pattern string) []string {
		raw, err := os.ReadFile("../../" + name)
		require.NoError(t, err)
		return regexp.MustCompile(pattern).FindAllString(string(raw), -1)
	}
	const blocks, headings, rows = "(?ms)^```.*?^```$", `(?m)^#+ `, "(?m)^\\| `[^|]*\\|"
	require.Equal(t, parts("README.md", blocks), parts("README.zh-CN.md", blocks))
	require.Len(t, parts("README.zh-CN.md", headings), len(parts("README.md", headings)))
	require.Equal(t, parts("README.md", rows), parts("README.zh-CN.md", rows))
}
