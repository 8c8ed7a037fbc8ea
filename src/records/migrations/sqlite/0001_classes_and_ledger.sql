-- Classes, their sessions, and the log of each session.
-- All times: milliseconds since the Unix epoch, UTC. Ids and JSON: text.

CREATE TABLE class (
    id         TEXT   NOT NULL PRIMARY KEY,
    title      TEXT   NOT NULL,
    host_unit  TEXT   NOT NULL,
    created_ms BIGINT NOT NULL
);

CREATE TABLE session (
    id         TEXT   NOT NULL PRIMARY KEY,
    class      TEXT   NOT NULL REFERENCES class (id),
    room       TEXT   NOT NULL UNIQUE,
    title      TEXT   NOT NULL,
    mode       TEXT   NOT NULL CHECK (mode IN ('discussion', 'training', 'conference')),
    starts_ms  BIGINT,
    ends_ms    BIGINT,
    state      TEXT   NOT NULL CHECK (state IN ('scheduled', 'open', 'ended')),
    created_ms BIGINT NOT NULL
);
CREATE INDEX session_by_class ON session (class);
CREATE INDEX session_by_state ON session (state);

-- The ledger. `body` is the whole event kind as JSON; `kind` repeats its name.
CREATE TABLE event (
    session TEXT   NOT NULL REFERENCES session (id),
    seq     BIGINT NOT NULL CHECK (seq >= 1),
    boot    BIGINT NOT NULL,
    wall_ms BIGINT NOT NULL,
    mono_ms BIGINT NOT NULL,
    kind    TEXT   NOT NULL,
    body    TEXT   NOT NULL,
    PRIMARY KEY (session, seq)
);

CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;

CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;

-- Latest sign of life of a person, one row per run of the server.
CREATE TABLE last_seen (
    session TEXT   NOT NULL REFERENCES session (id),
    person  TEXT   NOT NULL,
    boot    BIGINT NOT NULL,
    wall_ms BIGINT NOT NULL,
    mono_ms BIGINT NOT NULL,
    PRIMARY KEY (session, person, boot)
);

-- Counters and small facts of the installation.
CREATE TABLE counter (
    name  TEXT   NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
CREATE TABLE setting (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
