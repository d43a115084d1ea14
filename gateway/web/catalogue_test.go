package web

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// keysOf lists the keys of a JSON object of strings as they stand, so that one
// that stands twice is seen; a decoder would keep the last.
func keysOf(t *testing.T, raw []byte) []string {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(raw))
	opening, err := decoder.Token()
	require.NoError(t, err)
	require.Equal(t, json.Delim('{'), opening)
	var keys []string
	for decoder.More() {
		key, err := decoder.Token()
		require.NoError(t, err)
		value, err := decoder.Token()
		require.NoError(t, err)
		require.IsType(t, "", value)
		keys = append(keys, key.(string))
	}
	return keys
}

// No key stands twice in a catalogue, in one file or in two.
func TestKeysStandOnce(t *testing.T) {
	for _, l := range []language{chinese, english} {
		seen := map[string]bool{}
		for _, part := range catalogueParts {
			raw, err := messageFiles.ReadFile("messages/" + string(l) + part + ".json")
			require.NoError(t, err)
			for _, key := range keysOf(t, raw) {
				require.False(t, seen[key], "%s of %s stands twice", key, l)
				seen[key] = true
			}
		}
		files, err := fs.Glob(messageFiles, "messages/"+string(l)+"*.json")
		require.NoError(t, err)
		require.Len(t, files, len(catalogueParts), "every file is a part")
	}
	require.Len(t, keysOf(t, []byte(`{"a":"x","a":"y"}`)), 2, "a second one is seen")
}

// sources are the texts that may name a key or a code: this package's program,
// templates and scripts, and where the codes of the domain are defined.
func sources(t *testing.T) map[string]bool {
	t.Helper()
	words := map[string]bool{}
	member := regexp.MustCompile(`\b[Ww]ords\.([A-Za-z]+)`) // of the offline checker's words
	literal := regexp.MustCompile("[\"'`]([^\"'`\\s]{1,80}|[a-z]+ [a-z]+)[\"'`]")
	for _, pattern := range []string{
		"*.go", "form/*.go", "work/*.go", "session/*.go", "templates/*.html", "assets/*.js", "offline/*.html", "../public/*.go", "../verdict/*.go", "../intake/*.go", "../api/*.go",
		"../../chaincode/metrology/*.go", "../../chaincode/draw/*.go", "../../chaincode/metrology/rules/*/*.json", "../api/openapi.json",
	} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files, pattern)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			raw, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, found := range append(literal.FindAllSubmatch(raw, -1), member.FindAllSubmatch(raw, -1)...) {
				words[string(found[1])] = true
			}
		}
	}
	return words
}

// Every key is used: something names it whole, or names the code it is for.
func TestKeysAreUsed(t *testing.T) {
	zh, _ := catalogues(t)
	words, forms := sources(t), keysOfForms(t)
	open := map[string]bool{"region": true, "category": true} // their codes come with the records
	var unused []string
	for key := range zh {
		group, code, _ := strings.Cut(key, ".")
		if !open[group] && !words[key] && !forms[key] && (code == "title" && key != "checker.title" || !words[code]) { // many pages have a title; that one is named by its part
			unused = append(unused, key)
		}
	}
	require.Empty(t, unused, "nothing uses them")
	require.False(t, words["nothing-names-this"])
}

var eventTypes = regexp.MustCompile(`EventType\s*=\s*"([^"]+)"`)

// Every event of the contract has words, since a transaction's page shows any.
func TestWordsOfEvents(t *testing.T) {
	zh, _ := catalogues(t)
	files, err := filepath.Glob("../../chaincode/metrology/*.go")
	require.NoError(t, err)
	events := 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, found := range eventTypes.FindAllSubmatch(raw, -1) {
			require.Contains(t, zh, "event."+string(found[1]))
			events++
		}
	}
	require.Greater(t, events, 80)
}
