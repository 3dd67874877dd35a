-- +goose Up
-- Files of planned examinations on their way. content: the table, until it is taken or dropped; the file itself is not kept.
CREATE TABLE exam_imports (
  authority TEXT NOT NULL, id TEXT NOT NULL, school TEXT NOT NULL, staff TEXT NOT NULL, by_name TEXT NOT NULL, file TEXT NOT NULL, content TEXT NOT NULL DEFAULT '', columns TEXT NOT NULL DEFAULT '[]',
  minutes BIGINT NOT NULL DEFAULT 0, preset TEXT NOT NULL DEFAULT '', state TEXT NOT NULL, counts TEXT NOT NULL DEFAULT '{}', created BIGINT NOT NULL,
  PRIMARY KEY (authority, id)
);
CREATE UNIQUE INDEX exam_imports_by_id ON exam_imports (id);
-- What the columns of files with the same titles mean, as somebody of the school said it last.
CREATE TABLE exam_columns (
  authority TEXT NOT NULL, school TEXT NOT NULL, signature TEXT NOT NULL, columns TEXT NOT NULL, changed BIGINT NOT NULL,
  PRIMARY KEY (authority, school, signature)
);
-- The row that an examination came from, as it was when it was taken last: the same file twice changes nothing.
CREATE TABLE exam_origins (
  authority TEXT NOT NULL, school TEXT NOT NULL, origin TEXT NOT NULL, exam TEXT NOT NULL, signature TEXT NOT NULL, content TEXT NOT NULL,
  PRIMARY KEY (authority, school, origin)
);
CREATE INDEX exam_origins_by_exam ON exam_origins (authority, exam);
