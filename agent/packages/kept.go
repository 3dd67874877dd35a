package packages

import (
	"encoding/json"
	"errors"
	"io/fs"
	"reflect"
	"slices"
	"time"

	"schulwart.org/agent/reconcile"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/rollout"
)

// kept is what the device remembers of one package.
type kept struct {
	ID string `json:"id"` // of the declaration
	rollout.Declared
	// Leaving says that nobody declares it any more.
	Leaving bool `json:"leaving,omitempty"`
	// Brought says that it was not there before us: then it goes when it leaves.
	Brought bool `json:"brought,omitempty"`

	State   ddm.PackageState `json:"state"`
	Tried   int              `json:"tried"` // the try that State is about
	Present string           `json:"present,omitempty"`
	Since   time.Time        `json:"since"`
	Reason  *ddm.Reason      `json:"reason,omitempty"`

	// Opening is the stretch of time in which the device begins, Begins the instant
	// within it that it chose.
	Opening string    `json:"opening,omitempty"`
	Begins  time.Time `json:"begins,omitzero"`
	// Fetched says that the file is there and is what was declared.
	Fetched bool `json:"fetched,omitempty"`
	// Until is how long the file is kept for others after it was installed, Word what
	// they must know.
	Until time.Time `json:"until,omitzero"`
	Word  string    `json:"word,omitempty"`
	// Broken counts installations that were cut off, Wrong files that were not what
	// was declared.
	Broken int `json:"broken,omitempty"`
	Wrong  int `json:"wrong,omitempty"`
}

// said is the device's word on the package.
func (p kept) said() ddm.PackageStatus {
	return ddm.PackageStatus{Rollout: p.Rollout.String(), Name: p.Name, Try: p.Tried, State: p.State, Present: p.Present, Since: p.Since, Reason: p.Reason}
}

const keptName = "packages.json"

func (k *Keeper) load() {
	data, err := k.o.Store.Read(keptName)
	if err == nil {
		err = json.Unmarshal(data, &k.kept)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		// What is wanted is declared anew, and what is there is looked for.
		k.o.Log.Warn("what was rolled out is not remembered", "error", err)
		k.kept = nil
	}
}

// update changes what is kept of a package, on disk first. It reports whether
// that could be stored; if not, nothing has changed.
func (k *Keeper) update(id string, change func(*kept)) bool {
	k.mu.Lock()
	next := slices.Clone(k.kept)
	at := slices.IndexFunc(next, func(p kept) bool { return p.ID == id })
	if at < 0 {
		k.mu.Unlock()
		return false
	}
	change(&next[at])
	same, news := reflect.DeepEqual(next[at], k.kept[at]), !reflect.DeepEqual(next[at].said(), k.kept[at].said())
	ok := same || k.store(next)
	k.mu.Unlock()
	if ok && news {
		k.o.Announce()
	}
	return ok
}

// store makes next what is kept; with the lock held.
func (k *Keeper) store(next []kept) bool {
	data, err := json.Marshal(next)
	if err == nil {
		err = k.o.Store.Write(keptName, data)
	}
	if err != nil {
		k.full = true
		k.o.Log.Warn("what is rolled out cannot be stored", "error", err)
		return false
	}
	k.kept, k.full = next, false
	return true
}

// enter notes a state, with the instant if it is another than before.
func (k *Keeper) enter(id string, state ddm.PackageState, reason *ddm.Reason, also ...func(*kept)) bool {
	return k.update(id, func(p *kept) {
		if p.State != state || !reflect.DeepEqual(p.Reason, reason) {
			p.State, p.Reason, p.Since = state, reason, k.o.Now().UTC().Truncate(time.Second)
		}
		for _, change := range also {
			change(p)
		}
	})
}

func (k *Keeper) find(id string) (kept, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	at := slices.IndexFunc(k.kept, func(p kept) bool { return p.ID == id })
	if at < 0 {
		return kept{}, false
	}
	return k.kept[at], true
}

func (k *Keeper) ids() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	ids := make([]string, len(k.kept))
	for i, p := range k.kept {
		ids[i] = p.ID
	}
	return ids
}

// adopt takes in what is declared now. What is declared anew begins anew; what is
// declared no more leaves.
func (k *Keeper) adopt(wanted []reconcile.Package) {
	k.mu.Lock()
	next := slices.Clone(k.kept)
	for i := range next {
		next[i].Leaving = !slices.ContainsFunc(wanted, func(w reconcile.Package) bool { return w.ID == next[i].ID })
	}
	for _, w := range wanted {
		at := slices.IndexFunc(next, func(p kept) bool { return p.ID == w.ID })
		if at < 0 {
			next = append(next, kept{ID: w.ID, Declared: w.Declared, State: ddm.PackageWaiting, Tried: w.Try, Since: k.o.Now().UTC().Truncate(time.Second)})
			continue
		}
		p := &next[at]
		if another(p.Declared, w.Declared) {
			if p.SHA256 != w.SHA256 {
				k.drop(*p)
				p.Fetched, p.Until, p.Word = false, time.Time{}, ""
			}
			p.State, p.Reason, p.Tried, p.Since = ddm.PackageWaiting, nil, w.Try, k.o.Now().UTC().Truncate(time.Second)
			p.Opening, p.Begins, p.Broken, p.Wrong = "", time.Time{}, 0, 0
			delete(k.looked, p.ID)
		}
		if !reflect.DeepEqual(p.Window, w.Window) || !reflect.DeepEqual(p.Calendar, w.Calendar) {
			p.Opening, p.Begins = "", time.Time{}
		}
		p.Declared = w.Declared
	}
	changed := !reflect.DeepEqual(next, k.kept)
	stored := changed && k.store(next)
	k.mu.Unlock()
	if stored {
		k.o.Announce()
	}
}

// another reports whether what was decided for one declaration says nothing about
// the other: another thing is meant, or it is to be tried again.
func another(old, now rollout.Declared) bool {
	return old.Rollout != now.Rollout || old.Action != now.Action || old.Version != now.Version || old.SHA256 != now.SHA256 || old.Commit != now.Commit || old.URL != now.URL || !reflect.DeepEqual(old.Repository, now.Repository) || old.IfPresent != now.IfPresent || now.Try > old.Try
}

// forget drops a package that left.
func (k *Keeper) forget(p kept) {
	k.drop(p)
	k.mu.Lock()
	delete(k.looked, p.ID)
	stored := k.store(slices.DeleteFunc(slices.Clone(k.kept), func(other kept) bool { return other.ID == p.ID }))
	k.mu.Unlock()
	if stored {
		k.o.Announce()
	}
}

// fileName is where a package's file lies among ours: its hash, and the ending by
// which the system's own programs know what it is.
func fileName(d rollout.Declared) string {
	if d.SHA256 == "" {
		return "none"
	}
	return d.SHA256 + "." + string(d.Kind)
}
