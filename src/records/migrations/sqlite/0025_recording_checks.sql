-- What lies in the storage under a name that may become another file (the mixed
-- sound, when somebody is left out): the hash it was found to have.
ALTER TABLE recording_object ADD COLUMN sha256 TEXT NOT NULL DEFAULT '';
-- Checksums that could not be looked at are looked at again from then on.
ALTER TABLE recording ADD COLUMN verify_after_ms BIGINT;
