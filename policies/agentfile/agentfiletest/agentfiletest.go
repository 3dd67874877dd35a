// Package agentfiletest signs agents' files as minisign does, for tests.
package agentfiletest

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"slices"

	"golang.org/x/crypto/blake2b"

	"schulwart.org/policies/agentfile"
)

// Signer has a secret key of its own, drawn from a word.
type Signer struct {
	id  string
	key ed25519.PrivateKey
}

// New returns the signer of a word.
func New(word string) Signer {
	seed := sha256.Sum256([]byte(word))
	return Signer{id: string(seed[:8]), key: ed25519.NewKeyFromSeed(seed[:])}
}

// Public is the public key as minisign writes it.
func (s Signer) Public() string {
	return base64.StdEncoding.EncodeToString(slices.Concat([]byte("Ed"), []byte(s.id), s.key.Public().(ed25519.PublicKey)))
}

// Sign returns the text of a signature; a legacy one is over the content itself.
func (s Signer) Sign(content []byte, comment string, legacy bool) []byte {
	kind := "ED"
	if legacy {
		kind = "Ed"
	} else {
		sum := blake2b.Sum512(content)
		content = sum[:]
	}
	over := ed25519.Sign(s.key, content)
	all := ed25519.Sign(s.key, append(slices.Clone(over), comment...))
	line := base64.StdEncoding.EncodeToString
	return []byte("untrusted comment: for a test\n" + line(slices.Concat([]byte(kind), []byte(s.id), over)) + "\ntrusted comment: " + comment + "\n" + line(all) + "\n")
}

// File makes a whole file of a program; size and hash of the manifest are filled in.
func (s Signer) File(m agentfile.Manifest, program []byte) []byte {
	sum := sha256.Sum256(program)
	m.Size, m.SHA256 = int64(len(program)), hex.EncodeToString(sum[:])
	manifest, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	manifest = append(manifest, '\n')
	return append(agentfile.Head(manifest, s.Sign(manifest, "agent "+m.Version, false)), program...)
}
