package linux

import (
	"context"
	"path"
	"strings"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/agent/words"
)

// restart is the arranged restart of browsers that go on with old rules.
type restart struct {
	at     time.Time
	cancel context.CancelFunc
	done   chan struct{}
	// stayed is true after browsers were asked to end and did not.
	stayed bool
}

// How long a browser may take to end after it was asked: it writes its session.
const browserEnd = 15 * time.Second

// browserNames are the programs that read our files, by the name of the file
// that runs.
var browserNames = map[string]bool{
	"chromium": true, "chromium-browser": true, "chrome": true, "msedge": true, "brave": true,
	"firefox": true, "firefox-bin": true, "firefox-esr": true,
}

// isBrowser reports whether the process is a browser itself and none of its
// helpers for pages, graphics and sound.
func isBrowser(p host.Program) bool {
	if !browserNames[path.Base(p.Path)] || len(p.Args) == 0 {
		return false
	}
	for _, arg := range p.Args {
		// Helpers of Chromium join all their arguments with blanks.
		if strings.HasPrefix(arg, "--type=") || strings.Contains(arg, " --type=") || arg == "-contentproc" {
			return false
		}
	}
	return !strings.HasSuffix(p.Args[0], "crashpad_handler")
}

// stale lists the browsers of people that were started under other rules than
// those that lie in the files now.
func (b *Browser) stale() []host.Program {
	programs, err := b.o.Programs.Programs()
	if err != nil || len(b.since) == 0 {
		return nil
	}
	now := b.since[len(b.since)-1].Rules
	var stale []host.Program
	for _, p := range programs {
		if isBrowser(p) && b.rulesAt(p.Started) != now {
			stale = append(stale, p)
		}
	}
	return stale
}

// staleFirefox reports whether one of them is Firefox.
func (b *Browser) staleFirefox() bool {
	for _, p := range b.stale() {
		if isFirefox(p) {
			return true
		}
	}
	return false
}

func isFirefox(p host.Program) bool { return strings.HasPrefix(path.Base(p.Path), "firefox") }

// rulesAt returns the rules that a browser found which started at the instant.
func (b *Browser) rulesAt(started time.Duration) string {
	found := b.since[0].Rules
	for _, since := range b.since {
		if since.From <= started {
			found = since.Rules
		}
	}
	return found
}

// arrange tells pupils and sets the restart going; it is called under the lock.
// Where no browser is stale any more, an arranged restart is called off.
func (b *Browser) arrange(restricted bool) {
	stale := b.stale()
	if len(stale) == 0 {
		if b.due.cancel != nil {
			b.due.cancel()
		}
		b.due = restart{}
		return
	}
	if b.due.cancel != nil || b.due.stayed {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	b.due = restart{at: time.Now().Add(b.o.Notice), cancel: cancel, done: make(chan struct{})}
	if b.o.Notice > 0 {
		b.tell(stale, restricted)
	}
	go b.restartAfter(ctx, b.o.Notice, b.due.done)
}

func (b *Browser) tell(stale []host.Program, restricted bool) {
	desktops, err := b.o.Desktops.Desktops()
	if err != nil {
		return
	}
	people := map[int]bool{}
	for _, p := range stale {
		people[p.UID] = true
	}
	title, body := words.BrowserRestart(words.Preferred(), b.o.Notice, restricted)
	for _, d := range desktops {
		if people[d.UID] {
			// Not every desktop shows notices; the restart says the same.
			_ = b.o.Notices.Notify(d, title, body)
		}
	}
}

func (b *Browser) restartAfter(ctx context.Context, notice time.Duration, done chan struct{}) {
	defer close(done)
	if notice > 0 {
		select {
		case <-ctx.Done():
			return
		case <-b.o.Clock.After(notice):
		}
	}
	b.mu.Lock()
	stale := b.stale()
	b.mu.Unlock()
	stayed := false
	for _, p := range stale {
		if ctx.Err() != nil {
			return
		}
		if !b.restart(ctx, p) {
			stayed = true
		}
	}
	b.mu.Lock()
	if b.due.done != done {
		b.mu.Unlock()
		return
	}
	// From here on the next mode may arrange a restart of its own.
	b.due.cancel()
	b.due = restart{stayed: stayed}
	round, resuming := b.round, b.resuming
	b.mu.Unlock()
	if resuming {
		b.resumeAfter(round)
	}
}

// resumeAfter takes away what brought the pages back once the browsers have read
// it, unless other rules have come since.
func (b *Browser) resumeAfter(round int) {
	<-b.o.Clock.After(b.o.Linger)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.round == round {
		// If it cannot be taken away now, the next Set does.
		_ = b.resumed()
	}
}

// restart asks one browser to end, and starts it again as it was. A browser that
// stays, because a page asks something, is left alone: nothing is lost by us.
func (b *Browser) restart(ctx context.Context, p host.Program) (gone bool) {
	env, err := b.o.Programs.Environ(p)
	if err != nil {
		return false
	}
	if err := b.o.Programs.AskToEnd(p); err != nil {
		return false
	}
	if !b.awaitEnd(ctx, p) {
		return false
	}
	again := host.Launch{UID: p.UID, GID: p.GID, Groups: p.Groups, Path: p.Path, Args: restartArgs(p), Env: env, Dir: "/"}
	return b.o.Programs.Launch(again) == nil
}

func (b *Browser) awaitEnd(ctx context.Context, p host.Program) bool {
	for end := time.Now().Add(browserEnd); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		if !b.o.Programs.Running(p) {
			return true
		}
	}
	return false
}

// restartArgs are the options that a browser was started with; the pages come
// back from its session, not from the command line.
func restartArgs(p host.Program) []string {
	const restore = "--restore-last-session"
	firefox := isFirefox(p)
	var args []string
	for i := 1; i < len(p.Args); i++ {
		arg := p.Args[i]
		if !strings.HasPrefix(arg, "-") || arg == "--" || arg == restore {
			continue
		}
		args = append(args, arg)
		if firefox && takesValue[strings.TrimLeft(arg, "-")] && i+1 < len(p.Args) {
			i++
			args = append(args, p.Args[i])
		}
	}
	if !firefox {
		// Firefox takes no such word; resumePref makes it bring back what was open.
		args = append(args, restore)
	}
	return args
}

// takesValue names Firefox's options whose value is an argument of its own.
var takesValue = map[string]bool{"P": true, "p": true, "profile": true, "name": true, "class": true, "display": true, "screenshot": true, "marionette-port": true}

// Settle returns when no restart is arranged any more, or when the context ends.
// Programs that set and leave, as sweep does, wait for it.
func (b *Browser) Settle(ctx context.Context) {
	b.mu.Lock()
	done := b.due.done
	b.mu.Unlock()
	if done == nil {
		return
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// running says what Check says of running browsers.
func (b *Browser) running() enforce.Reading {
	if len(b.stale()) == 0 {
		b.due.stayed = false
		return asWanted()
	}
	if b.due.stayed {
		return pending("browser.stayed")
	}
	if b.due.at.IsZero() {
		return pending("browser.restart")
	}
	return pending("browser.restart-at", "at", words.Clock(b.due.at, nil))
}
