-- +goose Up
-- What a second person has to decide. waiting: an exception that does not hold before somebody did; asked: what was asked, by whom; four_eyes_asked: who wants to do without a second person.
ALTER TABLE exceptions ADD COLUMN waiting BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE exceptions ADD COLUMN asked TEXT NOT NULL DEFAULT '';
ALTER TABLE exceptions ADD COLUMN approver TEXT NOT NULL DEFAULT '';
ALTER TABLE exceptions ADD COLUMN approver_name TEXT NOT NULL DEFAULT '';
ALTER TABLE authorities ADD COLUMN four_eyes_asked TEXT NOT NULL DEFAULT '';
