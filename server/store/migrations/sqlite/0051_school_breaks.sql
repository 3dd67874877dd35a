-- +goose Up
-- Days without lessons that a school has of its own: bridge days, teachers' conferences.
CREATE TABLE school_breaks (
  authority TEXT NOT NULL, school TEXT NOT NULL, breaks TEXT NOT NULL, changed BIGINT NOT NULL,
  PRIMARY KEY (authority, school)
);
