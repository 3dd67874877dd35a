-- +goose Up
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE authorities (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, timezone TEXT NOT NULL, created BIGINT NOT NULL
);
CREATE TABLE schools (
  authority TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, number TEXT NOT NULL DEFAULT '', created BIGINT NOT NULL,
  PRIMARY KEY (authority, id)
);
-- Groups: classes, courses, rooms, sets, pilots. source is 'hand' or the import profile that made it.
CREATE TABLE school_groups (
  authority TEXT NOT NULL, id TEXT NOT NULL, school TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
  priority BIGINT NOT NULL DEFAULT 0, starts BIGINT NOT NULL DEFAULT 0, ends BIGINT NOT NULL DEFAULT 0,
  source TEXT NOT NULL DEFAULT 'hand', created BIGINT NOT NULL,
  PRIMARY KEY (authority, id)
);
CREATE INDEX school_groups_by_school ON school_groups (authority, school, kind, name);
CREATE TABLE group_devices (
  authority TEXT NOT NULL, group_id TEXT NOT NULL, device TEXT NOT NULL, source TEXT NOT NULL DEFAULT 'hand',
  PRIMARY KEY (authority, group_id, device)
);
CREATE INDEX group_devices_by_device ON group_devices (authority, device);
-- Teachers of a group. how: 'owner', 'substitute' (Ich vertrete), 'borrower' (Ich habe Koffer B); until 0 = open.
CREATE TABLE group_staff (
  authority TEXT NOT NULL, group_id TEXT NOT NULL, staff TEXT NOT NULL, how TEXT NOT NULL,
  since BIGINT NOT NULL DEFAULT 0, until BIGINT NOT NULL DEFAULT 0, source TEXT NOT NULL DEFAULT 'hand',
  PRIMARY KEY (authority, group_id, staff, how)
);
CREATE INDEX group_staff_by_staff ON group_staff (authority, staff);
CREATE TABLE persons (
  authority TEXT NOT NULL, id TEXT NOT NULL, school TEXT NOT NULL, name TEXT NOT NULL, external TEXT NOT NULL DEFAULT '',
  source TEXT NOT NULL DEFAULT 'hand', created BIGINT NOT NULL,
  PRIMARY KEY (authority, id)
);
-- name is the inventory number. person may be empty: it works without pupils' names.
CREATE TABLE devices (
  authority TEXT NOT NULL, id TEXT NOT NULL, school TEXT NOT NULL, name TEXT NOT NULL, serial TEXT NOT NULL DEFAULT '',
  platform TEXT NOT NULL DEFAULT 'linux', model TEXT NOT NULL DEFAULT '', person TEXT NOT NULL DEFAULT '',
  source TEXT NOT NULL DEFAULT 'hand', created BIGINT NOT NULL, retired BIGINT NOT NULL DEFAULT 0, simulated BOOLEAN NOT NULL DEFAULT FALSE,
  PRIMARY KEY (authority, id)
);
CREATE INDEX devices_by_school ON devices (authority, school, name);
CREATE INDEX devices_by_serial ON devices (serial);
-- One enrolment per key of a device. state: 'pending', 'enrolled', 'left'. Only one of a device is 'enrolled'.
CREATE TABLE enrolments (
  authority TEXT NOT NULL, id TEXT NOT NULL, device TEXT NOT NULL, school TEXT NOT NULL, udid TEXT NOT NULL, certificate TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL, topic TEXT NOT NULL DEFAULT '', push_magic TEXT NOT NULL DEFAULT '', push_token TEXT NOT NULL DEFAULT '',
  unlock_sealed TEXT NOT NULL DEFAULT '', supervised BOOLEAN NOT NULL DEFAULT FALSE, token TEXT NOT NULL DEFAULT '',
  certificate_until BIGINT NOT NULL DEFAULT 0, created BIGINT NOT NULL, changed BIGINT NOT NULL,
  PRIMARY KEY (authority, id)
);
CREATE INDEX enrolments_by_device ON enrolments (authority, device);
CREATE INDEX enrolments_by_udid ON enrolments (udid);
-- The small global directory: which authority does a certificate belong to?
CREATE TABLE certificates (
  hash TEXT PRIMARY KEY, authority TEXT NOT NULL, enrolment TEXT NOT NULL, device TEXT NOT NULL, serial TEXT NOT NULL,
  expires BIGINT NOT NULL, revoked BIGINT NOT NULL DEFAULT 0, created BIGINT NOT NULL
);
-- What a device last said of itself. One row per device.
CREATE TABLE device_states (
  authority TEXT NOT NULL, device TEXT NOT NULL, school TEXT NOT NULL, last_seen BIGINT NOT NULL DEFAULT 0, reported BIGINT NOT NULL DEFAULT 0,
  agent TEXT NOT NULL DEFAULT '', schema_no BIGINT NOT NULL DEFAULT 0, boot TEXT NOT NULL DEFAULT '', token TEXT NOT NULL DEFAULT '',
  facts TEXT NOT NULL DEFAULT '{}', declarations TEXT NOT NULL DEFAULT '[]',
  PRIMARY KEY (authority, device)
);
CREATE INDEX device_states_by_school ON device_states (authority, school, last_seen);
CREATE TABLE device_events (
  authority TEXT NOT NULL, device TEXT NOT NULL, id TEXT NOT NULL, at BIGINT NOT NULL, received BIGINT NOT NULL, key TEXT NOT NULL, args TEXT NOT NULL DEFAULT '{}',
  PRIMARY KEY (authority, device, id)
);
CREATE INDEX device_events_by_time ON device_events (authority, device, at);

-- A mode is what a teacher switched on; a lease is the mode on one device.
CREATE TABLE modes (
  authority TEXT NOT NULL, id TEXT NOT NULL, school TEXT NOT NULL, group_id TEXT NOT NULL DEFAULT '', kind TEXT NOT NULL, rules TEXT NOT NULL,
  starts BIGINT NOT NULL, ends BIGINT NOT NULL, ended BIGINT NOT NULL DEFAULT 0, staff TEXT NOT NULL, by_name TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '',
  created BIGINT NOT NULL, changed BIGINT NOT NULL,
  PRIMARY KEY (authority, id)
);
CREATE INDEX modes_by_group ON modes (authority, group_id, ends);
CREATE INDEX modes_by_end ON modes (ends);
-- state is what the device last said of it (ddm.LeasePhase), empty if it never did. keep_until: how long it stays in the manifest.
CREATE TABLE leases (
  authority TEXT NOT NULL, id TEXT NOT NULL, mode TEXT NOT NULL, school TEXT NOT NULL, device TEXT NOT NULL, enrolment TEXT NOT NULL, rev BIGINT NOT NULL,
  kind TEXT NOT NULL, rules TEXT NOT NULL, starts BIGINT NOT NULL, ends BIGINT NOT NULL, keep_until BIGINT NOT NULL, by_name TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL, state_key TEXT NOT NULL DEFAULT '', state_args TEXT NOT NULL DEFAULT '{}', since BIGINT NOT NULL,
  delivered_rev BIGINT NOT NULL DEFAULT 0, reported_rev BIGINT NOT NULL DEFAULT 0, reported BIGINT NOT NULL DEFAULT 0, parts TEXT NOT NULL DEFAULT '[]',
  PRIMARY KEY (authority, id)
);
CREATE INDEX leases_by_mode ON leases (authority, mode);
CREATE INDEX leases_by_device ON leases (authority, device, keep_until);
CREATE INDEX leases_by_school ON leases (authority, school, keep_until);
CREATE INDEX leases_by_end ON leases (state, ends);
-- Absent devices are not restricted by modes of the group until the instant.
CREATE TABLE absences (
  authority TEXT NOT NULL, group_id TEXT NOT NULL, device TEXT NOT NULL, until BIGINT NOT NULL,
  PRIMARY KEY (authority, group_id, device)
);
CREATE TABLE site_lists (
  authority TEXT NOT NULL, id TEXT NOT NULL, school TEXT NOT NULL, staff TEXT NOT NULL DEFAULT '', name TEXT NOT NULL, sites TEXT NOT NULL, changed BIGINT NOT NULL,
  PRIMARY KEY (authority, id)
);
-- Base policies, by place. The operator's have an empty authority and place.
CREATE TABLE policies (
  authority TEXT NOT NULL, level TEXT NOT NULL, place TEXT NOT NULL, family TEXT NOT NULL, value TEXT NOT NULL, changed BIGINT NOT NULL,
  PRIMARY KEY (authority, level, place, family)
);
-- Durable marks: "something changed for these devices". declare drains them. school '' = whole authority.
CREATE TABLE marks (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, authority TEXT NOT NULL, school TEXT NOT NULL, device TEXT NOT NULL DEFAULT '', what TEXT NOT NULL, at BIGINT NOT NULL
);
-- Who did what, to whom, from where. hash is empty until the sealer chained it.
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, authority TEXT NOT NULL, at BIGINT NOT NULL, actor TEXT NOT NULL, actor_name TEXT NOT NULL, via TEXT NOT NULL, origin TEXT NOT NULL,
  action TEXT NOT NULL, school TEXT NOT NULL DEFAULT '', target_kind TEXT NOT NULL DEFAULT '', target TEXT NOT NULL DEFAULT '', before TEXT NOT NULL DEFAULT '', after TEXT NOT NULL DEFAULT '',
  salt TEXT NOT NULL, content_hash TEXT NOT NULL, chain BIGINT NOT NULL DEFAULT 0, hash TEXT NOT NULL DEFAULT ''
);
CREATE INDEX audit_by_authority ON audit (authority, seq);
CREATE INDEX audit_by_school ON audit (authority, school, seq);
CREATE INDEX audit_unsealed ON audit (hash, authority, seq);

-- One row per job and local date: no job is lost or doubled.
CREATE TABLE job_runs (job TEXT NOT NULL, due TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (job, due));
-- Contacts of devices per minute, for the curve on the start page.
CREATE TABLE contacts (authority TEXT NOT NULL, school TEXT NOT NULL, minute BIGINT NOT NULL, n BIGINT NOT NULL, PRIMARY KEY (authority, school, minute));
