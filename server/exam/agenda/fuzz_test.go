package agenda

import (
	"testing"
	"time"
)

// Whatever a calendar's file holds, it is read or refused, and what is read has a
// name, a beginning and an end after it.
func FuzzCalendar(f *testing.F) {
	f.Add([]byte(calendar))
	f.Add([]byte("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261124T070000Z\nDURATION:-PT1H\nSUMMARY:x\nEND:VEVENT\nEND:VCALENDAR\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := ReadCalendar(data, time.UTC)
		if err != nil {
			return
		}
		entries, _ := Read(table, How{Columns: Propose(table.Header, nil), Zone: time.UTC})
		for _, e := range entries {
			if e.Name == "" || e.Starts.IsZero() || !e.Ends.After(e.Starts) {
				t.Errorf("read as an examination: %+v", e)
			}
		}
	})
}
