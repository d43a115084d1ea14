package readmodel

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pressly/goose/v3"
)

// projected are the tables that blocks fill, apart from those of certificates.
var projected = []string{
	"position", "transactions", "history", "merchants", "sites", "site_merchants", "pledges", "issuers", "instruments", "batches",
	"rulesets", "inspections", "disclosed", "missing", "draws", "draw_parts", "escrow_keys", "bindings",
}

// keyCertificates stores certificates so that adding one costs little. A leaf
// hash or digest falls anywhere in an index, so the two indexes over them hold
// eight bytes of each, and whoever finds a row by them compares the whole. Of a
// certificate that is as it was anchored nothing is stored that its leaf and its
// batch tell. SQLite stores a table apart from its primary key unless told
// otherwise, so this migration differs between the databases.
//
// A read model of an older schema is emptied: its gateway then projects the
// ledger again from block 0.
func keyCertificates(d dialect) *goose.Migration {
	statements := []string{
		`DROP TABLE certificate_instruments`,
		`DROP TABLE certificate_digests`,
		`DROP TABLE certificates`,
		`CREATE TABLE certificates (
    seq    INTEGER PRIMARY KEY, -- from 1
    batch  INTEGER NOT NULL, -- batches.first
    id     TEXT NOT NULL, -- leaf hash
    id_key BIGINT NOT NULL, -- its first eight bytes
    issuer TEXT NOT NULL,
    number TEXT NOT NULL,
    leaf   TEXT NOT NULL, -- canonical bytes
    state  TEXT NOT NULL DEFAULT 'anchored',
    failed_later TEXT NOT NULL DEFAULT '', -- id of a notice that an instrument of it failed a later verification; empty: none
    -- Of the transaction that last changed its record; empty while that is as it was anchored.
    record    TEXT NOT NULL DEFAULT '',
    successor TEXT NOT NULL DEFAULT '', -- its number; empty: none
    block BIGINT NOT NULL DEFAULT 0, tx_id TEXT NOT NULL DEFAULT '', claimed TEXT NOT NULL DEFAULT '',
    UNIQUE (number, issuer)
)`,
		`CREATE INDEX certificates_id ON certificates (id_key)`,
		`CREATE INDEX certificates_issuer ON certificates (issuer, seq)`,
		`CREATE TABLE certificate_digests (
    digest_key  BIGINT NOT NULL, -- first eight bytes of a digest of any algorithm; the leaf or the record has the whole
    certificate INTEGER NOT NULL,
    PRIMARY KEY (digest_key, certificate)
) ` + d.clustered,
		`CREATE TABLE certificate_instruments (
    instrument   TEXT NOT NULL,
    performed    TEXT NOT NULL,
    certificate  INTEGER NOT NULL,
    verification INTEGER NOT NULL, -- whether it is the outcome of a verification (检定)
    pass         INTEGER NOT NULL,
    valid_until  TEXT NOT NULL,
    PRIMARY KEY (instrument, performed, certificate)
) ` + d.clustered,
		`CREATE INDEX certificate_instruments_certificate ON certificate_instruments (certificate)`,
	}
	for _, table := range projected {
		statements = append(statements, `DELETE FROM `+table)
	}
	return goose.NewGoMigration(8,
		&goose.GoFunc{RunTx: statementsOf(statements...)},
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
