-- An export may belong to a unit (a report on its classes) in place of a class.
CREATE TABLE export_of (
    id          TEXT   NOT NULL PRIMARY KEY,
    kind        TEXT   NOT NULL,
    format      TEXT   NOT NULL,
    class       TEXT   REFERENCES class (id),
    unit        TEXT   REFERENCES unit (id),
    session     TEXT   REFERENCES session (id),
    version     BIGINT NOT NULL,
    query       TEXT   NOT NULL,
    extent      TEXT   NOT NULL,
    data_sha256 TEXT   NOT NULL REFERENCES export_data (sha256),
    file_sha256 TEXT   NOT NULL,
    file_len    BIGINT NOT NULL,
    made_by     TEXT   NOT NULL,
    by_name     TEXT   NOT NULL,
    made_ms     BIGINT NOT NULL,
    CHECK ((class IS NULL) <> (unit IS NULL)),
    CHECK (session IS NULL OR class IS NOT NULL)
);
INSERT INTO export_of (id, kind, format, class, session, version, query, extent, data_sha256,
                       file_sha256, file_len, made_by, by_name, made_ms)
    SELECT id, kind, format, class, session, version, query, extent, data_sha256,
           file_sha256, file_len, made_by, by_name, made_ms FROM export;
DROP TRIGGER export_is_never_changed;
DROP TRIGGER export_is_never_deleted;
DROP TABLE export;
ALTER TABLE export_of RENAME TO export;
CREATE INDEX export_of_class ON export (class, made_ms);
CREATE INDEX export_of_unit ON export (unit, made_ms);
CREATE INDEX export_of_session ON export (session, made_ms);
CREATE INDEX export_of_file ON export (file_sha256);
CREATE INDEX export_of_data ON export (data_sha256);
CREATE TRIGGER export_is_never_changed BEFORE UPDATE ON export
BEGIN
    SELECT RAISE(ABORT, 'export is append-only');
END;
CREATE TRIGGER export_is_never_deleted BEFORE DELETE ON export
BEGIN
    SELECT RAISE(ABORT, 'export is append-only');
END;
