package lease

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ReleaseStep is how long one release code stands for.
const ReleaseStep = 5 * time.Minute

// ReleaseCode returns the eight digits that end the lease on its device without
// any connection, during the five minutes around the instant (RFC 6238 in
// spirit: HMAC-SHA-256, dynamic truncation). The secret was made by the device
// and is known to it and to the server alone.
func ReleaseCode(secret []byte, leaseID string, at time.Time) string {
	return code(secret, leaseID, at.Unix()/int64(ReleaseStep/time.Second))
}

// ChallengeDigits is how many digits a challenge has. Another number of them is a
// slip of who read it aloud; a code for it would cost one of the few tries.
const ChallengeDigits = 6

// ChallengeCode returns the code for a device that shows a challenge because it
// does not trust its clock; the challenge takes the place of the time.
func ChallengeCode(secret []byte, leaseID, challenge string) (string, error) {
	digits := Digits(challenge)
	number, err := strconv.ParseUint(digits, 10, 31)
	if err != nil {
		return "", fmt.Errorf("reading challenge: %w", err)
	}
	if len(digits) != ChallengeDigits {
		return "", fmt.Errorf("reading challenge: %d digits, not %d", len(digits), ChallengeDigits)
	}
	// Negative steps never occur as times, so no code serves both.
	return code(secret, leaseID, -1-int64(number)), nil
}

// Use is what a code that was made beforehand does.
type Use string

// The uses.
const (
	UseRelease Use = "release" // ends the lease on this device
	UseResume  Use = "resume"  // lets an examination go on after a restart
)

// PreparedCodes is how many codes of each use an invigilator has for a device.
const PreparedCodes = 5

// PreparedCode returns a code that an invigilator carries on paper: it stands
// for no time, and serves once. Numbers go from 1 to PreparedCodes.
func PreparedCode(secret []byte, leaseID string, use Use, number int) string {
	return code(secret, leaseID+"/"+string(use), int64(number))
}

// ReleaseMatches reports whether digits end the lease at the instant. The step
// before and after count too: a code is read aloud, and clocks differ.
func ReleaseMatches(secret []byte, leaseID, digits string, at time.Time) bool {
	given := Digits(digits)
	ok := false
	for _, shift := range []time.Duration{-ReleaseStep, 0, ReleaseStep} {
		ok = hmac.Equal([]byte(given), []byte(ReleaseCode(secret, leaseID, at.Add(shift)))) || ok
	}
	return ok
}

// Digits strips everything that people type between digits.
func Digits(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, text)
}

// ShowCode writes a code as people read it: "1234 5678".
func ShowCode(code string) string {
	if len(code) != 8 {
		return code
	}
	return code[:4] + " " + code[4:]
}

func code(secret []byte, leaseID string, step int64) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(leaseID))
	mac.Write([]byte{0})
	_ = binary.Write(mac, binary.BigEndian, step)
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0x0f
	number := binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff
	return fmt.Sprintf("%08d", number%100_000_000)
}
