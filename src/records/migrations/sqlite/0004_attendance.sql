-- Ticks at sites, corrections, excuses, substitutes, frozen versions, exports,
-- and the log of who looked. All of it only grows: what stands is the last row.
-- All times: milliseconds since the Unix epoch, UTC. People: person keys.

-- A tick, in or out. `site` absent: the hall where the trainer is.
CREATE TABLE hall_mark (
    session TEXT    NOT NULL REFERENCES session (id),
    seq     BIGINT  NOT NULL CHECK (seq >= 1),
    person  TEXT    NOT NULL,
    site    TEXT,
    present BOOLEAN NOT NULL,
    how     TEXT    NOT NULL CHECK (how IN ('contact', 'qr', 'paper')),
    made_by TEXT    NOT NULL,
    at_ms   BIGINT,
    made_ms BIGINT  NOT NULL,
    PRIMARY KEY (session, seq)
);
CREATE INDEX hall_mark_of_person ON hall_mark (session, person, seq);

-- The phone a person scanned the code with: one person per phone and session.
CREATE TABLE check_in_device (
    session TEXT   NOT NULL REFERENCES session (id),
    device  TEXT   NOT NULL,
    person  TEXT   NOT NULL,
    made_ms BIGINT NOT NULL,
    PRIMARY KEY (session, device)
);

-- Scans that were refused because the phone belongs to somebody else.
CREATE TABLE check_in_refused (
    session TEXT   NOT NULL REFERENCES session (id),
    device  TEXT   NOT NULL,
    person  TEXT   NOT NULL,
    site    TEXT,
    made_ms BIGINT NOT NULL,
    PRIMARY KEY (session, device, person)
);

-- A correction (điều chỉnh). `change` is the change as JSON.
CREATE TABLE adjustment (
    session  TEXT   NOT NULL REFERENCES session (id),
    no       BIGINT NOT NULL CHECK (no >= 1),
    person   TEXT   NOT NULL,
    change   TEXT   NOT NULL,
    was      TEXT   NOT NULL,
    reason   TEXT   NOT NULL CHECK (length(reason) > 0),
    evidence TEXT,
    made_by  TEXT   NOT NULL,
    by_name  TEXT   NOT NULL,
    made_ms  BIGINT NOT NULL,
    PRIMARY KEY (session, no)
);

-- An excuse; an empty reason takes it back.
CREATE TABLE excuse (
    session TEXT   NOT NULL REFERENCES session (id),
    no      BIGINT NOT NULL CHECK (no >= 1),
    person  TEXT   NOT NULL,
    reason  TEXT   NOT NULL,
    made_by TEXT   NOT NULL,
    made_ms BIGINT NOT NULL,
    PRIMARY KEY (session, no)
);

-- A substitute (dự thay); an empty name takes the substitution back.
CREATE TABLE delegate (
    session   TEXT   NOT NULL REFERENCES session (id),
    no        BIGINT NOT NULL CHECK (no >= 1),
    invited   TEXT   NOT NULL,
    name      TEXT   NOT NULL,
    position  TEXT   NOT NULL,
    reference TEXT   NOT NULL,
    made_by   TEXT   NOT NULL,
    made_ms   BIGINT NOT NULL,
    PRIMARY KEY (session, no)
);

-- A frozen version (chốt điểm danh). `body` is the canonical JSON hashed.
CREATE TABLE attendance_version (
    session TEXT   NOT NULL REFERENCES session (id),
    no      BIGINT NOT NULL CHECK (no >= 1),
    body    TEXT   NOT NULL,
    stands  TEXT   NOT NULL,
    sha256  TEXT   NOT NULL,
    reason  TEXT   NOT NULL,
    made_by TEXT   NOT NULL,
    by_name TEXT   NOT NULL,
    made_ms BIGINT NOT NULL,
    PRIMARY KEY (session, no)
);

-- What was exported; the data once, however often and in whatever format.
CREATE TABLE export_data (
    sha256 TEXT NOT NULL PRIMARY KEY,
    body   TEXT NOT NULL
);
CREATE TABLE export (
    id          TEXT   NOT NULL PRIMARY KEY,
    kind        TEXT   NOT NULL,
    format      TEXT   NOT NULL,
    class       TEXT   NOT NULL REFERENCES class (id),
    session     TEXT   REFERENCES session (id),
    version     BIGINT NOT NULL,
    query       TEXT   NOT NULL,
    extent      TEXT   NOT NULL,
    data_sha256 TEXT   NOT NULL REFERENCES export_data (sha256),
    file_sha256 TEXT   NOT NULL,
    file_len    BIGINT NOT NULL,
    made_by     TEXT   NOT NULL,
    by_name     TEXT   NOT NULL,
    made_ms     BIGINT NOT NULL
);
CREATE INDEX export_of_class ON export (class, made_ms);
CREATE INDEX export_of_session ON export (session, made_ms);
CREATE INDEX export_of_file ON export (file_sha256);
CREATE INDEX export_of_data ON export (data_sha256);

-- Who looked at, changed or took out attendance, and how much of it. Outlives
-- the class.
CREATE TABLE access_log (
    id      INTEGER NOT NULL PRIMARY KEY,
    at_ms   BIGINT  NOT NULL,
    made_by TEXT    NOT NULL,
    by_name TEXT    NOT NULL,
    what    TEXT    NOT NULL,
    extent  TEXT    NOT NULL,
    class   TEXT    NOT NULL,
    session TEXT
);
CREATE INDEX access_log_of_class ON access_log (class, id);

CREATE TRIGGER hall_mark_is_never_changed BEFORE UPDATE ON hall_mark
BEGIN
    SELECT RAISE(ABORT, 'hall_mark is append-only');
END;
CREATE TRIGGER hall_mark_is_never_deleted BEFORE DELETE ON hall_mark
BEGIN
    SELECT RAISE(ABORT, 'hall_mark is append-only');
END;
CREATE TRIGGER check_in_device_is_never_changed BEFORE UPDATE ON check_in_device
BEGIN
    SELECT RAISE(ABORT, 'check_in_device is append-only');
END;
CREATE TRIGGER check_in_device_is_never_deleted BEFORE DELETE ON check_in_device
BEGIN
    SELECT RAISE(ABORT, 'check_in_device is append-only');
END;
CREATE TRIGGER check_in_refused_is_never_changed BEFORE UPDATE ON check_in_refused
BEGIN
    SELECT RAISE(ABORT, 'check_in_refused is append-only');
END;
CREATE TRIGGER check_in_refused_is_never_deleted BEFORE DELETE ON check_in_refused
BEGIN
    SELECT RAISE(ABORT, 'check_in_refused is append-only');
END;
CREATE TRIGGER adjustment_is_never_changed BEFORE UPDATE ON adjustment
BEGIN
    SELECT RAISE(ABORT, 'adjustment is append-only');
END;
CREATE TRIGGER adjustment_is_never_deleted BEFORE DELETE ON adjustment
BEGIN
    SELECT RAISE(ABORT, 'adjustment is append-only');
END;
CREATE TRIGGER excuse_is_never_changed BEFORE UPDATE ON excuse
BEGIN
    SELECT RAISE(ABORT, 'excuse is append-only');
END;
CREATE TRIGGER excuse_is_never_deleted BEFORE DELETE ON excuse
BEGIN
    SELECT RAISE(ABORT, 'excuse is append-only');
END;
CREATE TRIGGER delegate_is_never_changed BEFORE UPDATE ON delegate
BEGIN
    SELECT RAISE(ABORT, 'delegate is append-only');
END;
CREATE TRIGGER delegate_is_never_deleted BEFORE DELETE ON delegate
BEGIN
    SELECT RAISE(ABORT, 'delegate is append-only');
END;
CREATE TRIGGER attendance_version_is_never_changed BEFORE UPDATE ON attendance_version
BEGIN
    SELECT RAISE(ABORT, 'attendance_version is append-only');
END;
CREATE TRIGGER attendance_version_is_never_deleted BEFORE DELETE ON attendance_version
BEGIN
    SELECT RAISE(ABORT, 'attendance_version is append-only');
END;
CREATE TRIGGER export_data_is_never_changed BEFORE UPDATE ON export_data
BEGIN
    SELECT RAISE(ABORT, 'export_data is append-only');
END;
CREATE TRIGGER export_data_is_never_deleted BEFORE DELETE ON export_data
BEGIN
    SELECT RAISE(ABORT, 'export_data is append-only');
END;
CREATE TRIGGER export_is_never_changed BEFORE UPDATE ON export
BEGIN
    SELECT RAISE(ABORT, 'export is append-only');
END;
CREATE TRIGGER export_is_never_deleted BEFORE DELETE ON export
BEGIN
    SELECT RAISE(ABORT, 'export is append-only');
END;
CREATE TRIGGER access_log_is_never_changed BEFORE UPDATE ON access_log
BEGIN
    SELECT RAISE(ABORT, 'access_log is append-only');
END;
CREATE TRIGGER access_log_is_never_deleted BEFORE DELETE ON access_log
BEGIN
    SELECT RAISE(ABORT, 'access_log is append-only');
END;
