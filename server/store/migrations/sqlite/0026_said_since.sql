-- +goose Up
-- Since which report a device says the same of its declarations: the age of what deviates, at the least.
ALTER TABLE device_states ADD COLUMN said_since BIGINT NOT NULL DEFAULT 0;
