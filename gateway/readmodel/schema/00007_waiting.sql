-- +goose Up
-- Whether a pledge awaits publication.

ALTER TABLE pledges ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0;
CREATE INDEX pledges_waiting ON pledges (id) WHERE waiting = 1;

-- +goose Down
DROP INDEX pledges_waiting;
ALTER TABLE pledges DROP COLUMN waiting;
