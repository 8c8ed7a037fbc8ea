-- Courses, plans of classes, planned sessions, staff, rosters, what was done.
-- All times: milliseconds since the Unix epoch, UTC. Days: YYYY-MM-DD. People:
-- `person.id`, units: `unit.id` (0002).

CREATE TABLE course (
    id          TEXT   NOT NULL PRIMARY KEY,
    title       TEXT   NOT NULL,
    programme   TEXT   NOT NULL,
    periods     BIGINT NOT NULL,
    basis       TEXT   NOT NULL,
    school_year TEXT   NOT NULL,
    search      TEXT   NOT NULL,
    made_by     TEXT   NOT NULL,
    created_ms  BIGINT NOT NULL
);

-- What is searched or joined has a column; the rest of the plan is JSON in
-- `plan`. `host_unit` keeps the name of the host as it was when it was set.
-- A class from before had people coming in already: it is open.
ALTER TABLE class ADD COLUMN code TEXT NOT NULL DEFAULT '';
ALTER TABLE class ADD COLUMN code_key TEXT NOT NULL DEFAULT '';
ALTER TABLE class ADD COLUMN course TEXT REFERENCES course (id);
ALTER TABLE class ADD COLUMN host TEXT REFERENCES unit (id);
ALTER TABLE class ADD COLUMN state TEXT NOT NULL DEFAULT 'open';
ALTER TABLE class ADD COLUMN from_day TEXT;
ALTER TABLE class ADD COLUMN to_day TEXT;
ALTER TABLE class ADD COLUMN open_until TEXT;
ALTER TABLE class ADD COLUMN plan TEXT NOT NULL DEFAULT '{}';
ALTER TABLE class ADD COLUMN search TEXT NOT NULL DEFAULT '';
ALTER TABLE class ADD COLUMN rev BIGINT NOT NULL DEFAULT 1;
CREATE UNIQUE INDEX class_by_code ON class (code_key) WHERE code_key <> '';
CREATE INDEX class_by_host ON class (host);
CREATE INDEX class_by_state ON class (state);

-- What was done to a class: `create`, `plan`, a step of its life, `delete`.
-- No reference to the class: the entry outlives a draft that was thrown away.
CREATE TABLE class_log (
    class    TEXT   NOT NULL,
    no       BIGINT NOT NULL CHECK (no >= 1),
    at_ms    BIGINT NOT NULL,
    made_by  TEXT   NOT NULL,
    what     TEXT   NOT NULL,
    was      TEXT   NOT NULL,
    becomes  TEXT   NOT NULL,
    document TEXT   NOT NULL,
    reason   TEXT   NOT NULL,
    PRIMARY KEY (class, no)
);

-- Planned fields of a session. Its phase is no column: it follows from the
-- ledger, from `attendance_version` and `export`. `state` of 0001 is about the
-- room; a cancelled session is an ended one with `cancelled_ms`.
ALTER TABLE session ADD COLUMN rehearsal_min BIGINT NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN waiting BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE session ADD COLUMN counts BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE session ADD COLUMN place TEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN cancelled_ms BIGINT;
ALTER TABLE session ADD COLUMN cancel_reason TEXT NOT NULL DEFAULT '';
CREATE INDEX session_by_start ON session (starts_ms);

-- Every planned time a session ever had, for plan versus actual.
CREATE TABLE session_plan (
    session   TEXT   NOT NULL REFERENCES session (id),
    no        BIGINT NOT NULL CHECK (no >= 1),
    starts_ms BIGINT,
    ends_ms   BIGINT,
    made_by   TEXT   NOT NULL,
    made_ms   BIGINT NOT NULL,
    PRIMARY KEY (session, no)
);

-- The few events a session's phase follows from.
CREATE INDEX event_of_lesson ON event (session, seq)
    WHERE kind IN ('started', 'break', 'ended');

-- Staff of a class (`session` absent) or of one session. Entries are ended,
-- never changed: a substitution leaves both names.
CREATE TABLE staff (
    id         INTEGER NOT NULL PRIMARY KEY,
    class      TEXT    NOT NULL REFERENCES class (id),
    session    TEXT    REFERENCES session (id),
    person     TEXT    NOT NULL REFERENCES person (id),
    role       TEXT    NOT NULL CHECK (role IN ('organiser', 'chair', 'trainer', 'adviser',
                   'technician', 'contentAuthor', 'secretary', 'observer')),
    instead_of TEXT    REFERENCES person (id),
    made_by    TEXT    NOT NULL,
    made_ms    BIGINT  NOT NULL,
    ended_by   TEXT,
    ended_ms   BIGINT
);
CREATE INDEX staff_of_class ON staff (class, role);
CREATE INDEX staff_of_person ON staff (person);

-- Own learners of an adviser; none: all of the class.
CREATE TABLE staff_learner (
    staff  BIGINT NOT NULL REFERENCES staff (id),
    person TEXT   NOT NULL REFERENCES person (id),
    PRIMARY KEY (staff, person)
);

CREATE TRIGGER staff_is_only_ended
BEFORE UPDATE OF id, class, session, person, role, instead_of, made_by, made_ms ON staff
BEGIN
    SELECT RAISE(ABORT, 'an entry of the staff list is only ended');
END;
CREATE TRIGGER staff_ends_once BEFORE UPDATE ON staff WHEN OLD.ended_ms IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'the entry of the staff list has ended');
END;

-- The roster as it stands, its versions, and what each version changed: the
-- roster of version n is, of each person, the latest line up to n.
CREATE TABLE roster (
    class  TEXT    NOT NULL REFERENCES class (id),
    person TEXT    NOT NULL REFERENCES person (id),
    state  TEXT    NOT NULL CHECK (state IN ('planned', 'official', 'added', 'withdrawn')),
    site   BOOLEAN NOT NULL,
    note   TEXT    NOT NULL,
    PRIMARY KEY (class, person)
);
CREATE INDEX roster_of_person ON roster (person);

CREATE TABLE roster_version (
    class     TEXT   NOT NULL REFERENCES class (id),
    no        BIGINT NOT NULL CHECK (no >= 1),
    made_ms   BIGINT NOT NULL,
    made_by   TEXT   NOT NULL,
    how       TEXT   NOT NULL CHECK (how IN ('import', 'manual', 'state')),
    added     BIGINT NOT NULL,
    changed   BIGINT NOT NULL,
    withdrawn BIGINT NOT NULL,
    PRIMARY KEY (class, no)
);

CREATE TABLE roster_line (
    class   TEXT    NOT NULL,
    version BIGINT  NOT NULL,
    person  TEXT    NOT NULL REFERENCES person (id),
    state   TEXT    NOT NULL,
    site    BOOLEAN NOT NULL,
    note    TEXT    NOT NULL,
    PRIMARY KEY (class, version, person),
    FOREIGN KEY (class, version) REFERENCES roster_version (class, no)
);

CREATE TRIGGER class_log_is_never_changed BEFORE UPDATE ON class_log
BEGIN
    SELECT RAISE(ABORT, 'class_log is append-only');
END;
CREATE TRIGGER class_log_is_never_deleted BEFORE DELETE ON class_log
BEGIN
    SELECT RAISE(ABORT, 'class_log is append-only');
END;
CREATE TRIGGER session_plan_is_never_changed BEFORE UPDATE ON session_plan
BEGIN
    SELECT RAISE(ABORT, 'session_plan is append-only');
END;
CREATE TRIGGER roster_version_is_never_changed BEFORE UPDATE ON roster_version
BEGIN
    SELECT RAISE(ABORT, 'roster_version is append-only');
END;
CREATE TRIGGER roster_line_is_never_changed BEFORE UPDATE ON roster_line
BEGIN
    SELECT RAISE(ABORT, 'roster_line is append-only');
END;
