-- +goose Up
-- Draws: their phase records, and every other key of theirs as it stands.

CREATE TABLE draws (
    id        TEXT PRIMARY KEY,
    authority TEXT NOT NULL,
    phase     TEXT NOT NULL,
    doc       TEXT NOT NULL,
    block BIGINT NOT NULL, tx_id TEXT NOT NULL, claimed TEXT NOT NULL
);
CREATE INDEX draws_authority ON draws (authority, id);

CREATE TABLE draw_parts (
    draw TEXT NOT NULL,
    part TEXT NOT NULL, -- such as plan, freeze, commitment, observation, objects
    item TEXT NOT NULL, -- MSP or number of the chunk; empty where there is one
    doc  TEXT NOT NULL,
    PRIMARY KEY (draw, part, item)
);

-- +goose Down
DROP TABLE draw_parts;
DROP TABLE draws;
