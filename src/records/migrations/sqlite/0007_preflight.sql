-- Checks of sites (điểm cầu) before a session. The newest of a site counts; the
-- last ones before it are kept.
CREATE TABLE preflight (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    session TEXT    NOT NULL REFERENCES session (id),
    site    TEXT    NOT NULL REFERENCES person (id),
    at_ms   BIGINT  NOT NULL,
    report  TEXT    NOT NULL,
    contact TEXT    NOT NULL,
    note    TEXT    NOT NULL
);
CREATE INDEX preflight_of_site ON preflight (session, site, id);
