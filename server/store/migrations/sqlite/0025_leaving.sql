-- +goose Up
-- A device that is taken out of use in mid-mode may speak until its end was read back, at the latest until then (0: no longer).
ALTER TABLE enrolments ADD COLUMN leaving BIGINT NOT NULL DEFAULT 0;
CREATE INDEX enrolments_leaving ON enrolments (leaving) WHERE leaving > 0;
