-- Who is on technical duty in a session (lịch trực kỹ thuật, TT 21/2017 Điều
-- 10.3). Each change is a version; the newest stands.
CREATE TABLE duty (
    session TEXT    NOT NULL REFERENCES session (id),
    version INTEGER NOT NULL CHECK (version >= 1),
    -- JSON: the shape of `DutyEntry`, in order.
    list    TEXT    NOT NULL,
    made_by TEXT    NOT NULL,
    by_name TEXT    NOT NULL,
    made_ms BIGINT  NOT NULL,
    PRIMARY KEY (session, version)
);
CREATE TRIGGER duty_is_never_changed BEFORE UPDATE ON duty
BEGIN
    SELECT RAISE(ABORT, 'duty is append-only');
END;

-- Incidents of a session (nhật ký sự cố): what was written of each, in order. What
-- an incident is follows from its entries.
CREATE TABLE incident_entry (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    session  TEXT    NOT NULL REFERENCES session (id),
    -- Number in the session.
    no       INTEGER NOT NULL CHECK (no >= 1),
    -- NULL: a note that changes no state.
    state    TEXT    CHECK (state IN ('open', 'handling', 'solved')),
    -- Of the first entry of an incident; empty on later ones.
    kind     TEXT    NOT NULL,
    severity TEXT    NOT NULL,
    site     TEXT,
    subject  TEXT    NOT NULL,
    text     TEXT    NOT NULL,
    -- NULL: written by the server itself.
    made_by  TEXT,
    by_name  TEXT    NOT NULL,
    at_ms    BIGINT  NOT NULL
);
CREATE INDEX incident_of_session ON incident_entry (session, no, seq);
CREATE TRIGGER incident_entry_is_never_changed BEFORE UPDATE ON incident_entry
BEGIN
    SELECT RAISE(ABORT, 'incident_entry is append-only');
END;
CREATE TRIGGER incident_entry_is_never_deleted BEFORE DELETE ON incident_entry
BEGIN
    SELECT RAISE(ABORT, 'incident_entry is append-only');
END;
