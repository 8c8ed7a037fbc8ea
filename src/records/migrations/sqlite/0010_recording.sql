-- That sessions are recorded: the setting of a class, or of one session in its
-- place. The newest of each stands.
CREATE TABLE recording_notice (
    no      INTEGER PRIMARY KEY AUTOINCREMENT,
    class   TEXT    NOT NULL REFERENCES class (id),
    session TEXT    REFERENCES session (id),
    -- 'class' on a session: as the class says.
    state   TEXT    NOT NULL CHECK (state IN ('on', 'off', 'class')),
    who     TEXT    NOT NULL,
    why     TEXT    NOT NULL,
    keep    TEXT    NOT NULL,
    made_by TEXT    NOT NULL,
    made_ms BIGINT  NOT NULL,
    CHECK (session IS NOT NULL OR state <> 'class'),
    CHECK (state <> 'on' OR who <> '')
);
CREATE INDEX recording_notice_of ON recording_notice (class, session, no);
CREATE TRIGGER recording_notice_is_never_changed BEFORE UPDATE ON recording_notice
BEGIN
    SELECT RAISE(ABORT, 'recording_notice is append-only');
END;

-- Who accepted which words before coming in. `person` may be somebody the records
-- do not know: a guest by an open link.
CREATE TABLE recording_accepted (
    class  TEXT   NOT NULL REFERENCES class (id),
    words  TEXT   NOT NULL,
    person TEXT   NOT NULL,
    who    TEXT   NOT NULL,
    why    TEXT   NOT NULL,
    keep   TEXT   NOT NULL,
    at_ms  BIGINT NOT NULL,
    PRIMARY KEY (class, words, person)
);
