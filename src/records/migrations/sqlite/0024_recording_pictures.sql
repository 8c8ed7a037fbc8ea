-- A stage that makes small pictures: a poster and those of the time line.
CREATE TABLE recording_work (
    recording TEXT    NOT NULL REFERENCES recording (id),
    stage     TEXT    NOT NULL CHECK (stage IN ('finalise', 'quick', 'mix', 'pictures', 'verify',
                      'upload', 'publish', 'render')),
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
INSERT INTO recording_work
SELECT recording, stage, CASE WHEN step >= 3 THEN step + 1 ELSE step END, state, tries, due_ms,
       lease_ms, worker, percent, why
FROM recording_job;
-- Of what has ended before they are made as well.
INSERT INTO recording_work (recording, stage, step, state, due_ms)
SELECT id, 'pictures', 3, 'waiting', 0 FROM recording WHERE state NOT IN ('recording', 'deleted');
DROP TABLE recording_job;
ALTER TABLE recording_work RENAME TO recording_job;
CREATE INDEX recording_job_due ON recording_job (state, due_ms);

-- As what the pictures that are there were made: the cuts and who is left out, as a mark.
ALTER TABLE recording ADD COLUMN pictures TEXT;
