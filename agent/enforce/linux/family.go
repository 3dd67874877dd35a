package linux

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
)

// Doors are what drivers of families work with.
type Doors struct {
	Tree     host.Disk
	Files    host.Files
	Commands host.Commands
	Programs host.Programs
	Desktops host.Desktops
	Clock    host.Clock
	Holds    host.Holds // keeps a helper that judges programs
	// Mounts are the only file systems on which programs are judged; empty for all.
	// For tests.
	Mounts []string
}

// Family says how one family of the catalogue is made true: which files it wants,
// what has to be done after they changed, and how the effect is read back.
type Family struct {
	Of catalog.Family
	// Possible says why this machine cannot do it; nil where it can. Nil for always.
	Possible func(d *Doors, s catalog.Settings) *ddm.Reason
	// Files returns the files that the settings want, none for none. It may look at
	// what was there before us and changes nothing. Nil for never any.
	Files func(s catalog.Settings, before Before) (map[string]File, error)
	// FilesOn is Files where it depends on the machine which ones they are.
	FilesOn func(d *Doors, s catalog.Settings, before Before) (map[string]File, error)
	// Apply does what has to be done besides: after files changed, after an attempt
	// that failed, and when Look found a difference. It gets empty settings when
	// everything is to be taken back; it may run again and then changes nothing.
	Apply func(ctx context.Context, d *Doors, s catalog.Settings) error
	// Look asks the system for the effect; nil is as wanted. Reading.State of
	// anything but ok and deviating is reported as it is, and nothing is repaired.
	// It is not asked about empty settings.
	Look func(ctx context.Context, d *Doors, s catalog.Settings) *enforce.Reading
	// Every is how often Look is asked at the most; files are read back at every
	// check. Zero is every five minutes.
	Every time.Duration
	// Patience is how long Apply may take; zero is as long as any driver.
	Patience time.Duration
}

// Before tells what a file says without us; nil if there was none.
type Before func(path string) ([]byte, error)

// families are the drivers, in the order in which they are set. The file of each
// adds itself here.
var families = []Family{
	accessibility,
	accounts,
	camera,
	certificates,
	nameService,
	printing,
	programs,
	proxy,
	screenLock,
	sharing,
	timeLanguage,
	updates,
	usbStorage,
	vpn,
	wallpaper,
	wifi,
}

// Families returns a driver for every family that this system can enforce.
func Families(d Doors) []enforce.Driver {
	drivers := make([]enforce.Driver, len(families))
	for i, family := range families {
		drivers[i] = NewFamily(family, d)
	}
	return drivers
}

// familyDriver sets one family.
type familyDriver struct {
	Family
	doors *Doors
	owned owned

	mu       sync.Mutex
	known    bool
	settings catalog.Settings
	wanted   map[string]File
	seen     enforce.Reading
	looked   time.Duration // elapsed of the last Look; zero for never
}

// NewFamily returns the driver of a family.
func NewFamily(f Family, d Doors) enforce.Driver {
	if f.Every == 0 {
		f.Every = 5 * time.Minute
	}
	return &familyDriver{Family: f, doors: &d, owned: owned{tree: d.Tree, files: d.Files, name: "family-" + f.Of.Name + ".json"}}
}

// Part is the family.
func (f *familyDriver) Part() catalog.Part { return catalog.Part(f.Of.Name) }

// Takes is how long Set may take.
func (f *familyDriver) Takes() time.Duration { return f.Patience }

// Set writes the files, all or none, and does what has to be done besides. If
// that fails, the files stay as wanted, and the next Set goes on there.
func (f *familyDriver) Set(ctx context.Context, rules enforce.Rules) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	settings := rules.Base[f.Of.Name]
	if err := f.owned.load(); err != nil {
		return err
	}
	f.known, f.settings = true, settings
	if len(settings) > 0 && f.impossible(settings) != nil {
		settings = nil // what cannot be is not half of it either
	}
	return f.bring(ctx, settings)
}

func (f *familyDriver) bring(ctx context.Context, settings catalog.Settings) error {
	wanted, err := f.files(settings)
	if err != nil {
		return fmt.Errorf("setting %s: %w", f.Of.Name, err)
	}
	changed, err := f.owned.set(wanted)
	if err != nil {
		return fmt.Errorf("setting %s: %w", f.Of.Name, err)
	}
	f.wanted, f.looked = wanted, 0
	done := doneKey(settings)
	if len(changed) == 0 && f.owned.kept.Done == done && f.look(ctx, settings).State != ddm.PartDeviating {
		return nil
	}
	if f.Apply != nil {
		if err := f.note(applying); err != nil {
			return err
		}
		if err := f.Apply(ctx, f.doors, settings); err != nil {
			return fmt.Errorf("setting %s: %w", f.Of.Name, err)
		}
		f.looked = 0
	}
	return f.note(done)
}

// files returns what the settings want; nothing for none.
func (f *familyDriver) files(s catalog.Settings) (map[string]File, error) {
	switch {
	case len(s) == 0:
		return nil, nil
	case f.FilesOn != nil:
		return f.FilesOn(f.doors, s, f.owned.foreign)
	case f.Files != nil:
		return f.Files(s, f.owned.foreign)
	}
	return nil, nil
}

// applying stands in place of what is done while that is not complete.
const applying = "…"

// note remembers what took effect.
func (f *familyDriver) note(done string) error {
	if f.owned.kept.Done == done {
		return nil
	}
	f.owned.kept.Done = done
	return f.owned.save()
}

// doneKey names settings; nothing wanted is as if we had never been here.
func doneKey(s catalog.Settings) string {
	if len(s) == 0 {
		return ""
	}
	data, _ := json.Marshal(s) // settings always marshal
	return hashOf(data)
}

func (f *familyDriver) impossible(s catalog.Settings) *ddm.Reason {
	if f.Possible == nil {
		return nil
	}
	return f.Possible(f.doors, s)
}

// Rehearse says whether this machine could do it.
func (f *familyDriver) Rehearse(rules enforce.Rules) *enforce.Reading {
	if settings := rules.Base[f.Of.Name]; len(settings) > 0 {
		if reason := f.impossible(settings); reason != nil {
			return &enforce.Reading{State: ddm.PartNotPossible, Reason: reason}
		}
	}
	return nil
}

// look asks the system, if it was not asked just now.
func (f *familyDriver) look(ctx context.Context, s catalog.Settings) enforce.Reading {
	if f.Look == nil || len(s) == 0 {
		return asWanted()
	}
	now := f.doors.Clock.Read().Elapsed
	if f.looked != 0 && now-f.looked < f.Every && f.seen.State == ddm.PartOK {
		return f.seen
	}
	f.looked, f.seen = max(now, 1), asWanted()
	if found := f.Look(ctx, f.doors, s); found != nil {
		f.seen = *found
	}
	return f.seen
}

// Check reads the files back, and now and then the effect.
func (f *familyDriver) Check(ctx context.Context) enforce.Reading {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.known {
		return deviating("family.unset")
	}
	if len(f.settings) > 0 {
		if reason := f.impossible(f.settings); reason != nil {
			return enforce.Reading{State: ddm.PartNotPossible, Reason: reason}
		}
	}
	if path := f.owned.differs(f.wanted); path != "" {
		return deviating("family.changed", "file", path)
	}
	if f.owned.kept.Done != doneKey(f.settings) {
		return deviating("family.unfinished")
	}
	return f.look(ctx, f.settings)
}

// missing says that a program is not installed, without which nothing of a family
// can be done.
func missing(d *Doors, names ...string) *ddm.Reason {
	for _, name := range names {
		if !d.Commands.Has(name) {
			return reason("family.no-program", "program", name)
		}
	}
	return nil
}

// needs is a Possible that asks for programs alone.
func needs(names ...string) func(*Doors, catalog.Settings) *ddm.Reason {
	return func(d *Doors, _ catalog.Settings) *ddm.Reason { return missing(d, names...) }
}

func differs(key string, pairs ...string) *enforce.Reading {
	r := deviating(key, pairs...)
	return &r
}
