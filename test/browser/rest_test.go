package browser

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// rest makes a request to the interface as a post.
func rest(t *testing.T, post, method, path, body string) map[string]any {
	t.Helper()
	return site.rest(t, post, method, path, body)
}

// rest makes a request to a gateway's interface as a post.
func (g *gateway) rest(t *testing.T, post, method, path, body string) map[string]any {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, g.url+path, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+g.token(t, post))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Less(t, answer.StatusCode, 300, string(raw))
	var read map[string]any
	require.NoError(t, json.Unmarshal(raw, &read))
	return read
}

func today() string { return time.Now().In(time.FixedZone("", 8*3600)).Format(time.DateOnly) }

// unique makes names that no earlier run of a test has used, and that differ
// from the start.
func unique(prefix string) string {
	stamp := []byte(strings.ToUpper(strconv.FormatInt(time.Now().UnixNano(), 36)))
	slices.Reverse(stamp)
	return prefix + "-" + string(stamp)
}

// items are the elements of a list that the interface gives.
func items(t *testing.T, post, path string) []map[string]any {
	t.Helper()
	var list []map[string]any
	for _, item := range rest(t, post, http.MethodGet, path, "")["items"].([]any) {
		list = append(list, item.(map[string]any))
	}
	return list
}

// subjectOf is the subject of a post.
func subjectOf(t *testing.T, post string) string {
	t.Helper()
	return rest(t, post, http.MethodGet, "/v1/identity", "")["subject"].(string)
}

// enteredInspection enters a visit to the station on a day.
func enteredInspection(t *testing.T, day string) (id string) {
	t.Helper()
	id = unique("V-DESK")
	rest(t, "inspector", http.MethodPost, "/v1/inspections", `{"id":"`+id+`","site":"S-STATION","basis":{"kind":"complaint"},"inspectors":["`+subjectOf(t, "inspector")+`","`+subjectOf(t, "inspector2")+
		`"],"visited":"`+day+`","post":"`+subjectOf(t, "regulator")+`","inspection":{"merchant":"M-STATION","outcome":"done","items":[{"matter":"units","results":["none-found"]}]}}`)
	return id
}

// publishedInspection is one that its merchant may object to.
func publishedInspection(t *testing.T) (id string) {
	t.Helper()
	id = enteredInspection(t, today())
	rest(t, "regulator", http.MethodPost, "/v1/inspections/"+id+"/review", "")
	rest(t, "regulator", http.MethodPost, "/v1/inspections/"+id+"/publication", "")
	return id
}
