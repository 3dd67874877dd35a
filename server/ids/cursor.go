package ids

import (
	"encoding/base64"
	"strings"

	"github.com/google/uuid"
)

// Cursor writes where a page of a list ended: by what it is ordered, and the id
// of the last row. It says nothing that the page did not.
func Cursor(order, id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(order + "\x00" + id))
}

// ReadCursor reads what Cursor wrote; ok is false for anything else.
func ReadCursor(cursor string) (order, id string, ok bool) {
	data, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return "", "", false
	}
	if order, id, ok = strings.Cut(string(data), "\x00"); !ok {
		return "", "", false
	}
	return order, id, true
}

// IsCursor reports whether a page can have given it. A list in the order of its
// ids says the id itself, the log its number.
func IsCursor(cursor string) bool {
	_, _, ok := ReadCursor(cursor)
	return ok || uuid.Validate(cursor) == nil || cursor != "" && strings.Trim(cursor, "0123456789") == ""
}
