-- +goose Up
-- Packages on their way to devices. school: the only one that is meant, empty for all of the authority. former: the version before, to which devices go back. plan, status: rollout.Plan, rollout.Status.
CREATE TABLE rollouts (
  authority TEXT NOT NULL, id TEXT NOT NULL, school TEXT NOT NULL DEFAULT '', title TEXT NOT NULL, package TEXT NOT NULL, former TEXT NOT NULL DEFAULT '',
  plan TEXT NOT NULL, status TEXT NOT NULL, state TEXT NOT NULL, staff TEXT NOT NULL, by_name TEXT NOT NULL, created BIGINT NOT NULL, started BIGINT NOT NULL DEFAULT 0, changed BIGINT NOT NULL,
  PRIMARY KEY (authority, id)
);
CREATE UNIQUE INDEX rollouts_by_id ON rollouts (id);
CREATE INDEX rollouts_by_state ON rollouts (state, authority, started);
CREATE INDEX rollouts_by_package ON rollouts (package);
-- What each device last said of a rollout's package: ddm.PackageStatus. A device that said nothing has no row.
CREATE TABLE rollout_words (
  authority TEXT NOT NULL, rollout TEXT NOT NULL, device TEXT NOT NULL, said TEXT NOT NULL, at BIGINT NOT NULL, changes BIGINT NOT NULL DEFAULT 1,
  PRIMARY KEY (authority, rollout, device)
);
CREATE INDEX rollout_words_by_device ON rollout_words (authority, device);
-- Where an authority lies, for public holidays, and its school holidays: rollout.Break.
CREATE TABLE calendars (authority TEXT PRIMARY KEY, land TEXT NOT NULL DEFAULT '', breaks TEXT NOT NULL DEFAULT '[]', changed BIGINT NOT NULL);
