// Package reconcile is the agent's loop: what is remembered and the time go in,
// rules for the drivers come out, again and again, and what the drivers read
// back is told to the server. It knows no operating system and no network.
package reconcile

import (
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/memory"
	"schulwart.org/agent/words"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/lease"
)

// Speech is in which words the device speaks to its pupil.
type Speech struct {
	Lang words.Lang
	Zone *time.Location // nil is Germany
}

// Decide computes what must hold at the clock's time from the base policy and
// the leases, and nothing else. The holding's times are those of the clock's Now.
func Decide(base enforce.Base, leases []lease.Lease, clock memory.Clock, speech Speech) (enforce.Rules, lease.Holding) {
	known := lease.Newest(onOneClock(leases, clock))
	holding := lease.Hold(known, clock.Now)
	exam := examinationOf(holding)
	rules := enforce.Rules{
		Base:    closedBy(exam, base),
		Exam:    exam,
		Network: network(base.WebFilter(), holding),
		Screen:  screen(holding),
		Apps:    apps(holding),
		Notice:  notice(holding, speech),
	}
	if rules.Network.Reach != enforce.Open {
		rules.Network.Until = lasts(known, holding, clock.Now, narrowsNetwork)
	}
	if rules.Screen != nil {
		rules.Screen.Until = lasts(known, holding, clock.Now, coversScreen)
	}
	if rules.Apps != nil {
		rules.Apps.Until = lasts(known, holding, clock.Now, narrowsApps)
	}
	if exam != nil {
		exam.Until = lasts(known, holding, clock.Now, func(h lease.Holding) bool { return h.Exam != nil && h.Exam.ID == exam.ID })
	}
	return timed(rules, clock.Now), holding
}

// onOneClock moves the ends of exams that run by exam time to where they are on
// the ordinary clock. The two differ after a start during an exam.
func onOneClock(leases []lease.Lease, clock memory.Clock) []lease.Lease {
	behind := clock.Now.Sub(clock.Exam)
	moved := make([]lease.Lease, len(leases))
	for i, l := range leases {
		if l.Kind == lease.Exam && behind > 0 && !l.NotBefore.After(clock.Exam) {
			l.Expires = l.Expires.Add(behind)
		}
		moved[i] = l
	}
	return moved
}

// lasts returns the instant at which a part that is narrowed now is so no more,
// over all leases: also those that another one masks for now, and those that
// begin before the last one ends. The system releases the part by itself at that
// instant, so it must not be the end of one lease while another goes on. What
// changes before, Holding.Next says, and it is computed anew then; if nobody is
// there to do so, what is narrower holds on, and nothing opens early.
func lasts(leases []lease.Lease, now lease.Holding, at time.Time, narrowed func(lease.Holding) bool) time.Time {
	for narrowed(now) {
		at = now.Next // never zero while something holds
		now = lease.Hold(leases, at)
	}
	return at
}

func narrowsNetwork(h lease.Holding) bool { return h.Exam != nil || h.Sites != nil || h.Offline != nil }
func coversScreen(h lease.Holding) bool   { return h.Screen != nil }
func narrowsApps(h lease.Holding) bool    { return h.Exam != nil || h.Focus != nil }

// timed fills in how long each rule lasts from now on.
func timed(rules enforce.Rules, now time.Time) enforce.Rules {
	if !rules.Network.Until.IsZero() {
		rules.Network.Release = rules.Network.Until.Sub(now)
	}
	if rules.Screen != nil {
		screen := *rules.Screen
		screen.Release = screen.Until.Sub(now)
		rules.Screen = &screen
	}
	if rules.Apps != nil {
		apps := *rules.Apps
		apps.Release = apps.Until.Sub(now)
		rules.Apps = &apps
	}
	if rules.Exam != nil {
		exam := *rules.Exam
		exam.Release = exam.Until.Sub(now)
		rules.Exam = &exam
	}
	return rules
}

// network intersects what the kinds leave open. An exam without sites is
// without network.
func network(base catalog.WebFilter, h lease.Holding) enforce.Network {
	n := enforce.Network{Deny: base.Deny, Base: base.Only}
	if h.Exam != nil {
		n = only(n, h.Exam.Rules.Sites)
	}
	if h.Sites != nil {
		n = only(n, h.Sites.Rules.Sites)
	}
	if h.Offline != nil {
		n = only(n, nil)
	}
	if n.Reach == enforce.Never {
		n.Allow, n.Deny = nil, nil
	}
	return n
}

// only narrows the network to the sites.
func only(n enforce.Network, sites []string) enforce.Network {
	switch n.Reach {
	case enforce.Open:
		n.Allow = sites
		if len(n.Base) > 0 {
			n.Allow = both(n.Base, sites)
		}
	default:
		n.Allow = both(n.Allow, sites)
	}
	if len(n.Allow) > 0 {
		n.Reach = enforce.Only
	} else {
		n.Reach = enforce.Never
	}
	return n
}

// both returns the host patterns that lie in both lists. A name covers its
// subdomains, so the narrower of two patterns is what they share.
func both(a, b []string) []string {
	var shared []string
	seen := map[string]bool{}
	keep := func(from, in []string) {
		for _, pattern := range from {
			if !seen[pattern] && covered(pattern, in) {
				seen[pattern] = true
				shared = append(shared, pattern)
			}
		}
	}
	keep(a, b)
	keep(b, a)
	return shared
}

// covered reports whether everything that a pattern allows is allowed by one of
// the others.
func covered(pattern string, by []string) bool {
	exact := pattern != "" && pattern[0] == '='
	for _, other := range by {
		if !exact && other != "" && other[0] == '=' {
			continue // one name does not cover a name with its subdomains
		}
		name := pattern
		if exact {
			name = pattern[1:]
		}
		for name != "" && (name[0] == '*' || name[0] == '.') {
			name = name[1:]
		}
		if lease.MatchHost(other, name) {
			return true
		}
	}
	return false
}

func screen(h lease.Holding) *enforce.Screen {
	if h.Screen == nil {
		return nil
	}
	return &enforce.Screen{By: h.Screen.By, Message: h.Screen.Rules.Message}
}

func apps(h lease.Holding) *enforce.Apps {
	var a *enforce.Apps
	if h.Exam != nil {
		a = &enforce.Apps{Allow: h.Exam.Rules.Apps, By: h.Exam.By}
	}
	if h.Focus != nil {
		if a == nil {
			return &enforce.Apps{Allow: h.Focus.Rules.Apps, By: h.Focus.By}
		}
		a.Allow = same(a.Allow, h.Focus.Rules.Apps)
	}
	return a
}

func same(a, b []string) []string {
	var shared []string
	for _, x := range a {
		for _, y := range b {
			if x == y {
				shared = append(shared, x)
				break
			}
		}
	}
	return shared
}

func notice(h lease.Holding, speech Speech) enforce.Notice {
	var n enforce.Notice
	for _, l := range h.List() {
		line := words.Notice(speech.Lang, l, speech.Zone)
		if l.Rules.Message != "" {
			line += " „" + l.Rules.Message + "“"
		}
		n.Lines = append(n.Lines, line)
		if n.Until.IsZero() || l.Expires.Before(n.Until) {
			n.Until = l.Expires
		}
	}
	return n
}
