-- +goose Up
ALTER TABLE schools ADD COLUMN short TEXT NOT NULL DEFAULT '';
ALTER TABLE schools ADD COLUMN bells TEXT NOT NULL DEFAULT '[]';
ALTER TABLE schools ADD COLUMN minutes BIGINT NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX schools_by_id ON schools (id);
CREATE INDEX schools_by_name ON schools (name, id);
ALTER TABLE school_groups ADD COLUMN room TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX school_groups_by_id ON school_groups (id);
CREATE INDEX school_groups_by_name ON school_groups (name, id);
-- group_devices is what holds now; what begins later waits in group_plans. ends 0 = open.
ALTER TABLE group_devices ADD COLUMN starts BIGINT NOT NULL DEFAULT 0;
ALTER TABLE group_devices ADD COLUMN ends BIGINT NOT NULL DEFAULT 0;
CREATE INDEX group_devices_by_end ON group_devices (ends) WHERE ends > 0;
CREATE TABLE group_plans (
  authority TEXT NOT NULL, group_id TEXT NOT NULL, device TEXT NOT NULL, starts BIGINT NOT NULL, ends BIGINT NOT NULL DEFAULT 0, source TEXT NOT NULL DEFAULT 'hand',
  PRIMARY KEY (authority, group_id, device)
);
CREATE INDEX group_plans_by_start ON group_plans (starts);
-- Pupils of a group; their devices are in it with the source 'person'.
CREATE TABLE group_persons (
  authority TEXT NOT NULL, group_id TEXT NOT NULL, person TEXT NOT NULL, source TEXT NOT NULL DEFAULT 'hand',
  PRIMARY KEY (authority, group_id, person)
);
CREATE INDEX group_persons_by_person ON group_persons (authority, person);
CREATE UNIQUE INDEX persons_by_id ON persons (id);
CREATE INDEX persons_by_school ON persons (authority, school, name);
CREATE UNIQUE INDEX devices_by_id ON devices (id);
CREATE INDEX devices_by_name ON devices (name, id);
CREATE INDEX devices_by_authority ON devices (authority, name, id);
CREATE INDEX devices_by_person ON devices (authority, person);
-- The text that a device's words were made from; a row that differs waits to be indexed anew.
ALTER TABLE devices ADD COLUMN words_of TEXT NOT NULL DEFAULT '';
CREATE INDEX devices_unindexed ON devices (id) WHERE words_of <> name || '/' || serial;
-- Beginnings of names by which devices are found. kind: device, person, group.
CREATE TABLE words (
  authority TEXT NOT NULL, kind TEXT NOT NULL, word TEXT NOT NULL, id TEXT NOT NULL,
  PRIMARY KEY (authority, kind, word, id)
);
CREATE INDEX words_everywhere ON words (kind, word, id);
CREATE INDEX words_by_id ON words (authority, id, word);
CREATE INDEX absences_by_end ON absences (until);
CREATE INDEX group_staff_by_end ON group_staff (until) WHERE until > 0;
ALTER TABLE site_lists ADD COLUMN shared BOOLEAN NOT NULL DEFAULT FALSE;
CREATE UNIQUE INDEX site_lists_by_id ON site_lists (id);
CREATE INDEX site_lists_by_school ON site_lists (authority, school, name);
-- Files on their way into the roster. content is forgotten when the import is done or dropped.
CREATE TABLE imports (
  authority TEXT NOT NULL, id TEXT NOT NULL, school TEXT NOT NULL, staff TEXT NOT NULL, staff_name TEXT NOT NULL, what TEXT NOT NULL, file TEXT NOT NULL, profile TEXT NOT NULL,
  content TEXT NOT NULL DEFAULT '', columns TEXT NOT NULL DEFAULT '[]', state TEXT NOT NULL, counts TEXT NOT NULL DEFAULT '{}', created BIGINT NOT NULL,
  PRIMARY KEY (authority, id)
);
CREATE UNIQUE INDEX imports_by_id ON imports (id);
CREATE INDEX imports_by_school ON imports (authority, school, created);
CREATE TABLE import_profiles (
  authority TEXT NOT NULL, school TEXT NOT NULL, what TEXT NOT NULL, name TEXT NOT NULL, columns TEXT NOT NULL, changed BIGINT NOT NULL,
  PRIMARY KEY (authority, school, what, name)
);
