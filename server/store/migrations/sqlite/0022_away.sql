-- +goose Up
-- Let go because the device left the group or is absent: when it comes back while the mode runs, it is meant again.
ALTER TABLE leases ADD COLUMN away BOOLEAN NOT NULL DEFAULT FALSE;
