-- House rules (nội quy) of a class, and who accepted them. Versions only grow;
-- the last one stands, and one without text means that there are none.
CREATE TABLE class_rules (
    class   TEXT    NOT NULL REFERENCES class (id),
    version INTEGER NOT NULL CHECK (version >= 1),
    text    TEXT    NOT NULL,
    made_by TEXT    NOT NULL,
    made_ms BIGINT  NOT NULL,
    PRIMARY KEY (class, version)
);

-- `person` may be somebody the records do not know: a guest by an open link.
CREATE TABLE rules_accepted (
    class   TEXT    NOT NULL,
    version INTEGER NOT NULL,
    person  TEXT    NOT NULL,
    at_ms   BIGINT  NOT NULL,
    PRIMARY KEY (class, version, person),
    FOREIGN KEY (class, version) REFERENCES class_rules (class, version)
);
