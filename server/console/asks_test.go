package console_test

import (
	"context"
	"testing"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/server/store/storetest"
)

// runningMode returns the id of the mode that was started last.
func (h *house) runningMode() string {
	h.t.Helper()
	return storetest.Ask(h.t, h.store, `SELECT id FROM modes ORDER BY created DESC, id DESC LIMIT 1`)
}

func (h *house) modeID(id string) org.ID { return org.ID(id) }

// actor is a person as the rooms see them.
func (h *house) actor(login string) may.Actor {
	h.t.Helper()
	person, err := h.store.FindLogin(context.Background(), login)
	must(h.t, err)
	who, err := h.staff.Actor(context.Background(), person.ID, "127.0.0.1")
	must(h.t, err)
	return who
}

func storeCount(t *testing.T, h *house, query string) string {
	t.Helper()
	return storetest.Ask(t, h.store, query)
}
