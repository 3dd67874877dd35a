// Package identity is who the device is: the key that never leaves it, the
// certificate that the school's authority gave for it, and the hardware to which
// both are bound. It enrols and renews; what the device then says is not its
// business.
package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"

	"github.com/google/uuid"

	"schulwart.org/agent/host"
	"schulwart.org/agent/memory"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
)

// Faults of opening an identity.
var (
	ErrNone  = errors.New("identity: this device is not enrolled")
	ErrClone = errors.New("identity: this machine is not the one that was enrolled")
)

// The files. Key and certificate lie in one, so that they change together; next
// holds a key for which a certificate is being asked.
const (
	enrolmentFile = "enrolment.json"
	identityFile  = "identity.pem"
	nextFile      = "identity.next.pem"
)

// Enrolment is what the device learned when it was taken in.
type Enrolment struct {
	UDID      string `json:"udid"`
	School    string `json:"school"`
	DeviceURL string `json:"device_url"`
	// Pages is where the pupil reads what holds, empty if the server did not say.
	Pages  string `json:"pages,omitempty"`
	CA     string `json:"ca"` // PEM; the only authority that the device trusts
	Issuer string `json:"issuer"`
	Topic  string `json:"topic"`
	Group  string `json:"group,omitempty"`
	Zone   string `json:"zone,omitempty"`
	// LeaseKeys are those that the device pinned; what it learned later stands in
	// its memory.
	LeaseKeys []lease.Key `json:"lease_keys"`
	// PushMagic and PushToken name the device's stream, in Apple's words.
	PushMagic string `json:"push_magic"`
	PushToken []byte `json:"push_token"`
	// Secret makes release codes. The device made it and told the server once.
	Secret   []byte      `json:"secret"`
	Hardware Fingerprint `json:"hardware"`
	// Announced says that the server acknowledged Authenticate and TokenUpdate.
	Announced bool `json:"announced,omitempty"`
}

// Identity is an enrolment with its key.
type Identity struct {
	Enrolment
	files host.Files
	roots *x509.CertPool
	shown atomic.Pointer[credentials]
}

// credentials are what the device proves itself with; a renewal replaces them
// while connections are open.
type credentials struct {
	key   *ecdsa.PrivateKey
	chain [][]byte
	leaf  *x509.Certificate
}

// Open returns the device's identity, or ErrNone. On a machine that is not the
// one that was enrolled it discards everything and returns ErrClone: the
// original goes on with its key.
func Open(files host.Files, machine host.Machine) (*Identity, error) {
	i, err := Peek(files)
	if err != nil {
		return nil, err
	}
	if !i.Hardware.Same(FingerprintOf(machine.Hardware())) {
		machine.Note("this machine is not the one that was enrolled; its key is discarded, please enrol it anew")
		return nil, errors.Join(ErrClone, Discard(files))
	}
	return i, nil
}

// Peek returns the identity without asking whose machine this is, for commands
// beside the agent.
func Peek(files host.Files) (*Identity, error) {
	data, err := files.Read(enrolmentFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, fmt.Errorf("reading enrolment: %w", err)
	}
	i := &Identity{files: files}
	if err := json.Unmarshal(data, &i.Enrolment); err != nil {
		return nil, fmt.Errorf("reading enrolment: %w", err)
	}
	if err := i.load(); err != nil {
		return nil, err
	}
	return i, nil
}

// Discard forgets the identity and everything that was remembered under it.
func Discard(files host.Files) error {
	var faults []error
	for _, name := range []string{identityFile, nextFile, enrolmentFile, "memory.0", "memory.1"} {
		faults = append(faults, files.Remove(name))
	}
	return errors.Join(faults...)
}

func (i *Identity) load() error {
	if i.roots == nil {
		i.roots = x509.NewCertPool()
		if !i.roots.AppendCertsFromPEM([]byte(i.CA)) {
			return fmt.Errorf("reading enrolment: authority's certificate cannot be read")
		}
	}
	data, err := i.files.Read(identityFile)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNone
	}
	if err != nil {
		return fmt.Errorf("reading identity: %w", err)
	}
	key, chain, err := readPEM(data)
	if err != nil {
		return err
	}
	leaf, err := x509.ParseCertificate(chain[0])
	if err != nil {
		return fmt.Errorf("reading identity: %w", err)
	}
	i.shown.Store(&credentials{key, chain, leaf})
	return nil
}

// Certificate returns the certificate that the device shows now.
func (i *Identity) Certificate() *x509.Certificate { return i.shown.Load().leaf }

// Subject is the enrolment for which leases are made out, as the authority wrote
// it into the certificate.
func (i *Identity) Subject() org.ID { return subjectOf(i.Certificate()) }

// Trusted is whom the device believes because of this identity.
func (i *Identity) Trusted() memory.Trusted {
	return memory.Trusted{Issuer: i.Issuer, Subject: i.Subject(), School: i.School, Zone: i.Zone, Keys: i.LeaseKeys}
}

// save makes the enrolment durable.
func (i *Identity) save() error {
	data, err := json.Marshal(i.Enrolment)
	if err != nil {
		return fmt.Errorf("encoding enrolment: %w", err)
	}
	if err := i.files.Write(enrolmentFile, data); err != nil {
		return fmt.Errorf("storing enrolment: %w", err)
	}
	return nil
}

// SetAnnounced notes whether the server knows of the device.
func (i *Identity) SetAnnounced(announced bool) error {
	if i.Announced == announced {
		return nil
	}
	i.Announced = announced
	return i.save()
}

// adopt puts a key with its certificate in force.
func (i *Identity) adopt(key *ecdsa.PrivateKey, chain [][]byte) error {
	leaf, err := x509.ParseCertificate(chain[0])
	if err != nil {
		return fmt.Errorf("reading certificate: %w", err)
	}
	public, ok := leaf.PublicKey.(*ecdsa.PublicKey)
	if !ok || !public.Equal(&key.PublicKey) {
		return errors.New("reading certificate: it is not for this device's key")
	}
	data, err := writePEM(key, chain)
	if err != nil {
		return err
	}
	if err := i.files.Write(identityFile, data); err != nil {
		return fmt.Errorf("storing identity: %w", err)
	}
	i.shown.Store(&credentials{key, chain, leaf})
	return i.files.Remove(nextFile)
}

// pendingKey returns the key for which a certificate is being asked, made and
// stored before the first request: asking twice for one key is one request.
func pendingKey(files host.Files) (*ecdsa.PrivateKey, error) {
	if data, err := files.Read(nextFile); err == nil {
		if key, _, err := readPEM(data); err == nil {
			return key, nil
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	data, err := writePEM(key, nil)
	if err != nil {
		return nil, err
	}
	if err := files.Write(nextFile, data); err != nil {
		return nil, fmt.Errorf("storing a key: %w", err)
	}
	return key, nil
}

func writePEM(key *ecdsa.PrivateKey, chain [][]byte) ([]byte, error) {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encoding key: %w", err)
	}
	data := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
	for _, certificate := range chain {
		data = append(data, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})...)
	}
	return data, nil
}

func readPEM(data []byte) (key *ecdsa.PrivateKey, chain [][]byte, err error) {
	for {
		var block *pem.Block
		block, data = pem.Decode(data)
		if block == nil {
			break
		}
		switch block.Type {
		case "EC PRIVATE KEY":
			if key, err = x509.ParseECPrivateKey(block.Bytes); err != nil {
				return nil, nil, fmt.Errorf("reading key: %w", err)
			}
		case "CERTIFICATE":
			chain = append(chain, block.Bytes)
		}
	}
	if key == nil {
		return nil, nil, errors.New("reading key: there is none")
	}
	return key, chain, nil
}

func (i *Identity) certificate() tls.Certificate {
	c := i.shown.Load()
	return tls.Certificate{Certificate: c.chain, PrivateKey: c.key, Leaf: c.leaf}
}

// udidSpace is the name space of our device ids (RFC 9562, version 5).
var udidSpace = uuid.MustParse("6c1d1a2e-6d0b-4b53-9a7e-5a1f6a4c9e10")

// udidOf names a device by its first key, so that a second try at enrolling is
// the same device.
func udidOf(key *ecdsa.PrivateKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return "", fmt.Errorf("encoding key: %w", err)
	}
	return uuid.NewSHA1(udidSpace, der).String(), nil
}
