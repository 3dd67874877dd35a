-- +goose Up
-- What happened to a rollout, in its order. what: 'planned', 'start', 'ring', 'done', 'halts', or what a person did. status: rollout.Status after it.
CREATE TABLE rollout_steps (
  authority TEXT NOT NULL, rollout TEXT NOT NULL, n BIGINT NOT NULL, at BIGINT NOT NULL, what TEXT NOT NULL, by_name TEXT NOT NULL DEFAULT '', status TEXT NOT NULL,
  PRIMARY KEY (authority, rollout, n)
);
