-- +goose Up
-- Publishers whose templates are believed, by an authority or, with an empty one, by the operator for all.
CREATE TABLE template_publishers (
  authority TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, public_key TEXT NOT NULL, staff TEXT NOT NULL, by_name TEXT NOT NULL, at BIGINT NOT NULL,
  PRIMARY KEY (authority, id)
);
CREATE UNIQUE INDEX template_publishers_by_id ON template_publishers (id);
CREATE UNIQUE INDEX template_publishers_by_key ON template_publishers (authority, public_key);
-- Packages that were taken in, each signed by the key of a publisher. sheet: YAML as it was signed.
CREATE TABLE template_packages (
  authority TEXT NOT NULL, id TEXT NOT NULL, public_key TEXT NOT NULL, publisher TEXT NOT NULL, name TEXT NOT NULL, version BIGINT NOT NULL, title TEXT NOT NULL, sheet TEXT NOT NULL,
  staff TEXT NOT NULL, by_name TEXT NOT NULL, at BIGINT NOT NULL,
  PRIMARY KEY (authority, id)
);
CREATE UNIQUE INDEX template_packages_by_id ON template_packages (id);
CREATE UNIQUE INDEX template_packages_by_version ON template_packages (authority, public_key, name, version);
-- Newer versions that a place does not want.
CREATE TABLE template_declines (
  authority TEXT NOT NULL, level TEXT NOT NULL, place TEXT NOT NULL, package TEXT NOT NULL, reason TEXT NOT NULL, staff TEXT NOT NULL, by_name TEXT NOT NULL, at BIGINT NOT NULL,
  PRIMARY KEY (authority, level, place, package)
);
-- The package that a draft brings.
ALTER TABLE policy_drafts ADD COLUMN package TEXT NOT NULL DEFAULT '';
CREATE INDEX policy_drafts_by_package ON policy_drafts (package, authority, id) WHERE package <> '';
