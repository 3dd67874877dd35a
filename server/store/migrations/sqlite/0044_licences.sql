-- +goose Up
-- How many licences a place has of an app, whatever its version. school: the only one that may use them, empty for all of the authority. cost: hundredths of the currency for one. until: last day, empty for none.
CREATE TABLE licence_pools (
  authority TEXT NOT NULL, id TEXT NOT NULL, school TEXT NOT NULL DEFAULT '', kind TEXT NOT NULL, name TEXT NOT NULL, total BIGINT NOT NULL,
  cost BIGINT NOT NULL DEFAULT 0, currency TEXT NOT NULL DEFAULT '', until TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '', by_name TEXT NOT NULL, since BIGINT NOT NULL,
  PRIMARY KEY (authority, id)
);
CREATE UNIQUE INDEX licence_pools_by_id ON licence_pools (id);
CREATE UNIQUE INDEX licence_pools_by_app ON licence_pools (authority, school, kind, name);
-- Which device has a licence of which pool: one for each app at the most.
CREATE TABLE licences (
  authority TEXT NOT NULL, device TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, pool TEXT NOT NULL, since BIGINT NOT NULL,
  PRIMARY KEY (authority, device, kind, name)
);
CREATE INDEX licences_by_pool ON licences (authority, pool);
CREATE INDEX licences_by_app ON licences (authority, kind, name);
-- How many of a pool were given at the end of a day on which that changed.
CREATE TABLE licence_days (authority TEXT NOT NULL, pool TEXT NOT NULL, day TEXT NOT NULL, used BIGINT NOT NULL, PRIMARY KEY (authority, pool, day));
-- Whoever gives licences out holds the row of the authority: one at a time.
CREATE TABLE licence_turns (authority TEXT PRIMARY KEY, turn BIGINT NOT NULL);
