package mdm

import (
	"crypto/sha256"
	"fmt"
	"time"
)

// Profile is a configuration profile.
// https://developer.apple.com/documentation/devicemanagement/toplevel
type Profile struct {
	PayloadType              string // always "Configuration"
	PayloadVersion           int    // always 1
	PayloadIdentifier        string
	PayloadUUID              string
	PayloadDisplayName       string `plist:",omitempty"`
	PayloadDescription       string `plist:",omitempty"`
	PayloadOrganization      string `plist:",omitempty"`
	PayloadRemovalDisallowed bool   `plist:",omitempty"`
	// RemovalDate is when the device removes the profile by itself, without us.
	RemovalDate    *time.Time `plist:",omitempty"`
	PayloadContent []Payload
}

// Payload is one part of a profile, with the keys of its type.
type Payload map[string]any

// NewProfile begins a profile whose UUIDs follow from its identifier, so that
// the same profile made twice is the same profile.
func NewProfile(identifier, name string) Profile {
	return Profile{PayloadType: "Configuration", PayloadVersion: 1, PayloadIdentifier: identifier, PayloadUUID: UUID(identifier), PayloadDisplayName: name}
}

// Add appends a payload of the type. part distinguishes it within the profile.
func (p *Profile) Add(payloadType, part string, keys Payload) {
	identifier := p.PayloadIdentifier + "." + part
	payload := Payload{"PayloadType": payloadType, "PayloadVersion": 1, "PayloadIdentifier": identifier, "PayloadUUID": UUID(identifier)}
	for key, value := range keys {
		payload[key] = value
	}
	p.PayloadContent = append(p.PayloadContent, payload)
}

// UUID returns a UUID that follows from a name (RFC 9562, version 8).
func UUID(name string) string {
	sum := sha256.Sum256([]byte(name))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80
	return fmt.Sprintf("%X-%X-%X-%X-%X", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// ParseProfile reads a profile that is not signed. Its faults are ErrEmpty and
// ErrPlist.
func ParseProfile(data []byte) (Profile, error) {
	var p Profile
	err := Decode(data, &p)
	if err == nil && p.PayloadType != "Configuration" {
		err = fmt.Errorf("%w: no profile", ErrPlist)
	}
	return p, err
}
