// Package selftest tries on the real machine what the drivers claim: it applies
// each kind of mode for some seconds and looks at the effect from the side of
// those who sit at the desk. It is run by people who want to know, while nothing
// holds; it decides nothing.
package selftest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/agent/words"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
)

// Machine is what a trial does on the machine.
type Machine interface {
	// Reach connects to a host as a pupil's program does.
	Reach(ctx context.Context, host string) error
	// Start runs a program as a pupil; the error is host.ErrRefused if the system
	// does not let it.
	Start(ctx context.Context, path string, args ...string) error
	// Copy makes a pupil's own copy of a program.
	Copy(path string) (copied string, remove func(), err error)
	// Covered looks at the pixels of a desktop.
	Covered(ctx context.Context, d host.Desktop) (bool, error)
	// Page opens an address in the browser of that name, without a window, as a
	// pupil, and returns what it shows; the error is ErrNoBrowser if there is none.
	Page(ctx context.Context, address string) (string, error)
	Desktops() ([]host.Desktop, error)
}

// ErrNoBrowser says that no browser was found that can show a page without a
// window.
var ErrNoBrowser = errors.New("selftest: no Chromium to look with")

// Options are what a self-test tries with.
type Options struct {
	Drivers []enforce.Driver
	Machine Machine
	// Server is host:port of the management server; empty if the device has none.
	Server string
	// Site and Other are two hosts of the world outside that answer on port 443.
	Site, Other string
	Lang        words.Lang
}

// Outcome is how a trial went.
type Outcome string

// The outcomes.
const (
	Passed      Outcome = "passed"
	Failed      Outcome = "failed"
	NotPossible Outcome = "not-possible" // this device cannot do it, and says so
	NotTried    Outcome = "not-tried"    // there was nothing to look at
)

// Trial is one line of the table.
type Trial struct {
	Part    catalog.Part
	Key     string            // words.Text has its sentence
	Args    map[string]string // for the sentence
	Outcome Outcome
	Took    time.Duration
	Why     string // where it did not pass
}

// release bounds what a trial leaves behind if this process dies within it.
const release = 30 * time.Second

// run is one self-test under way.
type run struct {
	Options
	trials []Trial
}

// Run tries every part that has a driver, takes everything back and returns what
// it saw. Nobody else may drive the device meanwhile.
func Run(ctx context.Context, o Options) []Trial {
	r := &run{Options: o}
	for _, part := range []struct {
		name  catalog.Part
		trial func(context.Context, enforce.Driver)
	}{{catalog.Network, r.network}, {catalog.Browser, r.browser}, {catalog.Screen, r.screen}, {catalog.Apps, r.apps}} {
		for _, driver := range o.Drivers {
			if driver.Part() == part.name {
				part.trial(ctx, driver)
				r.takeBack(ctx, driver)
			}
		}
	}
	return r.trials
}

// Good reports whether nothing failed.
func Good(trials []Trial) bool {
	for _, t := range trials {
		if t.Outcome == Failed {
			return false
		}
	}
	return len(trials) > 0
}

// Print writes the table.
func Print(out io.Writer, lang words.Lang, trials []Trial) {
	marks := map[Outcome]string{Passed: "✓", Failed: "✗", NotPossible: "–", NotTried: "·"}
	part := catalog.Part("")
	for _, t := range trials {
		if t.Part != part {
			part = t.Part
			fmt.Fprintln(out, words.Text(lang, "part."+string(part), nil))
		}
		line := words.Text(lang, t.Key, t.Args)
		if t.Outcome == NotPossible || t.Outcome == NotTried {
			line += " (" + words.Text(lang, "selftest."+string(t.Outcome), nil) + ")"
		}
		fmt.Fprintf(out, "  %s %-62s %8s\n", marks[t.Outcome], line, t.Took.Round(time.Millisecond))
		if t.Why != "" {
			fmt.Fprintln(out, "      "+t.Why)
		}
	}
	if Good(trials) {
		fmt.Fprintln(out, words.Text(lang, "selftest.good", nil))
	} else {
		fmt.Fprintln(out, words.Text(lang, "selftest.bad", nil))
	}
}

// add notes a trial; a fault makes it fail.
func (r *run) add(part catalog.Part, key string, began time.Time, fault error, pairs ...string) {
	t := Trial{Part: part, Key: key, Outcome: Passed, Took: time.Since(began)}
	for i := 0; i+1 < len(pairs); i += 2 {
		if t.Args == nil {
			t.Args = map[string]string{}
		}
		t.Args[pairs[i]] = pairs[i+1]
	}
	if fault != nil {
		t.Outcome, t.Why = Failed, fault.Error()
	}
	r.trials = append(r.trials, t)
}

// skip notes what was not tried, and why.
func (r *run) skip(part catalog.Part, key string, outcome Outcome, reason *ddm.Reason) {
	t := Trial{Part: part, Key: key, Outcome: outcome}
	if reason != nil {
		t.Why = words.Text(r.Lang, reason.Code, reason.Details)
	}
	r.trials = append(r.trials, t)
}

func (r *run) takeBack(ctx context.Context, driver enforce.Driver) {
	began := time.Now()
	// Also when somebody pressed Ctrl-C in the middle.
	err := driver.Set(context.WithoutCancel(ctx), enforce.Rules{})
	r.add(driver.Part(), "selftest.back", began, err)
}

// holds sets rules and waits until they were read back. It returns false, and
// has noted why, where the trial cannot go on.
func (r *run) holds(ctx context.Context, driver enforce.Driver, key string, rules enforce.Rules) bool {
	began := time.Now()
	if err := driver.Set(ctx, rules); err != nil {
		r.add(driver.Part(), key, began, err)
		return false
	}
	reading := driver.Check(ctx)
	for end := began.Add(8 * time.Second); reading.State == ddm.PartPending && time.Now().Before(end) && ctx.Err() == nil; reading = driver.Check(ctx) {
		time.Sleep(20 * time.Millisecond)
	}
	switch reading.State {
	case ddm.PartOK, ddm.PartRepaired:
		r.add(driver.Part(), key, began, nil)
		return true
	case ddm.PartNotPossible:
		r.skip(driver.Part(), key, NotPossible, reading.Reason)
		return false
	}
	// Programs that were open before may go on waiting for an answer.
	fault := string(reading.State)
	if reading.Reason != nil {
		fault = words.Text(r.Lang, reading.Reason.Code, reading.Reason.Details)
	}
	if reading.State == ddm.PartPending && driver.Part() != catalog.Screen {
		r.add(driver.Part(), key, began, nil)
		return true
	}
	r.add(driver.Part(), key, began, errors.New(fault))
	return false
}
