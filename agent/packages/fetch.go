package packages

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"schulwart.org/agent/host"
	"schulwart.org/policies/ddm"
)

// pieceSize is how much is asked for at a time, in bytes, and lost at the most when
// the way breaks off.
const pieceSize = 1 << 20

// Carry fetches what is to be fetched. After a fault it is called again, later, and
// goes on where it was.
func (k *Keeper) Carry(ctx context.Context, door Door) error {
	var faults []error
	for _, id := range k.ids() {
		p, is := k.find(id)
		if !is || p.State != ddm.PackageLoading || p.Fetched || p.Leaving {
			continue
		}
		if err := k.fetch(ctx, door, p); err != nil {
			faults = append(faults, fmt.Errorf("fetching %s: %w", p.Name, err))
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
	for have < p.Size {
		if k.o.Busy() || !p.Window.Is(p.Calendar, k.o.Now()) {
			return nil // what is here stays; it goes on when it may
		}
		piece, err := door.Piece(ctx, p.Path, have, int(min(pieceSize, p.Size-have)))
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
		return nil
	}
	// Once it may be the wire; twice it is the file.
	_ = k.o.Store.Remove(name)
	k.update(p.ID, func(p *kept) { p.Wrong++ })
	if now, _ := k.find(p.ID); now.Wrong > 1 {
		k.enter(p.ID, ddm.PackageFailed, &ddm.Reason{Code: "package.hash"})
		return nil
	}
	return errors.New("packages: what came is not what was declared")
}
