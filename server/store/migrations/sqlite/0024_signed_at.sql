-- +goose Up
-- When a signed message was signed, by the device's clock. What was signed long before the latest is no longer heard, so that its digest need not be kept.
ALTER TABLE signed_messages ADD COLUMN signed BIGINT NOT NULL DEFAULT 0;
CREATE INDEX signed_messages_by_time ON signed_messages (authority, enrolment, signed);
