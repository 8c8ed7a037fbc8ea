-- Own fields of sessions and people (TT 21/2017 Điều 5.1.đ): JSON lists of name
-- and value, and the names of those that stand on the sheets of a session.
ALTER TABLE session ADD COLUMN custom TEXT NOT NULL DEFAULT '[]';
ALTER TABLE session ADD COLUMN on_sheets TEXT NOT NULL DEFAULT '[]';
ALTER TABLE person ADD COLUMN custom TEXT NOT NULL DEFAULT '[]';
