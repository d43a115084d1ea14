package web

import (
	"context"
	"fmt"
	"strings"

	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// drawnPage answers "why was I drawn" for one place and the latest draws that
// it stands in.
type drawnPage struct {
	Site   string
	Looked int // draws that were looked through
	Rows   []drawnRow
}

// drawnRow is one draw's answer for the place.
type drawnRow struct {
	Draw   public.Draw
	Ticket *public.DrawTicket // nil: its lists cannot be read here; the draw's own page may know more
}

// maxDrawn bounds how many draws are looked through for one place: each answer
// is computed anew from the draw's public lists. Most are of other authorities.
const maxDrawn = 50

// drawn answers GET /desk/drawn?site=.
func (s *Server) drawn(ctx context.Context, v visit) (reply, error) {
	if err := tradesman(v); err != nil {
		return reply{}, err
	}
	body := drawnPage{Site: strings.TrimSpace(v.text("site"))}
	if body.Site != "" {
		latest, err := s.register.LatestDraws(ctx, public.PageRequest{Limit: maxDrawn})
		if err != nil {
			return reply{}, fmt.Errorf("list draws: %w", err)
		}
		for _, d := range latest.Items {
			lists, err := s.register.DrawDirectories(ctx, d.ID)
			if err != nil {
				return reply{}, fmt.Errorf("read directories of %s: %w", d.ID, err)
			}
			row := drawnRow{Draw: d}
			if ticket, err := public.NewDrawTicket(lists, body.Site); err == nil {
				row.Ticket = &ticket
			}
			if row.Ticket == nil || row.Ticket.Answer != public.TicketAbsent {
				body.Rows = append(body.Rows, row)
			}
		}
		body.Looked = len(latest.Items)
	}
	return reply{view: "drawn", title: s.say(v.lang, "drawn.title"), body: body}, nil
}
