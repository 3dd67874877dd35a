package handin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"schulwart.org/agent/memory"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/work"
)

// Door is the way to the server, as this device.
type Door interface {
	Get(ctx context.Context, path string) ([]byte, error)
	Put(ctx context.Context, path string, body []byte) ([]byte, error)
}

// Carry fetches what is to be given out and brings what waits in the box. After a
// fault the caller tries again later; what was carried before it stays so.
func (k *Keeper) Carry(ctx context.Context, door Door) error {
	var faults []error
	for _, w := range k.works() {
		if w.Over.IsZero() {
			for _, given := range missing(w) {
				if err := k.fetch(ctx, door, w, given); err != nil {
					faults = append(faults, fmt.Errorf("fetching a file that is given out: %w", err))
				}
			}
		}
		// The latest state first: it is what counts.
		for _, batch := range slices.Backward(w.Batches) {
			if err := k.bring(ctx, door, w, batch); err != nil {
				faults = append(faults, fmt.Errorf("handing in: %w", err))
				break
			}
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(faults...)
}

func address(w memory.Work, rest string) string {
	return "/work/" + w.Rules.Exam + "/" + w.Rules.Ticket + "/" + rest
}

// fetch gets a file piece by piece, and goes on where it broke off. It counts when
// it is what the signed lease says.
func (k *Keeper) fetch(ctx context.Context, door Door, w memory.Work, given lease.Given) error {
	if k.free() < spareRoom+given.Size {
		return errFull
	}
	sum := sha256.New()
	var size int64
	for n := range piecesOf(given.Size) {
		piece, err := k.o.Box.Read(givenName(given.Hash, n))
		if err != nil {
			if piece, err = door.Get(ctx, address(w, "given/"+given.Hash+"/"+strconv.Itoa(n))); err != nil {
				return err
			}
			if err := k.o.Box.Write(givenName(given.Hash, n), piece); err != nil {
				return err
			}
		}
		size += int64(len(piece))
		sum.Write(piece)
	}
	if size != given.Size || hex.EncodeToString(sum.Sum(nil)) != given.Hash {
		for n := range piecesOf(given.Size) {
			_ = k.o.Box.Remove(givenName(given.Hash, n))
		}
		return errors.New("handin: what came is not what was given out")
	}
	k.update(w.Lease, func(stored *memory.Work) {
		if !slices.Contains(stored.Fetched, given.Hash) {
			stored.Fetched = append(slices.Clone(stored.Fetched), given.Hash)
		}
	})
	k.Poke()
	return nil
}

// bring hands in one state: the server names what it misses, gets it, and says
// received.
func (k *Keeper) bring(ctx context.Context, door Door, w memory.Work, batch memory.Batch) error {
	list, err := k.o.Box.Read(listName(batch.ID))
	if err != nil {
		return k.lost(w, batch, err)
	}
	for range 3 {
		answer, err := door.Put(ctx, address(w, "list"), list)
		if err != nil {
			return err
		}
		var receipt work.Receipt
		if err := json.Unmarshal(answer, &receipt); err != nil {
			return fmt.Errorf("reading receipt: %w", err)
		}
		if receipt.Received {
			return k.received(w, batch)
		}
		for _, hash := range receipt.Missing {
			if !work.IsHash(hash) {
				return errors.New("handin: the receipt names what is none")
			}
			sealed, err := k.o.Box.Read(pieceName(hash))
			if err != nil {
				return k.lost(w, batch, err)
			}
			if _, err := door.Put(ctx, address(w, "piece/"+hash), sealed); err != nil {
				return err
			}
		}
	}
	return errors.New("handin: the server always misses something")
}

// received forgets a state, after the server said that it has it.
func (k *Keeper) received(w memory.Work, batch memory.Batch) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.state(w.Lease)
	for _, hash := range batch.Pieces {
		s.sent[hash] = true
	}
	return k.forget(w, batch)
}

func (k *Keeper) find(id string) (w memory.Work, is bool) {
	k.o.Memory.Look(func(s *memory.State) { w, is = s.WorkOf(id) })
	return w, is
}

func (k *Keeper) forget(w memory.Work, batch memory.Batch) error {
	stored := k.update(w.Lease, func(stored *memory.Work) {
		stored.Batches = slices.DeleteFunc(slices.Clone(stored.Batches), func(b memory.Batch) bool { return b.ID == batch.ID })
	})
	if !stored {
		return errFull
	}
	k.tidied = false
	k.tidy()
	return nil
}

// lost drops a state of which something is missing here, as when the server was
// restored from a backup and asks for what it had said to have. The folder is read
// anew.
func (k *Keeper) lost(w memory.Work, batch memory.Batch, why error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if stored, is := k.find(w.Lease); !is || !slices.ContainsFunc(stored.Batches, func(b memory.Batch) bool { return b.ID == batch.ID }) {
		return nil // a later one took its place
	}
	k.o.Log.Warn("a state that waited to be handed in is not whole", "error", why)
	s := k.state(w.Lease)
	s.known, s.sent, s.due = map[string]known{}, map[string]bool{}, 0
	k.update(w.Lease, func(stored *memory.Work) { stored.Seen, stored.Final, stored.Asked = "", false, 0 })
	return k.forget(w, batch)
}
