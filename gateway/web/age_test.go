package web_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/gateway/public"
	"github.com/steelyard-ledger/steelyard/gateway/web"
)

// Every page says how old its data is, and warns once nobody can say that it is
// complete. The warning is no verdict: a good answer stays what it was.
func TestStaleData(t *testing.T) {
	const warning, since = "This page may be out of date.", "2026-03-10 07:00:00"
	for name, c := range map[string]struct {
		following public.Following
		says      []string
		silent    []string
	}{
		"keeps up":    {public.Following{Connected: true, Current: "2026-03-09T23:29:58Z"}, []string{"(2 s ago)"}, []string{warning, "blocks behind"}},
		"a slow peer": {public.Following{Connected: true, Behind: 3, Current: "2026-03-09T23:29:40Z"}, []string{"(20 s ago)"}, []string{warning}},
		"cut off":     {public.Following{Current: "2026-03-09T23:00:00Z"}, []string{warning, since, "30 min ago"}, []string{"blocks behind"}},
		"catching up": {public.Following{Connected: true, Behind: 4000, Current: "2026-03-09T23:00:00Z"}, []string{warning, "4000 blocks behind", since}, nil},
		"never knew":  {public.Following{}, []string{warning, "has not yet caught up"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			e := serveConfig(t, web.Config{Register: full(), Following: func() public.Following { return c.following }})
			for _, path := range []string{"/", "/d/sha256/" + fileSum.Value + "?serial=SY-D-1", "/m/M-1", "/status", "/no-such-page"} {
				body := get(e, path, "en").Body.String()
				for _, text := range c.says {
					require.Contains(t, body, text, path)
				}
				for _, text := range c.silent {
					require.NotContains(t, body, text, path)
				}
			}
			require.Contains(t, get(e, "/d/sha256/"+fileSum.Value+"?serial=SY-D-1", "en").Body.String(), `class="verdict tone-good"`)
		})
	}
}
