package ids_test

import (
	"strings"
	"testing"

	"schulwart.org/server/ids"
)

func FuzzReadCursor(f *testing.F) {
	f.Add(ids.Cursor("5a", "01"), "5a", "01")
	f.Add("garbage", "", "")
	f.Add("", "a", "\x00")
	f.Fuzz(func(t *testing.T, given, order, id string) {
		if was, last, ok := ids.ReadCursor(given); ok && !ids.IsCursor(given) || !ok && was != "" || strings.Contains(was, "\x00") {
			t.Errorf("%q reads as %q %q %t", given, was, last, ok)
		}
		if strings.Contains(order, "\x00") {
			return
		}
		if was, last, ok := ids.ReadCursor(ids.Cursor(order, id)); !ok || was != order || last != id {
			t.Errorf("%q %q comes back as %q %q %t", order, id, was, last, ok)
		}
	})
}
