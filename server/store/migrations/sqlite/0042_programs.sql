-- +goose Up
-- Versions of programs that an examination needs, as the device told them last: JSON by id of the desktop entry; empty: it told none.
ALTER TABLE device_states ADD COLUMN programs TEXT NOT NULL DEFAULT '';
