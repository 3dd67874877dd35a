package staff

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"schulwart.org/server/errs"
)

// Argon2id as OWASP's first choice for interactive logins: 19 MiB, two passes.
const (
	argonMemory  = 19 * 1024 // KiB
	argonPasses  = 2
	argonLanes   = 1
	saltLength   = 16
	keyLength    = 32
	shortest     = 10  // characters
	longest      = 256 // bytes; more only costs time
	argonVersion = argon2.Version
)

// hasher computes at most as many hashes at once as there are cores: each takes
// 19 MiB and some 20 ms, and a crowd at the door must not starve the house.
type hasher struct {
	slots chan struct{}
	dummy string // compared when the login is unknown, so that both take as long
}

func newHasher() hasher {
	return hasher{
		slots: make(chan struct{}, runtime.NumCPU()),
		dummy: "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	}
}

func (h hasher) enter(ctx context.Context) error {
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// hash returns the password in PHC string form.
func (h hasher) hash(ctx context.Context, password string) (string, error) {
	if err := h.enter(ctx); err != nil {
		return "", err
	}
	defer func() { <-h.slots }()
	salt := make([]byte, saltLength)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("making a salt: %w", err)
	}
	key := argon2.IDKey([]byte(password), salt, argonPasses, argonMemory, argonLanes, keyLength)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argonVersion, argonMemory, argonPasses, argonLanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key)), nil
}

var errHash = errors.New("staff: not an argon2id hash")

// matches reports whether the password fits the hash. An empty hash fits
// nothing, and takes as long as a full one.
func (h hasher) matches(ctx context.Context, password, hash string) (bool, error) {
	known := hash != ""
	if !known {
		hash = h.dummy
	}
	var version, memory, passes, lanes int
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false, errHash
	}
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argonVersion {
		return false, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &lanes); err != nil || memory <= 0 || passes <= 0 || lanes <= 0 || lanes > 255 {
		return false, errHash
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return false, errHash
	}
	want, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || len(want) == 0 {
		return false, errHash
	}
	if err := h.enter(ctx); err != nil {
		return false, err
	}
	defer func() { <-h.slots }()
	got := argon2.IDKey([]byte(password), salt, uint32(passes), uint32(memory), uint8(lanes), uint32(len(want)))
	return known && subtle.ConstantTimeCompare(got, want) == 1, nil
}

// newPassword checks a chosen password and hashes it. It asks for length and
// refuses what everybody tries first, not for signs and digits (NIST SP 800-63B).
func (s *Service) newPassword(ctx context.Context, person Person, password string) (string, error) {
	switch {
	case utf8.RuneCountInString(password) < shortest:
		return "", errs.E(errs.Invalid, "staff.password_short", "least", shortest).In("password")
	case len(password) > longest:
		return "", errs.E(errs.Invalid, "staff.password_long").In("password")
	case guessed(password, person):
		return "", errs.E(errs.Invalid, "staff.password_guessed").In("password")
	}
	return s.hashing.hash(ctx, password)
}

// common are what German and English lists of leaked passwords begin with, as
// far as they are long enough to be chosen here.
var common = []string{
	"passwort", "password", "qwertz", "qwerty", "asdfgh", "yxcvbn", "1q2w3e4r", "123456", "abc123", "schule", "lehrer", "geheim",
	"hallo", "willkommen", "welcome", "sommer", "winter", "fruehling", "frühling", "herbst", "admin", "letmein", "iloveyou", "schulwart",
}

// guessed reports whether a password is a name or a common word with some
// digits or signs around it, or one character again and again.
func guessed(password string, person Person) bool {
	bare := strings.Trim(strings.ToLower(password), "0123456789!?.,-_#*+$%&/ ")
	if bare == "" || strings.Count(bare, bare[:1]) == len(bare) {
		return true
	}
	local, _, _ := strings.Cut(person.Login, "@")
	for _, word := range append([]string{person.Login, local, strings.ToLower(person.Name)}, common...) {
		if word != "" && (bare == word || bare == strings.ReplaceAll(word, " ", "") || bare == word+word) {
			return true
		}
	}
	return false
}
