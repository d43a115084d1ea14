-- +goose Up
-- The day of the work of verified_by; empty: none.

ALTER TABLE instruments ADD COLUMN verified_on TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE instruments DROP COLUMN verified_on;
