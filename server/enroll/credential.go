package enroll

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/google/uuid"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
)

// credentialFor is how long one-time credentials can be used.
const credentialFor = time.Hour

// Credential is a one-time permission to have one key certified. It is made
// without a trace, so that reading a link costs nothing, and noted when used.
type Credential struct {
	ID      string
	Token   org.ID
	Expires time.Time
}

// Ways that a credential is good for. One for the one is none for the other.
const (
	wayEST  = "est"
	waySCEP = "scep"
)

// The layout of a credential: 12 random bytes, seconds, the token's id, and half
// of an HMAC over them. Short enough for a challenge password, which is what SCEP
// calls it (RFC 8894, section 2.4).
const (
	randomLength     = 12
	tokenAt          = randomLength + 8
	macAt            = tokenAt + 16
	credentialLength = macAt + 16
)

func (s *Service) credential(way string, token org.ID) (string, error) {
	id, err := uuid.Parse(token.String())
	if err != nil {
		return "", err
	}
	data := make([]byte, macAt, credentialLength)
	if _, err := rand.Read(data[:randomLength]); err != nil {
		return "", err
	}
	binary.BigEndian.PutUint64(data[randomLength:], uint64(s.options.Now().Add(credentialFor).Unix()))
	copy(data[tokenAt:], id[:])
	return base64.RawURLEncoding.EncodeToString(append(data, s.mac(way, data)...)), nil
}

func (s *Service) openCredential(way, text string) (Credential, error) {
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(data) != credentialLength || !hmac.Equal(data[macAt:], s.mac(way, data[:macAt])) {
		return Credential{}, errs.E(errs.Denied, "token.credential")
	}
	expires := time.Unix(int64(binary.BigEndian.Uint64(data[randomLength:])), 0).UTC()
	if !s.options.Now().Before(expires) {
		return Credential{}, errs.E(errs.Denied, "token.credential_expired")
	}
	id, err := uuid.FromBytes(data[tokenAt:macAt])
	if err != nil {
		return Credential{}, err
	}
	return Credential{ID: base64.RawURLEncoding.EncodeToString(data[:randomLength]), Token: org.ID(id.String()), Expires: expires}, nil
}

func (s *Service) mac(way string, data []byte) []byte {
	mac := hmac.New(sha256.New, s.secret)
	mac.Write([]byte("credential " + way + "\x00"))
	mac.Write(data)
	return mac.Sum(nil)[:credentialLength-macAt]
}
