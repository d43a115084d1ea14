// Package rules holds the tests of the tree itself: who may import whom, how
// long files and functions may be, and what the formatters leave alone.
package rules

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/steelyard-ledger/steelyard/"

// pkg is what go list tells of a package.
type pkg struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,Imports", module+"...").Output()
	require.NoError(t, err)
	var all []pkg
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p pkg
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		all = append(all, p)
	}
}

// rule says what packages below one path may import of this module. A path
// covers itself and all below it. A package follows the rule with the longest
// path; one that no rule covers fails the test.
type rule struct {
	of      string
	may     []string // of this module
	foreign []string // allowed third-party modules; nil: any
}

var importRules = []rule{
	{of: "chaincode", may: []string{"chaincode/contract"}},
	{of: "chaincode/metrology", may: []string{}, foreign: []string{}},
	{of: "chaincode/metrology/rules", may: []string{"chaincode/metrology"}, foreign: []string{}},
	{of: "chaincode/signature", may: []string{"chaincode/metrology"}},
	{of: "chaincode/draw", may: []string{"chaincode/metrology", "chaincode/draw"}},
	{of: "chaincode/worldstate", may: []string{"chaincode/metrology"}},
	{of: "chaincode/contract", may: []string{"chaincode/metrology", "chaincode/draw", "chaincode/worldstate", "chaincode/signature"}},

	{of: "gateway", may: []string{"chaincode", "gateway", "network/embedded", "network/consortium"}},
	{of: "gateway/config", may: []string{}},
	{of: "gateway/ledger", may: []string{}},
	{of: "gateway/ledger/ledgertest", may: []string{"gateway/ledger", "network/devca"}}, // used by tests alone
	{of: "gateway/wallet", may: []string{"gateway/ledger"}},
	{of: "gateway/outbox", may: []string{"chaincode/metrology"}},
	{of: "gateway/fabric", may: []string{"chaincode/metrology", "gateway/ledger", "gateway/outbox"}},
	{of: "gateway/readmodel", may: []string{"chaincode/metrology", "gateway/ledger", "gateway/public"}},
	{of: "gateway/readmodel/postgrestest", may: []string{}}, // used by tests alone
	{of: "gateway/public", may: []string{"chaincode/metrology", "chaincode/draw"}},
	{of: "gateway/directory", may: []string{"chaincode/metrology", "chaincode/draw", "gateway/intake"}},
	{of: "gateway/relay", may: []string{"chaincode/draw"}},
	{of: "gateway/escrow", may: []string{"chaincode/metrology", "chaincode/draw"}},
	{of: "gateway/observer", may: []string{"chaincode/metrology", "chaincode/draw", "gateway/public", "gateway/escrow"}},
	{of: "gateway/drawfiles", may: []string{"chaincode/metrology", "chaincode/draw", "gateway/public"}},
	{of: "gateway/digest", may: []string{"chaincode/metrology"}},
	{of: "gateway/verdict", may: []string{"chaincode/metrology"}},
	{of: "gateway/signing", may: []string{"chaincode/metrology", "chaincode/signature"}},
	{of: "gateway/intake", may: []string{"chaincode/metrology"}},
	{of: "gateway/evidence", may: []string{"chaincode/metrology", "chaincode/signature", "gateway/ledger"}},
	{of: "gateway/password", may: []string{}},
	{of: "gateway/demo", may: []string{"chaincode/metrology"}},
	{of: "gateway/api", may: []string{"chaincode/metrology", "gateway/directory", "gateway/public", "gateway/verdict", "gateway/digest", "gateway/intake"}},
	{of: "gateway/web", may: []string{"chaincode/metrology", "gateway/public", "gateway/verdict", "gateway/digest"}},
	{of: "gateway/command", may: []string{"chaincode/metrology", "chaincode/draw", "gateway/digest", "gateway/escrow", "gateway/evidence", "gateway/ledger", "gateway/public", "gateway/relay", "gateway/verdict"}},

	{of: "network/devca", may: []string{}},
	{of: "network/consortium", may: []string{"network/devca"}},
	{of: "network/embedded", may: []string{"network/embedded", "network/devca"}},
	{of: "network/admin", may: []string{"network/admin", "network/consortium", "network/devca"}},

	{of: "test", may: []string{"chaincode", "gateway", "network", "test"}},
	{of: "scripts", may: []string{"chaincode/metrology", "gateway/intake"}},
}

// ruleOf finds the rule with the longest path that covers a package.
func ruleOf(name string) (found rule, ok bool) {
	for _, r := range importRules {
		if covers(r.of, name) && (!ok || len(r.of) > len(found.of)) {
			found, ok = r, true
		}
	}
	return found, ok
}

func covers(prefix, name string) bool { return name == prefix || strings.HasPrefix(name, prefix+"/") }

func TestImports(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		r, ok := ruleOf(name)
		if !ok {
			t.Errorf("%s: no rule says what it may import", name)
			continue
		}
		for _, imported := range p.Imports {
			if own, ok := strings.CutPrefix(imported, module); ok {
				if !allowed(r.may, own) && own != r.of && !covers(name, own) {
					t.Errorf("%s imports %s", name, own)
				}
				continue
			}
			host, _, _ := strings.Cut(imported, "/")
			if r.foreign != nil && strings.Contains(host, ".") && !allowed(r.foreign, imported) {
				t.Errorf("%s imports %s, and may only use the standard library", name, imported)
			}
		}
	}
}

func allowed(may []string, own string) bool {
	for _, prefix := range may {
		if covers(prefix, own) {
			return true
		}
	}
	return false
}

// Who may use the parts that only one package may know.
func TestOnlyUser(t *testing.T) {
	only := map[string][]string{
		"github.com/hyperledger/fabric-gateway/pkg/client": {"gateway/fabric", "network", "test"},
		"github.com/labstack/echo/v4":                      {"gateway"},
		"modernc.org/sqlite":                               {"gateway/readmodel", "gateway/outbox"},
	}
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		for _, imported := range p.Imports {
			users, restricted := only[imported]
			if restricted && !allowed(users, name) {
				t.Errorf("%s imports %s", name, imported)
			}
		}
	}
}

// Budgets keep files and functions to what can be read in one go.
const (
	maxFileLines     = 400
	maxFunctionLines = 70
)

func TestSizes(t *testing.T) {
	for _, p := range packages(t) {
		for _, name := range p.GoFiles {
			checkSize(t, filepath.Join(p.Dir, name))
		}
	}
	enroll, err := filepath.Glob("../../network/enroll/*.go")
	require.NoError(t, err)
	below, err := filepath.Glob("../../network/enroll/*/*.go")
	require.NoError(t, err)
	for _, name := range append(enroll, below...) {
		checkSize(t, name)
	}
}

// The archived SDK and the CA server are linked with network/enroll, a module
// of its own, and with nothing else.
func TestEnrollStandsAlone(t *testing.T) {
	raw, err := os.ReadFile("../../go.mod")
	require.NoError(t, err)
	require.NotContains(t, string(raw), "hyperledger/fabric-sdk-go")
	require.NotContains(t, string(raw), "hyperledger/fabric-ca")
	raw, err = os.ReadFile("../../network/enroll/go.mod")
	require.NoError(t, err)
	require.Contains(t, string(raw), "hyperledger/fabric-sdk-go")
	require.NotContains(t, string(raw), module+"gateway")
}

func checkSize(t *testing.T, file string) {
	t.Helper()
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, nil, parser.ParseComments|parser.SkipObjectResolution)
	require.NoError(t, err)
	if ast.IsGenerated(parsed) {
		return
	}
	if lines := set.File(parsed.Pos()).LineCount(); lines > maxFileLines {
		t.Errorf("%s has %d lines, more than %d", file, lines, maxFileLines)
	}
	for _, declaration := range parsed.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if lines := set.Position(function.End()).Line - set.Position(function.Pos()).Line + 1; lines > maxFunctionLines {
			t.Errorf("%s: %s has %d lines, more than %d", file, function.Name, lines, maxFunctionLines)
		}
	}
}
