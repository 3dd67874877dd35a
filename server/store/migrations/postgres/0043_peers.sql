-- +goose Up
-- Which device of a site has how much of a package's file, from where it came, and where it gives it out. site: a hash of the school and the line through which the device speaks, never its address. lied: how often others had wrong bytes from it.
CREATE TABLE package_holders (
  authority TEXT NOT NULL, sha256 TEXT NOT NULL, device TEXT NOT NULL, enrolment TEXT NOT NULL, school TEXT NOT NULL, site TEXT NOT NULL, net TEXT NOT NULL DEFAULT '', address TEXT NOT NULL DEFAULT '',
  have BIGINT NOT NULL DEFAULT 0, last TEXT NOT NULL DEFAULT '', from_server BIGINT NOT NULL DEFAULT 0, from_peers BIGINT NOT NULL DEFAULT 0, lied BIGINT NOT NULL DEFAULT 0, seen BIGINT NOT NULL,
  PRIMARY KEY (authority, sha256, device)
);
CREATE INDEX package_holders_by_site ON package_holders (authority, site, sha256, seen);
-- Who fetches a file from the server for its site, until when, and the word by which devices of the site know each other. A lane is a site, or one network of it that cannot reach the others.
CREATE TABLE package_leads (
  authority TEXT NOT NULL, lane TEXT NOT NULL, sha256 TEXT NOT NULL, device TEXT NOT NULL DEFAULT '', until BIGINT NOT NULL DEFAULT 0, word TEXT NOT NULL,
  PRIMARY KEY (authority, lane, sha256)
);
