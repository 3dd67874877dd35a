package packages

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"schulwart.org/agent/host"
	"schulwart.org/policies/ddm"
)

// Carry fetches what is to be fetched, and asks whether what is kept for others is
// still needed. After a fault it is called again, later, and goes on where it was.
func (k *Keeper) Carry(ctx context.Context, door Door) error {
	var faults []error
	for _, id := range k.ids() {
		p, is := k.find(id)
		switch {
		case !is || p.Leaving:
		case p.State == ddm.PackageLoading && !p.Fetched:
			if err := k.fetch(ctx, door, p); err != nil {
				faults = append(faults, fmt.Errorf("fetching %s: %w", p.Name, err))
			}
		case k.keeps(p) && !k.o.Now().Before(p.Until):
			k.settle(ctx, k.begin(door, p), p.Size)
		}
	}
	if len(faults) == 0 {
		k.Poke()
	}
	return errors.Join(faults...)
}

func (k *Keeper) fetch(ctx context.Context, door Door, p kept) error {
	name := fileName(p.Declared)
	have, err := k.o.Store.Size(name)
	if err != nil {
		return err
	}
	t := k.begin(door, p)
	defer t.end()
	for have < p.Size {
		if k.o.Busy() || !p.Window.Is(p.Calendar, k.o.Now()) {
			return nil // what is here stays; it goes on when it may
		}
		piece, err := t.next(ctx, have)
		if errors.Is(err, errBusy) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := k.o.Store.Grow(name, have, piece); err != nil {
			if host.IsFull(err) {
				k.enter(p.ID, ddm.PackageFailed, &ddm.Reason{Code: "package.no-space"})
				return nil
			}
			return err
		}
		have += int64(len(piece))
		if now, is := k.find(p.ID); !is || now.SHA256 != p.SHA256 || now.Leaving || now.Hold {
			return nil // it is not wanted any more
		}
	}
	sum, err := k.o.Store.Sum(name)
	if err != nil {
		return err
	}
	if hex.EncodeToString(sum) == p.SHA256 && have == p.Size {
		k.update(p.ID, func(p *kept) { p.Fetched = true })
		k.settle(ctx, t, have)
		return nil
	}
	// Once it may be the wire; twice it is the file.
	k.drop(p)
	k.update(p.ID, func(p *kept) { p.Wrong++ })
	if now, _ := k.find(p.ID); now.Wrong > 1 {
		k.enter(p.ID, ddm.PackageFailed, &ddm.Reason{Code: "package.hash"})
		return nil
	}
	return errors.New("packages: what came is not what was declared")
}

// pause waits, and reports whether the context lives.
func (k *Keeper) pause(ctx context.Context, d time.Duration) bool {
	if d > 0 {
		select {
		case <-ctx.Done():
		case <-k.o.Clock.After(d):
		}
	}
	return ctx.Err() == nil
}
