-- +goose Up
-- The picture of an app, the same for all of its versions. sha256 is its address.
CREATE TABLE app_icons (
  authority TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL, picture BYTEA NOT NULL, at BIGINT NOT NULL,
  PRIMARY KEY (authority, kind, name)
);
CREATE INDEX app_icons_by_hash ON app_icons (sha256);
