-- +goose Up
ALTER TABLE audit ADD COLUMN erased BIGINT NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX audit_chained ON audit (authority, chain) WHERE chain > 0;
CREATE INDEX audit_by_target ON audit (target_kind, target, seq);
CREATE INDEX audit_by_actor ON audit (actor, seq);
-- The end of each chain, written down apart from the rows.
CREATE TABLE audit_chains (authority TEXT PRIMARY KEY, chain BIGINT NOT NULL, hash TEXT NOT NULL);
CREATE TABLE audit_heads (
  authority TEXT NOT NULL, chain BIGINT NOT NULL, hash TEXT NOT NULL, at BIGINT NOT NULL, public_key TEXT NOT NULL, signature TEXT NOT NULL,
  PRIMARY KEY (authority, at)
);
-- Closed parts of a chain that were moved to files.
CREATE TABLE audit_segments (
  authority TEXT NOT NULL, first BIGINT NOT NULL, last BIGINT NOT NULL, prev_hash TEXT NOT NULL, hash TEXT NOT NULL, file TEXT NOT NULL, sha256 TEXT NOT NULL, at BIGINT NOT NULL,
  PRIMARY KEY (authority, first)
);
