-- +goose Up
-- The catalogue of apps: what an authority, or with an empty one the operator for all, took in. facts: rollout.Package. blob: whose pieces hold the file, empty without one.
CREATE TABLE app_packages (
  authority TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, architecture TEXT NOT NULL DEFAULT '',
  sha256 TEXT NOT NULL DEFAULT '', size BIGINT NOT NULL DEFAULT 0, blob TEXT NOT NULL DEFAULT '', facts TEXT NOT NULL,
  staff TEXT NOT NULL, by_name TEXT NOT NULL, at BIGINT NOT NULL,
  PRIMARY KEY (authority, id)
);
CREATE UNIQUE INDEX app_packages_by_id ON app_packages (id);
CREATE UNIQUE INDEX app_packages_by_version ON app_packages (authority, kind, name, version, architecture);
CREATE INDEX app_packages_by_hash ON app_packages (sha256, authority);
-- Files on their way: received counts bytes that are kept for good, hash is the state of SHA-256 over them, wanted what the person said of it.
CREATE TABLE app_uploads (
  authority TEXT NOT NULL, id TEXT NOT NULL, file TEXT NOT NULL, size BIGINT NOT NULL, received BIGINT NOT NULL DEFAULT 0, hash TEXT NOT NULL DEFAULT '', wanted TEXT NOT NULL,
  staff TEXT NOT NULL, by_name TEXT NOT NULL, created BIGINT NOT NULL, changed BIGINT NOT NULL,
  PRIMARY KEY (authority, id)
);
CREATE UNIQUE INDEX app_uploads_by_id ON app_uploads (id);
CREATE INDEX app_uploads_by_change ON app_uploads (changed);
-- The files, in pieces: every replica has them, and so has every backup.
CREATE TABLE app_pieces (
  authority TEXT NOT NULL, blob TEXT NOT NULL, begins BIGINT NOT NULL, content BYTEA NOT NULL,
  PRIMARY KEY (authority, blob, begins)
);
