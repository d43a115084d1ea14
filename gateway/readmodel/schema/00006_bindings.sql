-- +goose Up
-- Which posts act for which merchants and issuers.

CREATE TABLE bindings (
    msp       TEXT NOT NULL,
    subject   TEXT NOT NULL,
    kind      TEXT NOT NULL,
    principal TEXT NOT NULL,
    PRIMARY KEY (msp, subject, kind, principal)
);

-- +goose Down
DROP TABLE bindings;
