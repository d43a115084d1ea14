package api

import (
	"encoding/json"
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"
)

// Every route is documented, and nothing else is.
func TestDocumentNamesEveryRoute(t *testing.T) {
	e := NewEcho(slog.New(slog.DiscardHandler), DefaultLimits(), NewTokens(nil))
	New(Config{}).Mount(e)
	parameter := regexp.MustCompile(`:(\w+)`)
	served := map[string]bool{}
	for _, route := range e.Routes() {
		if strings.HasPrefix(route.Method, "echo_") {
			continue // echo's own entry for routes not found
		}
		served[strings.ToLower(route.Method)+" "+parameter.ReplaceAllString(route.Path, "{$1}")] = true
	}
	var doc struct {
		Paths map[string]map[string]any
	}
	require.NoError(t, json.Unmarshal(Document(), &doc))
	documented := map[string]bool{}
	for path, methods := range doc.Paths {
		for method := range methods {
			documented[method+" "+path] = true
		}
	}
	for _, outside := range []string{"get /metrics", "get /docs"} { // not of this package
		delete(documented, outside)
	}
	require.Equal(t, names(documented), names(served))
}

// Every reading route takes the parameters that are documented, and no others.
func TestDocumentNamesEveryParameter(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(Document())
	require.NoError(t, err)
	parameter := regexp.MustCompile(`:(\w+)`)
	for _, route := range New(Config{}).readRoutes() {
		path := parameter.ReplaceAllString(route.Path, "{$1}")
		documented, taken := map[string]bool{}, map[string]bool{}
		for _, p := range doc.Paths.Find(path).Get.Parameters {
			if p.Value.In == "query" {
				documented[p.Value.Name] = true
			}
		}
		for _, name := range route.Query {
			taken[name] = true
		}
		require.Equal(t, names(documented), names(taken), path)
	}
}

func names(set map[string]bool) []string {
	all := make([]string, 0, len(set))
	for name := range set {
		all = append(all, name)
	}
	sort.Strings(all)
	return all
}

// The document is valid OpenAPI 3.1.
func TestDocumentIsValid(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(Document())
	require.NoError(t, err)
	require.NoError(t, doc.Validate(t.Context(), openapi3.DisableExamplesValidation()))
}

// The committed document is what the command makes of paths.yaml and the Go
// declarations of today.
func TestDocumentIsUpToDate(t *testing.T) {
	before, err := os.ReadFile("openapi.json")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.WriteFile("openapi.json", before, 0o644)) })
	out, err := exec.Command("go", "run", "./openapi").CombinedOutput()
	require.NoError(t, err, "%s", out)
	after, err := os.ReadFile("openapi.json")
	require.NoError(t, err)
	require.Equal(t, string(before), string(after), "run: go generate ./gateway/api")
}
