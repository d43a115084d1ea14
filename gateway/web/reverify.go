package web

import (
	"context"
	"fmt"
	"net/url"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// fillReverification fills in the leaf of the newest verification that puts an
// instrument back into use. The ledger takes it to the letter, which nobody
// types.
func (s *Server) fillReverification(ctx context.Context, v visit, filled url.Values) error {
	id := filled.Get(parameterPath("id"))
	if id == "" || filled.Get("leaf") != "" {
		return nil
	}
	instrument, err := s.register.Instrument(ctx, id, v.today)
	if metrology.ErrorCode(err) == metrology.CodeNotFound {
		return nil // the interface says so when the form is sent
	}
	if err != nil {
		return fmt.Errorf("read instrument: %w", err)
	}
	page, err := s.register.Certificates(ctx, public.CertificateFilter{Instrument: id, PageRequest: public.PageRequest{Limit: public.MaxLimit}}, v.today)
	if err != nil {
		return fmt.Errorf("list the instrument's certificates: %w", err)
	}
	var newest *public.Certificate
	for i, c := range page.Items {
		_, refused := instrument.Reverify(c.Leaf, metrology.Certificate{State: c.State}, v.today)
		if refused == nil && (newest == nil || newest.Leaf.Performed.Before(c.Leaf.Performed)) {
			newest = &page.Items[i]
		}
	}
	if newest == nil {
		return nil
	}
	leaf, err := newest.Leaf.Bytes()
	if err != nil {
		return fmt.Errorf("encode the leaf of %s: %w", newest.ID, err)
	}
	filled.Set("leaf", string(leaf))
	return nil
}
