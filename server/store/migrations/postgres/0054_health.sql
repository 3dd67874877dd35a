-- +goose Up
-- How many declarations the device could not keep when it told that it has the version; -1 before that. More of them later: it is worse off since.
ALTER TABLE rollout_words ADD COLUMN troubles BIGINT NOT NULL DEFAULT -1;
