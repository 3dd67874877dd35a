package slots

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"path/filepath"
	"time"

	"schulwart.org/agent/host"
)

// Names within the agent's state.
const (
	dirName   = "agent"
	stateName = "slots.json"
	lockName  = "slots.lock"
)

// Slots are the places on this device. Several processes of ours use them at once.
type Slots struct {
	dir   string
	files *host.Dir
	base  string // version of the base as far as this process knows it; see At
	at    Place
}

// At returns the slots of a device's state, for a process of which exe is the
// program and own the version.
func At(state, exe, own string) *Slots {
	dir := filepath.Join(state, dirName)
	s := &Slots{dir: dir, files: host.LookDir(dir), base: own}
	if filepath.Dir(exe) == dir {
		s.at = Place(filepath.Base(exe))
	}
	return s
}

// Place returns from where this process runs.
func (s *Slots) Place() Place { return s.at }

func (s *Slots) path(p Place) string { return filepath.Join(s.dir, string(p)) }

// stored is the state as it lies on disk. The base notes its version there for
// those that run from other places.
type stored struct {
	State
	Base string `json:"base"`
}

// read returns what is remembered. Where nothing is, or nothing that can be read,
// the base is to run.
func (s *Slots) read() (stored, bool) {
	data, err := s.files.Read(stateName)
	if err != nil {
		return stored{}, false
	}
	var now stored
	if json.Unmarshal(data, &now) != nil {
		return stored{}, false
	}
	return now, true
}

// Now returns what is remembered.
func (s *Slots) Now() State {
	now, _ := s.read()
	return now.State
}

// lockPatience is for how long another process of ours may be at it.
const lockPatience = 5 * time.Second

// change changes what is remembered, on disk, and nothing if it reports false.
func (s *Slots) change(how func(*stored) bool) error {
	if _, err := host.OpenBox(s.dir); err != nil {
		return err
	}
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		release, ok, err := host.Lock(filepath.Join(s.dir, lockName))
		if err != nil {
			return err
		}
		if !ok {
			if time.Since(began) > lockPatience {
				return errors.New("slots: another process holds them")
			}
			continue
		}
		defer release()
		break
	}
	now, _ := s.read()
	if s.at == Base {
		now.Base = s.base
	}
	if !how(&now) {
		return nil
	}
	data, err := json.Marshal(now)
	if err != nil {
		return err
	}
	return s.files.Write(stateName, data)
}

// Choose starts whichever program is to run in the place of this one, if this is
// the base. It returns where the base itself is to run; then start is false and
// nothing has happened.
func (s *Slots) Choose(become func(path string) error) {
	if s.at != Base {
		return
	}
	if _, is := s.read(); !is {
		return
	}
	for range 4 {
		p := Base
		err := s.change(func(now *stored) bool {
			now.Settle(s.base)
			p = now.Next()
			return true
		})
		if err != nil {
			// A start that cannot be counted is none of a trial.
			now, _ := s.read()
			now.Settle(s.base)
			p = now.Runs
		}
		if p == Base {
			return
		}
		err = s.start(p, become)
		if s.change(func(now *stored) bool { now.Broken(p, err.Error()); return true }) != nil {
			return
		}
	}
}

func (s *Slots) start(p Place, become func(path string) error) error {
	if err := s.whole(p); err != nil {
		return err
	}
	return become(s.path(p))
}

// whole looks whether a place holds what was laid there.
func (s *Slots) whole(p Place) error {
	want := s.Now().Programs[p].SHA256
	sum, err := s.files.Sum(string(p))
	if err == nil && (want == "" || hex.EncodeToString(sum) != want) {
		err = host.ErrSum
	}
	return err
}

// Proved starts what has proved itself in the place of this program, if this is the
// base and that is another one. A sweep is done by it, as its memory is.
func (s *Slots) Proved(become func(path string) error) {
	now, is := s.read()
	if s.at != Base || !is {
		return
	}
	now.Settle(s.base)
	if now.Runs != Base && s.whole(now.Runs) == nil {
		_ = become(s.path(now.Runs))
	}
}

// OnTrial reports whether a program is on trial, and whether it is this one.
func (s *Slots) OnTrial() (any, own bool) {
	now, _ := s.read()
	return now.Trial != nil, now.Trial != nil && now.Trial.Place == s.at
}

// Stood notes that this program, on trial, has lived for a while; see State.
func (s *Slots) Stood() error { return s.change(own(s.at, (*State).Stood)) }

// Stopped notes that this program, on trial, was asked to end; see State.
func (s *Slots) Stopped() error { return s.change(own(s.at, (*State).Stopped)) }

// Proven notes that this program works.
func (s *Slots) Proven() error { return s.change(own(s.at, func(now *State) { now.Proven(s.at) })) }

func own(p Place, how func(*State)) func(*stored) bool {
	return func(now *stored) bool {
		if now.Trial == nil || now.Trial.Place != p {
			return false
		}
		how(&now.State)
		return true
	}
}

// Missed notes that the server can be reached and the program on trial has not. It
// reports whether what runs is to be ended.
func (s *Slots) Missed() (over bool, err error) {
	err = s.change(func(now *stored) bool {
		over = now.Missed()
		return true
	})
	return over && err == nil, err
}

// Discard forgets all programs but the base.
func Discard(state string) error { return host.ClearBox(filepath.Join(state, dirName)) }
