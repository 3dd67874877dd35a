-- +goose Up
-- What places say, by family. holds: how firmly each field is meant; pilot: the only group that a row reaches, empty for all.
CREATE TABLE base_policies (
  authority TEXT NOT NULL, level TEXT NOT NULL, place TEXT NOT NULL, family TEXT NOT NULL, pilot TEXT NOT NULL DEFAULT '',
  value TEXT NOT NULL, holds TEXT NOT NULL DEFAULT '{}', version TEXT NOT NULL DEFAULT '', changed BIGINT NOT NULL,
  PRIMARY KEY (authority, level, place, family, pilot)
);
INSERT INTO base_policies (authority, level, place, family, value, changed) SELECT authority, level, place, family, value, changed FROM policies;
DROP TABLE policies;
-- Changes that somebody prepares. state: draft, proposed, pilot, published, discarded. changes: the families as they shall be, base: as they were when the draft began.
CREATE TABLE policy_drafts (
  authority TEXT NOT NULL, id TEXT NOT NULL, school TEXT NOT NULL DEFAULT '', level TEXT NOT NULL, place TEXT NOT NULL, title TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '',
  changes TEXT NOT NULL, base TEXT NOT NULL DEFAULT '{}', state TEXT NOT NULL, pilot TEXT NOT NULL DEFAULT '', source TEXT NOT NULL DEFAULT '',
  author TEXT NOT NULL, author_name TEXT NOT NULL, approver TEXT NOT NULL DEFAULT '', approver_name TEXT NOT NULL DEFAULT '',
  created BIGINT NOT NULL, changed BIGINT NOT NULL, published BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (authority, id)
);
CREATE UNIQUE INDEX policy_drafts_by_id ON policy_drafts (id);
CREATE INDEX policy_drafts_by_place ON policy_drafts (authority, level, place, created);
CREATE INDEX policy_drafts_by_state ON policy_drafts (state, authority, school, changed);
-- What was published: the families before and after, so that one click takes it back.
CREATE TABLE policy_versions (
  authority TEXT NOT NULL, id TEXT NOT NULL, school TEXT NOT NULL DEFAULT '', level TEXT NOT NULL, place TEXT NOT NULL, draft TEXT NOT NULL DEFAULT '', title TEXT NOT NULL,
  before TEXT NOT NULL, after TEXT NOT NULL, undoes TEXT NOT NULL DEFAULT '', undone TEXT NOT NULL DEFAULT '',
  staff TEXT NOT NULL, by_name TEXT NOT NULL, approver TEXT NOT NULL DEFAULT '', approver_name TEXT NOT NULL DEFAULT '', at BIGINT NOT NULL,
  PRIMARY KEY (authority, id)
);
CREATE UNIQUE INDEX policy_versions_by_id ON policy_versions (id);
CREATE INDEX policy_versions_by_place ON policy_versions (authority, level, place, at);
-- Deviations from what the levels above say, each with owner, reason and end. ended: before its time; reminded: days before the end of which was told last.
CREATE TABLE exceptions (
  authority TEXT NOT NULL, id TEXT NOT NULL, school TEXT NOT NULL DEFAULT '', level TEXT NOT NULL, place TEXT NOT NULL, family TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL,
  owner TEXT NOT NULL, owner_name TEXT NOT NULL, reason TEXT NOT NULL, starts BIGINT NOT NULL, until BIGINT NOT NULL, ended BIGINT NOT NULL DEFAULT 0, ended_name TEXT NOT NULL DEFAULT '',
  told BOOLEAN NOT NULL DEFAULT FALSE, reminded BIGINT NOT NULL DEFAULT 0, staff TEXT NOT NULL, by_name TEXT NOT NULL, created BIGINT NOT NULL,
  PRIMARY KEY (authority, id)
);
CREATE UNIQUE INDEX exceptions_by_id ON exceptions (id);
CREATE INDEX exceptions_by_place ON exceptions (authority, level, place, until);
CREATE INDEX exceptions_by_school ON exceptions (authority, school, until);
CREATE INDEX exceptions_by_end ON exceptions (told, until);
ALTER TABLE authorities ADD COLUMN four_eyes BOOLEAN NOT NULL DEFAULT FALSE;
-- Counting devices by what answers depend on, without opening their rows.
CREATE INDEX devices_by_reach ON devices (school, platform, authority, retired, id);
CREATE INDEX enrolments_in_force ON enrolments (authority, device, state, supervised);
