package seb

import (
	"bytes"
	"compress/gzip"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // the format's key derivation; its strength is in the rounds
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/micromdm/plist"
)

// The faults of a file.
var (
	ErrNotSEB   = errors.New("seb: this is no settings file")
	ErrPassword = errors.New("seb: the password is another one, or the file was changed")
	ErrTooLarge = errors.New("seb: the settings are too large")
)

// The first four letters of a file, once it is unpacked.
const (
	plain  = "plnd"
	sealed = "pswd"
)

// The sealed form, as RNCryptor's second version writes it: two bytes of header,
// salts for both keys, the first vector, AES-256-CBC, and HMAC-SHA-256 over all
// of it (https://github.com/RNCryptor/RNCryptor-Spec).
const (
	version = 2
	options = 1
	// laterVersion differs from ours in how passwords outside ASCII are read, and
	// there as we do it.
	laterVersion = 3
	saltSize     = 8
	keySize      = 32
	rounds       = 10000
	overhead     = 2 + 2*saltSize + aes.BlockSize
)

// most is how large settings may be once unpacked.
const most = 4 << 20

// Plain writes settings that everybody can read.
func Plain(s Settings) ([]byte, error) {
	inner, err := packed(s)
	if err != nil {
		return nil, err
	}
	return zip(append([]byte(plain), inner...))
}

// Sealed writes settings that open with a password only. random gives salts and
// the first vector.
func Sealed(s Settings, password string, random io.Reader) ([]byte, error) {
	inner, err := packed(s)
	if err != nil {
		return nil, err
	}
	head := make([]byte, overhead)
	if _, err := io.ReadFull(random, head); err != nil {
		return nil, fmt.Errorf("sealing settings: %w", err)
	}
	head[0], head[1] = version, options
	encrypt, authenticate, vector, err := keys(head, password)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(encrypt)
	if err != nil {
		return nil, fmt.Errorf("sealing settings: %w", err)
	}
	pad := aes.BlockSize - len(inner)%aes.BlockSize
	inner = append(inner, bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(block, vector).CryptBlocks(inner, inner)
	whole := append(head, inner...)
	return zip(append([]byte(sealed), append(whole, seal(authenticate, whole)...)...))
}

// Read reads either form; a plain one needs no password.
func Read(file []byte, password string) (Settings, error) {
	outer, err := unzip(file)
	if err != nil {
		return nil, err
	}
	if len(outer) < len(plain) {
		return nil, ErrNotSEB
	}
	inner := outer[len(plain):]
	switch string(outer[:len(plain)]) {
	case plain:
	case sealed:
		if inner, err = open(inner, password); err != nil {
			return nil, err
		}
	default:
		return nil, ErrNotSEB
	}
	text, err := unzip(inner)
	if err != nil {
		return nil, err
	}
	var s Settings
	if err := plist.NewXMLDecoder(bytes.NewReader(text)).Decode((*map[string]any)(&s)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotSEB, err)
	}
	return s, nil
}

func open(data []byte, password string) ([]byte, error) {
	if len(data) < overhead+aes.BlockSize+sha256.Size || (len(data)-overhead-sha256.Size)%aes.BlockSize != 0 || data[0] < version || data[0] > laterVersion {
		return nil, ErrNotSEB
	}
	whole, said := data[:len(data)-sha256.Size], data[len(data)-sha256.Size:]
	encrypt, authenticate, vector, err := keys(whole, password)
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(said, seal(authenticate, whole)) {
		return nil, ErrPassword
	}
	block, err := aes.NewCipher(encrypt)
	if err != nil {
		return nil, fmt.Errorf("opening settings: %w", err)
	}
	text := bytes.Clone(whole[overhead:])
	cipher.NewCBCDecrypter(block, vector).CryptBlocks(text, text)
	pad := int(text[len(text)-1])
	if pad == 0 || pad > aes.BlockSize {
		return nil, ErrNotSEB
	}
	return text[:len(text)-pad], nil
}

// keys derives both keys from what stands at the beginning.
func keys(head []byte, password string) (encrypt, authenticate, vector []byte, err error) {
	salts := head[2 : 2+2*saltSize]
	if encrypt, err = pbkdf2.Key(sha1.New, password, salts[:saltSize], rounds, keySize); err == nil {
		authenticate, err = pbkdf2.Key(sha1.New, password, salts[saltSize:], rounds, keySize)
	}
	if err != nil {
		return nil, nil, nil, fmt.Errorf("deriving keys: %w", err)
	}
	return encrypt, authenticate, head[2+2*saltSize : overhead], nil
}

func seal(key, data []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(data)
	return mac.Sum(nil)
}

// packed is the inner half that both forms share: a property list, compressed.
func packed(s Settings) ([]byte, error) {
	text, err := plist.Marshal(map[string]any(s))
	if err != nil {
		return nil, fmt.Errorf("writing settings: %w", err)
	}
	return zip(text)
}

func zip(data []byte) ([]byte, error) {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(data); err != nil {
		return nil, fmt.Errorf("compressing: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compressing: %w", err)
	}
	return out.Bytes(), nil
}

func unzip(data []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, ErrNotSEB
	}
	out, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, ErrNotSEB
	}
	if len(out) > most {
		return nil, ErrTooLarge
	}
	return out, nil
}
