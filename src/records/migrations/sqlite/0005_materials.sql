-- Slides, files handed out and in. The bytes lie in the data folder under `key`.
-- A material that was taken out of the room stays, as the law wants material to
-- stay (TT 21/2017 Điều 10.8). All times: milliseconds since the Unix epoch, UTC.
CREATE TABLE material (
    id         TEXT   PRIMARY KEY,
    session    TEXT   NOT NULL REFERENCES session (id),
    kind       TEXT   NOT NULL CHECK (kind IN ('deck', 'out', 'in')),
    name       TEXT   NOT NULL,
    bytes      BIGINT NOT NULL CHECK (bytes >= 0),
    sha256     TEXT   NOT NULL,
    key        TEXT   NOT NULL UNIQUE,
    state      TEXT   NOT NULL CHECK (state IN ('queued', 'converting', 'ready', 'failed')),
    why        TEXT,
    pages      BIGINT NOT NULL,
    width      BIGINT NOT NULL,
    height     BIGINT NOT NULL,
    review     TEXT   NOT NULL CHECK (review IN ('draft', 'pending', 'reviewed')),
    licence    TEXT,
    owner      TEXT,
    made_by    TEXT   NOT NULL,
    by_name    TEXT   NOT NULL,
    made_ms    BIGINT NOT NULL,
    dropped_ms BIGINT,
    tries      BIGINT NOT NULL
);
CREATE INDEX material_of_session ON material (session, made_ms);
CREATE INDEX material_to_do ON material (state, made_ms) WHERE state IN ('queued', 'converting');
