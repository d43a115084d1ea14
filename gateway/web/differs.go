package web

import (
	"context"

	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// differsPage is the body of the page for whoever stands before another
// instrument than the registered one.
type differsPage struct {
	Instrument *public.Instrument // nil when none was named
	User       string             // name, else id
}

// differs answers GET /differs and GET /i/{id}/differs: whom to tell, and what
// the record says, to be compared once more.
func (s *Server) differs(ctx context.Context, r request) (reply, error) {
	answer := reply{view: "differs", title: s.say(r.lang, "differs.title")}
	id := r.Param("id")
	if id == "" {
		answer.body = differsPage{}
		return answer, nil
	}
	instrument, err := s.register.Instrument(ctx, id, r.today)
	if err != nil {
		return reply{}, err
	}
	answer.body = differsPage{Instrument: &instrument, User: s.merchantName(ctx, r, instrument.User)}
	return answer, nil
}
