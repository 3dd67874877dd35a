-- +goose Up
-- People with logins. authority is empty for the operator's own people. password is an argon2id PHC string, empty while invited;
-- factor and pending are sealed. step is the last TOTP step used; epoch voids older tokens.
CREATE TABLE staff (
  authority TEXT NOT NULL, id TEXT NOT NULL, salutation TEXT NOT NULL DEFAULT '', name TEXT NOT NULL, login TEXT NOT NULL,
  password TEXT NOT NULL DEFAULT '', factor TEXT NOT NULL DEFAULT '', pending TEXT NOT NULL DEFAULT '', step BIGINT NOT NULL DEFAULT 0, epoch BIGINT NOT NULL DEFAULT 0,
  lang TEXT NOT NULL DEFAULT '', theme TEXT NOT NULL DEFAULT '', locked BIGINT NOT NULL DEFAULT 0, last_seen BIGINT NOT NULL DEFAULT 0,
  source TEXT NOT NULL DEFAULT 'hand', created BIGINT NOT NULL,
  PRIMARY KEY (authority, id)
);
CREATE UNIQUE INDEX staff_by_id ON staff (id);
-- The small global directory: who does a login belong to?
CREATE TABLE logins (login TEXT PRIMARY KEY, authority TEXT NOT NULL, staff TEXT NOT NULL);
-- What somebody is where. An empty at_authority is the whole installation, an empty at_school the whole authority.
CREATE TABLE staff_grants (
  authority TEXT NOT NULL, staff TEXT NOT NULL, role TEXT NOT NULL, at_authority TEXT NOT NULL, at_school TEXT NOT NULL, source TEXT NOT NULL DEFAULT 'hand',
  PRIMARY KEY (authority, staff, role, at_authority, at_school)
);
CREATE INDEX staff_grants_by_place ON staff_grants (at_authority, at_school, staff);
-- Invitations and resets that were handed over.
CREATE TABLE staff_codes (
  hash TEXT PRIMARY KEY, authority TEXT NOT NULL, staff TEXT NOT NULL, kind TEXT NOT NULL, by_name TEXT NOT NULL, until BIGINT NOT NULL
);
CREATE INDEX staff_codes_by_staff ON staff_codes (authority, staff);
-- Failures at the door, per login and per address.
CREATE TABLE tries (key TEXT PRIMARY KEY, n BIGINT NOT NULL, at BIGINT NOT NULL, until BIGINT NOT NULL);
-- Signed-in browsers. token is a hash.
CREATE TABLE sessions (
  token TEXT PRIMARY KEY, staff TEXT NOT NULL DEFAULT '', data TEXT NOT NULL, browser TEXT NOT NULL DEFAULT '', origin TEXT NOT NULL DEFAULT '',
  created BIGINT NOT NULL, seen BIGINT NOT NULL, until BIGINT NOT NULL
);
CREATE INDEX sessions_by_staff ON sessions (staff, seen);
CREATE INDEX sessions_by_end ON sessions (until);
-- Named tokens of programs, bound by their makers' grants.
CREATE TABLE programs (
  authority TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, maker TEXT NOT NULL, maker_name TEXT NOT NULL, grants TEXT NOT NULL,
  created BIGINT NOT NULL, expires BIGINT NOT NULL, used BIGINT NOT NULL DEFAULT 0, revoked BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (authority, id)
);
CREATE UNIQUE INDEX programs_by_id ON programs (id);
CREATE INDEX programs_by_maker ON programs (maker, created);
