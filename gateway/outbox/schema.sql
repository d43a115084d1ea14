-- One row per (caller, idempotency key). timestamp is in nanoseconds,
-- created and updated are in milliseconds since 1970.
CREATE TABLE submission (
    caller         TEXT    NOT NULL,
    key            TEXT    NOT NULL,
    request_hash   BLOB    NOT NULL,
    operation      TEXT    NOT NULL,
    transaction_id TEXT    NOT NULL,
    envelope       BLOB,
    state          TEXT    NOT NULL CHECK (state IN ('pending', 'unknown', 'committed', 'invalid', 'refused')),
    block_number   INTEGER NOT NULL DEFAULT 0,
    timestamp      INTEGER NOT NULL DEFAULT 0,
    code           INTEGER NOT NULL DEFAULT 0,
    result         BLOB,
    refusal        TEXT    NOT NULL DEFAULT '',
    created        INTEGER NOT NULL,
    updated        INTEGER NOT NULL,
    PRIMARY KEY (caller, key)
) WITHOUT ROWID;
CREATE UNIQUE INDEX submission_transaction ON submission (transaction_id) WHERE transaction_id <> '';
CREATE INDEX submission_open ON submission (state) WHERE state IN ('pending', 'unknown');
CREATE TABLE secret (value BLOB NOT NULL);
