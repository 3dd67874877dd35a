package linux

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"schulwart.org/agent/display"
	"schulwart.org/agent/host"
)

// SessionHelper is what the helper works with.
type SessionHelper struct {
	Tree     host.Disk
	Programs host.Programs
	Desktops host.Desktops
	// Profiles keeps profiles in a directory.
	Profiles func(dir string) host.Profiles
	// Consoles locks text consoles or lets people switch again.
	Consoles func(locked bool) error
	// Pupil speaks for the pupil with the agent whose state lies in a directory.
	Pupil func(state string) Pupil
	// Attach starts a process that looks after one display.
	Attach func(host.Desktop) (*display.Attendant, error)
}

// The helper's rhythms.
const (
	sessionRound = 300 * time.Millisecond
	sessionLook  = 3 // rounds between two looks at programs
	reopen       = time.Second
	// graceful is how long browsers stay that were open before: their owners are
	// told by the part that is about programs.
	graceful = time.Minute
)

// sessionKeeper is the helper at work.
type sessionKeeper struct {
	SessionHelper
	*host.Keeper
	order     sessionOrder
	began     time.Time
	attending map[string]*display.Attendant
	browsers  map[string]*examBrowser // by display, or user where there is none
	report    sessionReport
	emptied   int // by attendants that are gone
	pupil     pupilDesk
	asked     map[string]int // by display: what its attendant counted
	page      string         // for the pupil; empty where there is none
	unserve   func()
}

// examBrowser is the examination's browser in one session.
type examBrowser struct {
	desktop host.Desktop
	profile string
	opened  int
	last    time.Time
	program host.Program
	runs    bool
}

// HoldSession looks after sessions for as long as the order in dir says. It
// returns at once if another helper does so already.
func HoldSession(dir string, helper SessionHelper) error {
	lock, err := host.Keep(dir, SessionName)
	if errors.Is(err, host.ErrHeld) {
		return nil
	}
	if err != nil {
		return err
	}
	k := &sessionKeeper{SessionHelper: helper, Keeper: lock, began: time.Now(), attending: map[string]*display.Attendant{}, browsers: map[string]*examBrowser{}, asked: map[string]int{}, unserve: func() {}}
	defer k.Close()
	defer func() { k.unserve() }()
	k.report.VM = virtualMachine(helper.Tree)
	for number := 0; ; number++ {
		content, left, ok := k.Order()
		if !ok {
			return k.over()
		}
		var order sessionOrder
		if err := json.Unmarshal(content, &order); err != nil {
			return err
		}
		k.order = order
		k.pupil.follow(order, left)
		if number == 0 {
			k.attendPupil()
		}
		if number%sessionLook == 0 {
			// A console that cannot be locked is no reason to leave the rest open.
			_ = k.Consoles(order.Consoles)
			k.look()
		}
		k.attend(left)
		if err := k.Report(k.report); err != nil {
			return err
		}
		time.Sleep(sessionRound)
	}
}

// over makes everything as before.
func (k *sessionKeeper) over() error {
	for _, a := range k.attending {
		a.Leave()
	}
	for end := time.Now().Add(3 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		programs, err := k.Programs.Programs()
		if err != nil {
			break
		}
		left := 0
		for _, p := range programs {
			if strings.Contains(profileOf(p), profileMark) {
				left++
				_ = k.Programs.End(p)
			}
		}
		if left == 0 || time.Now().After(end) {
			break
		}
	}
	return errors.Join(k.Profiles(k.order.Profiles).Clear(), k.Consoles(false))
}

// look goes through sessions and programs.
func (k *sessionKeeper) look() {
	desktops, err := k.Desktops.Desktops()
	if err != nil {
		k.report.Fault = err.Error()
		return
	}
	programs, err := k.Programs.Programs()
	if err != nil {
		k.report.Fault = err.Error()
		return
	}
	k.report.Fault = ""
	there := map[string]bool{}
	k.report.Wayland = false
	for _, d := range desktops {
		if !host.IsPerson(d.UID) || len(k.order.Displays) > 0 && !slices.Contains(k.order.Displays, d.Display) {
			continue
		}
		name := strconv.Itoa(d.UID) + d.Display
		there[name] = true
		k.report.Wayland = k.report.Wayland || d.Wayland
		if k.browsers[name] == nil {
			k.browsers[name] = &examBrowser{desktop: d, profile: path.Join(k.order.Profiles, k.profileName(name))}
		}
	}
	for name := range k.browsers {
		if !there[name] {
			k.leave(name)
		}
	}
	k.report.Sessions = len(k.browsers)
	k.sort(programs)
	k.open()
	k.report.Remote = remoteWays(programs)
}

func (k *sessionKeeper) leave(name string) {
	if a := k.attending[name]; a != nil {
		k.emptied += a.Seen().Emptied
		a.Leave()
		delete(k.attending, name)
	}
	delete(k.browsers, name)
}

// sort finds the examination's own browsers, and ends what has no place beside
// them: other browsers with windows of their own, portals that take pictures, and
// what takes in files.
func (k *sessionKeeper) sort(programs []host.Program) {
	for _, b := range k.browsers {
		b.runs = false
	}
	for _, p := range programs {
		name := path.Base(p.Path)
		switch b := k.browserOf(p); {
		case b != nil && isBrowser(p):
			b.program, b.runs = p, true
		case b != nil:
		case k.order.Page != "" && isBrowser(p) && k.concerns(p):
			if time.Since(k.began) > graceful || p.Started > k.startedBefore() {
				_ = k.Programs.AskToEnd(p)
			}
		case !k.order.Capture && slices.Contains(capturePortals, name), slices.Contains(quietRemote, name):
			_ = k.Programs.End(p)
		}
	}
}

// startedBefore is the elapsed time at which the helper began; what started later
// was opened in the examination.
func (k *sessionKeeper) startedBefore() time.Duration {
	return host.NewClock("").Read().Elapsed - time.Since(k.began)
}

func (k *sessionKeeper) concerns(p host.Program) bool {
	for _, b := range k.browsers {
		if b.desktop.UID == p.UID {
			return true
		}
	}
	return false
}

// browserOf returns the examination's browser that a program is or belongs to, nil
// for every other. A name that looks like one of our profiles makes nobody ours.
func (k *sessionKeeper) browserOf(p host.Program) *examBrowser {
	profile := profileOf(p)
	for _, b := range k.browsers {
		if profile != "" && b.profile == profile {
			return b
		}
	}
	return nil
}

// profileOf returns the profile that a browser or one of its helpers was started
// with; none where two are named, since either could be the one that counts.
func profileOf(p host.Program) string {
	// Helpers of Chromium join all their arguments with blanks.
	words := strings.Fields(strings.Join(p.Args, " "))
	found := ""
	for i, word := range words {
		profile, named := strings.CutPrefix(word, "--user-data-dir=")
		if !named && (word == "--profile" || word == "-profile") && i+1 < len(words) {
			profile, named = words[i+1], true
		}
		if !named {
			continue
		}
		if found != "" && found != profile {
			return ""
		}
		found = profile
	}
	return found
}

func (k *sessionKeeper) profileName(session string) string {
	sum := sha256.Sum256([]byte(k.order.ID + "\x00" + session))
	return strings.TrimPrefix(profileMark, "/") + hex.EncodeToString(sum[:8])
}

// profileMark is part of every profile's name.
const profileMark = "/schulwart-exam-"

// open opens the examination's browser where it is missing.
func (k *sessionKeeper) open() {
	program, _ := ExamBrowser(k.Tree)
	k.report.Browser, k.report.Open, k.report.Opened = program, true, 0
	for name, b := range k.browsers {
		if k.order.Page == "" {
			if b.runs {
				_ = k.Programs.AskToEnd(b.program)
			}
			continue
		}
		k.report.Open = k.report.Open && b.runs
		if !b.runs && program != "" && time.Since(b.last) > reopen {
			if err := k.launch(name, b, program); err != nil {
				k.report.Fault = err.Error()
			}
		}
		k.report.Opened += b.opened
	}
}

func (k *sessionKeeper) launch(name string, b *examBrowser, program string) error {
	profile, err := k.Profiles(k.order.Profiles).Make(k.profileName(name), b.desktop.UID, b.desktop.GID)
	if err != nil {
		return err
	}
	b.profile, b.last = profile, time.Now()
	b.opened++
	return k.Programs.Launch(host.Launch{
		UID: b.desktop.UID, GID: b.desktop.GID, Groups: b.desktop.Groups, Path: program, Env: b.desktop.Env, Dir: "/",
		Args: browserArgs(program, profile, k.order.Flags, k.order.Page, k.page),
	})
}

// examClass is the WM_CLASS of the examination's window.
const examClass = "schulwart-exam"

// browserArgs start a browser that shows the first page on the whole screen, and
// the others behind it.
func browserArgs(program, profile string, flags []string, pages ...string) []string {
	pages = slices.DeleteFunc(pages, func(page string) bool { return page == "" })
	if strings.HasPrefix(path.Base(program), "firefox") {
		return append([]string{"--kiosk", "--no-remote", "--new-instance", "--class", examClass, "--name", examClass, "--profile", profile}, pages...)
	}
	args := []string{
		"--kiosk", "--user-data-dir=" + profile, "--class=" + examClass, "--no-first-run", "--no-default-browser-check", "--disable-sync", "--password-store=basic",
		"--hide-crash-restore-bubble", "--disable-session-crashed-bubble", "--disable-pinch", "--overscroll-history-navigation=0", "--disable-component-update", "--disk-cache-size=67108864",
	}
	return slices.Concat(args, flags, pages)
}

// attendPupil begins to speak for the pupil.
func (k *sessionKeeper) attendPupil() {
	if k.SessionHelper.Pupil != nil {
		k.pupil.pupil = k.SessionHelper.Pupil(k.order.State)
	}
	if end, ok := servePupil(&k.pupil); ok {
		k.page, k.unserve = pupilPage, end
	}
}

// heard passes on what was asked for on a display since the last look.
func (k *sessionKeeper) heard(name string, seen display.DeskSeen) {
	if seen.Asked > k.asked[name] {
		go k.pupil.raise(seen.Up)
	}
	k.asked[name] = seen.Asked
}

// attend passes the order on to whoever looks after the displays.
func (k *sessionKeeper) attend(left time.Duration) {
	order := display.DeskOrder{Clipboard: k.order.Clipboard, Screens: k.order.Screens, Bar: k.pupil.bar(), Left: left}
	if k.order.Page != "" && k.order.Alone {
		order.Class = examClass
	}
	r := &k.report
	r.Window, r.Front, r.Screens, r.Dark, r.Emptied = true, true, 0, 0, k.emptied
	for name, b := range k.browsers {
		if b.desktop.Display == "" || b.desktop.Wayland {
			continue
		}
		a := k.attending[name]
		if a == nil || a.Gone() {
			if a != nil {
				k.emptied += a.Seen().Emptied
			}
			var err error
			if a, err = k.Attach(b.desktop); err != nil {
				r.Fault = err.Error()
				delete(k.attending, name)
				continue
			}
			k.attending[name], k.asked[name] = a, 0
		}
		a.Tell(order)
		seen := a.Seen()
		k.heard(name, seen)
		r.Window, r.Front = r.Window && seen.Window, r.Front && seen.Front
		r.Screens, r.Dark, r.Emptied = max(r.Screens, seen.Screens), max(r.Dark, seen.Dark), r.Emptied+seen.Emptied
		if seen.Fault != "" {
			r.Fault = seen.Fault
		}
	}
}
