-- Films made of a recording, here or in the object storage. The manifest lists the
-- originals alone and stays as it was written.
CREATE TABLE recording_film (
    recording TEXT   NOT NULL REFERENCES recording (id),
    -- Its name says what was cut and who was left out.
    file      TEXT   NOT NULL,
    bytes     BIGINT NOT NULL,
    sha256    TEXT   NOT NULL,
    made_ms   BIGINT NOT NULL,
    -- Something was cut, or somebody left out, since: its bytes are to go.
    over      BIGINT NOT NULL DEFAULT 0 CHECK (over IN (0, 1)),
    PRIMARY KEY (recording, file)
);
