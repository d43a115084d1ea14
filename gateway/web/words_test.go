package web

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/gateway/web/form"
)

// keysOfForms are the messages that the forms of all jobs ask for; those of
// hints may be missing.
func keysOfForms(t *testing.T) map[string]bool {
	t.Helper()
	document, err := os.ReadFile("../api/openapi.json")
	require.NoError(t, err)
	operations, err := form.Read(document)
	require.NoError(t, err)
	keys := map[string]bool{}
	var fields func(list []form.Field)
	fields = func(list []form.Field) {
		for _, f := range list {
			keys["field."+fieldKey(f)], keys["hint."+fieldKey(f)] = true, true
			for _, code := range f.Options {
				keys[groupOf(f.Type)+"."+code] = true
			}
			fields(f.Fields)
		}
	}
	for _, j := range jobs {
		o, known := operations[j.Operation]
		require.True(t, known, "the interface has no operation %s", j.Operation)
		if j.Ask != nil {
			o.Fields = j.Ask
		}
		o.Fields = j.fields(o.Fields, "")
		fields(allFields(o))
		keys[j.Title()], keys[jobGroup{Key: j.Group}.Title()] = true, true
	}
	for _, j := range fileJobs {
		o, known := operations[j.Operation]
		require.True(t, known, "the interface has no operation %s", j.Operation)
		fields(j.fields(o))
		keys[j.Title()] = true
		for _, part := range j.Parts {
			keys["file-part."+part] = true
		}
	}
	keys["file-part.register"], keys["exclusion.on-leave"] = true, true
	fields(anchorFields())
	keys["job."+operationImport], keys["anchor.files"] = true, true
	return keys
}

// Whatever a form shows has words in both languages.
func TestWordsOfForms(t *testing.T) {
	zh, en := catalogues(t)
	for key := range keysOfForms(t) {
		if !strings.HasPrefix(key, "hint.") {
			require.Contains(t, zh, key)
			require.Contains(t, en, key)
		}
	}
}

func TestFamilyOfParameter(t *testing.T) {
	for address, want := range map[string]string{
		"/v1/draws/{id}/x": "draws", "/v1/rulesets/{version}/{id}": "rulesets", "/v1/draws/{n}/directories/{list}/{id}": "directories",
	} {
		require.Equal(t, want, familyOf(address, "id"))
	}
}
