-- +goose Up
-- The keys to which secrets of sealed draws are encrypted, one per holder.

CREATE TABLE escrow_keys (
    org TEXT PRIMARY KEY,
    doc TEXT NOT NULL
);

-- +goose Down
DROP TABLE escrow_keys;
