package web

import (
	"context"
	"fmt"

	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// maxPosted bounds the places of a large draw that its page shows.
const maxPosted = 50

// posted reads the result of a large draw; nil: it is none, or has no result.
func (s *Server) posted(ctx context.Context, record public.DrawRecord) (*public.Posted, error) {
	if record.Result == nil || record.Result.Posting == nil {
		return nil, nil
	}
	lists, err := s.register.DrawDirectories(ctx, record.ID)
	if err != nil {
		return nil, fmt.Errorf("read directories: %w", err)
	}
	posted, err := lists.Posted(maxPosted)
	return &posted, err
}
