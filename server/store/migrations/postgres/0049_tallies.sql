-- +goose Up
-- How a device stands in a rollout, as it was counted in the tally of its school: ring -1, school '' for not at all. tries: how often it came to an end, good or bad.
ALTER TABLE rollout_words ADD COLUMN school TEXT NOT NULL DEFAULT '';
ALTER TABLE rollout_words ADD COLUMN ring BIGINT NOT NULL DEFAULT -1;
ALTER TABLE rollout_words ADD COLUMN outcome TEXT NOT NULL DEFAULT '';
ALTER TABLE rollout_words ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE rollout_words ADD COLUMN ailing BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE rollout_words ADD COLUMN tries BIGINT NOT NULL DEFAULT 0;
CREATE INDEX rollout_words_by_school ON rollout_words (authority, rollout, school);
CREATE INDEX rollout_words_by_outcome ON rollout_words (authority, rollout, outcome, reason);
-- Figures of a rollout in one school: rollout.Tally, kept with every word. turn: that of member_turns at which the devices were counted; another one now means: count again. words: grows with each change, so that one changes it at a time.
CREATE TABLE rollout_tallies (
  authority TEXT NOT NULL, rollout TEXT NOT NULL, school TEXT NOT NULL, turn BIGINT NOT NULL, words BIGINT NOT NULL DEFAULT 0, tally TEXT NOT NULL,
  PRIMARY KEY (authority, rollout, school)
);
-- Grows whenever a device of a school comes, goes, or changes its groups or its licences.
CREATE TABLE member_turns (authority TEXT NOT NULL, school TEXT NOT NULL, turn BIGINT NOT NULL, PRIMARY KEY (authority, school));
