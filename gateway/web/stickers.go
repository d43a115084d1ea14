package web

import (
	"context"
	"fmt"
	"html/template"
	"net/url"
	"strings"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// stickersPage is a sheet of stickers, one per instrument.
type stickersPage struct {
	Site, Merchant string // that was asked for
	Asked          bool
	Stickers       []sticker
	More           bool // there are more than fit on one sheet
}

// sticker leads whoever scans it to an instrument's page.
type sticker struct {
	public.Instrument
	Place   string
	Address string // plain address in the code
	Code    template.HTML
}

// maxStickers bounds one sheet.
const maxStickers = 200

// stickers answers GET /desk/stickers?site= or ?merchant=: the instruments of a
// place and of the stalls within it, or of a merchant, in one go.
func (s *Server) stickers(ctx context.Context, v visit) (reply, error) {
	if err := tradesman(v); err != nil {
		return reply{}, err
	}
	body := stickersPage{Site: strings.TrimSpace(v.text("site")), Merchant: strings.TrimSpace(v.text("merchant"))}
	body.Asked = body.Site != "" || body.Merchant != ""
	if body.Asked {
		if err := s.fillSheet(ctx, v, &body); err != nil {
			return reply{}, err
		}
	}
	return reply{view: "stickers", title: s.say(v.lang, "stickers.title"), body: body}, nil
}

func (s *Server) fillSheet(ctx context.Context, v visit, body *stickersPage) error {
	filters := []public.InstrumentFilter{{Merchant: body.Merchant}}
	if body.Site != "" {
		filters[0].Site = body.Site
		stalls, err := s.desks.Register.Sites(ctx, public.SiteFilter{Parent: body.Site, PageRequest: public.PageRequest{Limit: public.MaxLimit}})
		if err != nil {
			return fmt.Errorf("list stalls: %w", err)
		}
		body.More = stalls.Next != ""
		for _, stall := range stalls.Items {
			filters = append(filters, public.InstrumentFilter{Site: stall.ID, Merchant: body.Merchant})
		}
	}
	for _, filter := range filters {
		filter.Limit = public.MaxLimit
		found, err := s.register.Instruments(ctx, filter, v.today)
		if err != nil {
			return fmt.Errorf("list instruments: %w", err)
		}
		body.More = body.More || found.Next != ""
		for _, i := range found.Items {
			if i.State == metrology.InstrumentRetired {
				continue
			}
			if len(body.Stickers) == maxStickers {
				body.More = true
				return nil
			}
			if err := body.add(v, i); err != nil {
				return err
			}
		}
	}
	return nil
}

// add draws one sticker.
func (p *stickersPage) add(v visit, i public.Instrument) error {
	one := sticker{Instrument: i, Place: i.Site, Address: origin(v.request) + "/i/" + url.PathEscape(i.ID)}
	code, err := drawCode(one.Address)
	if err != nil {
		return err
	}
	one.Code = template.HTML(code) // made of numbers alone
	p.Stickers = append(p.Stickers, one)
	return nil
}
