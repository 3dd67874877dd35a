package keyring

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
)

// Seal returns a code over the parts that nobody can guess who does not hold our
// keys: the same for the same parts for as long as the key signs. The purpose
// keeps codes apart that are made for different things.
func (r *Ring) Seal(purpose string, parts ...string) string {
	return base64.RawURLEncoding.EncodeToString(r.current().seal(purpose, parts))
}

// Sealed reports whether the code was made by Seal with any of our keys.
func (r *Ring) Sealed(code, purpose string, parts ...string) bool {
	given, err := base64.RawURLEncoding.DecodeString(code)
	if err != nil {
		return false
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	sealed := false
	for _, e := range r.keys {
		sealed = hmac.Equal(given, e.seal(purpose, parts)) || sealed
	}
	return sealed
}

func (e entry) seal(purpose string, parts []string) []byte {
	key, err := hkdf.Key(sha256.New, e.Seed, nil, "schulwart seal: "+purpose, sha256.Size)
	if err != nil {
		panic("keyring: " + err.Error()) // a key of this length can always be made
	}
	mac := hmac.New(sha256.New, key)
	for _, part := range parts {
		// With their lengths, so that no two lists read the same.
		_ = binary.Write(mac, binary.BigEndian, uint64(len(part)))
		_, _ = mac.Write([]byte(part))
	}
	return mac.Sum(nil)
}
