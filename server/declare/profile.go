package declare

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"sync"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
)

// ProfilePath is below which the device door serves profiles: authority, school,
// identifier, version and seal follow. An Apple device fetches a profile without
// saying who it is, so the address itself must be what nobody can guess.
// https://developer.apple.com/documentation/devicemanagement/legacyprofile
const ProfilePath = "/profile/"

// Sealer makes codes that nobody can guess.
type Sealer interface {
	Seal(purpose string, parts ...string) string
	Sealed(code, purpose string, parts ...string) bool
}

// ProfileSigner signs profiles.
type ProfileSigner interface {
	SignProfile(ctx context.Context, profile []byte) ([]byte, error)
}

// Profiles is what the room needs to hand out profiles.
type Profiles struct {
	DeviceURL string // where devices reach us
	Sealer    Sealer
	Signer    ProfileSigner
}

// ProfileAddress names one version of one profile of a school. Equal content has
// equal addresses, on every device of the school.
type ProfileAddress struct {
	School     org.Branch
	Identifier string
	Version    string // the declaration's token
	Seal       string
}

const profilePurpose = "profile address"

func (a ProfileAddress) parts() []string {
	return []string{string(a.School.Authority), string(a.School.School), a.Identifier, a.Version}
}

// addressed returns the declaration with the profile's address in place of its
// content.
func (s *Service) addressed(school org.Branch, declaration ddm.Declaration) (ddm.Declaration, error) {
	address := ProfileAddress{School: school, Identifier: declaration.Identifier, Version: declaration.ServerToken}
	address.Seal = s.Profiles.Sealer.Seal(profilePurpose, address.parts()...)
	at := s.Profiles.DeviceURL + ProfilePath
	for _, part := range append(address.parts(), address.Seal) {
		at += url.PathEscape(part) + "/"
	}
	payload, err := json.Marshal(struct{ ProfileURL string }{at[:len(at)-1]})
	if err != nil {
		return declaration, fmt.Errorf("writing profile's address: %w", err)
	}
	declaration.Payload = payload
	return declaration, nil
}

var errNoProfile = errs.E(errs.NotFound, "declaration.not_found")

// Profile returns the signed profile at an address. It asks nobody for a name:
// who knows the address may have it. Whoever guesses costs no look at the store.
func (s *Service) Profile(ctx context.Context, address ProfileAddress) ([]byte, error) {
	if !s.Profiles.Sealer.Sealed(address.Seal, profilePurpose, address.parts()...) {
		return nil, errNoProfile
	}
	declaration, name, err := s.advertised(ctx, address)
	if err != nil {
		return nil, err
	}
	if known, ok := s.signedProfiles.get(address.Seal, s.Now()); ok {
		return known, nil
	}
	plain, err := desired.ProfileOf(declaration, name)
	if err != nil {
		return nil, err
	}
	signed, err := s.Profiles.Signer.SignProfile(ctx, plain)
	if err != nil {
		return nil, fmt.Errorf("signing profile: %w", err)
	}
	s.signedProfiles.put(address.Seal, signed, s.Now())
	return signed, nil
}

// advertised finds what the address names among what the school's devices should
// have now. What was replaced meanwhile is gone: the device will hear of it.
func (s *Service) advertised(ctx context.Context, address ProfileAddress) (declaration ddm.Declaration, school string, err error) {
	known := s.school(address.School)
	known.mu.Lock()
	defer known.mu.Unlock()
	if err := s.load(ctx, known); err != nil {
		return declaration, "", err
	}
	for _, answer := range known.shared {
		found, ok := answer.byID[address.Identifier]
		if ok && found.ServerToken == address.Version && found.Type == ddm.TypeLegacyProfile {
			return found, known.ground.Name, nil
		}
	}
	return declaration, "", errNoProfile
}

// signedProfiles keeps what was signed a moment ago: a whole class comes for the
// same profile, and whoever asks again and again costs no signature.
type signedProfiles struct {
	mu   sync.Mutex
	kept map[string]signedProfile
}

type signedProfile struct {
	data []byte
	at   time.Time
}

const (
	signedFor  = 10 * time.Minute
	signedMost = 256
)

func (p *signedProfiles) get(seal string, now time.Time) ([]byte, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known, ok := p.kept[seal]
	return known.data, ok && now.Sub(known.at) < signedFor
}

func (p *signedProfiles) put(seal string, data []byte, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kept == nil || len(p.kept) >= signedMost {
		p.kept = map[string]signedProfile{}
	}
	p.kept[seal] = signedProfile{data, now}
}
