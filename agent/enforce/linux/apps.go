package linux

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/agent/words"
	"schulwart.org/policies/catalog"
)

// AppsName is what the helper is called that judges which programs start
// (host.Holds).
const AppsName = "apps"

// AppsOptions are what a driver of programs works with.
type AppsOptions struct {
	Holds host.Holds
	Clock host.Clock
	// Notice is how long pupils are told before an open program is asked to
	// close; a minute where it is zero, at once where it is negative.
	Notice time.Duration
	// Browser is the id of the desktop entry of the browser that shows the page of
	// an examination; empty for none.
	Browser string
	// Tree is where the entries of menus lie; nil where nothing is rehearsed.
	Tree host.Tree
	// Mounts are the only file systems to judge; empty for all. For tests.
	Mounts []string
}

// Apps lets only some programs start. A helper that outlives the agent is asked
// by the kernel before each start and ends in time; the driver tells it which
// programs and until when.
type Apps struct {
	o AppsOptions

	mu     sync.Mutex
	wanted bool
	gone   time.Duration // since when no report came; zero while they come
}

// appsOrder is what the helper is told.
type appsOrder struct {
	Allow  []string      `json:"allow"`
	By     string        `json:"by"`
	Until  time.Time     `json:"until"`
	Notice time.Duration `json:"notice"`
	Mounts []string      `json:"mounts,omitempty"`
	// Forbid and Packages turn the order round: everything starts but these, by
	// ids of desktop entries or commands, and by packages of dpkg.
	Forbid   []string `json:"forbid,omitempty"`
	Packages []string `json:"packages,omitempty"`
	// Refuse are commands that do not start although no menu offers them; about
	// those in Quiet nobody is told.
	Refuse []string `json:"refuse,omitempty"`
	Quiet  []string `json:"quiet,omitempty"`
	// Browser is an allowed program out of which nothing else may start that is not
	// allowed by itself: it shows the examination's page, and its arguments name
	// programs to start.
	Browser string `json:"browser,omitempty"`
	// Aids are aids that do not start, though aids always do.
	Aids []string `json:"aids,omitempty"`
}

// forbids reports whether the order names what may not start.
func (o appsOrder) forbids() bool { return len(o.Forbid)+len(o.Packages) > 0 }

// appsReport is what the helper sees.
type appsReport struct {
	Judging bool      `json:"judging"`           // the kernel asks it
	Blind   []string  `json:"blind,omitempty"`   // places where the kernel does not
	Unknown []string  `json:"unknown,omitempty"` // allowed, but not on this device
	Open    []string  `json:"open,omitempty"`    // programs that run although they may not start
	Closing time.Time `json:"closing,omitzero"`  // when those are asked to close
	Fault   string    `json:"fault,omitempty"`
	// Refused counts the tries to start what may not start, by program.
	Refused map[string]int `json:"refused,omitempty"`
}

// NewApps returns the driver of the part that is about programs.
func NewApps(o AppsOptions) *Apps {
	if o.Notice == 0 {
		o.Notice = time.Minute
	}
	return &Apps{o: o}
}

// Part is the programs.
func (*Apps) Part() catalog.Part { return catalog.Apps }

// Set lets only the named programs start, or all.
func (a *Apps) Set(_ context.Context, rules enforce.Rules) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if rules.Apps == nil || rules.Apps.Release <= 0 {
		if err := a.o.Holds.Drop(AppsName); err != nil {
			return fmt.Errorf("releasing programs: %w", err)
		}
		a.wanted = false
		return nil
	}
	order := appsOrder{Allow: rules.Apps.Allow, By: rules.Apps.By, Until: rules.Apps.Until.UTC().Truncate(time.Second), Notice: a.o.Notice, Mounts: a.o.Mounts}
	if rules.Exam != nil {
		order = order.during(*rules.Exam, a.o.Browser)
	}
	content, err := json.Marshal(order)
	if err != nil {
		return fmt.Errorf("encoding programs: %w", err)
	}
	if err := a.o.Holds.Hold(AppsName, content, rules.Apps.Release); err != nil {
		return fmt.Errorf("holding programs: %w", err)
	}
	a.wanted, a.gone = true, 0
	return nil
}

// Check reads what the helper sees. Programs that were open before are no
// deviation: nobody did anything wrong, and they may hold unsaved work.
func (a *Apps) Check(context.Context) enforce.Reading {
	a.mu.Lock()
	defer a.mu.Unlock()
	held := a.o.Holds.Held(AppsName)
	if !a.wanted {
		if held.Running {
			return deviating("apps.still")
		}
		return asWanted()
	}
	if !held.Running {
		return deviating("apps.gone")
	}
	var report appsReport
	if json.Unmarshal(held.Report, &report) != nil || held.Age > starting {
		return a.silent()
	}
	a.gone = 0
	return report.reading()
}

// silent gives a helper a moment to come up.
func (a *Apps) silent() enforce.Reading {
	now := a.o.Clock.Read().Elapsed
	if a.gone == 0 {
		a.gone = max(now, 1)
	}
	if now-a.gone < starting {
		return pending("apps.starting")
	}
	return deviating("apps.gone")
}

func (r appsReport) reading() enforce.Reading {
	switch {
	case r.Fault != "":
		return notPossible("apps.fanotify", "error", r.Fault)
	case !r.Judging:
		return pending("apps.starting")
	case len(r.Open) > 0 && !r.Closing.IsZero():
		return pending("apps.closing", "names", strings.Join(r.Open, ", "), "at", words.Clock(r.Closing, nil))
	case len(r.Open) > 0:
		return pending("apps.open", "names", strings.Join(r.Open, ", "))
	}
	reading := asWanted()
	switch {
	case len(r.Blind) > 0:
		reading.Reason = reason("apps.unmarked", "where", strings.Join(r.Blind, ", "))
	case len(r.Unknown) > 0:
		names := make([]string, len(r.Unknown))
		for i, id := range r.Unknown {
			names[i] = words.AppName(id)
		}
		reading.Reason = reason("apps.unknown", "names", strings.Join(names, ", "))
	}
	return reading
}
