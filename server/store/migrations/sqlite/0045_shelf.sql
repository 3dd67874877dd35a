-- +goose Up
-- What a school lets people pick. audience: 'pupils', 'teachers', 'all'. group_id, staff: only these, empty for everybody.
CREATE TABLE app_shelf (
  authority TEXT NOT NULL, id TEXT NOT NULL, school TEXT NOT NULL, package TEXT NOT NULL, audience TEXT NOT NULL, group_id TEXT NOT NULL DEFAULT '', staff TEXT NOT NULL DEFAULT '',
  by_name TEXT NOT NULL, at BIGINT NOT NULL,
  PRIMARY KEY (authority, id)
);
CREATE UNIQUE INDEX app_shelf_by_id ON app_shelf (id);
CREATE UNIQUE INDEX app_shelf_by_package ON app_shelf (authority, school, package, audience, group_id, staff);
CREATE INDEX app_shelf_of_package ON app_shelf (package);
-- What was picked for a device. staff: who did, empty for whoever sat at it. It stands for a rollout in what the device says.
CREATE TABLE app_wishes (
  authority TEXT NOT NULL, id TEXT NOT NULL, school TEXT NOT NULL, device TEXT NOT NULL, entry TEXT NOT NULL, package TEXT NOT NULL, staff TEXT NOT NULL DEFAULT '', by_name TEXT NOT NULL DEFAULT '', at BIGINT NOT NULL,
  PRIMARY KEY (authority, id)
);
CREATE UNIQUE INDEX app_wishes_by_id ON app_wishes (id);
CREATE UNIQUE INDEX app_wishes_by_device ON app_wishes (authority, device, package);
CREATE INDEX app_wishes_by_school ON app_wishes (authority, school, at);
CREATE INDEX app_wishes_by_entry ON app_wishes (authority, entry);
CREATE INDEX app_wishes_of_package ON app_wishes (package);
-- What teachers ask for. package: empty where the catalogue has none. answer: 'open', 'granted', 'refused'; reason is the school's.
CREATE TABLE app_requests (
  authority TEXT NOT NULL, id TEXT NOT NULL, school TEXT NOT NULL, staff TEXT NOT NULL, staff_name TEXT NOT NULL, package TEXT NOT NULL DEFAULT '', title TEXT NOT NULL, why TEXT NOT NULL DEFAULT '', at BIGINT NOT NULL,
  answer TEXT NOT NULL DEFAULT 'open', reason TEXT NOT NULL DEFAULT '', by_name TEXT NOT NULL DEFAULT '', answered BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (authority, id)
);
CREATE UNIQUE INDEX app_requests_by_id ON app_requests (id);
CREATE INDEX app_requests_by_school ON app_requests (authority, school, answer, at);
CREATE INDEX app_requests_by_staff ON app_requests (staff, at);
