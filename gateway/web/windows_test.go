package web_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// waitingDraw is a draw in a phase, whose round is due so long after the clock
// of these tests stands; its margin is ten minutes.
func waitingDraw(t *testing.T, phase metrology.DrawPhase, round time.Duration) public.DrawRecord {
	t.Helper()
	now, err := time.Parse(time.RFC3339, stamp)
	require.NoError(t, err)
	d := draws()[0]
	d.ID, d.Phase, d.Terms.Margin = "310115-000031", phase, 600
	d.RoundTime = now.Add(round).Unix()
	d.Commitments = []metrology.DrawCommitment{{Org: metrology.NotaryMSP}}
	d.Reveals, d.Observations = nil, nil
	return d
}

// Every page of a desk that takes part in a draw says what waits for it and how
// long is left, in its title too.
func TestReminder(t *testing.T) {
	aside := regexp.MustCompile(`(?s)<aside id="windows".*?</aside>`)
	for name, c := range map[string]struct {
		role  string
		phase metrology.DrawPhase
		round time.Duration
		title string
		says  []string
	}{
		"to commit":              {"association", metrology.DrawCommitting, 40 * time.Minute, "10 min left · ", []string{"/desk/draws/310115-000031", "2026-03-10 07:40:00", "10 min left"}},
		"to reveal":              {"notary", metrology.DrawRevealing, 20*time.Minute + 9*time.Second, "9 s left · ", []string{"Reveal"}},
		"to reveal, passed over": {"notary", metrology.DrawRevealing, 15 * time.Minute, "the time is over · ", []string{"may still be done until 2026-03-10 07:35:00"}},
		"to observe":             {"institute", metrology.DrawClosed, 48 * time.Hour, "1 d 23 h left · ", []string{"Record that the close was seen"}},
		"to observe, too late":   {"institute", metrology.DrawClosed, 5 * time.Minute, "the time is over · ", []string{"the time is over"}},
		"has committed":          {"notary", metrology.DrawCommitting, 40 * time.Minute, "", nil},
		"nobody's turn":          {"notary", metrology.DrawDrawn, 40 * time.Minute, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.signIn(c.role)
			d.register.draws = []public.DrawRecord{waitingDraw(t, c.phase, c.round)}
			for _, path := range []string{"/desk", "/desk/sent", "/desk/do/approveDraw", "/desk/draws", "/desk/windows"} {
				body := d.get(path, "en").Body.String()
				require.Contains(t, body, "<title>"+c.title, path)
				box := aside.FindString(body)
				require.NotEmpty(t, box, path)
				for _, text := range c.says {
					require.Contains(t, box, text, path)
				}
				if c.says == nil {
					require.Contains(t, box, " hidden", path)
					require.NotContains(t, box, "<li>", path)
				}
			}
		})
	}
}

// Those who take no part are not reminded, and have no such page.
func TestReminderOfOthers(t *testing.T) {
	d := newDesk(t)
	d.signIn("merchant")
	d.register.draws = []public.DrawRecord{waitingDraw(t, metrology.DrawCommitting, 40*time.Minute)}
	require.NotContains(t, d.get("/desk", "en").Body.String(), `id="windows"`)
	require.Equal(t, 404, d.get("/desk/windows", "en").Code)
}

// Feed and calendar tell what a draw waits for while its time runs.
func TestDueInFeedAndCalendar(t *testing.T) {
	for phase, c := range map[metrology.DrawPhase]struct{ due, start string }{
		metrology.DrawCommitting: {"Commit by 2026-03-10 07:40:00", "DTSTART:20260309T234000Z"},
		metrology.DrawRevealing:  {"Reveal by 2026-03-10 07:50:00", "DTSTART:20260309T235000Z"},
		metrology.DrawClosed:     {"Observe the close by 2026-03-10 08:00:00", "DTSTART:20260310T000000Z"},
		metrology.DrawDrawn:      {},
	} {
		r := full()
		r.draws = []public.DrawRecord{waitingDraw(t, phase, 40*time.Minute)}
		e := serve(t, r)
		atom, calendar := get(e, "/feeds/draws.atom", "en").Body.String(), get(e, "/draws.ics", "en").Body.String()
		if c.due == "" {
			require.NotContains(t, atom, " by 2026")
			require.NotContains(t, calendar, "VALARM")
			continue
		}
		require.Contains(t, atom, c.due)
		require.Contains(t, calendar, "SUMMARY:"+c.due)
		require.Contains(t, calendar, c.start)
		require.Contains(t, calendar, "TRIGGER:-PT1H")
	}
}
