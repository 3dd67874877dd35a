-- +goose Up
-- Since when a device says the same of each declaration, by identifier: the age of what deviates. Where none is written, said_since is it at the least.
ALTER TABLE device_states ADD COLUMN said_times TEXT NOT NULL DEFAULT '{}';
