-- +goose Up
-- Signed messages that changed something. A signature can be replayed, so the same message is not obeyed twice.
CREATE TABLE signed_messages (
  authority TEXT NOT NULL, enrolment TEXT NOT NULL, digest TEXT NOT NULL, at BIGINT NOT NULL,
  PRIMARY KEY (authority, enrolment, digest)
);
