-- +goose Up
-- What a Mac or Shared iPad escrows, sealed like unlock_sealed.
ALTER TABLE enrolments ADD COLUMN bootstrap_sealed TEXT NOT NULL DEFAULT '';

-- Enrolment tokens. id is unique over all authorities: who holds a token is not signed in.
CREATE TABLE enrol_tokens (
  authority TEXT NOT NULL, id TEXT NOT NULL, school TEXT NOT NULL, group_id TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '',
  max_uses BIGINT NOT NULL, uses BIGINT NOT NULL DEFAULT 0, expires BIGINT NOT NULL, revoked BIGINT NOT NULL DEFAULT 0, serials TEXT NOT NULL DEFAULT '[]',
  staff TEXT NOT NULL, by_name TEXT NOT NULL, created BIGINT NOT NULL,
  PRIMARY KEY (authority, id)
);
CREATE UNIQUE INDEX enrol_tokens_by_id ON enrol_tokens (id);
CREATE INDEX enrol_tokens_by_school ON enrol_tokens (authority, school, id);
CREATE INDEX enrolments_by_token ON enrolments (authority, token);
-- Keys that were certified, so that asking again with the same key is no further use.
CREATE TABLE enrolled_keys (
  authority TEXT NOT NULL, key_hash TEXT NOT NULL, enrolment TEXT NOT NULL, certificate TEXT NOT NULL,
  PRIMARY KEY (authority, key_hash)
);
-- One-time credentials that were used, and by which key; forgotten when they have expired.
CREATE TABLE enrol_credentials (
  authority TEXT NOT NULL, id TEXT NOT NULL, key_hash TEXT NOT NULL, expires BIGINT NOT NULL,
  PRIMARY KEY (authority, id)
);
CREATE INDEX enrol_credentials_by_end ON enrol_credentials (expires);

-- Commands that wait for a device or for its report. What is finished moves to command_reports,
-- so that asking for the next costs the same after years. state: waiting, sent, notnow. about: what it is
-- for (a lease); a later command about the same replaces one that was not sent yet.
CREATE TABLE commands (
  authority TEXT NOT NULL, id TEXT NOT NULL, device TEXT NOT NULL, enrolment TEXT NOT NULL, request_type TEXT NOT NULL, body TEXT NOT NULL, about TEXT NOT NULL DEFAULT '',
  likeness TEXT NOT NULL DEFAULT '', priority BIGINT NOT NULL, state TEXT NOT NULL, tries BIGINT NOT NULL DEFAULT 0, pushes BIGINT NOT NULL DEFAULT 0,
  created BIGINT NOT NULL, expires BIGINT NOT NULL, push_at BIGINT NOT NULL,
  PRIMARY KEY (authority, id)
);
CREATE INDEX commands_by_enrolment ON commands (authority, enrolment, priority, id);
CREATE INDEX commands_by_device ON commands (authority, device);
CREATE UNIQUE INDEX commands_alike ON commands (authority, enrolment, likeness) WHERE likeness <> '' AND state = 'waiting';
CREATE INDEX commands_by_end ON commands (expires);
CREATE INDEX commands_by_push ON commands (push_at);
CREATE TABLE command_reports (
  authority TEXT NOT NULL, id TEXT NOT NULL, device TEXT NOT NULL, request_type TEXT NOT NULL, status TEXT NOT NULL, detail TEXT NOT NULL DEFAULT '',
  created BIGINT NOT NULL, at BIGINT NOT NULL,
  PRIMARY KEY (authority, id)
);
CREATE INDEX command_reports_by_device ON command_reports (authority, device, at);
CREATE INDEX command_reports_by_time ON command_reports (at);
