-- +goose Up
-- What changed last, for feeds.

CREATE INDEX inspections_latest ON inspections (block, id);
CREATE INDEX draws_latest ON draws (block, id);

-- +goose Down
DROP INDEX draws_latest;
DROP INDEX inspections_latest;
