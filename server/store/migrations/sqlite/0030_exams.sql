-- +goose Up
-- Examinations. mode: under which its leases are known; last: when the last seat ends. shifts, targets, rehearsal: documents. of_exam: the one it is a copy of.
CREATE TABLE exams (
  authority TEXT NOT NULL, id TEXT NOT NULL, school TEXT NOT NULL, group_id TEXT NOT NULL DEFAULT '', name TEXT NOT NULL, room TEXT NOT NULL DEFAULT '', targets TEXT NOT NULL DEFAULT '{}',
  starts BIGINT NOT NULL, ends BIGINT NOT NULL, shifts TEXT NOT NULL DEFAULT '[]', paused BIGINT NOT NULL DEFAULT 0, rules TEXT NOT NULL, preset TEXT NOT NULL DEFAULT '', draft BOOLEAN NOT NULL DEFAULT FALSE,
  ended BIGINT NOT NULL DEFAULT 0, cancelled BIGINT NOT NULL DEFAULT 0, mode TEXT NOT NULL DEFAULT '', last BIGINT NOT NULL DEFAULT 0, rehearsal TEXT NOT NULL DEFAULT '', of_exam TEXT NOT NULL DEFAULT '',
  staff TEXT NOT NULL, by_name TEXT NOT NULL, created BIGINT NOT NULL, changed BIGINT NOT NULL,
  PRIMARY KEY (authority, id)
);
CREATE UNIQUE INDEX exams_by_id ON exams (id);
CREATE INDEX exams_by_school ON exams (authority, school, starts);
CREATE INDEX exams_by_start ON exams (starts);
CREATE INDEX exams_by_mode ON exams (authority, mode);
CREATE TABLE exam_staff (
  authority TEXT NOT NULL, exam TEXT NOT NULL, staff TEXT NOT NULL,
  PRIMARY KEY (authority, exam, staff)
);
CREATE INDEX exam_staff_by_staff ON exam_staff (staff, exam);
-- What happened to a seat. instead: the device that this one took the place of; person: who wrote on it, when that would be forgotten.
CREATE TABLE exam_seats (
  authority TEXT NOT NULL, exam TEXT NOT NULL, device TEXT NOT NULL, instead TEXT NOT NULL DEFAULT '', person TEXT NOT NULL DEFAULT '', shifts TEXT NOT NULL DEFAULT '[]',
  released BIGINT NOT NULL DEFAULT 0, again BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (authority, exam, device)
);
-- Extra time of persons and devices in examinations. Nothing says why.
CREATE TABLE extra_times (
  authority TEXT NOT NULL, school TEXT NOT NULL, kind TEXT NOT NULL, target TEXT NOT NULL, minutes BIGINT NOT NULL DEFAULT 0, percent BIGINT NOT NULL DEFAULT 0,
  by_name TEXT NOT NULL, changed BIGINT NOT NULL,
  PRIMARY KEY (authority, kind, target)
);
CREATE INDEX extra_times_by_school ON extra_times (authority, school);
-- The evidence: per examination and device ('' for the whole) a chain of hashes. about: what a device says twice counts once.
CREATE TABLE exam_records (
  authority TEXT NOT NULL, exam TEXT NOT NULL, device TEXT NOT NULL DEFAULT '', seq BIGINT NOT NULL, at BIGINT NOT NULL, said BIGINT NOT NULL DEFAULT 0,
  key TEXT NOT NULL, args TEXT NOT NULL DEFAULT '{}', by_name TEXT NOT NULL DEFAULT '', about TEXT NOT NULL DEFAULT '', hash TEXT NOT NULL,
  PRIMARY KEY (authority, exam, device, seq)
);
CREATE UNIQUE INDEX exam_records_once ON exam_records (authority, exam, device, about) WHERE about <> '';
-- How long an authority keeps the evidence, in days after the end, and what was deleted then.
ALTER TABLE authorities ADD COLUMN exam_days BIGINT NOT NULL DEFAULT 400;
CREATE TABLE exam_deletions (
  authority TEXT NOT NULL, exam TEXT NOT NULL, school TEXT NOT NULL, starts BIGINT NOT NULL, records BIGINT NOT NULL, head TEXT NOT NULL, days BIGINT NOT NULL, at BIGINT NOT NULL,
  PRIMARY KEY (authority, exam)
);
