package declare

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
)

var (
	errNoDeclaration = errs.E(errs.NotFound, "declaration.not_found")
	errNoDevice      = errs.E(errs.NotFound, "device.not_enrolled")
)

// school holds the answers of one school. mu guards all of it.
type school struct {
	branch  org.Branch
	mu      sync.Mutex
	loaded  bool
	ground  Ground
	granted map[org.ID][]desired.Granted
	answers map[org.ID]*answer
	// shared lets devices with equal answers hold one copy; by token.
	shared map[string]*answer
	next   time.Time
}

// answer is one compiled set of declarations. It is never changed.
type answer struct {
	manifest ddm.Manifest
	byID     map[string]ddm.Declaration
	next     time.Time
	made     time.Time
}

func (s *Service) school(branch org.Branch) *school {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.schools[branch.School]
	if !ok {
		branch.Group = ""
		known = &school{branch: branch}
		s.schools[branch.School] = known
	}
	return known
}

// answer returns what is advertised to a device now.
func (s *Service) answer(ctx context.Context, at Place) (*answer, error) {
	school := s.school(at.School)
	school.mu.Lock()
	defer school.mu.Unlock()
	if err := s.load(ctx, school); err != nil {
		return nil, err
	}
	found, ok := school.answers[at.Device]
	if !ok {
		// Enrolled a moment ago: the mark is still on its way.
		if _, err := s.compile(ctx, school, Everything); err != nil {
			return nil, err
		}
		if found, ok = school.answers[at.Device]; !ok {
			return nil, errNoDevice
		}
	}
	return found, nil
}

func (s *Service) load(ctx context.Context, school *school) error {
	if school.loaded {
		return nil
	}
	_, err := s.compile(ctx, school, Everything)
	return err
}

// compile brings a school's answers up to date and returns the enrolments whose
// answer differs from before. The caller holds the lock.
func (s *Service) compile(ctx context.Context, school *school, what What) ([]org.ID, error) {
	now := s.Now()
	all := what == Everything || !school.loaded
	if all {
		ground, err := s.Store.Ground(ctx, school.branch)
		if err != nil {
			return nil, fmt.Errorf("loading school: %w", err)
		}
		school.ground = ground
	}
	granted, err := s.Store.Granted(ctx, school.branch, now)
	if err != nil {
		return nil, fmt.Errorf("loading leases: %w", err)
	}
	before, was := school.answers, school.granted
	school.granted = byDevice(granted)
	return s.answers(school, before, was, all, now), nil
}

// answers computes what is not known to be unchanged.
func (s *Service) answers(school *school, before map[org.ID]*answer, was map[org.ID][]desired.Granted, all bool, now time.Time) []org.ID {
	answers := make(map[org.ID]*answer, len(school.ground.Devices))
	shared := make(map[string]*answer)
	plain := map[string]*answer{} // devices without leases, by platform and groups
	var differ []org.ID
	next := time.Time{}
	for _, device := range school.ground.Devices {
		leases, old := school.granted[device.ID], before[device.ID]
		fresh := old
		if all || old == nil || !same(leases, was[device.ID]) || due(old.next, now) {
			fresh = s.fresh(school, device, leases, plain, shared, now)
		}
		shared[fresh.manifest.DeclarationsToken] = fresh
		answers[device.ID] = fresh
		if old == nil || old.manifest.DeclarationsToken != fresh.manifest.DeclarationsToken {
			differ = append(differ, device.Enrolment)
		}
		if !fresh.next.IsZero() && (next.IsZero() || fresh.next.Before(next)) {
			next = fresh.next
		}
	}
	school.answers, school.shared, school.next, school.loaded = answers, shared, next, true
	return differ
}

func due(next, now time.Time) bool { return !next.IsZero() && !now.Before(next) }

func (s *Service) fresh(school *school, device desired.Device, leases []desired.Granted, plain, shared map[string]*answer, now time.Time) *answer {
	snapshot := s.snapshot(school, leases)
	key, alike := snapshot.Alike(device)
	if known := plain[key]; alike && known != nil {
		return known
	}
	state := desired.For(snapshot, device, now)
	made := shared[state.Token]
	if made == nil {
		made = compiled(state, now)
	}
	if alike {
		plain[key] = made
	}
	return made
}

func (s *Service) snapshot(school *school, leases []desired.Granted) desired.Snapshot {
	return desired.Snapshot{
		Issuer: s.Issuer, KeyID: s.Signer.KeyID(), Announced: s.Signer.Announcements(), Branch: school.branch, Name: school.ground.Name,
		Policies: school.ground.Policies, Exceptions: school.ground.Exceptions, Priorities: school.ground.Priorities, Leases: leases,
		Offers: school.ground.Offers, Calendar: school.ground.Calendar, Wishes: school.ground.Wishes,
	}
}

func compiled(state desired.State, now time.Time) *answer {
	byID := make(map[string]ddm.Declaration, len(state.Declarations))
	for _, declaration := range state.Declarations {
		byID[declaration.Identifier] = declaration
	}
	return &answer{manifest: ddm.ManifestOf(state.Declarations), byID: byID, next: state.Next, made: now.UTC().Truncate(time.Second)}
}

func byDevice(granted []desired.Granted) map[org.ID][]desired.Granted {
	by := map[org.ID][]desired.Granted{}
	for _, g := range granted {
		by[g.Device] = append(by[g.Device], g)
	}
	return by
}

// same reports whether two ordered lists name the same leases in the same
// revisions.
func same(a, b []desired.Granted) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Lease.ID != b[i].Lease.ID || a[i].Lease.Rev != b[i].Lease.Rev || !a[i].Until.Equal(b[i].Until) || !a[i].Lease.Expires.Equal(b[i].Lease.Expires) {
			return false
		}
	}
	return true
}

// signed returns a lease declaration with its signature.
func (s *Service) signed(ctx context.Context, at Place, declaration ddm.Declaration) (ddm.Declaration, error) {
	var payload desired.LeasePayload
	if err := json.Unmarshal(declaration.Payload, &payload); err != nil {
		return declaration, fmt.Errorf("reading lease: %w", err)
	}
	jws, err := s.Signer.Sign(payload.Lease)
	if err != nil {
		return declaration, fmt.Errorf("signing lease: %w", err)
	}
	payload.JWS = jws
	if declaration.Payload, err = json.Marshal(payload); err != nil {
		return declaration, fmt.Errorf("writing lease: %w", err)
	}
	return declaration, s.Deliveries.Delivered(ctx, at.School, at.Device, org.ID(payload.Lease.ID), payload.Lease.Rev)
}
