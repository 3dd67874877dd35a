package handin

import (
	"slices"
	"strconv"

	"schulwart.org/agent/host"
	"schulwart.org/agent/memory"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
)

// place makes the folder for whoever sits at the device now, with what is given out.
func (k *Keeper) place(w *memory.Work) {
	desktops, err := k.o.Desktops.Desktops()
	if err != nil {
		k.o.Log.Info("nobody was found at the device", "error", err)
		return
	}
	for _, d := range desktops {
		if slices.ContainsFunc(w.Places, func(f host.Folder) bool { return f.UID == d.UID }) || len(w.Places) >= mostPlaces {
			continue
		}
		place, err := k.o.Folders.Make(d, w.Rules.Folder)
		if err != nil {
			k.o.Log.Warn("folder was not made", "error", err)
			continue
		}
		if !k.lay(*w, place) {
			continue // the next look goes on
		}
		w.Places, w.Began = append(w.Places, place), true
		k.o.Loop.Noted(w.Lease, ddm.DeedGiven, map[string]string{"files": strconv.Itoa(len(w.Fetched))}, func(s *memory.State) {
			if stored, is := s.WorkOf(w.Lease); is {
				stored.Places, stored.Began = w.Places, true
				s.SetWork(stored)
			}
		})
	}
	if !w.Began {
		w.Began = k.update(w.Lease, func(stored *memory.Work) { stored.Began = true })
	}
	k.later(*w)
}

// lay puts what is given out into a folder. A file that is there already stays.
func (k *Keeper) lay(w memory.Work, place host.Folder) bool {
	for _, given := range w.Rules.Given {
		if !slices.Contains(w.Fetched, given.Hash) {
			continue
		}
		err := k.o.Folders.Put(place, given.Name, func(write func([]byte) error) error {
			for n := range piecesOf(given.Size) {
				piece, err := k.o.Box.Read(givenName(given.Hash, n))
				if err != nil {
					return err
				}
				if err := write(piece); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			k.o.Log.Warn("what is given out could not be laid into the folder", "error", err)
			return false
		}
	}
	return true
}

// later lays what came after the beginning into the folders that there are.
func (k *Keeper) later(w memory.Work) {
	s := k.state(w.Lease)
	for _, given := range w.Rules.Given {
		if !slices.Contains(w.Fetched, given.Hash) || s.laid[given.Hash] {
			continue
		}
		laid := true
		for _, place := range w.Places {
			laid = k.lay(memory.Work{Rules: lease.Work{Given: []lease.Given{given}}, Fetched: w.Fetched}, place) && laid
		}
		s.laid[given.Hash] = laid && len(w.Places) > 0
	}
}
