package readmodel

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// laterFailure is the id of the newest notice that an instrument of a
// certificate failed a verification after it. As with a standing, a key that
// somebody else may have proves nothing.
const laterFailure = `COALESCE((SELECT notice.id FROM certificate_instruments mine
	JOIN certificate_instruments later ON later.instrument = mine.instrument AND later.performed > mine.performed
	JOIN certificates notice ON notice.seq = later.certificate AND notice.state = 'anchored'
	JOIN batches b ON b.first = notice.batch AND b.doubtful = 0
	WHERE mine.certificate = certificates.seq AND later.verification = 1 AND later.pass = 0
	ORDER BY later.performed DESC, later.certificate DESC LIMIT 1), '')`

// advanceStandings takes passed verifications just anchored, each of another
// instrument, for the standing of their instruments where none is newer: then
// nothing else has to be looked up. The other instruments it notes.
func (a *applier) advanceStandings(c *change, verifications []verification) error {
	if len(verifications) == 0 {
		return nil
	}
	args := make([]any, 0, 4*len(verifications))
	for _, v := range verifications {
		args = append(args, v.instrument, v.certificate, v.until, v.performed)
		c.touched[v.instrument] = true
	}
	rows := strings.Repeat(", (?, ?, ?, ?)", len(verifications))[2:]
	taken, err := a.rows(`WITH passed (instrument, certificate, until, performed) AS (VALUES `+rows+`)
		UPDATE instruments SET verified_by = passed.certificate, verified_until = passed.until, verified_pass = 1, verified_on = passed.performed
		FROM passed WHERE id = passed.instrument AND verified_on <= passed.performed RETURNING id`, args...)
	if err != nil {
		return fmt.Errorf("advance standings: %w", err)
	}
	defer taken.Close() //nolint:errcheck // taken.Err is checked
	for taken.Next() {
		var id string
		if err := taken.Scan(&id); err != nil {
			return fmt.Errorf("advance standings: %w", err)
		}
		delete(c.touched, id)
	}
	return taken.Err()
}

// verification is what a certificate says of an instrument.
type verification struct {
	instrument  string
	certificate string // leaf hash
	performed   string
	until       string // last day; empty: not said
	passed      bool   // and is a verification (检定)
}

// refreshVerifications finds, for each instrument touched, the newest
// verification that stands: of kind 检定, not revoked or superseded, and not
// signed with a key that somebody else may have. With it comes what a later
// failure says of the instrument's certificates.
func (a *applier) refreshVerifications(c *change) error {
	const newest = `SELECT c.id, ci.performed, ci.pass, ci.valid_until
		FROM certificate_instruments ci JOIN certificates c ON c.seq = ci.certificate JOIN batches b ON b.first = c.batch
		WHERE ci.instrument = ? AND ci.verification = 1 AND c.state = 'anchored' AND b.doubtful = 0
		ORDER BY ci.performed DESC, ci.certificate DESC LIMIT 1`
	for id := range c.touched {
		var certificate, performed, until string
		var pass int
		err := a.row(newest, id).Scan(&certificate, &performed, &pass, &until)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("find the newest verification of %s: %w", id, err)
		}
		if until == "" && pass == 1 {
			if until, err = a.cycleEnd(id, metrology.Date(performed)); err != nil {
				return err
			}
		}
		if err := a.exec(`UPDATE instruments SET verified_by = ?, verified_until = ?, verified_pass = ?, verified_on = ? WHERE id = ?`,
			certificate, until, pass, performed, id); err != nil {
			return err
		}
		if err := a.refreshLaterFailures(id); err != nil {
			return err
		}
	}
	return nil
}

// refreshLaterFailures is for an instrument that failed a verification at any
// time; it does nothing for others.
func (a *applier) refreshLaterFailures(instrument string) error {
	return a.exec(`UPDATE certificates SET failed_later = `+laterFailure+`
		WHERE seq IN (SELECT certificate FROM certificate_instruments WHERE instrument = ?)
		AND EXISTS (SELECT 1 FROM certificate_instruments WHERE instrument = ? AND verification = 1 AND pass = 0)`, instrument, instrument)
}

// cycleEnd is the last day of an instrument's verification cycle where the
// document, such as a mark, names no end itself.
func (a *applier) cycleEnd(id string, performed metrology.Date) (string, error) {
	var doc string
	err := a.row(`SELECT doc FROM instruments WHERE id = ?`, id).Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read instrument %s: %w", id, err)
	}
	instrument, err := read[metrology.Instrument]([]byte(doc))
	if err != nil || instrument.CycleMonths == 0 {
		return "", err
	}
	return string(performed.AddMonths(instrument.CycleMonths)), nil
}
