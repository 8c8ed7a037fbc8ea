-- Who took back, after the fact, that he is recorded, himself or by who reviews it
-- on his behalf. What he answered in the room stands in the ledger of the session.
CREATE TABLE recording_withdrawal (
    recording TEXT   NOT NULL REFERENCES recording (id),
    person    TEXT   NOT NULL,
    made_by   TEXT   NOT NULL,
    by_name   TEXT   NOT NULL,
    at_ms     BIGINT NOT NULL,
    PRIMARY KEY (recording, person)
);
CREATE TRIGGER recording_withdrawal_is_never_changed BEFORE UPDATE ON recording_withdrawal
BEGIN
    SELECT RAISE(ABORT, 'recording_withdrawal is append-only');
END;
CREATE TRIGGER recording_withdrawal_is_never_deleted BEFORE DELETE ON recording_withdrawal
BEGIN
    SELECT RAISE(ABORT, 'recording_withdrawal is append-only');
END;
CREATE INDEX recording_segment_of_person ON recording_segment (person);

-- Of whom there are files that are shown to nobody, as a mark: whatever is made of
-- the files is made anew when it changes. Empty: of nobody.
ALTER TABLE recording ADD COLUMN left_out TEXT NOT NULL DEFAULT '';
-- Counts up with every setting of the audience: a link is good for one.
ALTER TABLE recording ADD COLUMN audience_turn INTEGER NOT NULL DEFAULT 0;
