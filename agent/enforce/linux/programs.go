package linux

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
)

// ProgramsName is what the helper is called that keeps forbidden programs from
// starting (host.Holds).
const ProgramsName = "programs"

// programs installs packages, and takes out what it installed when nobody wants
// it any more; what is forbidden is refused by a helper whom the kernel asks.
var programs = Family{
	Of: catalog.Programs,
	Possible: func(d *Doors, s catalog.Settings) *ddm.Reason {
		if len(s.List("install")) > 0 {
			return missing(d, "apt-get", "dpkg-query")
		}
		return nil
	},
	Apply: func(ctx context.Context, d *Doors, s catalog.Settings) error {
		// A package that cannot be had must not keep the others from being refused.
		return errors.Join(guardPrograms(d, s), installPackages(ctx, d, s.List("install")))
	},
	Look: func(ctx context.Context, d *Doors, s catalog.Settings) *enforce.Reading {
		if found := lookForPackages(ctx, d, s.List("install")); found != nil {
			return found
		}
		return lookAtGuard(d, s)
	},
	Every: time.Minute, Patience: 20 * time.Minute,
}

// guardFor is how long the helper works without being told again. It is gone with
// the agent's start after that, and with a restart of the system.
const guardFor = 48 * time.Hour

func guardOrder(d *Doors, s catalog.Settings) []byte {
	order := appsOrder{Forbid: s.List("forbid"), Packages: s.List("forbid-packages"), Notice: time.Minute, Mounts: d.Mounts}
	if !order.forbids() {
		return nil
	}
	content, _ := json.Marshal(order) // strings always marshal
	return content
}

func guardPrograms(d *Doors, s catalog.Settings) error {
	content := guardOrder(d, s)
	if content == nil {
		if err := d.Holds.Drop(ProgramsName); err != nil {
			return fmt.Errorf("releasing programs: %w", err)
		}
		return nil
	}
	if err := d.Holds.Hold(ProgramsName, content, guardFor); err != nil {
		return fmt.Errorf("refusing programs: %w", err)
	}
	return nil
}

func lookAtGuard(d *Doors, s catalog.Settings) *enforce.Reading {
	content := guardOrder(d, s)
	if content == nil {
		return nil
	}
	held := d.Holds.Held(ProgramsName)
	if !held.Running || string(held.Content) != string(content) {
		return differs("programs.unguarded")
	}
	if held.Left < guardFor/2 && guardPrograms(d, s) != nil {
		return differs("programs.unguarded")
	}
	var report appsReport
	reading := enforce.Reading{}
	switch {
	case json.Unmarshal(held.Report, &report) != nil || held.Age > starting:
		reading = pending("programs.guarding")
	case report.Fault != "":
		reading = notPossible("apps.fanotify", "error", report.Fault)
	case !report.Judging:
		reading = pending("programs.guarding")
	case len(report.Open) > 0:
		reading = pending("apps.open", "names", strings.Join(report.Open, ", "))
	case len(report.Blind) > 0:
		reading = asWanted()
		reading.Reason = reason("apps.unmarked", "where", strings.Join(report.Blind, ", "))
	case len(report.Unknown) > 0:
		reading = asWanted()
		reading.Reason = reason("programs.unknown", "names", strings.Join(report.Unknown, ", "))
	default:
		return nil
	}
	return &reading
}

// programsKept are packages that we brought.
type programsKept struct {
	Ours   []string `json:"ours"`   // that somebody asked for
	Beside []string `json:"beside"` // that came along with them
}

const programsKeptName = "programs.json"

func readPrograms(d *Doors) (kept programsKept, err error) {
	data, err := d.Files.Read(programsKeptName)
	if errors.Is(err, fs.ErrNotExist) {
		return kept, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &kept)
	}
	if err != nil {
		return kept, fmt.Errorf("reading what was installed: %w", err)
	}
	return kept, nil
}

func (k programsKept) save(d *Doors) error {
	data, err := json.Marshal(k)
	if err != nil {
		return err
	}
	if err := d.Files.Write(programsKeptName, data); err != nil {
		return fmt.Errorf("saving what was installed: %w", err)
	}
	return nil
}

// installed lists the packages that dpkg has completely.
func installed(ctx context.Context, d *Doors) ([]string, error) {
	out, err := d.Commands.Run(ctx, host.Command{Name: "dpkg-query", Args: []string{"--show", "--showformat", "${Package} ${db:Status-Abbrev}\n"}})
	if err != nil {
		return nil, err
	}
	var names []string
	for line := range strings.Lines(string(out)) {
		if name, status, _ := strings.Cut(strings.TrimSpace(line), " "); strings.HasPrefix(status, "ii") || strings.HasPrefix(status, "hi") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

func lookForPackages(ctx context.Context, d *Doors, wanted []string) *enforce.Reading {
	if len(wanted) == 0 {
		return nil
	}
	there, err := installed(ctx, d)
	if err != nil {
		return differs("programs.missing", "names", strings.Join(wanted, ", "))
	}
	if gone := less(wanted, there); len(gone) > 0 {
		return differs("programs.missing", "names", strings.Join(gone, ", "))
	}
	return nil
}

// less returns what is in a and not in b.
func less(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(name string) bool { return slices.Contains(b, name) })
}

// installPackages brings the wanted packages and removes those of ours that are
// wanted no more.
func installPackages(ctx context.Context, d *Doors, wanted []string) error {
	kept, err := readPrograms(d)
	if err != nil || len(wanted)+len(kept.Ours)+len(kept.Beside) == 0 {
		return err
	}
	before, err := installed(ctx, d)
	if err != nil {
		return err
	}
	if err := removePackages(ctx, d, &kept, before, wanted); err != nil {
		return err
	}
	fresh := less(wanted, before)
	if len(fresh) == 0 {
		return nil
	}
	// What will be ours is known before it is there.
	kept.Ours = append(kept.Ours, less(fresh, kept.Ours)...)
	if err := kept.save(d); err != nil {
		return err
	}
	failed := apt(ctx, d, append([]string{"install"}, fresh...)...)
	if failed != nil {
		if err := apt(ctx, d, "update"); err == nil {
			failed = apt(ctx, d, append([]string{"install"}, fresh...)...)
		}
	}
	after, err := installed(ctx, d)
	if err != nil {
		return errors.Join(failed, err)
	}
	kept.Ours = less(kept.Ours, less(fresh, after)) // what could not be had is not ours
	kept.Beside = append(kept.Beside, less(less(after, before), append(slices.Clone(fresh), kept.Beside...))...)
	return errors.Join(failed, kept.save(d))
}

// removePackages takes out what we brought and nobody wants: first what was asked
// for, then of what came along with it what the system itself needs no more.
func removePackages(ctx context.Context, d *Doors, kept *programsKept, there, wanted []string) error {
	leaving := less(kept.Ours, wanted)
	if len(leaving) == 0 {
		return nil
	}
	if present := less(leaving, less(leaving, there)); len(present) > 0 {
		if err := apt(ctx, d, append([]string{"purge"}, present...)...); err != nil {
			return err
		}
	}
	kept.Ours = less(kept.Ours, leaving)
	if idle := idlePackages(ctx, d, kept.Beside); len(idle) > 0 {
		if err := apt(ctx, d, append([]string{"purge"}, idle...)...); err != nil {
			return errors.Join(err, kept.save(d))
		}
		kept.Beside = less(kept.Beside, idle)
	}
	return kept.save(d)
}

// idlePackages are those of ours that apt would clear away by itself.
func idlePackages(ctx context.Context, d *Doors, ours []string) []string {
	out, err := d.Commands.Run(ctx, host.Command{Name: "apt-get", Args: []string{"--simulate", "autoremove"}})
	if err != nil {
		return nil
	}
	var idle []string
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "Remv" && slices.Contains(ours, fields[1]) {
			idle = append(idle, fields[1])
		}
	}
	return idle
}

// apt runs apt-get so that it asks nothing and waits for whoever else installs.
func apt(ctx context.Context, d *Doors, args ...string) error {
	options := []string{"--yes", "--quiet", "--option", "DPkg::Lock::Timeout=300", "--option", "Dpkg::Options::=--force-confold", "--option", "Dpkg::Options::=--force-confdef"}
	_, err := d.Commands.Run(ctx, host.Command{Name: "apt-get", Args: append(options, args...), Env: []string{"DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_MODE=a"}})
	return err
}
