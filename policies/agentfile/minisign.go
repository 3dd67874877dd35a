package agentfile

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"strings"

	"golang.org/x/crypto/blake2b"
)

// Key is a public key of minisign's: a name by which a signature finds it, and the
// Ed25519 key. https://jedisct1.github.io/minisign/#public-key-format
type Key struct {
	id     [8]byte
	public ed25519.PublicKey
}

// Trusted are the public keys of this build, stamped by the linker: as minisign
// writes them, separated by commas. A build without any believes nobody.
var Trusted = ""

// ErrKey says that a text is no public key.
var ErrKey = errors.New("agentfile: not a public key of minisign")

// Keys reads public keys: one a line or separated by commas, with minisign's
// comments or without.
func Keys(text string) ([]Key, error) {
	var keys []Key
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == ',' }) {
		part = strings.TrimSpace(part)
		if part == "" || strings.HasPrefix(part, "untrusted comment:") || strings.HasPrefix(part, "#") {
			continue
		}
		data, err := base64.StdEncoding.DecodeString(part)
		if err != nil || len(data) != 2+8+ed25519.PublicKeySize || string(data[:2]) != "Ed" {
			return nil, ErrKey
		}
		keys = append(keys, Key{[8]byte(data[2:10]), data[10:]})
	}
	return keys, nil
}

// signature is what minisign writes: over the content (Ed) or its BLAKE2b-512 (ED),
// and once more over the signature and the trusted comment.
// https://jedisct1.github.io/minisign/#signature-format
type signature struct {
	hashed  bool
	key     [8]byte
	over    []byte // the content
	comment []byte // trusted
	all     []byte // over the signature and the comment
}

func readSignature(line [][]byte) (s signature, ok bool) {
	if !bytes.HasPrefix(line[0], []byte("untrusted comment:")) {
		return s, false
	}
	first, err := base64.StdEncoding.DecodeString(string(line[1]))
	if err != nil || len(first) != 2+8+ed25519.SignatureSize {
		return s, false
	}
	switch string(first[:2]) {
	case "ED":
		s.hashed = true
	case "Ed":
	default:
		return s, false
	}
	s.key, s.over = [8]byte(first[2:10]), first[10:]
	if s.comment, ok = bytes.CutPrefix(line[2], []byte("trusted comment: ")); !ok {
		return s, false
	}
	s.all, err = base64.StdEncoding.DecodeString(string(line[3]))
	return s, err == nil && len(s.all) == ed25519.SignatureSize
}

// The faults of a signature.
var (
	ErrStranger  = errors.New("agentfile: signed with a key that is not known here")
	ErrSignature = errors.New("agentfile: the signature is wrong")
)

// Signed checks that one of the keys signed the manifest.
func (f File) Signed(keys []Key) error {
	content := f.manifest
	if f.signature.hashed {
		sum := blake2b.Sum512(content)
		content = sum[:]
	}
	for _, key := range keys {
		if key.id != f.signature.key {
			continue
		}
		if !ed25519.Verify(key.public, content, f.signature.over) || !ed25519.Verify(key.public, append(bytes.Clone(f.signature.over), f.signature.comment...), f.signature.all) {
			return ErrSignature
		}
		return nil
	}
	return ErrStranger
}
