package slots

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"runtime"
	"time"

	"schulwart.org/agent/host"
	"schulwart.org/agent/packages"
	"schulwart.org/policies/agentfile"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/rollout"
	"schulwart.org/policies/version"
)

// KeyFile is where whoever looks after the device may lay down public keys beside
// those that were built in: a file of root's that nobody else may write.
const KeyFile = "/etc/schulwart-agent/update.pub"

// Keys returns whose signatures are believed here. None comes from a server.
func Keys() []agentfile.Key {
	keys, err := agentfile.Keys(agentfile.Trusted)
	if err != nil {
		keys = nil // a build with a broken key believes nobody
	}
	if !host.RootOnly(KeyFile) {
		return keys
	}
	if text, _, err := host.HeadOf(KeyFile, 64<<10); err == nil {
		if more, err := agentfile.Keys(string(text)); err == nil {
			keys = append(keys, more...)
		}
	}
	return keys
}

// System brings agents as packages are brought.
type System struct {
	Slots *Slots
	Own   string // version of this very program
	Keys  []agentfile.Key
	// Now is the latest time that the device can know of.
	Now func() time.Time
	// Restart ends this process, so that another one is started.
	Restart func()
	Log     *slog.Logger
}

func fault(code string, details ...string) error {
	f := packages.Fault{Code: "package.agent-" + code}
	for i := 0; i+1 < len(details); i += 2 {
		if f.Details == nil {
			f.Details = map[string]string{}
		}
		f.Details[details[i]] = details[i+1]
	}
	return f
}

// Able says why the device takes no agent of this package.
func (s System) Able(d rollout.Declared) *ddm.Reason {
	switch {
	case d.Name != agentfile.NameOf(runtime.GOOS, runtime.GOARCH):
		return &ddm.Reason{Code: "package.agent-platform", Details: map[string]string{"is": runtime.GOOS + "/" + runtime.GOARCH}}
	case len(s.Keys) == 0:
		return &ddm.Reason{Code: "package.agent-no-key"}
	}
	return nil
}

// Present is what this very program is called, whole once it has proved itself.
// Where a version is to go, any other one says that it is gone.
func (s System) Present(_ context.Context, d rollout.Declared) (string, error) {
	trial, own := s.Slots.OnTrial()
	switch {
	case d.Action == rollout.Remove && s.Own != d.Version && !trial:
		return "", nil
	case trial && own:
		return s.Own + packages.Half, nil
	}
	return s.Own, nil
}

// Trying says how it stands with what was begun on this word: why it failed, or
// whether it still has to prove itself.
func (s System) Trying(d rollout.Declared) (on bool, failed *ddm.Reason) {
	now, order := s.Slots.Now(), Order{d.Rollout, d.Try}
	if f, is := now.Failure(order); is {
		return false, &f.Reason
	}
	return now.Trial != nil && now.Trial.Order == order, nil
}

// Install lays the program into a free place, puts it on trial and ends this one.
// What runs stays as it is. An older version is taken only if it is the one that
// ran before: then that very program runs again.
func (s System) Install(_ context.Context, d rollout.Declared, file string) error {
	order := Order{d.Rollout, d.Try}
	before := s.Slots.Now()
	if f, is := before.Failure(order); is {
		return packages.Fault{Code: f.Reason.Code, Details: f.Reason.Details}
	}
	head, size, err := host.HeadOf(file, agentfile.MostHead)
	if err != nil {
		return err
	}
	f, err := agentfile.Read(head)
	if err != nil {
		return fault("form")
	}
	switch err := f.Signed(s.Keys); {
	case errors.Is(err, agentfile.ErrStranger):
		return fault("stranger")
	case err != nil:
		return fault("signature")
	}
	if f.Version != d.Version || f.Name() != d.Name || f.Offset+f.Size != size {
		return fault("form")
	}
	switch refusal := f.Refuse(runtime.GOOS, runtime.GOARCH, s.Own, s.Now()); refusal {
	case agentfile.Taken:
	case agentfile.Older:
		if now, is := s.Slots.read(); is {
			if before, ok := now.Before(now.Base); ok && before == f.Version {
				return s.back(order)
			}
		}
		return fault("older", "is", s.Own, "version", f.Version)
	case agentfile.Floor:
		return fault("floor", "is", s.Own, "floor", f.Floor)
	case agentfile.Expired:
		return fault("expired", "at", f.Expires.Format(time.DateOnly))
	default:
		return fault(string(refusal), "is", runtime.GOOS+"/"+runtime.GOARCH)
	}
	if err := s.lay(f, file, order); err != nil {
		return err
	}
	s.Log.Info("another version of the agent is tried", "version", f.Version)
	s.Restart()
	return packages.ErrLater
}

// lay makes a place free, on disk first, and fills it.
func (s System) lay(f agentfile.File, file string, order Order) error {
	sum, err := hex.DecodeString(f.SHA256)
	if err != nil {
		return fault("form")
	}
	var p Place
	if err := s.Slots.change(func(now *stored) bool { p = now.Free(); return true }); err != nil {
		return err
	}
	if p == s.Slots.at {
		return fault("start", "error", "no place is free")
	}
	if err := host.LayProgram(s.Slots.path(p), file, f.Offset, f.Size, sum); err != nil {
		if errors.Is(err, host.ErrSum) {
			return fault("form")
		}
		return err
	}
	return s.Slots.change(func(now *stored) bool {
		now.Try(p, Program{f.Version, f.SHA256}, f.Floor, order)
		return true
	})
}

// Remove goes back to what ran before, which is still there.
func (s System) Remove(_ context.Context, d rollout.Declared) error {
	if s.Own != d.Version {
		return nil
	}
	return s.back(Order{d.Rollout, d.Try})
}

func (s System) back(order Order) error {
	ok := false
	if err := s.Slots.change(func(now *stored) bool { ok = now.Back(now.Base, order); return ok }); err != nil {
		return err
	}
	if !ok {
		return fault("no-way-back")
	}
	s.Log.Info("the former version of the agent comes back")
	s.Restart()
	return packages.ErrLater
}

// Latest returns the latest of the times that a device can know of.
func Latest(times ...time.Time) time.Time {
	at := version.BuiltAt()
	for _, t := range times {
		if t.After(at) {
			at = t
		}
	}
	return at
}
