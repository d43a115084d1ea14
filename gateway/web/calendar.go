package web

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// calendarEvents bounds the events of the calendar: the draws that changed last.
const calendarEvents = public.MaxLimit

// drawsCalendar answers GET /draws.ics (RFC 5545): when the beacon's round of
// each draw is due, and the step that it waits for.
func (s *Server) drawsCalendar(c echo.Context) error {
	r := s.request(c)
	ctx := c.Request().Context()
	status, err := s.register.Status(ctx)
	if err != nil {
		return s.fail(r, err)
	}
	page, err := s.register.LatestDraws(ctx, public.PageRequest{Limit: calendarEvents})
	if err != nil {
		return s.fail(r, err)
	}
	var out bytes.Buffer
	calendarLine(&out, "BEGIN", "VCALENDAR")
	calendarLine(&out, "VERSION", "2.0")
	calendarLine(&out, "PRODID", "-//Steelyard//draws//"+strings.ToUpper(string(r.lang)))
	calendarLine(&out, "X-WR-CALNAME", calendarText(s.say(r.lang, "feed.draws")))
	for _, draw := range page.Items {
		if draw.RoundTime > 0 {
			s.calendarEvent(&out, r, status, draw)
		}
	}
	calendarLine(&out, "END", "VCALENDAR")
	c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="draws.ics"`)
	return c.Blob(http.StatusOK, "text/calendar; charset=utf-8", out.Bytes())
}

const calendarTime = "20060102T150405Z"

func (s *Server) calendarEvent(out *bytes.Buffer, r request, status public.Status, draw public.Draw) {
	changed, err := time.Parse(time.RFC3339, draw.AsOf.Time)
	if err != nil {
		changed = time.Unix(draw.Filed, 0)
	}
	calendarLine(out, "BEGIN", "VEVENT")
	calendarLine(out, "UID", draw.ID+"@"+status.GenesisHash+".steelyard")
	calendarLine(out, "DTSTAMP", changed.UTC().Format(calendarTime))
	calendarLine(out, "DTSTART", time.Unix(draw.RoundTime, 0).UTC().Format(calendarTime))
	calendarLine(out, "SUMMARY", calendarText(s.say(r.lang, "draw.title", draw.ID)+" · "+s.views[r.lang].words.term("phase", draw.Phase)))
	calendarLine(out, "DESCRIPTION", calendarText(s.drawSummary(r.lang, draw)))
	calendarLine(out, "URL", origin(r.Context)+"/draws/"+url.PathEscape(draw.ID))
	calendarLine(out, "END", "VEVENT")
	s.calendarWindow(out, r, status, draw, changed)
}

// calendarWindow is when the step ends that a draw waits for now, with an alarm
// an hour before: whoever takes part need not keep a page open.
func (s *Server) calendarWindow(out *bytes.Buffer, r request, status public.Status, draw public.Draw, changed time.Time) {
	due := s.drawDue(r.lang, draw)
	if due == "" {
		return
	}
	summary := calendarText(due + " · " + s.say(r.lang, "draw.title", draw.ID))
	calendarLine(out, "BEGIN", "VEVENT")
	calendarLine(out, "UID", draw.ID+"/"+string(draw.Phase)+"@"+status.GenesisHash+".steelyard")
	calendarLine(out, "DTSTAMP", changed.UTC().Format(calendarTime))
	calendarLine(out, "DTSTART", time.Unix(draw.Due(), 0).UTC().Format(calendarTime))
	calendarLine(out, "SUMMARY", summary)
	calendarLine(out, "URL", origin(r.Context)+"/draws/"+url.PathEscape(draw.ID))
	calendarLine(out, "BEGIN", "VALARM")
	calendarLine(out, "ACTION", "DISPLAY")
	calendarLine(out, "TRIGGER", "-PT1H")
	calendarLine(out, "DESCRIPTION", summary)
	calendarLine(out, "END", "VALARM")
	calendarLine(out, "END", "VEVENT")
}

var calendarEscaper = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r", "", "\n", `\n`)

func calendarText(text string) string { return calendarEscaper.Replace(text) }

// calendarLine writes one content line, folded after 75 octets between
// characters (RFC 5545, 3.1).
func calendarLine(out *bytes.Buffer, name, value string) {
	line, width := name+":"+value, 75
	for len(line) > width {
		cut := width
		for !utf8.RuneStart(line[cut]) {
			cut--
		}
		fmt.Fprintf(out, "%s\r\n ", line[:cut])
		line, width = line[cut:], 74 // the space counts
	}
	out.WriteString(line + "\r\n")
}
