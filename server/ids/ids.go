// Package ids makes ids: sortable by time of birth, unguessable enough for
// addresses, never a secret; and the cursors of lists that are ordered by them.
package ids

import (
	"crypto/rand"
	"encoding/base64"
	"strings"

	"github.com/google/uuid"

	"schulwart.org/policies/org"
)

// New returns an id that was never used before (UUID version 7, RFC 9562).
func New() org.ID { return org.ID(uuid.Must(uuid.NewV7()).String()) }

// Secret returns 256 random bits as text for an address or a header.
func Secret() string {
	var raw [32]byte
	if _, err := rand.Read(raw[:]); err != nil {
		panic("ids: no randomness: " + err.Error())
	}
	return strings.TrimRight(base64.URLEncoding.EncodeToString(raw[:]), "=")
}
