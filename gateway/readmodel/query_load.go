package readmodel

import (
	"context"
	"strings"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// VerificationLoad counts the instruments in use under compulsory verification
// by region and by the month in which their verification ends.
func (s *Store) VerificationLoad(ctx context.Context, today metrology.Date) ([]public.DueCount, error) {
	member := s.dialect.member
	query := `SELECT region, CASE WHEN verified_by = '' THEN 'none' WHEN verified_until = '' THEN 'no-end' WHEN verified_until < ? THEN 'over'
			ELSE substr(verified_until, 1, 7) END AS due, COUNT(*)
		FROM instruments WHERE ` + member("state") + ` IN (?, ?) AND ` + member("mode") + ` <> ? AND ` + member("use") + ` IN (` + marks(len(metrology.CompulsoryUses)) + `)
		GROUP BY 1, 2 ORDER BY 1, 2`
	args := []any{string(today), string(metrology.InstrumentInUse), string(metrology.InstrumentRepaired), string(metrology.ModeNone)}
	for _, use := range metrology.CompulsoryUses {
		args = append(args, string(use))
	}
	return all(ctx, s, "verification load", query, func(row scanner) (public.DueCount, error) {
		var count public.DueCount
		err := row.Scan(&count.Region, &count.Due, &count.Instruments)
		return count, err
	}, args...)
}

func marks(count int) string { return "?" + strings.Repeat(", ?", count-1) }
