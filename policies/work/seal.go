package work

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"io"
)

// What is sealed begins with a version and a public key made for it alone; the
// rest is AES-256-GCM under a key that both sides derive (X25519, HKDF-SHA256), as
// in RFC 9180. Who sealed it cannot open it again.
const (
	sealVersion = 1
	keySize     = 32
	headSize    = 1 + keySize
	sealInfo    = "schulwart work 1"
)

// Overhead is by how many bytes a seal makes content longer.
const Overhead = headSize + 16

// ErrSeal says that something does not open.
var ErrSeal = errors.New("work: the seal does not open")

// Seal seals content for the holder of the key, an X25519 public key of 32 bytes.
// What it is about opens it only with the same words.
func Seal(key, content []byte, about string, random io.Reader) ([]byte, error) {
	to, err := ecdh.X25519().NewPublicKey(key)
	if err != nil {
		return nil, err
	}
	once, err := ecdh.X25519().GenerateKey(random)
	if err != nil {
		return nil, err
	}
	shared, err := once.ECDH(to)
	if err != nil {
		return nil, err
	}
	head := append([]byte{sealVersion}, once.PublicKey().Bytes()...)
	box, err := boxOf(shared, head, key)
	if err != nil {
		return nil, err
	}
	// The key is used once: its number may always be the same.
	return box.Seal(append(make([]byte, 0, len(content)+Overhead), head...), make([]byte, box.NonceSize()), content, []byte(about)), nil
}

// Open opens what Seal sealed for the key; ErrSeal if it does not.
func Open(key *ecdh.PrivateKey, sealed []byte, about string) ([]byte, error) {
	if len(sealed) < Overhead || sealed[0] != sealVersion {
		return nil, ErrSeal
	}
	head := sealed[:headSize]
	once, err := ecdh.X25519().NewPublicKey(head[1:])
	if err != nil {
		return nil, ErrSeal
	}
	shared, err := key.ECDH(once)
	if err != nil {
		return nil, ErrSeal
	}
	box, err := boxOf(shared, head, key.PublicKey().Bytes())
	if err != nil {
		return nil, err
	}
	content, err := box.Open(nil, make([]byte, box.NonceSize()), sealed[headSize:], []byte(about))
	if err != nil {
		return nil, ErrSeal
	}
	return content, nil
}

func boxOf(shared, head, key []byte) (cipher.AEAD, error) {
	secret, err := hkdf.Key(sha256.New, shared, append(append([]byte(nil), head...), key...), sealInfo, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// AboutPiece and AboutList are what seals are about: who could send something
// again elsewhere gains nothing.
func AboutPiece(exam, hash string) string { return "piece " + exam + " " + hash }

// AboutList is what the seal of a list is about.
func AboutList(exam string) string { return "list " + exam }
