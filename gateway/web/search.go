package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"unicode/utf8"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// search looks a text up as everything it may be. One single match leads
// straight to its page.
func (s *Server) search(ctx context.Context, r request, text, serial string) (reply, error) {
	if path, err := s.byID(ctx, r, text); err != nil || path != "" {
		return reply{to: path}, err
	}
	body := found{Box: s.box(text)}
	page := public.PageRequest{Limit: maxFound}
	certificates, err := s.register.Certificates(ctx, public.CertificateFilter{Number: text, PageRequest: page}, r.today)
	if err != nil {
		return reply{}, fmt.Errorf("look up certificate number: %w", err)
	}
	instruments, err := s.register.Instruments(ctx, public.InstrumentFilter{Serial: text, PageRequest: page}, r.today)
	if err != nil {
		return reply{}, fmt.Errorf("look up serial number: %w", err)
	}
	var merchants public.Page[public.Merchant]
	if utf8.RuneCountInString(text) > 1 { // one character is in almost every name
		merchants, err = s.register.Merchants(ctx, public.MerchantFilter{Text: text, PageRequest: page}, r.today)
		if err != nil {
			return reply{}, fmt.Errorf("look up merchant: %w", err)
		}
	}
	body.Certificates, body.Instruments, body.Merchants = certificates.Items, instruments.Items, merchants.Items
	body.More = certificates.Next != "" || instruments.Next != "" || merchants.Next != ""
	if to := body.only(serial); to != "" {
		return reply{to: to}, nil
	}
	answer := reply{view: "found", title: s.say(r.lang, "found.title"), body: body}
	if body.count() == 0 {
		answer.status = http.StatusNotFound
	}
	return answer, nil
}

func (f found) count() int { return len(f.Certificates) + len(f.Instruments) + len(f.Merchants) }

// Empty reports whether nothing was found.
func (f found) Empty() bool { return f.count() == 0 }

// only is the address of the one match there is, or empty.
func (f found) only(serial string) string {
	switch {
	case f.count() != 1:
		return ""
	case len(f.Certificates) == 1:
		return withSerial("/c/"+f.Certificates[0].ID, serial)
	case len(f.Instruments) == 1:
		return "/i/" + url.PathEscape(f.Instruments[0].ID)
	}
	return "/m/" + url.PathEscape(f.Merchants[0].ID)
}

// byID finds the page of the thing that has exactly this identifier.
func (s *Server) byID(ctx context.Context, r request, id string) (path string, err error) {
	lookups := []struct {
		prefix string
		exists func() error
	}{
		{"/m/", func() error { _, err := s.register.Merchant(ctx, id, r.today); return err }},
		{"/i/", func() error { _, err := s.register.Instrument(ctx, id, r.today); return err }},
		{"/s/", func() error { _, err := s.register.Site(ctx, id); return err }},
		{"/n/", func() error { _, err := s.register.Issuer(ctx, id); return err }},
		{"/draws/", func() error { _, err := s.register.Draw(ctx, id); return err }},
		{"/v/", func() error { _, err := s.register.Inspection(ctx, id, r.today); return err }},
	}
	for _, look := range lookups {
		err := look.exists()
		if err == nil {
			return look.prefix + url.PathEscape(id), nil
		}
		if metrology.ErrorCode(err) != metrology.CodeNotFound {
			return "", fmt.Errorf("look up %s: %w", id, err)
		}
	}
	return "", nil
}
