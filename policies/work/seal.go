package work

import (
	"crypto/ecdh"
	"crypto/hpke"
	"errors"
)

// What is sealed is HPKE (RFC 9180): X25519, HKDF-SHA256, AES-256-GCM, base mode, one
// message. Who sealed it cannot open it again. What it is about is the info, so that
// it opens only with the same words.

// Overhead is by how many bytes a seal makes content longer.
const Overhead = 32 + 16

// ErrSeal says that something does not open.
var ErrSeal = errors.New("work: the seal does not open")

// Seal seals content for the holder of the key, an X25519 public key of 32 bytes.
func Seal(key, content []byte, about string) ([]byte, error) {
	to, err := ecdh.X25519().NewPublicKey(key)
	if err != nil {
		return nil, err
	}
	holder, err := hpke.NewDHKEMPublicKey(to)
	if err != nil {
		return nil, err
	}
	return hpke.Seal(holder, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(about), content)
}

// Open opens what Seal sealed for the key; ErrSeal if it does not.
func Open(key *ecdh.PrivateKey, sealed []byte, about string) ([]byte, error) {
	holder, err := hpke.NewDHKEMPrivateKey(key)
	if err != nil {
		return nil, err
	}
	content, err := hpke.Open(holder, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(about), sealed)
	if err != nil {
		return nil, ErrSeal
	}
	return content, nil
}

// AboutPiece and AboutList are what seals are about: who could send something
// again elsewhere gains nothing.
func AboutPiece(exam, hash string) string { return "schulwart work 1 piece " + exam + " " + hash }

// AboutList is what the seal of a list is about.
func AboutList(exam string) string { return "schulwart work 1 list " + exam }
