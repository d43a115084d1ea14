package differential

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
)

// answer is what either program says to an input.
type answer struct {
	Output  any    `json:"output"`
	Kind    string `json:"error"`
	Entry   string `json:"entry"`
	Message string `json:"message"`
	Details struct {
		Deficient []slot `json:"deficient"`
	} `json:"details"`
}

// slot is the slot'th place on an object.
type slot struct {
	Object string `json:"object"`
	Slot   int    `json:"slot"`
}

// testCase is an input and the fault it was given, if any.
type testCase struct {
	input object
	text  string
	fault *fault
}

// TestAgreement gives random inputs, two in three of them valid, to both programs.
func TestAgreement(t *testing.T) {
	node := nodePath(t)
	seed, count := fromEnvironment(t, "STEELYARD_DIFFERENTIAL_SEED", 1), fromEnvironment(t, "STEELYARD_DIFFERENTIAL", 1000)
	cases := generate(t, seed, count)
	answers := runJavaScript(t, node, cases)
	seen := map[string]int{}
	differences := []string{}
	for i, c := range cases {
		want := runGo(t, c.text)
		seen[classify(c, want)]++
		if found := compare(c, want, answers[i]); found != "" {
			differences = append(differences, fmt.Sprintf("case %d: %s\n%s", i, found, c.text))
		}
	}
	require.Empty(t, differences[:min(5, len(differences))], "%d differences in %d cases of seed %d", len(differences), count, seed)
	t.Logf("%d cases of seed %d without a difference: %v", count, seed, seen)
	for _, class := range []string{"broken", "infeasible", "open", "sealed", "weighted", "rated", "outright", "ladder"} {
		require.Greater(t, seen[class]+seen["sealed/"+class], count/200, "too few cases: %s", class)
	}
}

// generate makes the cases. Every third has a fault, each fault in its turn.
func generate(t *testing.T, seed, count int) []testCase {
	t.Helper()
	g := newGenerator(uint64(seed))
	list := faults(t)
	cases := make([]testCase, count)
	for i := range cases {
		c := testCase{input: g.valid()}
		if i%3 == 2 {
			c.fault = &list[i/3%len(list)]
		}
		if c.fault != nil && c.fault.apply != nil {
			c.fault.apply(g, c.input)
		}
		c.text = g.encode(t, c.input)
		if c.fault != nil && c.fault.text != nil {
			c.text = c.fault.text(c.text)
		}
		cases[i] = c
	}
	return cases
}

// compare describes the difference between the two answers, or between them and
// what the case's fault must lead to.
func compare(c testCase, golang, javascript answer) string {
	both := fmt.Sprintf("\n  Go:         %s %s\n  JavaScript: %s %s\n", golang.Kind, golang.Message, javascript.Kind, javascript.Message)
	switch {
	case c.fault != nil && (golang.Kind != string(c.fault.kind) || javascript.Kind != string(c.fault.kind)):
		return fmt.Sprintf("%s: %s is expected%s", c.fault.name, c.fault.kind, both)
	case c.fault != nil && !(strings.Contains(golang.Message, c.fault.entry) && strings.Contains(javascript.Message, c.fault.entry)):
		return fmt.Sprintf("%s: %q is not named%s", c.fault.name, c.fault.entry, both)
	case c.fault != nil:
		return ""
	case golang.Kind != javascript.Kind || golang.Kind != "" && golang.Kind != string(draw.KindInfeasible):
		return "one input, two verdicts" + both
	case golang.Kind != "" && !(violates(c.input, golang.Details.Deficient) && violates(c.input, javascript.Details.Deficient)):
		return fmt.Sprintf("not a deficient set: %v or %v", golang.Details.Deficient, javascript.Details.Deficient)
	case !reflect.DeepEqual(golang.Output, javascript.Output):
		return fmt.Sprintf("outputs:\n  Go:         %v\n  JavaScript: %v\n", golang.Output, javascript.Output)
	}
	return ""
}

// classify names what a case exercised, so that a run can show it met everything.
func classify(c testCase, got answer) string {
	output, _ := json.Marshal(got.Output)
	_, sealed := c.input["sealedSecret"]
	_, rated := c.input["plan"].(object)["rates"]
	prefix := ""
	if sealed {
		prefix = "sealed/"
	}
	switch {
	case c.fault != nil:
		return "broken"
	case got.Kind != "":
		return "infeasible"
	case !bytes.Contains(output, []byte(`"capPlus":0,`)):
		return prefix + "ladder"
	case bytes.Contains(output, []byte(`"outright":["`)):
		return prefix + "outright"
	case bytes.Contains(output, []byte(`"threshold":{`)):
		return prefix + "weighted"
	case rated:
		return prefix + "rated"
	case sealed:
		return "sealed"
	}
	return "open"
}

// runGo answers by package draw.
func runGo(t *testing.T, text string) answer {
	t.Helper()
	input, err := draw.ParseInput([]byte(text))
	var result draw.Result
	if err == nil {
		result, err = draw.Compute(input)
	}
	if err != nil {
		var refused *draw.Error
		require.True(t, errors.As(err, &refused), "%v\n%s", err, text)
		a := answer{Kind: string(refused.Kind), Entry: refused.Entry, Message: refused.Error()}
		if refused.Deficient != nil {
			for _, s := range refused.Deficient.Slots {
				a.Details.Deficient = append(a.Details.Deficient, slot{s.Object, s.Slot})
			}
		}
		return a
	}
	var a answer
	written, err := result.JSON()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(written, &a.Output))
	return a
}

// runJavaScript answers by draw.js, in one process.
func runJavaScript(t *testing.T, node string, cases []testCase) []answer {
	t.Helper()
	var in bytes.Buffer
	for _, c := range cases {
		in.WriteString(c.text + "\x00")
	}
	command := exec.CommandContext(t.Context(), node, "run.mjs")
	var stderr bytes.Buffer
	command.Stdin, command.Stderr = &in, &stderr
	out, err := command.Output()
	require.NoError(t, err, stderr.String())
	answers := make([]answer, 0, len(cases))
	lines := bufio.NewReader(bytes.NewReader(out))
	for range cases {
		line, err := lines.ReadBytes('\n')
		require.NoError(t, err, "answer %d is missing", len(answers))
		var a answer
		require.NoError(t, json.Unmarshal(line, &a))
		answers = append(answers, a)
	}
	return answers
}

// violates tells whether the slots need more than all inspectors can give them:
// each at most the cap, and one per object. A set that is deficient under raised
// caps is so under the plain ones.
func violates(input object, deficient []slot) bool {
	capacity := 0
	for _, inspector := range input["inspectors"].([]object) {
		reach := map[string]bool{}
		for _, s := range deficient {
			if able(input, inspector, s) {
				reach[s.Object] = true
			}
		}
		capacity += min(inspector["cap"].(int), len(reach))
	}
	distinct := map[slot]bool{}
	for _, s := range deficient {
		distinct[s] = true
	}
	return capacity < len(distinct) && len(distinct) == len(deficient)
}

// able tells whether the inspector has the slot's skills and may go there.
func able(input, inspector object, s slot) bool {
	for _, skill := range input["plan"].(object)["assign"].([][]string)[s.Slot] {
		if !slices.Contains(inspector["skills"].([]string), skill) {
			return false
		}
	}
	return !slices.ContainsFunc(input["ineligible"].([][]any), func(pair []any) bool {
		return pair[0] == inspector["id"] && pair[1] == s.Object
	})
}

// TestJavaScript runs the unit tests of draw.js and bls.js.
func TestJavaScript(t *testing.T) {
	command := exec.CommandContext(t.Context(), nodePath(t), "--test", "draw.test.mjs", "assign.test.mjs", "beacon.test.mjs")
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", failures(string(out)))
}

// failures keeps the report of failed tests, without the many that passed.
func failures(report string) string {
	if at := strings.Index(report, "not ok"); at >= 0 {
		return report[at:]
	}
	return report
}

// nodePath finds Node or skips the test.
func nodePath(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not on PATH: the JavaScript draw was not run")
	}
	return path
}

func fromEnvironment(t *testing.T, name string, standard int) int {
	t.Helper()
	text, found := os.LookupEnv(name)
	if !found {
		return standard
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, name)
	return n
}
