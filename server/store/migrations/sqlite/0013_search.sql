-- +goose Up
-- Covers "which groups is this device in": without group_id in it, a planner without statistics goes through all of the authority.
CREATE INDEX group_devices_of_device ON group_devices (authority, device, group_id);
-- From a word to its devices without a look into any table.
DROP INDEX words_everywhere;
CREATE INDEX words_everywhere ON words (kind, word, id, authority);
DROP INDEX devices_by_person;
CREATE INDEX devices_by_person ON devices (authority, person, id);
