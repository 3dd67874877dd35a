package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/memory"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
)

// part is one driver with what is wanted of it and what it read back. A driver
// that hangs holds up nobody else.
type part struct {
	driver enforce.Driver
	name   catalog.Part

	want  string // rules that it should hold, as a key
	set   string // rules that the last successful Set made so
	again bool   // Set although the key is the same
	busy  bool
	began time.Duration // elapsed when the present job began

	reading  enforce.Reading
	known    bool // something was read back for set
	since    time.Time
	repaired bool // somebody changed it while these rules held

	seen   time.Duration // elapsed of the last look
	failed int
	retry  time.Duration // elapsed before which a failed Set is not repeated
	spoke  time.Duration // elapsed of the last event about tampering

	spokeFor string // rules for which a reading was told
}

// Bounds of a driver's patience and ours.
const (
	jobTime    = 15 * time.Second
	hungSlack  = 5 * time.Second
	retryMost  = time.Minute
	tamperRest = time.Minute // one event a minute tells enough
)

// family reports whether the part is a family of the base policy with a driver of
// its own, and has nothing to do with modes.
func (p *part) family() bool { return isFamily(p.driver) }

func isFamily(driver enforce.Driver) bool {
	_, family := catalog.Find(string(driver.Part()))
	return family
}

// takes is how long a job of the part's driver may take. Some drivers say that
// they need longer: whoever installs programs.
func (p *part) takes() time.Duration {
	if slow, ok := p.driver.(interface{ Takes() time.Duration }); ok {
		return max(slow.Takes(), jobTime)
	}
	return jobTime
}

// outcome is what a job of a driver brought.
type outcome struct {
	key      string // set by the job; empty if it only looked
	err      error
	reading  enforce.Reading
	tampered *ddm.Reason
	isSet    bool
}

// aim tells the part what must hold now. All parts are told before any acts, so
// that none passes for settled by rules that hold no more.
func (l *Loop) aim(p *part) {
	if key := keyOfRules(p.name, l.rules); key != p.want {
		p.want, p.repaired, p.failed, p.retry = key, false, 0, 0
	}
}

// want starts a job if what must hold is new.
func (l *Loop) want(p *part, again bool, elapsed time.Duration) {
	p.again = p.again || again
	if p.busy || p.settled() && !p.again || elapsed < p.retry {
		return
	}
	p.again = false
	key, rules := p.want, l.rules
	l.run(p, elapsed, func(ctx context.Context) outcome { return apply(ctx, p.driver, l.fresh(rules), key) })
}

// fresh brings the remaining times up to the moment in which a driver starts.
func (l *Loop) fresh(rules enforce.Rules) enforce.Rules {
	clock := l.config.Memory.Clock().At(l.config.Clock.Read())
	return timed(rules, clock.Now)
}

func apply(ctx context.Context, driver enforce.Driver, rules enforce.Rules, key string) outcome {
	o := outcome{key: key, isSet: true}
	if o.err = driver.Set(ctx, rules); o.err == nil {
		o.reading = driver.Check(ctx)
	}
	return o
}

// How often the parts are looked at that are details of a mode, and while there
// is none. To look at browsers and programs means to read every process, so it
// is done less often than it is to look at packet rules.
const (
	watchDetails     = 10 * time.Second
	watchDetailsIdle = 30 * time.Second
	watchFamilies    = time.Minute
)

// check looks at every part that stands still, and repairs what was changed.
func (l *Loop) check() {
	elapsed := l.looked
	for _, p := range l.parts {
		if p.busy {
			l.hung(p, elapsed)
			continue
		}
		if !p.settled() || elapsed < p.retry || p.seen != 0 && elapsed-p.seen < l.patience(p) {
			continue
		}
		p.seen = elapsed
		key, rules := p.want, l.rules
		l.run(p, elapsed, func(ctx context.Context) outcome {
			seen := p.driver.Check(ctx)
			if seen.State != ddm.PartDeviating {
				return outcome{reading: seen}
			}
			o := apply(ctx, p.driver, l.fresh(rules), key)
			o.tampered = seen.Reason
			if o.tampered == nil {
				o.tampered = &ddm.Reason{Code: "part.changed"}
			}
			return o
		})
	}
}

// patience is how long a part is not looked at again.
func (l *Loop) patience(p *part) time.Duration {
	switch {
	case p.name == catalog.Network, p.name == catalog.Screen && l.rules.Screen != nil, p.reading.State == ddm.PartPending:
		return 0
	case p.family():
		return watchFamilies
	case l.holding.Any():
		return watchDetails
	}
	return watchDetailsIdle
}

func (l *Loop) hung(p *part, elapsed time.Duration) {
	if elapsed-p.began > p.takes()+hungSlack && p.reading.State != ddm.PartDeviating {
		l.saw(p, enforce.Reading{State: ddm.PartDeviating, Reason: &ddm.Reason{Code: timeout}})
	}
}

// run starts a job of the part's driver; its outcome comes back under the lock.
func (l *Loop) run(p *part, elapsed time.Duration, job func(context.Context) outcome) {
	p.busy, p.began = true, elapsed
	if l.config.Inline {
		o := job(l.ctx)
		p.busy = false
		l.done(p, o)
		return
	}
	parent := l.ctx
	go func() {
		ctx, cancel := context.WithTimeout(parent, p.takes())
		defer cancel()
		o := job(ctx)
		l.mu.Lock()
		defer l.mu.Unlock()
		p.busy = false
		l.done(p, o)
		if !p.settled() || p.again {
			l.want(p, false, l.config.Clock.Read().Elapsed)
		}
		l.poke()
	}()
}

// done takes in what a job brought.
func (l *Loop) done(p *part, o outcome) {
	if o.isSet && o.err != nil {
		l.failed(p, o.err)
		return
	}
	if o.isSet {
		p.set, p.known = o.key, true
	}
	if o.reading.State != ddm.PartDeviating {
		p.failed, p.retry = 0, 0
	}
	if o.tampered != nil {
		l.tampered(p, *o.tampered, o.reading)
	}
	l.saw(p, o.reading)
	l.released()
	l.inForce()
	l.signal()
}

// failed notes why a Set did not work, and when to try again.
func (l *Loop) failed(p *part, err error) {
	if errors.Is(err, context.Canceled) && l.ctx.Err() != nil {
		return
	}
	p.failed++
	wait := min(2*time.Second<<min(p.failed-1, 5), retryMost)
	p.retry = l.config.Clock.Read().Elapsed + wait
	l.config.Log.Warn("driver could not set its part", "part", p.name, "error", err)
	l.saw(p, enforce.Reading{State: ddm.PartDeviating, Reason: &ddm.Reason{Code: "part.driver-error", Details: map[string]string{"error": err.Error()}}})
}

// tampered tells that somebody changed a part, once a minute at the most.
func (l *Loop) tampered(p *part, why ddm.Reason, now enforce.Reading) {
	if now.State != ddm.PartDeviating {
		p.repaired = true
	} else {
		// It cannot be held; trying every two seconds would help nobody.
		p.failed++
		p.retry = l.config.Clock.Read().Elapsed + min(2*time.Second<<min(p.failed-1, 5), retryMost)
	}
	if p.family() && p.reading.State == ddm.PartDeviating {
		return // it did not take effect yet, and nobody changed anything
	}
	elapsed := l.config.Clock.Read().Elapsed
	if p.spoke != 0 && elapsed-p.spoke < tamperRest {
		return
	}
	p.spoke = max(elapsed, 1)
	key := "tamper.repaired"
	if now.State == ddm.PartDeviating {
		key = "tamper.stays"
	}
	l.config.Log.Warn("part was changed from outside", "part", p.name, "reason", why.Code)
	l.update(func(s *memory.State) { s.Counters.Repairs++ })
	l.happened(key, map[string]string{"part": string(p.name), "reason": why.Code})
	deed := ddm.DeedRepaired
	if now.State == ddm.PartDeviating {
		deed = ddm.DeedDeviating
	}
	l.noted(deed, map[string]string{"part": string(p.name), "reason": why.Code})
}

// saw notes a reading, and tells the server if it differs from the last or is
// the first for these rules.
func (l *Loop) saw(p *part, reading enforce.Reading) {
	if p.repaired && reading.State == ddm.PartOK {
		reading.State = ddm.PartRepaired
	}
	same := p.reading.State == reading.State && code(p.reading.Reason) == code(reading.Reason)
	if !same {
		p.since = l.config.Memory.Clock().Now
	}
	p.reading = reading
	if !same || p.spokeFor != p.want {
		p.spokeFor = p.want
		l.tell()
	}
}

// isLate reports whether the part's driver was told of as one that hangs.
func (p *part) isLate() bool { return code(p.reading.Reason) == timeout }

// timeout is the reason of a driver that does not come back.
const timeout = "part.timeout"

// settled reports whether the part's reading is about the rules that hold now.
func (p *part) settled() bool { return p.set == p.want && p.known }

func code(reason *ddm.Reason) string {
	if reason == nil {
		return ""
	}
	return reason.Code
}

// keyOfRules names what a part has to do, remaining times aside: those change
// with every look, and the ends do not.
func keyOfRules(name catalog.Part, rules enforce.Rules) string {
	rules = timed(rules, time.Time{})
	rules.Network.Release = 0
	if rules.Screen != nil {
		rules.Screen.Release = 0
	}
	if rules.Apps != nil {
		rules.Apps.Release = 0
	}
	var about any
	if rules.Exam != nil {
		rules.Exam.Release = 0
	}
	switch name {
	case catalog.Network:
		about = rules.Network
	case catalog.Session:
		about = rules.Exam
	case catalog.Screen:
		about = struct {
			Screen *enforce.Screen
			Notice enforce.Notice
		}{rules.Screen, rules.Notice}
	case catalog.Apps:
		// What an examination opens decides which programs start, too.
		about = struct {
			Apps *enforce.Apps
			Exam *enforce.Exam
		}{rules.Apps, rules.Exam}
	default:
		about = aboutPart(name, rules)
	}
	key, err := json.Marshal(about)
	if err != nil {
		return ""
	}
	return string(key)
}

// aboutPart is what of the rules a part has to do with that is none of the above:
// the base policy's families, each its own settings, and what stands for modes as
// a whole.
func aboutPart(name catalog.Part, rules enforce.Rules) any {
	if _, ok := catalog.Find(string(name)); ok {
		return rules.Base[string(name)]
	}
	base := enforce.Base{}
	for _, family := range catalog.Families {
		if settings, ok := rules.Base[family.Name]; ok && (family.Part == name || slices.Contains(family.Also, name)) {
			base[family.Name] = settings
		}
	}
	rules.Base = base
	return rules
}
