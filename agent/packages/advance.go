package packages

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"schulwart.org/agent/host"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/rollout"
)

// How the keeper goes on.
const (
	// lookAgain is how often the system is asked whether a package is still there.
	lookAgain = 10 * time.Minute
	// Devices do not begin all at once: the larger the file, the longer they take
	// turns, but never so long that a window of days takes days.
	leastSpread, mostSpread = 10 * time.Second, 15 * time.Minute
	spreadRate              = 100 << 10 // bytes each second
	// mostBroken is how many installations may be cut off before somebody has to look.
	mostBroken = 3
	// spareRoom is what an installation leaves free, in bytes.
	spareRoom = 200 << 20
	// installTime bounds one installation.
	installTime = 30 * time.Minute
)

// advance brings a package on its way as far as it can come now, and returns when
// to look again.
func (k *Keeper) advance(ctx context.Context, id string) time.Duration {
	p, is := k.find(id)
	if !is {
		return restTime
	}
	k.tend(p)
	if p.Leaving {
		return k.leave(ctx, p)
	}
	if reason := k.o.System.Able(p.Declared); reason != nil {
		k.enter(id, ddm.PackageNotPossible, reason)
		return restTime
	}
	if p.State == ddm.PackageFailed {
		return restTime // until somebody asks to try again
	}
	now := k.o.Now()
	if k.recent(id, now) {
		// To ask the system costs more than to look at the clock.
		switch {
		case p.State == ddm.PackageVerified, p.State == ddm.PackageWaiting && (p.Hold || k.o.Busy()):
			return restTime
		case p.State == ddm.PackageWaiting && now.Before(p.Begins):
			return min(p.Begins.Sub(now), restTime)
		}
	}
	if done, known := k.look(ctx, p); done || !known {
		return restTime
	}
	return k.toward(ctx, id, now)
}

// recent reports whether the system was asked a short time ago.
func (k *Keeper) recent(id string, now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	looked, is := k.looked[id]
	return is && now.Sub(looked) < lookAgain && !now.Before(looked)
}

// look asks the system. It reports whether all is as declared, and whether that is
// known at all.
func (k *Keeper) look(ctx context.Context, p kept) (done, known bool) {
	present, err := k.o.System.Present(ctx, p.Declared)
	if err != nil {
		k.o.Log.Info("the system does not say what is installed", "package", p.Name, "error", err)
		return false, false
	}
	k.mu.Lock()
	k.looked[p.ID] = k.o.Now()
	k.mu.Unlock()
	there := func(p *kept) { p.Present = present }
	switch {
	case p.Action == rollout.Remove && present == "", p.Action == rollout.Install && (present == p.Version || p.IfPresent && present == ""):
		k.enter(p.ID, ddm.PackageVerified, nil, there, func(p *kept) { p.Broken = 0 })
		if now, is := k.find(p.ID); is && !now.Until.IsZero() {
			k.tend(now) // others may still need the file
		} else {
			k.release(p)
		}
		return true, true
	case p.State == ddm.PackageVerified:
		// Somebody took it away, or put another version there.
		k.enter(p.ID, ddm.PackageWaiting, &ddm.Reason{Code: "package.changed"}, there, func(p *kept) { p.Opening, p.Begins = "", time.Time{} })
	default:
		k.update(p.ID, there)
	}
	return false, true
}

// toward takes the next steps to what is declared.
func (k *Keeper) toward(ctx context.Context, id string, now time.Time) time.Duration {
	p, _ := k.find(id)
	begun := p.State == ddm.PackageInstalling
	if p.Hold && !begun {
		k.enter(id, ddm.PackageWaiting, &ddm.Reason{Code: "package.held"})
		return restTime
	}
	if trier, is := k.o.System.(Trier); is && begun {
		switch on, failed := trier.Trying(p.Declared); {
		case failed != nil:
			k.enter(id, ddm.PackageFailed, failed, func(p *kept) { p.Broken = 0 })
			return restTime
		case on:
			k.enter(id, ddm.PackageInstalling, &ddm.Reason{Code: "package.agent-trial"})
			return restTime
		}
	}
	// An agent is always there: to go means to give way to the one before.
	if p.Action == rollout.Remove && !p.Brought && p.Kind != rollout.Agent {
		_ = k.clean(ctx, p) // and again when it leaves
		k.enter(id, ddm.PackageNotPossible, &ddm.Reason{Code: "package.not-ours"})
		return restTime
	}
	if k.o.Busy() {
		if !begun {
			k.enter(id, ddm.PackageWaiting, &ddm.Reason{Code: "package.lesson"})
		}
		return restTime
	}
	if !begun {
		if pause := k.await(p, now); pause > 0 {
			return pause
		}
	}
	if p.Action == rollout.Install && p.SHA256 != "" && !p.Fetched {
		return k.ask(id, p)
	}
	return k.install(ctx, id)
}

// await waits for the device's own instant within the window. It returns how long
// that is, nothing if it has come.
func (k *Keeper) await(p kept, now time.Time) time.Duration {
	opening, ok := p.Window.Next(p.Calendar, now)
	if !ok {
		k.enter(p.ID, ddm.PackageWaiting, &ddm.Reason{Code: "package.no-window"})
		return restTime
	}
	if p.Opening != opening.Key {
		from := opening.Opens
		if now.After(from) {
			from = now
		}
		begins := from.Add(k.o.Spread(min(opening.Closes.Sub(from)/2, spread(p.Size))))
		if !k.update(p.ID, func(p *kept) { p.Opening, p.Begins = opening.Key, begins.UTC().Truncate(time.Second) }) {
			return restTime
		}
		p, _ = k.find(p.ID)
	}
	if now.Before(p.Begins) {
		if p.State != ddm.PackageLoading {
			k.enter(p.ID, ddm.PackageWaiting, &ddm.Reason{Code: "package.window", Details: map[string]string{"from": p.Begins.Format(time.RFC3339)}})
		}
		return min(p.Begins.Sub(now), restTime)
	}
	return 0
}

func spread(size int64) time.Duration {
	return min(max(time.Duration(size/spreadRate)*time.Second, leastSpread), mostSpread)
}

// ask has the file fetched, if there is room for it and for what it becomes.
func (k *Keeper) ask(id string, p kept) time.Duration {
	if have, err := k.o.Store.Size(fileName(p.Declared)); err == nil && k.short(3*p.Size-have+spareRoom) {
		k.enter(id, ddm.PackageFailed, &ddm.Reason{Code: "package.no-space"})
		return restTime
	}
	if p.State != ddm.PackageLoading {
		k.enter(id, ddm.PackageLoading, nil)
	}
	signal(k.wants)
	return restTime
}

// short reports whether there is less free space than that. What is kept for others
// goes before this device lacks anything.
func (k *Keeper) short(need int64) bool {
	if k.o.Free() >= need {
		return false
	}
	for _, id := range k.ids() {
		if p, is := k.find(id); is && k.keeps(p) {
			k.release(p)
		}
	}
	return k.o.Free() < need
}

// install lets the system work, and looks what came of it.
func (k *Keeper) install(ctx context.Context, id string) time.Duration {
	p, _ := k.find(id)
	if p.State == ddm.PackageInstalling && p.Broken >= mostBroken {
		k.enter(id, ddm.PackageFailed, &ddm.Reason{Code: "package.interrupted"})
		return restTime
	}
	if p.Action == rollout.Install && p.SHA256 != "" && !k.whole(p) {
		return time.Second
	}
	// What was there before is known before anything is there.
	if !k.enter(id, ddm.PackageInstalling, nil, func(p *kept) {
		p.Broken++
		p.Brought = p.Brought || p.Action == rollout.Install && p.Present == ""
	}) {
		return restTime
	}
	working, cancel := context.WithTimeout(ctx, installTime)
	defer cancel()
	var err error
	if p.Action == rollout.Remove {
		err = k.o.System.Remove(working, p.Declared)
	} else {
		err = k.o.System.Install(working, p.Declared, k.o.Store.Path(fileName(p.Declared)))
	}
	if ctx.Err() != nil || errors.Is(err, ErrLater) {
		return restTime // the agent ends; the next start goes on
	}
	if done, known := k.look(ctx, p); done || !known {
		return restTime
	}
	reason := &ddm.Reason{Code: "package.other"}
	if err != nil {
		reason = reasonOf(err)
	}
	if reason.Code == "package.hash" {
		k.release(p)
	}
	k.enter(id, ddm.PackageFailed, reason, func(p *kept) {
		p.Broken = 0
		p.Brought = p.Brought && p.Present != ""
	})
	return restTime
}

// clean takes away what came beside a package.
func (k *Keeper) clean(ctx context.Context, p kept) error {
	system, ok := k.o.System.(cleaner)
	if !ok {
		return nil
	}
	err := system.Clean(ctx, p.Declared)
	if err != nil {
		k.o.Log.Warn("the source of a package is still there", "package", p.Name, "error", err)
	}
	return err
}

// whole looks once more whether the file is what was declared: between its coming
// and now may lie days, and whatever somebody did to the folder meanwhile. If it is
// not, it is to be fetched anew; the second time that is the last word.
func (k *Keeper) whole(p kept) bool {
	sum, err := k.o.Store.Sum(fileName(p.Declared))
	if err == nil && hex.EncodeToString(sum) == p.SHA256 {
		return true
	}
	k.o.Log.Warn("a file that had come is not what it was", "package", p.Name, "error", err)
	k.drop(p)
	k.update(p.ID, func(p *kept) { p.Fetched, p.Wrong = false, p.Wrong+1 })
	if p.Wrong > 0 {
		k.enter(p.ID, ddm.PackageFailed, &ddm.Reason{Code: "package.hash"})
	} else {
		k.enter(p.ID, ddm.PackageLoading, nil)
	}
	return false
}

// leave takes out what we brought and nobody declares any more.
func (k *Keeper) leave(ctx context.Context, p kept) time.Duration {
	if p.Brought {
		if k.o.Busy() {
			return restTime
		}
		working, cancel := context.WithTimeout(ctx, installTime)
		defer cancel()
		if err := k.o.System.Remove(working, p.Declared); err != nil {
			k.o.Log.Warn("a package that nobody wants any more is still there", "package", p.Name, "error", err)
			k.enter(p.ID, ddm.PackageFailed, &ddm.Reason{Code: "package.remove", Details: map[string]string{"error": clip(err.Error())}})
			return restTime
		}
	}
	if err := k.clean(ctx, p); err != nil {
		return restTime
	}
	k.forget(p)
	return restTime
}

// reasonOf tells what went wrong.
func reasonOf(err error) *ddm.Reason {
	var known Fault
	if errors.As(err, &known) {
		return &ddm.Reason{Code: known.Code, Details: known.Details}
	}
	return &ddm.Reason{Code: codeOf(err), Details: map[string]string{"error": clip(err.Error())}}
}

// codeOf names what installers say most, so that devices with the same trouble are
// seen to have the same.
func codeOf(err error) string {
	switch {
	case host.IsFull(err):
		return "package.no-space"
	case errors.Is(err, host.ErrSum):
		return "package.hash"
	}
	for _, known := range []struct{ said, code string }{
		{"No space left on device", "package.no-space"}, {"nmet dependencies", "package.depends"}, {"held broken packages", "package.depends"},
		{"Could not get lock", "package.locked"}, {"Unable to acquire the dpkg frontend lock", "package.locked"}, {"context deadline exceeded", "package.timeout"},
		{"requires the runtime", "package.depends"}, {"enough free space", "package.no-space"}, {"GPG", "package.signature"}, {"is not signed", "package.signature"}, {"NO_PUBKEY", "package.signature"}, {"check signature", "package.signature"},
		{"BADSIG", "package.signature"}, {"Hash Sum mismatch", "package.signature"}, {"unexpected size", "package.signature"}, {"was not found", "package.not-there"}, {"Unable to locate package", "package.not-there"},
		{"Could not connect", "package.unreachable"}, {"have a Release file", "package.unreachable"}, {"has a Release file", "package.unreachable"}, {"Failed to fetch", "package.unreachable"}, {"Could not resolve", "package.unreachable"},
	} {
		if strings.Contains(err.Error(), known.said) {
			return known.code
		}
	}
	return "package.install"
}

func clip(text string) string {
	if runes := []rune(text); len(runes) > 300 {
		return string(runes[:300])
	}
	return text
}
