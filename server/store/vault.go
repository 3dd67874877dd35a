package store

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/crypto/chacha20poly1305"
)

// Vault seals secrets at rest under a key that is kept outside the database.
type Vault struct{ key []byte }

// openVault reads the key file, or makes it.
func openVault(file string) (*Vault, error) {
	data, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return makeVault(file)
	case err != nil:
		return nil, fmt.Errorf("reading the key file: %w", err)
	}
	key, err := base64.StdEncoding.DecodeString(string(data))
	if err != nil || len(key) != chacha20poly1305.KeySize {
		return nil, fmt.Errorf("reading the key file %s: it must hold %d bytes in base64", file, chacha20poly1305.KeySize)
	}
	return &Vault{key}, nil
}

func makeVault(file string) (*Vault, error) {
	key := make([]byte, chacha20poly1305.KeySize)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, fmt.Errorf("making the key file: %w", err)
	}
	if err := os.WriteFile(file, []byte(base64.StdEncoding.EncodeToString(key)), 0o600); err != nil {
		return nil, fmt.Errorf("making the key file: %w", err)
	}
	return &Vault{key}, nil
}

// seal encrypts a secret (XChaCha20-Poly1305) and binds it to its name.
func (v *Vault) seal(name string, secret []byte) (string, error) {
	aead, err := chacha20poly1305.NewX(v.key)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(aead.Seal(nonce, nonce, secret, []byte(name))), nil
}

// open decrypts what seal made under the same name.
func (v *Vault) open(name, sealed string) ([]byte, error) {
	data, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return nil, fmt.Errorf("opening secret %s: %w", name, err)
	}
	aead, err := chacha20poly1305.NewX(v.key)
	if err != nil {
		return nil, err
	}
	if len(data) < aead.NonceSize() {
		return nil, fmt.Errorf("opening secret %s: too short", name)
	}
	secret, err := aead.Open(nil, data[:aead.NonceSize()], data[aead.NonceSize():], []byte(name))
	if err != nil {
		return nil, fmt.Errorf("opening secret %s: the key file does not fit this database: %w", name, err)
	}
	return secret, nil
}
