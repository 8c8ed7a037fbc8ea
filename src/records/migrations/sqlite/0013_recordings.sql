-- Recordings (bản ghi) made by this server: what is known of them beside their
-- files, which lie in recordings/<id>. Times `…_ms` in a recording are recording
-- time: since it began, pauses included.
CREATE TABLE recording (
    id              TEXT    NOT NULL PRIMARY KEY,
    session         TEXT    NOT NULL REFERENCES session (id),
    class           TEXT    NOT NULL REFERENCES class (id),
    state           TEXT    NOT NULL CHECK (state IN ('recording', 'processing', 'review',
                            'published', 'hidden', 'archived', 'deleted')),
    title           TEXT,
    started_ms      BIGINT  NOT NULL,
    ended_ms        BIGINT,
    -- Absent: by the setting of the session.
    made_by         TEXT,
    length_ms       BIGINT  NOT NULL DEFAULT 0 CHECK (length_ms >= 0),
    bytes           BIGINT  NOT NULL DEFAULT 0 CHECK (bytes >= 0),
    partial         TEXT,
    manifest_sha256 TEXT,
    verified_ms     BIGINT,
    downloads       INTEGER NOT NULL DEFAULT 0 CHECK (downloads IN (0, 1)),
    licence         TEXT,
    audience        TEXT    NOT NULL DEFAULT 'enrolled'
                            CHECK (audience IN ('enrolled', 'unit', 'link', 'public')),
    audience_unit   TEXT    REFERENCES unit (id),
    audience_until_ms BIGINT,
    -- Counts up with every withdrawal: addresses and links of before end.
    withdrawn       INTEGER NOT NULL DEFAULT 0,
    CHECK (audience <> 'unit' OR audience_unit IS NOT NULL),
    CHECK (audience <> 'link' OR audience_until_ms IS NOT NULL)
);
CREATE INDEX recording_of_session ON recording (session);
CREATE INDEX recording_of_class ON recording (class, started_ms);
CREATE INDEX recording_by_state ON recording (state);

-- Files of a recording, written when it has ended; while it goes on its journal
-- tells them.
CREATE TABLE recording_segment (
    recording  TEXT   NOT NULL REFERENCES recording (id),
    id         TEXT   NOT NULL,
    file       TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    person     TEXT   NOT NULL,
    from_ms    BIGINT NOT NULL,
    to_ms      BIGINT NOT NULL,
    bytes      BIGINT NOT NULL,
    sha256     TEXT   NOT NULL,
    damaged_ms BIGINT,
    PRIMARY KEY (recording, id)
);

-- Spans somebody cut out; pauses are in the journal.
CREATE TABLE recording_cut (
    recording TEXT   NOT NULL REFERENCES recording (id),
    from_ms   BIGINT NOT NULL CHECK (from_ms >= 0),
    to_ms     BIGINT NOT NULL,
    why       TEXT   NOT NULL CHECK (why IN ('trim', 'cut')),
    PRIMARY KEY (recording, from_ms),
    CHECK (to_ms > from_ms)
);

-- What happened to a recording, by whom.
CREATE TABLE recording_log (
    id        INTEGER NOT NULL PRIMARY KEY,
    recording TEXT    NOT NULL REFERENCES recording (id),
    at_ms     BIGINT  NOT NULL,
    made_by   TEXT,
    by_name   TEXT    NOT NULL,
    what      TEXT    NOT NULL,
    text      TEXT    NOT NULL
);
CREATE INDEX recording_log_of ON recording_log (recording, id);
CREATE TRIGGER recording_log_is_never_changed BEFORE UPDATE ON recording_log
BEGIN
    SELECT RAISE(ABORT, 'recording_log is append-only');
END;
CREATE TRIGGER recording_log_is_never_emptied BEFORE DELETE ON recording_log
BEGIN
    SELECT RAISE(ABORT, 'recording_log is append-only');
END;

-- Work on recordings: one row a stage.
CREATE TABLE recording_job (
    recording TEXT    NOT NULL REFERENCES recording (id),
    stage     TEXT    NOT NULL CHECK (stage IN ('finalise', 'verify', 'quick', 'mix', 'render',
                      'upload', 'publish')),
    step      INTEGER NOT NULL,
    state     TEXT    NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'skipped', 'failed')),
    tries     INTEGER NOT NULL DEFAULT 0,
    due_ms    BIGINT  NOT NULL,
    -- Until then nobody else takes it, though its worker may be dead.
    lease_ms  BIGINT  NOT NULL DEFAULT 0,
    worker    TEXT    NOT NULL DEFAULT '',
    percent   INTEGER NOT NULL DEFAULT 0,
    why       TEXT,
    PRIMARY KEY (recording, stage)
);
CREATE INDEX recording_job_due ON recording_job (state, due_ms);

-- Who watched what; apart from attendance.
CREATE TABLE recording_watch (
    recording  TEXT   NOT NULL REFERENCES recording (id),
    person     TEXT   NOT NULL,
    -- JSON: pairs of ms, in order, not touching each other.
    spans      TEXT   NOT NULL,
    resume_ms  BIGINT NOT NULL,
    last_ms    BIGINT NOT NULL,
    PRIMARY KEY (recording, person)
);

-- Disposal (tiêu hủy): asked for, agreed to, done. The record stays.
CREATE TABLE recording_disposal (
    recording       TEXT   NOT NULL PRIMARY KEY REFERENCES recording (id),
    reason          TEXT   NOT NULL CHECK (reason <> ''),
    made_by         TEXT   NOT NULL,
    by_name         TEXT   NOT NULL,
    made_ms         BIGINT NOT NULL,
    done_ms         BIGINT,
    bytes           BIGINT,
    manifest_sha256 TEXT,
    -- The bytes are gone everywhere.
    purged_ms       BIGINT
);
CREATE TABLE recording_disposal_approval (
    recording TEXT   NOT NULL REFERENCES recording_disposal (recording),
    person    TEXT   NOT NULL,
    name      TEXT   NOT NULL,
    at_ms     BIGINT NOT NULL,
    PRIMARY KEY (recording, person)
);

CREATE TABLE recording_captions (
    recording TEXT   NOT NULL REFERENCES recording (id),
    lang      TEXT   NOT NULL,
    label     TEXT   NOT NULL,
    body      TEXT   NOT NULL,
    made_ms   BIGINT NOT NULL,
    PRIMARY KEY (recording, lang)
);

-- Objects of a recording in the object storage.
CREATE TABLE recording_object (
    recording   TEXT   NOT NULL REFERENCES recording (id),
    file        TEXT   NOT NULL,
    -- Of a multipart upload under way.
    upload      TEXT,
    -- JSON: what the storage calls its parts, in order.
    parts       TEXT   NOT NULL DEFAULT '[]',
    part_bytes  BIGINT NOT NULL DEFAULT 0,
    bytes       BIGINT NOT NULL DEFAULT 0,
    -- Read back and found the same.
    verified_ms BIGINT,
    PRIMARY KEY (recording, file)
);

-- How much the classes of a unit may keep.
CREATE TABLE recording_quota (
    unit    TEXT   NOT NULL PRIMARY KEY REFERENCES unit (id),
    bytes   BIGINT NOT NULL CHECK (bytes > 0),
    made_by TEXT   NOT NULL,
    made_ms BIGINT NOT NULL
);

CREATE TABLE webhook (
    id           TEXT   NOT NULL PRIMARY KEY,
    url          TEXT   NOT NULL,
    unit         TEXT   REFERENCES unit (id),
    secret       TEXT   NOT NULL,
    made_by      TEXT   NOT NULL,
    made_ms      BIGINT NOT NULL,
    delivered_ms BIGINT,
    failed       TEXT
);
CREATE TABLE webhook_message (
    id      TEXT    NOT NULL PRIMARY KEY,
    webhook TEXT    NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
    body    TEXT    NOT NULL,
    made_ms BIGINT  NOT NULL,
    due_ms  BIGINT  NOT NULL,
    tries   INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX webhook_message_due ON webhook_message (due_ms);
