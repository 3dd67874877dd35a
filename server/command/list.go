package command

import (
	"context"
	"encoding/json"
	"time"

	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
)

// Entry is a command as people see it at a device.
type Entry struct {
	ID          org.ID
	RequestType string
	// State is "waiting", "sent" or "notnow" for one in the queue, else what became
	// of it: a status of mdm, Expired or Superseded.
	State  string
	At     time.Time // when it was queued, or when it ended
	Detail string    // the device's own words on why it failed; empty if it said none
}

// Lister reads the queue and the reports of a device.
type Lister interface {
	// DeviceCommands lists what waits, then what became of others, the latest
	// first, at most n.
	DeviceCommands(ctx context.Context, authority, device org.ID, n int) ([]Entry, error)
}

// List returns the device's latest commands, at most n. Whoever shows them has
// asked whether the person may see the device.
func List(ctx context.Context, from Lister, authority, device org.ID, n int) ([]Entry, error) {
	entries, err := from.DeviceCommands(ctx, authority, device, n)
	for i, entry := range entries {
		entries[i].Detail = words(entry.Detail)
	}
	return entries, err
}

// words returns what a device said in a kept reason.
func words(detail string) string {
	var chain []mdm.ErrorChainItem
	if json.Unmarshal([]byte(detail), &chain) != nil {
		return detail
	}
	for _, link := range chain {
		if link.LocalizedDescription != "" {
			return link.LocalizedDescription
		}
		if link.USEnglishDescription != "" {
			return link.USEnglishDescription
		}
	}
	return ""
}
