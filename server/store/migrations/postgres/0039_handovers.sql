-- +goose Up
-- Codes and tokens that were just made, for the minutes in which whoever made them hands them over. sealed: under the key outside the database.
CREATE TABLE handovers (staff TEXT NOT NULL, about TEXT NOT NULL, sealed TEXT NOT NULL, until BIGINT NOT NULL, PRIMARY KEY (staff, about));
