package lease

import (
	"crypto/ed25519"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const announceType = "lease-key+jwt"

// KeyOverlap is how long an old key is believed beside its successor.
const KeyOverlap = 30 * 24 * time.Hour

type announcement struct {
	Issuer string `json:"iss"`
	Key    Key    `json:"key"`
	jwt.RegisteredClaims
}

// Announce returns a statement, signed by k, that devices shall believe the
// next key too.
func (k SigningKey) Announce(issuer string, next Key) (string, error) {
	return k.sign(announceType, announcement{Issuer: issuer, Key: next})
}

// Learn returns the key that a statement announces if one of the known keys
// signed it.
func Learn(token string, keys []Key, at time.Time) (Key, error) {
	var said announcement
	if err := open(token, announceType, keys, at, &said); err != nil {
		return Key{}, err
	}
	if said.Key.ID == "" || len(said.Key.Public) != ed25519.PublicKeySize {
		return Key{}, ErrContent
	}
	return said.Key, nil
}

// KeyDeclarationType is the DDM type in which a key announcement travels, to our
// agent only; the payload is Announced.
const KeyDeclarationType = "org.schulwart.management.lease-key"

// Announced is the payload of a key announcement: what Announce returned.
type Announced struct {
	JWS string `json:"jws"`
}
