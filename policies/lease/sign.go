package lease

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"schulwart.org/policies/org"
)

// tokenType keeps a lease from being taken for any other token of ours
// (RFC 8725, section 3.11).
const tokenType = "lease+jwt"

// Faults of a token that is not a lease for this device.
var (
	ErrSignature = errors.New("lease: signature does not hold under a pinned key")
	ErrSubject   = errors.New("lease: made for another enrolment")
	ErrContent   = errors.New("lease: content is not a lease")
)

// Key is a public key under which leases are believed.
type Key struct {
	ID     string            `json:"kid"`
	Public ed25519.PublicKey `json:"public"`
	// Until is when the key is believed for the last time; zero means for ever.
	Until time.Time `json:"until,omitzero"`
}

// SigningKey signs leases.
type SigningKey struct {
	ID      string
	Private ed25519.PrivateKey
}

// Public returns what devices pin.
func (k SigningKey) Public() Key {
	return Key{ID: k.ID, Public: k.Private.Public().(ed25519.PublicKey)}
}

type claims struct {
	Issuer    string `json:"iss"`
	Subject   org.ID `json:"sub"`
	ID        string `json:"jti"`
	Rev       int    `json:"rev"`
	NotBefore int64  `json:"nbf"`
	Expires   int64  `json:"exp"`
	Kind      Kind   `json:"kind"`
	Rules     Rules  `json:"rules"`
	By        string `json:"by,omitempty"`
	Reason    string `json:"reason,omitempty"`
}

// MarshalJSON writes the claims, without a signature, with the names that the
// signed form uses.
func (l Lease) MarshalJSON() ([]byte, error) {
	return json.Marshal(claims{l.Issuer, l.Subject, l.ID, l.Rev, l.NotBefore.Unix(), l.Expires.Unix(), l.Kind, l.Rules, l.By, l.Reason})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (l *Lease) UnmarshalJSON(data []byte) error {
	var c claims
	if err := json.Unmarshal(data, &c); err != nil {
		return err
	}
	*l = Lease{c.Issuer, c.Subject, c.ID, c.Rev, time.Unix(c.NotBefore, 0).UTC(), time.Unix(c.Expires, 0).UTC(), c.Kind, c.Rules, c.By, c.Reason}
	return nil
}

// Sign returns the lease as a compact JWS, EdDSA (RFC 8037). The same lease and
// key give the same bytes.
func (k SigningKey) Sign(l Lease) (string, error) {
	return k.sign(tokenType, raw{l})
}

func (k SigningKey) sign(kind string, content jwt.Claims) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, content)
	token.Header["kid"] = k.ID
	token.Header["typ"] = kind
	return token.SignedString(k.Private)
}

// Open returns the lease in a compact JWS if it was signed by one of the keys
// and made for the subject. It does not judge the time: the device's own clock
// does. Faults are ErrSignature, ErrSubject and ErrContent.
func Open(token string, keys []Key, subject org.ID, at time.Time) (Lease, error) {
	var content raw
	if err := open(token, tokenType, keys, at, &content); err != nil {
		return Lease{}, err
	}
	l := content.Lease
	if l.Subject != subject {
		return Lease{}, ErrSubject
	}
	if l.ID == "" || l.Rev < 1 || !l.Kind.Valid() || l.Expires.Unix() <= 0 {
		return Lease{}, ErrContent
	}
	return l, nil
}

func open(token, kind string, keys []Key, at time.Time, into jwt.Claims) error {
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithoutClaimsValidation())
	parsed, err := parser.ParseWithClaims(token, into, func(t *jwt.Token) (any, error) {
		if t.Header["typ"] != kind {
			return nil, ErrContent
		}
		for _, key := range keys {
			if key.ID == t.Header["kid"] && len(key.Public) == ed25519.PublicKeySize && (key.Until.IsZero() || at.Before(key.Until)) {
				return key.Public, nil
			}
		}
		return nil, ErrSignature
	})
	if err == nil && parsed.Valid {
		return nil
	}
	if errors.Is(err, ErrContent) {
		return ErrContent
	}
	return fmt.Errorf("%w: %w", ErrSignature, err)
}

// raw makes a lease satisfy jwt.Claims; its dates are judged elsewhere.
type raw struct{ Lease }

func (raw) GetExpirationTime() (*jwt.NumericDate, error) { return nil, nil }
func (raw) GetIssuedAt() (*jwt.NumericDate, error)       { return nil, nil }
func (raw) GetNotBefore() (*jwt.NumericDate, error)      { return nil, nil }
func (raw) GetIssuer() (string, error)                   { return "", nil }
func (raw) GetSubject() (string, error)                  { return "", nil }
func (raw) GetAudience() (jwt.ClaimStrings, error)       { return nil, nil }
