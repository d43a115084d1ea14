-- +goose Up
-- One schema for SQLite and PostgreSQL. Hashes are lower-case hex, documents
-- are JSON text as it stands on the ledger, claimed times are RFC 3339.

CREATE TABLE position (
    only_row     INTEGER PRIMARY KEY CHECK (only_row = 1),
    channel      TEXT NOT NULL,
    number       BIGINT NOT NULL,
    block_hash   TEXT NOT NULL,
    genesis_hash TEXT NOT NULL,
    claimed      TEXT NOT NULL
);

CREATE TABLE transactions (
    id        TEXT PRIMARY KEY,
    block     BIGINT NOT NULL,
    idx       BIGINT NOT NULL,
    code      TEXT NOT NULL,
    valid     INTEGER NOT NULL,
    function  TEXT NOT NULL,
    msp       TEXT NOT NULL,
    role      TEXT NOT NULL,
    event     TEXT NOT NULL,
    entity    TEXT NOT NULL,
    claimed   TEXT NOT NULL,
    endorsers TEXT NOT NULL -- comma-separated MSP ids
);

-- What concerned an entity, in the order of the ledger.
CREATE TABLE history (
    family  TEXT NOT NULL,
    entity  TEXT NOT NULL,
    block   BIGINT NOT NULL,
    idx     BIGINT NOT NULL,
    tx_id   TEXT NOT NULL,
    event   TEXT NOT NULL,
    reason  TEXT NOT NULL,
    role    TEXT NOT NULL,
    claimed TEXT NOT NULL,
    PRIMARY KEY (family, entity, block, idx)
);

CREATE TABLE merchants (
    id          TEXT PRIMARY KEY,
    region      TEXT NOT NULL,
    sector      TEXT NOT NULL,
    credit_code TEXT NOT NULL,
    doc         TEXT NOT NULL,
    block BIGINT NOT NULL, tx_id TEXT NOT NULL, claimed TEXT NOT NULL
);
CREATE INDEX merchants_region ON merchants (region, id);
CREATE INDEX merchants_credit_code ON merchants (credit_code);

CREATE TABLE sites (
    id     TEXT PRIMARY KEY,
    kind   TEXT NOT NULL,
    region TEXT NOT NULL,
    parent TEXT NOT NULL,
    doc    TEXT NOT NULL,
    block BIGINT NOT NULL, tx_id TEXT NOT NULL, claimed TEXT NOT NULL
);
CREATE INDEX sites_region ON sites (region, id);
CREATE INDEX sites_parent ON sites (parent, id);

-- Owner, user and present occupant of a site.
CREATE TABLE site_merchants (
    merchant TEXT NOT NULL,
    site     TEXT NOT NULL,
    PRIMARY KEY (merchant, site)
);

CREATE TABLE pledges (
    id       TEXT PRIMARY KEY,
    merchant TEXT NOT NULL,
    doc      TEXT NOT NULL,
    block BIGINT NOT NULL, tx_id TEXT NOT NULL, claimed TEXT NOT NULL
);
CREATE INDEX pledges_merchant ON pledges (merchant, id);

CREATE TABLE issuers (
    id  TEXT PRIMARY KEY,
    doc TEXT NOT NULL,
    block BIGINT NOT NULL, tx_id TEXT NOT NULL, claimed TEXT NOT NULL
);

CREATE TABLE instruments (
    id          TEXT PRIMARY KEY,
    region      TEXT NOT NULL,
    site        TEXT NOT NULL,
    owner       TEXT NOT NULL,
    usr         TEXT NOT NULL,
    category    TEXT NOT NULL,
    serial      TEXT NOT NULL,
    -- The newest verification that stands, from the certificates.
    verified_by    TEXT NOT NULL, -- leaf hash; empty: none recorded
    verified_until TEXT NOT NULL, -- last day; empty: none
    verified_pass  INTEGER NOT NULL,
    doc         TEXT NOT NULL,
    block BIGINT NOT NULL, tx_id TEXT NOT NULL, claimed TEXT NOT NULL
);
CREATE INDEX instruments_region ON instruments (region, id);
CREATE INDEX instruments_site ON instruments (site, id);
CREATE INDEX instruments_owner ON instruments (owner, id);
CREATE INDEX instruments_usr ON instruments (usr, id);
CREATE INDEX instruments_serial ON instruments (serial, id);
CREATE INDEX instruments_due ON instruments (verified_until, id);

CREATE TABLE batches (
    first     INTEGER PRIMARY KEY, -- seq of its first certificate
    issuer    TEXT NOT NULL,
    root      TEXT NOT NULL,
    count     BIGINT NOT NULL,
    key_id    TEXT NOT NULL,
    signature TEXT NOT NULL, -- base64
    doubtful  INTEGER NOT NULL, -- 1: the key was reported compromised; no instrument's standing rests on it
    block BIGINT NOT NULL, tx_id TEXT NOT NULL, claimed TEXT NOT NULL,
    UNIQUE (issuer, root)
);

-- Certificates are numbered in the order of the ledger. Other tables name them
-- by that number: a leaf hash is long and falls anywhere in an index.
CREATE TABLE certificates (
    seq       INTEGER PRIMARY KEY, -- from 1
    batch     INTEGER NOT NULL, -- batches.first
    id        TEXT NOT NULL UNIQUE, -- leaf hash
    state_key TEXT NOT NULL UNIQUE, -- issuer/escaped number
    issuer    TEXT NOT NULL,
    number    TEXT NOT NULL,
    leaf      TEXT NOT NULL, -- canonical bytes
    record    TEXT NOT NULL,
    state     TEXT NOT NULL,
    successor TEXT NOT NULL, -- its state_key; empty: none
    block BIGINT NOT NULL, tx_id TEXT NOT NULL, claimed TEXT NOT NULL
);
CREATE INDEX certificates_number ON certificates (number, seq);
CREATE INDEX certificates_issuer ON certificates (issuer, seq);

CREATE TABLE certificate_digests (
    value       BYTEA NOT NULL,
    algorithm   TEXT NOT NULL,
    certificate INTEGER NOT NULL,
    PRIMARY KEY (value, algorithm, certificate)
);

-- Instruments of the ledger that a certificate speaks of.
CREATE TABLE certificate_instruments (
    instrument   TEXT NOT NULL,
    performed    TEXT NOT NULL,
    certificate  INTEGER NOT NULL,
    verification INTEGER NOT NULL, -- whether it is the outcome of a verification (检定)
    pass         INTEGER NOT NULL,
    valid_until  TEXT NOT NULL,
    PRIMARY KEY (instrument, performed, certificate)
);
CREATE INDEX certificate_instruments_certificate ON certificate_instruments (certificate);

CREATE TABLE rulesets (
    id      TEXT NOT NULL,
    version BIGINT NOT NULL,
    ref     TEXT NOT NULL UNIQUE, -- id, then version in six digits
    kind    TEXT NOT NULL,
    state   TEXT NOT NULL,
    doc     TEXT NOT NULL,
    block BIGINT NOT NULL, tx_id TEXT NOT NULL, claimed TEXT NOT NULL,
    PRIMARY KEY (id, version)
);

CREATE TABLE inspections (
    id      TEXT PRIMARY KEY,
    site    TEXT NOT NULL,
    region  TEXT NOT NULL,
    state   TEXT NOT NULL,
    visited TEXT NOT NULL,
    doc     TEXT NOT NULL,
    block BIGINT NOT NULL, tx_id TEXT NOT NULL, claimed TEXT NOT NULL
);
CREATE INDEX inspections_site ON inspections (site, id);
CREATE INDEX inspections_state ON inspections (state, visited);

-- Everything deletable, and every index over it, in one row: a purge names the
-- hash of a key, and the row goes as a whole.
CREATE TABLE disclosed (
    key_hash TEXT PRIMARY KEY,
    kind     TEXT NOT NULL,
    owner    TEXT NOT NULL, -- "merchant/M-1", or the id of an inspection
    part     TEXT NOT NULL, -- number of an inspection's revision
    name     TEXT NOT NULL, -- lower case, for search
    merchant TEXT NOT NULL, -- inspected
    doc      TEXT NOT NULL
);
CREATE INDEX disclosed_owner ON disclosed (kind, owner, part);
CREATE INDEX disclosed_name ON disclosed (kind, name);
CREATE INDEX disclosed_merchant ON disclosed (merchant, owner);

-- Values of the collection disclosed that are in force but did not come with
-- their block. The transaction that wrote each is block, idx.
CREATE TABLE missing (
    key_hash   TEXT PRIMARY KEY,
    block      BIGINT NOT NULL,
    idx        BIGINT NOT NULL,
    block_hash TEXT NOT NULL
);

-- +goose Down
DROP TABLE missing;
DROP TABLE disclosed;
DROP TABLE inspections;
DROP TABLE rulesets;
DROP TABLE certificate_instruments;
DROP TABLE certificate_digests;
DROP TABLE certificates;
DROP TABLE batches;
DROP TABLE instruments;
DROP TABLE issuers;
DROP TABLE pledges;
DROP TABLE site_merchants;
DROP TABLE sites;
DROP TABLE merchants;
DROP TABLE history;
DROP TABLE transactions;
DROP TABLE position;
