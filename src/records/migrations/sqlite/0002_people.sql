-- Units, people, accounts. Days: text 'YYYY-MM-DD'. Truth: 0 or 1.
-- `folded` repeats names without diacritics, for search. Units refer to units that
-- may come later in the same change, so those references are checked at its end.

CREATE TABLE unit (
    id                  TEXT   NOT NULL PRIMARY KEY,
    kind                TEXT   NOT NULL,
    name                TEXT   NOT NULL,
    folded              TEXT   NOT NULL,
    short               TEXT   NOT NULL,
    parent_admin        TEXT   REFERENCES unit (id) DEFERRABLE INITIALLY DEFERRED,
    parent_professional TEXT   REFERENCES unit (id) DEFERRABLE INITIALLY DEFERRED,
    sector_code         TEXT,
    area_code           TEXT,
    place               TEXT   NOT NULL,
    valid_from          TEXT,
    valid_to            TEXT,
    merged_into         TEXT   REFERENCES unit (id) DEFERRABLE INITIALLY DEFERRED,
    leader              TEXT   NOT NULL,
    contact             TEXT   NOT NULL,
    name_check          TEXT   NOT NULL,
    code_check          TEXT   NOT NULL,
    -- Entered or changed by this installation: a newer shipped list leaves it.
    own                 BIGINT NOT NULL
);
CREATE INDEX unit_by_admin ON unit (parent_admin);
CREATE INDEX unit_by_professional ON unit (parent_professional);
CREATE INDEX unit_by_successor ON unit (merged_into);
CREATE INDEX unit_by_sector_code ON unit (sector_code);
CREATE INDEX unit_by_folded ON unit (folded);

CREATE TABLE person (
    id         TEXT   NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL,
    sort       TEXT,
    folded     TEXT   NOT NULL,
    born       TEXT,
    gender     TEXT,
    position   TEXT   NOT NULL,
    unit       TEXT   REFERENCES unit (id),
    unit_text  TEXT   NOT NULL,
    phone      TEXT   NOT NULL,
    email      TEXT   NOT NULL,
    pupil      BIGINT NOT NULL,
    guardian   TEXT   NOT NULL,
    degree     TEXT   NOT NULL,
    created_ms BIGINT NOT NULL
);
CREATE INDEX person_by_folded ON person (folded, id);
CREATE INDEX person_by_unit ON person (unit);

CREATE TABLE identifier (
    kind   TEXT NOT NULL CHECK (kind IN ('sector', 'personal', 'local')),
    issuer TEXT NOT NULL,
    value  TEXT NOT NULL,
    person TEXT NOT NULL REFERENCES person (id),
    PRIMARY KEY (kind, issuer, value)
);
CREATE INDEX identifier_by_person ON identifier (person);

-- `secret` is an argon2id hash. Logins are never used again: rows stay.
CREATE TABLE account (
    person          TEXT   NOT NULL PRIMARY KEY REFERENCES person (id),
    login           TEXT   NOT NULL UNIQUE,
    secret          TEXT   NOT NULL,
    state           TEXT   NOT NULL CHECK (state IN ('new', 'active', 'locked', 'retired')),
    must_change     BIGINT NOT NULL,
    admin           BIGINT NOT NULL,
    fails           BIGINT NOT NULL,
    locked_until_ms BIGINT,
    last_ms         BIGINT,
    created_ms      BIGINT NOT NULL
);

CREATE TABLE unit_role (
    person TEXT NOT NULL REFERENCES account (person),
    role   TEXT NOT NULL CHECK (role IN ('organiser', 'contact', 'inspector')),
    unit   TEXT NOT NULL REFERENCES unit (id),
    PRIMARY KEY (person, role, unit)
);

-- Browsers that are signed in. `hash` is SHA-256 of the secret in the cookie.
CREATE TABLE sign_in (
    hash     TEXT   NOT NULL PRIMARY KEY,
    person   TEXT   NOT NULL REFERENCES account (person),
    begun_ms BIGINT NOT NULL,
    used_ms  BIGINT NOT NULL
);
CREATE INDEX sign_in_by_person ON sign_in (person);

CREATE TABLE api_token (
    id         TEXT   NOT NULL PRIMARY KEY,
    hash       TEXT   NOT NULL UNIQUE,
    person     TEXT   NOT NULL REFERENCES account (person),
    label      TEXT   NOT NULL,
    scopes     TEXT   NOT NULL,
    made_ms    BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    used_ms    BIGINT,
    ended_ms   BIGINT
);
CREATE INDEX api_token_by_person ON api_token (person);

-- Who signed in from where (Luật An ninh mạng 116/2025/QH15: addresses of users
-- are identified). `person` is empty for a login nobody has; the login typed is
-- not kept, since people type passwords there. Kept for SIGN_IN_LOG_KEPT_MS.
CREATE TABLE sign_in_log (
    at_ms   BIGINT NOT NULL,
    person  TEXT   NOT NULL,
    address TEXT   NOT NULL,
    port    BIGINT NOT NULL,
    outcome TEXT   NOT NULL
);
CREATE INDEX sign_in_log_by_time ON sign_in_log (at_ms);
CREATE INDEX sign_in_log_by_person ON sign_in_log (person, at_ms);

-- What was done to units, people and accounts, by whom; ids only.
CREATE TABLE people_log (
    at_ms   BIGINT NOT NULL,
    made_by TEXT   NOT NULL,
    what    TEXT   NOT NULL,
    about   TEXT   NOT NULL
);
CREATE INDEX people_log_by_time ON people_log (at_ms);
CREATE INDEX people_log_by_about ON people_log (about, at_ms);

CREATE TRIGGER people_log_is_never_changed BEFORE UPDATE ON people_log
BEGIN
    SELECT RAISE(ABORT, 'people_log is append-only');
END;
