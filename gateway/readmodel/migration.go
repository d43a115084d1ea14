package readmodel

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pressly/goose/v3"
)

// compactCertificates gives certificates, their digests and their instruments
// one index less each, and keeps with a certificate what had to be found at
// every reading: the later notice that its instrument failed. SQLite stores a
// table apart from its primary key unless told otherwise, so this migration
// differs between the databases.
func compactCertificates(d dialect) *goose.Migration {
	return goose.NewGoMigration(3,
		&goose.GoFunc{RunTx: statementsOf(
			`ALTER TABLE certificates RENAME TO old_certificates`,
			`DROP INDEX certificates_number`,
			`DROP INDEX certificates_issuer`,
			`CREATE TABLE certificates (
    seq       INTEGER PRIMARY KEY, -- from 1
    batch     INTEGER NOT NULL, -- batches.first
    id        TEXT NOT NULL UNIQUE, -- leaf hash
    issuer    TEXT NOT NULL,
    number    TEXT NOT NULL,
    leaf      TEXT NOT NULL, -- canonical bytes
    record    TEXT NOT NULL,
    state     TEXT NOT NULL,
    successor TEXT NOT NULL, -- its number; empty: none
    failed_later TEXT NOT NULL, -- id of a notice that an instrument of it failed a later verification; empty: none
    block BIGINT NOT NULL, tx_id TEXT NOT NULL, claimed TEXT NOT NULL,
    UNIQUE (number, issuer)
)`,
			`INSERT INTO certificates (seq, batch, id, issuer, number, leaf, record, state, successor, failed_later, block, tx_id, claimed)
    SELECT e.seq, e.batch, e.id, e.issuer, e.number, e.leaf, e.record, e.state,
        COALESCE((SELECT s.number FROM old_certificates s WHERE s.state_key = e.successor), ''), '', e.block, e.tx_id, e.claimed
    FROM old_certificates e`,
			`DROP TABLE old_certificates`,
			`CREATE INDEX certificates_issuer ON certificates (issuer, seq)`,
			`ALTER TABLE certificate_digests RENAME TO old_digests`,
			`CREATE TABLE certificate_digests (
    value       BYTEA NOT NULL,
    algorithm   TEXT NOT NULL,
    certificate INTEGER NOT NULL,
    PRIMARY KEY (value, algorithm, certificate)
) `+d.clustered,
			`INSERT INTO certificate_digests SELECT value, algorithm, certificate FROM old_digests`,
			`DROP TABLE old_digests`,
			`ALTER TABLE certificate_instruments RENAME TO old_instruments`,
			`DROP INDEX certificate_instruments_certificate`,
			`CREATE TABLE certificate_instruments (
    instrument   TEXT NOT NULL,
    performed    TEXT NOT NULL,
    certificate  INTEGER NOT NULL,
    verification INTEGER NOT NULL, -- whether it is the outcome of a verification (检定)
    pass         INTEGER NOT NULL,
    valid_until  TEXT NOT NULL,
    PRIMARY KEY (instrument, performed, certificate)
) `+d.clustered,
			`INSERT INTO certificate_instruments SELECT instrument, performed, certificate, verification, pass, valid_until FROM old_instruments`,
			`DROP TABLE old_instruments`,
			`CREATE INDEX certificate_instruments_certificate ON certificate_instruments (certificate)`,
			`ALTER TABLE instruments ADD COLUMN verified_on TEXT NOT NULL DEFAULT ''`, // day of the work of verified_by; empty: none
			`UPDATE instruments SET verified_on = COALESCE((SELECT ci.performed FROM certificates c
    JOIN certificate_instruments ci ON ci.certificate = c.seq AND ci.instrument = instruments.id WHERE c.id = verified_by), '')`,
			`UPDATE certificates SET failed_later = `+laterFailure+` WHERE seq IN (SELECT mine.certificate
    FROM certificate_instruments mine JOIN certificate_instruments later ON later.instrument = mine.instrument AND later.performed > mine.performed
    WHERE later.verification = 1 AND later.pass = 0)`,
		)},
		&goose.GoFunc{RunTx: statementsOf()}) // going down only happens to drop everything
}

// statementsOf runs statements in their order.
func statementsOf(statements ...string) func(context.Context, *sql.Tx) error {
	return func(ctx context.Context, tx *sql.Tx) error {
		for _, statement := range statements {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("%s: %w", firstWords(statement), err)
			}
		}
		return nil
	}
}
