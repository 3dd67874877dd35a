// Package keyring holds the keys under which leases are signed, and changes
// them: an old key signs the new one, and devices believe both for 30 days.
package keyring

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/may"
)

// Store keeps the keys, sealed.
type Store interface {
	Secret(ctx context.Context, name string) ([]byte, error)
	// SaveKeys keeps the sealed value, its audit row and a mark for everybody.
	SaveKeys(ctx context.Context, permit may.Permit, name string, secret []byte) error
}

const secretName = "lease-keys"

// Ring is the set of keys. Make it with Open.
type Ring struct {
	store  Store
	issuer string
	newID  func() org.ID
	now    func() time.Time

	mu   sync.RWMutex
	keys []entry // oldest first; the last one signs
}

type entry struct {
	ID   string    `json:"id"`
	Seed []byte    `json:"seed"`
	Made time.Time `json:"made"`
	// Announced is what the predecessor signed; empty for the first key.
	Announced string `json:"announced,omitempty"`
}

func (e entry) signing() lease.SigningKey {
	return lease.SigningKey{ID: e.ID, Private: ed25519.NewKeyFromSeed(e.Seed)}
}

// Open loads the keys; the first time it makes one.
func Open(ctx context.Context, store Store, issuer string, newID func() org.ID, now func() time.Time) (*Ring, error) {
	r := &Ring{store: store, issuer: issuer, newID: newID, now: now}
	data, err := store.Secret(ctx, secretName)
	if err != nil {
		return nil, fmt.Errorf("loading lease keys: %w", err)
	}
	if data == nil {
		return r, r.add(ctx, may.System("first-run", org.Branch{}))
	}
	if err := json.Unmarshal(data, &r.keys); err != nil || len(r.keys) == 0 {
		return nil, fmt.Errorf("reading lease keys: %w", err)
	}
	return r, nil
}

// KeyID names the key that signs now.
func (r *Ring) KeyID() string { return r.current().ID }

// Current returns the key that signs now, and since when.
func (r *Ring) Current() (id string, made time.Time) {
	key := r.current()
	return key.ID, key.Made
}

// Sign signs a lease with the key that signs now.
func (r *Ring) Sign(l lease.Lease) (string, error) { return r.current().signing().Sign(l) }

// Keys returns what a device pins at its enrolment: every key that is still
// believed.
func (r *Ring) Keys() []lease.Key {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var keys []lease.Key
	for i, e := range r.keys {
		key := e.signing().Public()
		if i+1 < len(r.keys) {
			key.Until = r.keys[i+1].Made.Add(lease.KeyOverlap)
			if r.now().After(key.Until) {
				continue
			}
		}
		keys = append(keys, key)
	}
	return keys
}

// Announcements returns the statements from which a device that knows an old
// key learns the newer ones, oldest first.
func (r *Ring) Announcements() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var said []string
	for _, e := range r.keys {
		if e.Announced != "" {
			said = append(said, e.Announced)
		}
	}
	return said
}

// Rotate makes a new key and signs with it from now on. It needs the permit to
// run the installation.
func (r *Ring) Rotate(ctx context.Context, actor may.Actor) error {
	permit, err := may.Do(actor, may.OperationRun, org.Branch{})
	if err != nil {
		return err
	}
	return r.add(ctx, permit)
}

func (r *Ring) add(ctx context.Context, permit may.Permit) error {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("making a lease key: %w", err)
	}
	next := entry{ID: r.newID().String(), Seed: private.Seed(), Made: r.now().UTC().Truncate(time.Second)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.keys); n > 0 {
		if next.Announced, err = r.keys[n-1].signing().Announce(r.issuer, next.signing().Public()); err != nil {
			return fmt.Errorf("announcing the new key: %w", err)
		}
	}
	keys := append(append([]entry(nil), r.keys...), next)
	data, err := json.Marshal(keys)
	if err != nil {
		return err
	}
	if err := r.store.SaveKeys(ctx, permit, secretName, data); err != nil {
		return fmt.Errorf("keeping lease keys: %w", err)
	}
	r.keys = keys
	return nil
}

func (r *Ring) current() entry {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.keys[len(r.keys)-1]
}
