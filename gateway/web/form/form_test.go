package form

import (
	"encoding/json"
	"net/url"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const described = `{"paths": {"/v1/things/{id}/parts/{n}": {"get": {"operationId": "getThing"}, "post": {"operationId": "makeThing",
	"requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["name", "rows", "when"], "properties": {
		"name": {"type": "string"}, "count": {"type": "integer"}, "sure": {"type": "boolean"}, "when": {"$ref": "#/components/schemas/metrology.Date"},
		"reason": {"$ref": "#/components/schemas/Reason"}, "profile": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "phone": {"type": "string"}}},
		"rows": {"type": "array", "items": {"type": "object", "properties": {"code": {"type": "string"}, "value": {"type": "integer"}}}},
		"tags": {"type": "array", "items": {"type": "string"}}, "why": {"type": "array", "items": {"$ref": "#/components/schemas/Reason"}},
		"key": {"type": "string", "contentEncoding": "base64"}, "any": {}}}}}}}}},
	"components": {"schemas": {"metrology.Date": {"type": "string"}, "Reason": {"type": "string", "enum": ["a", "b"]}, "Other": {"type": ["string", "null"]}}}}`

func operation(t *testing.T) Operation {
	t.Helper()
	all, err := Read([]byte(described))
	require.NoError(t, err)
	require.Len(t, all, 1)
	return all["makeThing"]
}

func TestReadOperation(t *testing.T) {
	o := operation(t)
	require.Equal(t, []string{"id", "n"}, o.Parameters)
	require.Equal(t, "POST", o.Method)
	kinds := map[string]Kind{}
	for _, f := range o.Fields {
		kinds[f.Name] = f.Kind
	}
	require.Equal(t, map[string]Kind{"name": Text, "count": Number, "sure": Check, "when": Date, "reason": Choice, "profile": Group,
		"rows": Rows, "tags": Lines, "why": Choices, "key": Long, "any": JSON}, kinds)
	require.True(t, o.Fields[0].Required && o.Fields[1].Required && o.Fields[2].Required, "what is required comes first")
}

func TestDecode(t *testing.T) {
	for name, test := range map[string]struct {
		sent   url.Values
		want   string
		faults []Fault
	}{
		"nothing":       {url.Values{}, `{"rows":[]}`, nil},
		"texts trimmed": {url.Values{"name": {" 甲 "}, "when": {"2026-01-02"}}, `{"name":"甲","when":"2026-01-02","rows":[]}`, nil},
		"a number":      {url.Values{"count": {"-3"}}, `{"count":-3,"rows":[]}`, nil},
		"no number":     {url.Values{"count": {"3.5"}}, ``, []Fault{{"count", FaultNumber}}},
		"a group":       {url.Values{"profile.name": {"x"}}, `{"profile":{"name":"x"},"rows":[]}`, nil},
		"an empty row is no row": {url.Values{"rows[0].code": {""}, "rows[1].code": {"x"}, "rows[1].value": {"7"}},
			`{"rows":[{"code":"x","value":7}]}`, nil},
		"a fault in a row": {url.Values{"rows[2].value": {"x"}}, ``, []Fault{{"rows[2].value", FaultNumber}}},
		"lists":            {url.Values{"tags": {"a\r\n\r\n b "}, "why": {"a", "b"}}, `{"rows":[],"tags":["a","b"],"why":["a","b"]}`, nil},
		"a check":          {url.Values{"sure": {"on"}}, `{"rows":[],"sure":true}`, nil},
		"base64 in lines":  {url.Values{"key": {"AA\nBB"}}, `{"rows":[],"key":"AABB"}`, nil},
		"any JSON":         {url.Values{"any": {`{"a": [1]}`}}, `{"rows":[],"any":{"a":[1]}}`, nil},
		"no JSON":          {url.Values{"any": {`{"a":`}}, ``, []Fault{{"any", FaultJSON}}},
		"too many rows":    {url.Values{"rows[99999999999].code": {"x"}, "rows[501].code": {"x"}}, `{"rows":[]}`, nil},
		"not of the form":  {url.Values{"salt": {"x"}, "profile.salt": {"x"}}, `{"rows":[]}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			body, faults := Decode(operation(t).Fields, test.sent)
			require.Equal(t, test.faults, faults)
			if test.want != "" {
				require.JSONEq(t, test.want, string(body))
			}
		})
	}
}

func TestFill(t *testing.T) {
	fields := operation(t).Fields
	sent := url.Values{"name": {"x"}, "rows[1].value": {"y"}, "why": {"b"}}
	controls := Fill(fields, sent, map[string]string{"rows[1].value": "wrong"}, "rows")
	byName := map[string]Control{}
	for _, c := range controls {
		byName[c.Name] = c
	}
	require.Equal(t, "x", byName["name"].Value)
	require.Len(t, byName["rows"].Rows, 3, "two that were sent and one more")
	require.Equal(t, "wrong", byName["rows"].Rows[1][1].Fault)
	require.Equal(t, "y", byName["rows"].Rows[1][1].Value)
	require.True(t, byName["why"].Has("b"))
	require.False(t, byName["why"].Has("a"))
	require.True(t, byName["rows"].Open())
	require.False(t, byName["profile"].Open(), "nothing is in it")
	require.Contains(t, Paths(controls), "profile.phone")
}

// A body spread over a form's controls is sent as it was.
func TestValuesUndoDecode(t *testing.T) {
	fields := operation(t).Fields
	const body = `{"name":"甲","count":-3,"sure":true,"when":"2026-01-02","reason":"b","profile":{"name":"x","phone":"1"},
		"rows":[{"code":"a","value":1},{"code":"b"}],"tags":["p","q"],"why":["a","b"],"key":"AABB","any":{"x":[1]}}`
	values, err := Values(fields, []byte(body))
	require.NoError(t, err)
	again, faults := Decode(fields, values)
	require.Empty(t, faults)
	require.JSONEq(t, body, string(again))

	values, err = Values(fields, []byte(`{"name":"x","unknown":1,"profile":null}`))
	require.NoError(t, err)
	require.Equal(t, url.Values{"name": {"x"}}, values)
	for _, bad := range []string{`[]`, `{"rows":1}`, `{"profile":"x"}`, `{"tags":"x"}`, `{"name":1}`} {
		_, err := Values(fields, []byte(bad))
		require.Error(t, err, bad)
	}
}

// What a form shows is what it sends: filling in what was decoded from and
// decoding again changes nothing.
func TestFormKeepsWhatItShows(t *testing.T) {
	fields := operation(t).Fields
	rapid.Check(t, func(t *rapid.T) {
		sent := url.Values{}
		text := rapid.StringMatching(`[a-z甲 ]{0,5}`)
		for _, path := range []string{"name", "when", "profile.name", "tags"} {
			sent.Set(path, text.Draw(t, path))
		}
		for i := range rapid.IntRange(0, 4).Draw(t, "rows") {
			sent.Set(rowPath("rows", i)+"value", strconv.Itoa(rapid.IntRange(0, 9).Draw(t, "value")))
		}
		first, faults := Decode(fields, sent)
		if len(faults) > 0 {
			t.Fatalf("faults %v", faults)
		}
		shown := url.Values{}
		collect(Fill(fields, sent, nil, "rows"), shown)
		second, _ := Decode(fields, shown)
		if string(first) != string(second) {
			t.Fatalf("%s became %s", first, second)
		}
	})
}

func collect(controls []Control, into url.Values) {
	for _, c := range controls {
		if c.Value != "" {
			into.Set(c.Path, c.Value)
		}
		collect(c.Controls, into)
		for _, row := range c.Rows {
			collect(row, into)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("rows[0].code=x&any=%7B%7D&count=1")
	f.Add("rows[499].value=x&profile.name=y")
	f.Fuzz(func(t *testing.T, query string) {
		sent, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		all, err := Read([]byte(described))
		require.NoError(t, err)
		body, faults := Decode(all["makeThing"].Fields, sent)
		if len(faults) == 0 {
			require.True(t, json.Valid(body))
		}
	})
}
