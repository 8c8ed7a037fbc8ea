-- Learners who are in the room watch what is recorded so far while the class goes on.
ALTER TABLE recording_notice ADD COLUMN from_start INTEGER NOT NULL DEFAULT 0;
