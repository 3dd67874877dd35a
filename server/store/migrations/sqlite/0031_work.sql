-- +goose Up
-- Files that are given out with an examination, and their pieces, n from 0. Pieces without a file are of an upload that broke off.
CREATE TABLE exam_given (
  authority TEXT NOT NULL, exam TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, size BIGINT NOT NULL, hash TEXT NOT NULL, staff TEXT NOT NULL, by_name TEXT NOT NULL, at BIGINT NOT NULL,
  PRIMARY KEY (authority, exam, id)
);
CREATE TABLE exam_given_pieces (
  authority TEXT NOT NULL, exam TEXT NOT NULL, file TEXT NOT NULL, n BIGINT NOT NULL, at BIGINT NOT NULL, content BLOB NOT NULL,
  PRIMARY KEY (authority, exam, file, n)
);
-- What devices handed in: states of a folder (list: hash of the list of its files; made: exam time of the device), the pieces that they are made of, sealed for the installation's key, and which belong to which.
CREATE TABLE exam_work (
  authority TEXT NOT NULL, exam TEXT NOT NULL, device TEXT NOT NULL, list TEXT NOT NULL, final BOOLEAN NOT NULL, made BIGINT NOT NULL, received BIGINT NOT NULL, content TEXT NOT NULL,
  PRIMARY KEY (authority, exam, device, list)
);
CREATE TABLE exam_work_pieces (
  authority TEXT NOT NULL, exam TEXT NOT NULL, device TEXT NOT NULL, hash TEXT NOT NULL, size BIGINT NOT NULL, at BIGINT NOT NULL, sealed BLOB NOT NULL,
  PRIMARY KEY (authority, exam, device, hash)
);
CREATE TABLE exam_work_parts (
  authority TEXT NOT NULL, exam TEXT NOT NULL, device TEXT NOT NULL, list TEXT NOT NULL, hash TEXT NOT NULL,
  PRIMARY KEY (authority, exam, device, list, hash)
);
CREATE INDEX exam_work_parts_by_hash ON exam_work_parts (authority, exam, device, hash);
-- How many files went with an examination.
ALTER TABLE exam_deletions ADD COLUMN files BIGINT NOT NULL DEFAULT 0;
