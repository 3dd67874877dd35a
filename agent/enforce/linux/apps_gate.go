package linux

import (
	"path"
	"time"

	"schulwart.org/agent/host"
)

// verdict is the answer to a program that wants to start.
type verdict struct {
	may  bool
	name string // of what was refused, as people know it
	// quiet says that it was nobody at the desk who asked for it.
	quiet bool
}

// gatekeeper answers the kernel. It is used by one goroutine.
type gatekeeper struct {
	index  *appIndex
	traces map[int]trace
	now    func() time.Time
	// lineage lists a process and those that it descends from.
	lineage func(pid int) []host.Birth
	// inside are processes that started an allowed program.
	inside map[host.Birth]bool
}

// trace is the last file that a process was let start. The kernel asks further
// questions about one start: for the interpreter that a script names, for the
// loader of a dynamic program, for the file beneath a layered one.
type trace struct {
	path        string
	interpreter host.FileID
	at          time.Time
}

// follow is how soon further questions come.
const follow = 2 * time.Second

func newGatekeeper(index *appIndex, now func() time.Time, lineage func(pid int) []host.Birth) *gatekeeper {
	return &gatekeeper{index: index, traces: map[int]trace{}, now: now, lineage: lineage, inside: map[host.Birth]bool{}}
}

// decide says whether a person may start the file now.
func (g *gatekeeper) decide(e host.Execution) verdict {
	before, ok := g.traces[e.PID]
	if ok && g.now().Sub(before.at) < follow {
		if e.Hidden && e.Path == before.path {
			return verdict{may: true}
		}
		if e.File == before.interpreter {
			g.trace(e)
			return verdict{may: true}
		}
	}
	delete(g.traces, e.PID)
	v := g.judge(e)
	if v.may {
		g.trace(e)
	}
	return v
}

func (g *gatekeeper) trace(e host.Execution) {
	// Processes that are gone leave their traces behind.
	const most = 4096
	if len(g.traces) > most {
		clear(g.traces)
	}
	g.traces[e.PID] = trace{e.Path, e.Interpreter, g.now()}
}

// judge looks at one file by itself.
func (g *gatekeeper) judge(e host.Execution) verdict {
	x := g.index
	if x.forbids {
		return x.judgeForbidden(e)
	}
	switch {
	case x.allowed[e.File]:
		if !x.single[e.File] {
			g.enter(e.PID)
		}
		return verdict{may: true}
	case x.quiet[e.File]:
		return verdict{quiet: true}
	case x.refused[e.File] != "":
		return verdict{name: x.refused[e.File]}
	case !x.installed(e):
		return verdict{name: path.Base(e.Path)}
	case x.loaders[e.File], x.runners[e.File] && !sessionStarters[e.By] && !g.within(e.PID):
		return verdict{name: path.Base(e.Path)}
	}
	// What root installed and no menu offers: the tools that a session and the
	// allowed programs are made of.
	return verdict{may: true}
}

// sessionStarters run the parts of a session, some of which are texts for a
// runner.
var sessionStarters = map[string]bool{
	"/usr/lib/systemd/systemd": true, "/lib/systemd/systemd": true, "/usr/lib/systemd/systemd-executor": true, "/lib/systemd/systemd-executor": true,
	"/usr/bin/dbus-daemon": true, "/usr/bin/dbus-broker-launch": true, "/usr/libexec/at-spi-bus-launcher": true,
	"/usr/libexec/gnome-session-binary": true, "/usr/bin/gnome-shell": true, "/usr/bin/xfce4-session": true, "/usr/bin/xfce4-panel": true, "/usr/bin/mate-session": true, "/usr/bin/cinnamon-session": true,
	"/usr/bin/ksmserver": true, "/usr/bin/plasma_session": true, "/usr/bin/kded5": true, "/usr/bin/kded6": true, "/usr/bin/lxsession": true, "/usr/bin/lxqt-session": true,
}

// enter notes that a process runs an allowed program from now on.
func (g *gatekeeper) enter(pid int) {
	const most = 4096
	if len(g.inside) > most {
		clear(g.inside)
	}
	if births := g.lineage(pid); len(births) > 0 {
		g.inside[births[0]] = true
	}
}

// within reports whether the process descends from an allowed program: that may
// use what it needs.
func (g *gatekeeper) within(pid int) bool {
	for _, birth := range g.lineage(pid) {
		if g.inside[birth] {
			return true
		}
	}
	return false
}

// installed reports whether root put the file where it is: nobody else could
// have written it, and its file system is none that people bring along.
func (x *appIndex) installed(e host.Execution) bool {
	const othersWrite, groupWrites = 0o002, 0o020
	if e.Owner != 0 || e.Mode&othersWrite != 0 || e.Mode&groupWrites != 0 && e.Group >= 1000 {
		return false
	}
	return x.trusted[e.Device]
}
