-- How sessions are recorded: by something outside of the room, or by the server.
ALTER TABLE recording_notice ADD COLUMN source TEXT NOT NULL DEFAULT 'external';
ALTER TABLE recording_notice ADD COLUMN auto INTEGER NOT NULL DEFAULT 1;
ALTER TABLE recording_notice ADD COLUMN whom TEXT NOT NULL DEFAULT 'all';
ALTER TABLE recording_notice ADD COLUMN ask TEXT NOT NULL DEFAULT 'notice';

-- What people answered last to the words of a recording of the server, by session:
-- whoever comes back is not asked again. The ledger of the session has every answer.
CREATE TABLE recording_choice (
    session TEXT NOT NULL REFERENCES session (id),
    person TEXT NOT NULL,
    words TEXT NOT NULL,
    accepted INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (session, person)
) STRICT;
