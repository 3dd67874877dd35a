package handin

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"schulwart.org/agent/host"
	"schulwart.org/agent/memory"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/work"
)

// mostSeen bounds how much of a folder is looked at.
const mostSeen = 4 * work.MostFiles

// scan is one look at the folders of a work.
type scan struct {
	k     *Keeper
	w     memory.Work
	keep  func(hash string, piece []byte) error // nil: pieces are only counted
	list  work.List
	total int64
	names map[string]bool
	gone  []host.Folder
	paths [][]string // per place, as the file system has them
}

// scan looks at every folder of a work.
func (k *Keeper) scan(w memory.Work, keep func(hash string, piece []byte) error) (*scan, error) {
	s := &scan{k: k, w: w, keep: keep, names: map[string]bool{}, paths: make([][]string, len(w.Places))}
	for i, place := range w.Places {
		err := k.o.Folders.Visit(place, work.MostDepth, mostSeen, func(f host.FolderFile) error { return s.file(i, f) })
		if errors.Is(err, host.ErrNoFolder) {
			s.gone = append(s.gone, place)
			continue
		}
		if err != nil {
			return nil, err
		}
	}
	s.list.Nobody = len(w.Places) == 0
	return s, nil
}

// file takes a file into the list, or says why it is left out.
func (s *scan) file(place int, f host.FolderFile) error {
	name := path.Base(f.Path)
	if strings.HasPrefix(name, ".~lock.") || name == ".schulwart-part" {
		return nil
	}
	switch {
	case !f.Plain:
		s.leave(f, work.LeftKind)
		return nil
	case f.Size > work.MostFile:
		s.leave(f, work.LeftSize)
		return nil
	case len(s.list.Files) >= work.MostFiles, s.total+f.Size > work.MostBytes:
		s.leave(f, work.LeftCount)
		return nil
	}
	read, size, err := s.read(place, f)
	if err != nil {
		var stop stopped
		if errors.As(err, &stop) {
			return stop.error
		}
		s.leave(f, work.LeftRead)
		return nil
	}
	s.total += size
	s.paths[place] = append(s.paths[place], f.Path)
	s.list.Files = append(s.list.Files, work.File{Path: s.fitting(place, f.Path), Size: size, Modified: f.Modified, Pieces: read.pieces, Given: read.given})
	return nil
}

// stopped is a fault of our own disk, and not of the file.
type stopped struct{ error }

// read returns the pieces of a file. One that did not change since it was read last
// is not read again, if its pieces are where they have to be.
func (s *scan) read(place int, f host.FolderFile) (known, int64, error) {
	remembered := s.k.state(s.w.Lease)
	key := strconv.Itoa(place) + "/" + f.Path
	if before, is := remembered.known[key]; is && before.stamp == f.Stamp && s.keep != nil && s.have(before.pieces) {
		return before, f.Size, nil
	}
	read := known{stamp: f.Stamp}
	sum := sha256.New()
	var size int64
	err := f.Read(work.Piece, func(piece []byte) error {
		hash := work.Hash(piece)
		sum.Write(piece)
		size += int64(len(piece))
		read.pieces = append(read.pieces, hash)
		if s.keep != nil {
			if err := s.keep(hash, piece); err != nil {
				return stopped{err}
			}
		}
		return nil
	})
	if err != nil {
		return known{}, 0, err
	}
	whole := hex.EncodeToString(sum.Sum(nil))
	for _, given := range s.w.Rules.Given {
		read.given = read.given || given.Hash == whole
	}
	if s.keep != nil && size == f.Size {
		remembered.known[key] = read
	}
	return read, size, nil
}

// have reports whether pieces are with the server or in the box.
func (s *scan) have(pieces []string) bool {
	return !slices.ContainsFunc(pieces, func(hash string) bool { return !s.k.kept(s.w, hash) })
}

// kept reports whether a piece need not be kept again.
func (k *Keeper) kept(w memory.Work, hash string) bool {
	if k.state(w.Lease).sent[hash] {
		return true
	}
	return slices.ContainsFunc(w.Batches, func(b memory.Batch) bool { return slices.Contains(b.Pieces, hash) })
}

func (s *scan) leave(f host.FolderFile, why string) {
	if len(s.list.Left) < 50 {
		s.list.Left = append(s.list.Left, work.Left{Path: clip(strings.ToValidUTF8(f.Path, "_"), 300), Why: why})
	}
}

func clip(text string, n int) string {
	if len(text) > n {
		text = strings.ToValidUTF8(text[:n], "")
	}
	return text
}

// fitting is the path under which a file is handed in: one that fits everywhere, and
// that no other file has.
func (s *scan) fitting(place int, file string) string {
	var parts []string
	for part := range strings.SplitSeq(file, "/") {
		if !work.IsName(part) {
			part = work.Name(part, "Datei")
		}
		parts = append(parts, part)
	}
	if place > 0 {
		parts = append([]string{"Anmeldung " + strconv.Itoa(place+1)}, parts...)
	}
	fit := strings.Join(parts, "/")
	if !work.IsPath(fit) {
		fit = work.Name(fit, "Datei")
	}
	end := path.Ext(fit)
	for n := 2; s.names[strings.ToLower(fit)]; n++ {
		fit = strings.TrimSuffix(strings.Join(parts, "/"), end) + " (" + strconv.Itoa(n) + ")" + end
	}
	s.names[strings.ToLower(fit)] = true
	return fit
}

// digest stands for the content, whatever the time.
func (s *scan) digest() string {
	list := s.list
	list.At, list.Final = time.Time{}, false
	list.Files = slices.Clone(list.Files)
	for i := range list.Files {
		list.Files[i].Modified = time.Time{}
	}
	data, _ := list.Encode() // plain values always marshal
	return work.Hash(data)
}

// occasion is why a state is kept.
type occasion int

const (
	between occasion = iota // some minutes have passed
	now                     // somebody asked for it
	final                   // the end
)

// collect keeps the state of the folders, sealed, to be carried. It is false if that
// could not be done now. Between two states, nothing changed costs nothing; at the end
// and for who asked it is said all the same.
func (k *Keeper) collect(w memory.Work, clock memory.Clock, why occasion) bool {
	s := k.state(w.Lease)
	room := k.free() - spareRoom
	var pieces []string
	scan, err := k.scan(w, func(hash string, piece []byte) error {
		if k.kept(w, hash) || slices.Contains(pieces, hash) {
			return nil
		}
		if room -= int64(len(piece)); room < 0 {
			return errFull
		}
		sealed, err := work.Seal(w.Rules.Key, piece, work.AboutPiece(w.Rules.Exam, hash))
		if err == nil {
			err = k.o.Box.Write(pieceName(hash), sealed)
		}
		if err == nil {
			pieces = append(pieces, hash)
		}
		return err
	})
	if err == nil && why != final && len(scan.gone) > 0 {
		// Somebody deleted the folder: there will be another one.
		k.update(w.Lease, func(stored *memory.Work) {
			stored.Places = slices.DeleteFunc(slices.Clone(stored.Places), func(f host.Folder) bool { return slices.Contains(scan.gone, f) })
		})
		s.looked, s.laid = 0, map[string]bool{}
	}
	if err == nil {
		digest := scan.digest()
		if digest == w.Seen && why == between {
			k.tidied = len(pieces) == 0 // what the server may have already was kept anew
			k.tidy()
			return true
		}
		err = k.keep(w, scan, clock, why == final, digest)
	}
	if err != nil {
		k.o.Log.Warn("the state of the folder could not be kept", "error", err)
		if host.IsFull(err) || errors.Is(err, errFull) {
			k.full(w, s)
		}
		s.known = map[string]known{} // what was half kept is thrown away
		k.tidied = false
		k.tidy()
		return false
	}
	s.told = false
	signal(k.carry)
	return true
}

var errFull = errors.New("handin: too little room on the disk")

func (k *Keeper) free() int64 {
	if k.o.Free != nil {
		if free := k.o.Free(); free > 0 {
			return free
		}
	}
	return math.MaxInt64
}

// full tells once that there is no room for a state; it is tried again and again.
func (k *Keeper) full(w memory.Work, s *state) {
	if !s.told {
		s.told = true
		k.o.Loop.Happened(ddm.EventWorkFull, map[string]string{"lease": w.Lease})
	}
}

// keep writes the list and remembers the state: from then on it is carried, whatever
// happens to the agent.
func (k *Keeper) keep(w memory.Work, scan *scan, clock memory.Clock, final bool, digest string) error {
	list := scan.list
	list.At, list.Final, list.Asked = clock.Exam.UTC().Truncate(time.Millisecond), final, w.Rules.Now
	plain, err := list.Encode()
	if err != nil {
		return err
	}
	id := work.Hash(plain)
	sealed, err := work.Seal(w.Rules.Key, plain, work.AboutList(w.Rules.Exam))
	if err != nil {
		return err
	}
	if err := k.o.Box.Write(listName(id), sealed); err != nil {
		return err
	}
	// All pieces that are not with the server yet, also those that an earlier state
	// brought: that one may go before this.
	all := slices.DeleteFunc(list.All(), func(hash string) bool { return k.state(w.Lease).sent[hash] })
	args := map[string]string{"list": id, "files": strconv.Itoa(len(list.Files))}
	if final {
		args["final"] = "1"
	}
	if !k.o.Loop.Noted(w.Lease, ddm.DeedCollected, args, func(s *memory.State) {
		stored, is := s.WorkOf(w.Lease)
		if !is {
			return
		}
		stored.Batches = append(stored.Batches, memory.Batch{ID: id, Final: final, Pieces: all})
		if extra := len(stored.Batches) - mostWaits; extra > 0 {
			stored.Batches = slices.Clone(stored.Batches[extra:])
		}
		stored.Seen, stored.Final, stored.Asked = digest, final, w.Rules.Now
		s.SetWork(stored)
	}) {
		return errFull
	}
	k.tidied = false
	k.tidy()
	return nil
}
