package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// tourBlock is one ```sh block of a tour, with the ```text block after it.
type tourBlock struct {
	line     int // of its first line in the document
	script   string
	want     string // … stands for anything within a line; alone on a line, for any lines
	compared bool   // whether a ```text block follows
}

// The README's tour, block by block in one shell as a reader types it, gives
// the answers that stand there. STEELYARD, TOKENS and DATA say where the
// gateway and its files are.
func TestTour(t *testing.T) {
	onEachNetwork(t, func(t *testing.T, n *network) {
		g := n.start(t, t.TempDir())
		for _, file := range []string{"testdata/tour.md", "../../README.md"} {
			t.Run(filepath.Base(file), func(t *testing.T) { g.requireTour(t, file) })
		}
	})
}

func (g *gateway) requireTour(t *testing.T, file string) {
	t.Helper()
	source, err := os.ReadFile(file)
	require.NoError(t, err)
	blocks := tourBlocks(string(source))
	require.NotEmpty(t, blocks, "no blocks below ## Tour")
	for i, got := range g.tour(t, blocks) {
		block := blocks[i]
		switch {
		case block.compared && !tourPattern(block.want).MatchString(got.output):
			t.Errorf("%s:%d\n%s\n--- want\n%s--- got\n%s", file, block.line, block.script, block.want, got.output)
		case !block.compared && got.code != "0":
			t.Errorf("%s:%d\n%s\nended with %s\n%s", file, block.line, block.script, got.code, got.output)
		}
	}
}

func TestTourPattern(t *testing.T) {
	for _, test := range []struct {
		want, got string
		match     bool
	}{
		{"a\n", "a\n", true},
		{"a\n", "a", true},
		{"a  \nb\n", "a\nb  \n\n", true},
		{"a\n", "b\n", false},
		{"a\n", "a\nb\n", false},
		{"a.c\n", "abc\n", false},
		{"x…z\n", "xyyz\n", true},
		{"x…z\n", "x\nz\n", false},
		{"a\n…\nd\n", "a\nb\nc\nd\n", true},
		{"a\n…\nd\n", "a\nd\n", true},
		{"a\n…\n", "a\nb\n", true},
		{"  …\nd\n", "b\nd\n", true},
		{"  a\n", "  a\n", true},
	} {
		require.Equal(t, test.match, tourPattern(test.want).MatchString(test.got), "%q for %q", test.got, test.want)
	}
}

// tourBlocks reads the blocks between the heading "## Tour" and the next one.
func tourBlocks(source string) []tourBlock {
	var blocks []tourBlock
	inside, fence := false, ""
	for i, line := range strings.Split(source, "\n") {
		switch {
		case fence == "" && strings.HasPrefix(line, "## "):
			inside = strings.TrimSpace(line) == "## Tour"
		case !inside:
		case fence != "" && strings.HasPrefix(line, "```"):
			fence = ""
		case fence == "sh":
			blocks[len(blocks)-1].script += line + "\n"
		case fence == "text" && len(blocks) > 0:
			blocks[len(blocks)-1].want += line + "\n"
		case strings.HasPrefix(line, "```"):
			fence = strings.TrimPrefix(line, "```")
			if fence == "sh" {
				blocks = append(blocks, tourBlock{line: i + 2})
			} else if fence == "text" && len(blocks) > 0 {
				blocks[len(blocks)-1].compared = true
			}
		}
	}
	return blocks
}

// tourPattern matches what a block may print. Blanks at the end of lines and
// of the whole do not count.
func tourPattern(want string) *regexp.Regexp {
	var pattern strings.Builder
	pattern.WriteString(`^`)
	for _, line := range strings.Split(strings.TrimRight(want, " \t\n"), "\n") {
		if strings.TrimSpace(line) == "…" {
			pattern.WriteString(`(?:.*\n)*?`)
			continue
		}
		parts := strings.Split(strings.TrimRight(line, " \t"), "…")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		pattern.WriteString(strings.Join(parts, ".*") + `[ \t]*(?:\n|$)`)
	}
	pattern.WriteString(`\s*$`)
	return regexp.MustCompile(pattern.String())
}

// tourAnswer is what one block printed, and the exit code of its last command.
type tourAnswer struct{ output, code string }

// tour runs the blocks in one shell, in the root of the repository.
func (g *gateway) tour(t *testing.T, blocks []tourBlock) []tourAnswer {
	t.Helper()
	directory := t.TempDir()
	var script strings.Builder
	for i, block := range blocks {
		name := filepath.Join(directory, fmt.Sprint(i))
		require.NoError(t, os.WriteFile(name, []byte(block.script), 0o600))
		fmt.Fprintf(&script, ". '%[1]s' >'%[1]s.out' 2>&1 </dev/null\necho $? >'%[1]s.code'\n", name)
	}
	shell := exec.CommandContext(t.Context(), "bash", "-c", script.String())
	shell.Dir = "../.."
	shell.Env = append(os.Environ(), "STEELYARD="+g.url, "STEELYARD_SERVER="+g.url,
		"DATA="+g.data, "TOKENS="+filepath.Join(g.data, "tokens.json"), "BIN="+filepath.Join(directory, "steelyard"),
		"PATH="+filepath.Dir(program)+string(os.PathListSeparator)+os.Getenv("PATH"))
	out, err := shell.CombinedOutput()
	require.NoError(t, err, "%s", out)
	answers := make([]tourAnswer, len(blocks))
	for i := range blocks {
		output, err := os.ReadFile(filepath.Join(directory, fmt.Sprintf("%d.out", i)))
		require.NoError(t, err)
		code, err := os.ReadFile(filepath.Join(directory, fmt.Sprintf("%d.code", i)))
		require.NoError(t, err, "the shell ended within block %d\n%s", i, output)
		answers[i] = tourAnswer{string(output), strings.TrimSpace(string(code))}
	}
	return answers
}
