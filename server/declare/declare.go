// Package declare serves each device what it should have, as declarations, and
// tells devices when that changed. It computes nothing itself: desired does. It
// keeps what it serves compiled in memory, per school; rows and durable marks
// are the truth, so that nothing is lost with the process.
package declare

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
)

// What says how much of a scope a mark touches.
type What string

// The two sizes of a change.
const (
	Everything What = "all"    // devices, groups, policies, leases
	LeasesOnly What = "leases" // leases of a school, nothing else
)

// Mark is a durable note that devices in a scope may now have other answers.
type Mark struct {
	Seq    int64
	Branch org.Branch // empty school: the authority; empty authority: everybody
	Device org.ID
	What   What
}

// Ground is what changes rarely in a school.
type Ground struct {
	Name       string
	Policies   []desired.Policy
	Exceptions []desired.Exception
	Priorities map[org.ID]int             // of groups
	Devices    []desired.Device           // enrolled ones
	Offers     []rollout.Offer            // what is rolled out here
	Calendar   rollout.Calendar           // the school's time; counts where something is rolled out
	Wishes     map[org.ID][]rollout.Offer // what was picked for a device, by its id
}

// Store is what the room reads.
type Store interface {
	// Marks lists the oldest marks behind one, at most n.
	Marks(ctx context.Context, after int64, n int) ([]Mark, error)
	DropMarks(ctx context.Context, seqs []int64) error
	Schools(ctx context.Context, authority org.ID) ([]org.Branch, error)
	Ground(ctx context.Context, school org.Branch) (Ground, error)
	// Granted lists the leases of a school that are still in a manifest.
	Granted(ctx context.Context, school org.Branch, at time.Time) ([]desired.Granted, error)
}

// Signer signs leases with the key that is used now.
type Signer interface {
	KeyID() string
	Announcements() []string
	Sign(l lease.Lease) (string, error)
}

// Settler resolves who belongs to running modes when membership changed.
type Settler interface {
	Settle(ctx context.Context, school org.Branch) error
}

// Deliveries hears which device fetched which lease.
type Deliveries interface {
	Delivered(ctx context.Context, school org.Branch, device, lease org.ID, rev int) error
}

// Nudger wakes devices without saying why.
type Nudger interface {
	Nudge(enrolments ...org.ID)
}

// Service is the room. Its fields are set once, before Run.
type Service struct {
	Issuer     string
	Store      Store
	Signer     Signer
	Settler    Settler
	Deliveries Deliveries
	Nudger     Nudger
	Profiles   Profiles
	Log        *slog.Logger
	Now        func() time.Time

	once    sync.Once
	mu      sync.Mutex
	schools map[org.ID]*school
	wake    chan struct{}

	signedProfiles signedProfiles
}

func (s *Service) init() {
	s.once.Do(func() {
		s.schools = map[org.ID]*school{}
		s.wake = make(chan struct{}, 1)
	})
}

// Wake says that there are new marks. It never blocks.
func (s *Service) Wake() {
	s.init()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Place is where a device is in the tree, as its certificate told the door.
type Place struct {
	School org.Branch
	Device org.ID
}

// Tokens answers the endpoint tokens.
func (s *Service) Tokens(ctx context.Context, at Place) (ddm.Tokens, error) {
	answer, err := s.answer(ctx, at)
	if err != nil {
		return ddm.Tokens{}, err
	}
	return ddm.Tokens{DeclarationsToken: answer.manifest.DeclarationsToken, Timestamp: answer.made}, nil
}

// Manifest answers the endpoint declaration-items.
func (s *Service) Manifest(ctx context.Context, at Place) (ddm.Manifest, error) {
	answer, err := s.answer(ctx, at)
	if err != nil {
		return ddm.Manifest{}, err
	}
	return answer.manifest, nil
}

// Declaration answers the endpoint declaration/CLASS/ID. A lease is signed on
// its way out, and its delivery noted; in place of a profile stands its address.
func (s *Service) Declaration(ctx context.Context, at Place, class ddm.Class, id string) (ddm.Declaration, error) {
	answer, err := s.answer(ctx, at)
	if err != nil {
		return ddm.Declaration{}, err
	}
	declaration, ok := answer.byID[id]
	if !ok || ddm.ClassOf(declaration.Type) != class {
		return ddm.Declaration{}, errNoDeclaration
	}
	switch declaration.Type {
	case lease.DeclarationType:
		return s.signed(ctx, at, declaration)
	case ddm.TypeLegacyProfile:
		return s.addressed(at.School, declaration)
	}
	return declaration, nil
}

// Why returns what a device should have now, with the reasons.
func (s *Service) Why(ctx context.Context, at Place) (desired.State, error) {
	school := s.school(at.School)
	school.mu.Lock()
	defer school.mu.Unlock()
	if err := s.load(ctx, school); err != nil {
		return desired.State{}, err
	}
	for _, device := range school.ground.Devices {
		if device.ID == at.Device {
			return desired.For(s.snapshot(school, school.granted[device.ID]), device, s.Now()), nil
		}
	}
	return desired.State{}, errNoDevice
}

// Offered returns what the device is told of a package whose file has the hash, and
// whether it is told of one.
func (s *Service) Offered(ctx context.Context, at Place, sha256 string) (rollout.Declared, bool, error) {
	answer, err := s.answer(ctx, at)
	if err != nil {
		return rollout.Declared{}, false, err
	}
	for _, declaration := range answer.byID {
		if declaration.Type != rollout.Type {
			continue
		}
		var said rollout.Declared
		if err := json.Unmarshal(declaration.Payload, &said); err != nil {
			return said, false, fmt.Errorf("reading %s: %w", declaration.Identifier, err)
		}
		if said.SHA256 == sha256 && sha256 != "" {
			return said, true, nil
		}
	}
	return rollout.Declared{}, false, nil
}
