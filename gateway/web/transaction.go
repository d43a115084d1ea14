package web

import (
	"context"
	"net/url"
	"strings"

	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// transactionPage is the body of a transaction's page.
type transactionPage struct {
	Transaction public.Transaction
	Look        string // page of the record it concerns; empty where there is none
}

// transaction answers GET /t/{id}: what one transaction did to which record.
func (s *Server) transaction(ctx context.Context, r request) (reply, error) {
	found, err := s.register.Transaction(ctx, strings.ToLower(r.Param("id")))
	if err != nil {
		return reply{}, err
	}
	return reply{view: "transaction", title: s.say(r.lang, "transaction.title"), body: transactionPage{found, recordOf(found)}}, nil
}

// recordPages are the pages of records by the family of their events.
var recordPages = map[string]string{
	"merchant": "/m/", "site": "/s/", "instrument": "/i/", "issuer": "/n/", "inspection": "/v/", "draw": "/draws/",
}

// recordOf is the page of the record a transaction concerns.
func recordOf(t public.Transaction) string {
	family, _, _ := strings.Cut(t.Event, ".")
	if page, known := recordPages[family]; known && t.Subject != "" {
		return page + url.PathEscape(t.Subject)
	}
	return ""
}
