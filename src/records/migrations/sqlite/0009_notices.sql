-- Notices of sessions by e-mail (TT 21/2017 Điều 9.4), and the outbox they are
-- sent from. A notice is what was told at one time; another time or place of the
-- session is another notice, with a higher number.
CREATE TABLE notice (
    session  TEXT   NOT NULL REFERENCES session (id),
    sequence BIGINT NOT NULL CHECK (sequence >= 0),
    what     TEXT   NOT NULL CHECK (what IN ('invite', 'update', 'cancel')),
    told     TEXT   NOT NULL,
    base     TEXT   NOT NULL,
    made_by  TEXT   NOT NULL,
    by_name  TEXT   NOT NULL,
    made_ms  BIGINT NOT NULL,
    PRIMARY KEY (session, sequence)
);

-- One mail: a person gets a notice once. `next_ms`: not before then.
CREATE TABLE notice_mail (
    session  TEXT   NOT NULL,
    sequence BIGINT NOT NULL,
    person   TEXT   NOT NULL,
    address  TEXT   NOT NULL,
    state    TEXT   NOT NULL CHECK (state IN ('queued', 'sent', 'failed')),
    tries    BIGINT NOT NULL,
    next_ms  BIGINT NOT NULL,
    reason   TEXT   NOT NULL,
    done_ms  BIGINT,
    PRIMARY KEY (session, sequence, person),
    FOREIGN KEY (session, sequence) REFERENCES notice (session, sequence)
);
CREATE INDEX notice_mail_due ON notice_mail (state, next_ms);
