package packages_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"schulwart.org/agent/host"
	"schulwart.org/agent/packages"
	"schulwart.org/agent/reconcile"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
)

// monday is in a week of lessons, before they begin.
var monday = time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)

var errKilled = errors.New("killed")

// world is a device: its disk, its clock and its system survive what kills the
// agent.
type world struct {
	t     rapid.TB
	files *host.FakeFiles
	now   time.Time
	clock *host.Fake

	wanted []reconcile.Package
	busy   bool
	served map[string][]byte // by path
	offset int               // pieces until the wire breaks; negative: never

	present   map[string]string
	installed map[string]int // how often the system began, by name and version
	begun     []time.Time    // when it did
	killAt    int            // effects until the agent is killed; negative: never
	cancel    context.CancelFunc
	faults    int  // installations that fail
	bell      bool // rings when the file has come
	mortal    bool // every installation kills the agent

	keeper *packages.Keeper
}

func newWorld(t rapid.TB) *world {
	w := &world{t: t, files: &host.FakeFiles{}, now: monday, clock: host.NewFake(monday), served: map[string][]byte{}, offset: -1, present: map[string]string{}, installed: map[string]int{}, killAt: -1}
	w.start()
	return w
}

// start is the agent's start, after whatever ended it.
func (w *world) start() {
	w.keeper = packages.New(packages.Options{
		Wanted: func() []reconcile.Package { return w.wanted }, Announce: func() {}, Busy: func() bool { return w.busy }, Now: func() time.Time { return w.now },
		Clock: w.clock, Store: w.files, System: w, Free: func() int64 { return 10 << 30 }, Spread: func(within time.Duration) time.Duration { return within / 3 },
	})
}

// Able is part of packages.System.
func (w *world) Able(d rollout.Declared) *ddm.Reason {
	if d.Kind != rollout.Deb {
		return &ddm.Reason{Code: "package.kind"}
	}
	return nil
}

// Present is part of packages.System.
func (w *world) Present(_ context.Context, d rollout.Declared) (string, error) {
	return w.present[d.Name], nil
}

// Install works in two steps, between which the machine may stop.
func (w *world) Install(ctx context.Context, d rollout.Declared, file string) error {
	w.permitted("install")
	data, err := w.files.Read(file)
	if err != nil {
		w.t.Fatalf("asked to install what is not there: %v", err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != d.SHA256 {
		w.t.Fatalf("asked to install what was not declared")
	}
	w.installed[d.Name+" "+d.Version]++
	w.begun = append(w.begun, w.now)
	if w.faults > 0 {
		w.faults--
		return errors.New("a script of the package failed")
	}
	if w.mortal {
		w.cancel()
	}
	if w.mortal || w.killed() {
		return ctx.Err()
	}
	w.present[d.Name] = d.Version
	if w.killed() {
		return ctx.Err()
	}
	return nil
}

// Remove is part of packages.System.
func (w *world) Remove(_ context.Context, d rollout.Declared) error {
	if w.busy {
		w.t.Fatalf("removed in the midst of a lesson")
	}
	delete(w.present, d.Name)
	return nil
}

func (w *world) permitted(what string) {
	if w.busy {
		w.t.Fatalf("%s in the midst of a lesson", what)
	}
	if clock := w.now.In(berlin); w.now.Weekday() == time.Monday && clock.Hour() >= 7 && clock.Hour() < 16 {
		w.t.Fatalf("%s at %s, when there are lessons", what, clock.Format("15:04"))
	}
}

// killed counts an effect, and ends the agent where that was due.
func (w *world) killed() bool {
	if w.killAt == 0 {
		w.killAt = -1
		w.cancel()
		return true
	}
	if w.killAt > 0 {
		w.killAt--
	}
	return false
}

// Way says that there is nobody but the server.
func (w *world) Way(context.Context, string, rollout.Ask) (rollout.Way, error) {
	return rollout.Way{Lead: true, Again: 10}, nil
}

// Piece is the way to the server.
func (w *world) Piece(_ context.Context, path string, from int64, most int) ([]byte, error) {
	if w.offset == 0 {
		w.offset = -1
		return nil, errors.New("the wire broke")
	}
	w.offset--
	if w.killed() {
		return nil, errKilled
	}
	w.busy = w.busy || w.bell && from+int64(most) == int64(len(w.served[path]))
	data := w.served[path][from:]
	return data[:min(most, len(data))], nil
}

var berlin = must(time.LoadLocation("Europe/Berlin"))

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// declare puts a version on offer and says that it is wanted.
func (w *world) declare(name, version string, try int) rollout.Declared {
	content := make([]byte, 2<<20+100)
	copy(content, name+version)
	sum := sha256.Sum256(content)
	d := rollout.Declared{
		Rollout: org.ID("r-" + version), Action: rollout.Install, Try: try, Kind: rollout.Deb, Name: name, Version: version, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:]),
		Calendar: rollout.Calendar{Zone: "Europe/Berlin", Land: "BE", Lessons: rollout.Span{From: 7 * 60, To: 16 * 60}},
	}
	d.Path = rollout.PathOf(d.SHA256)
	w.served[d.Path] = content
	w.want(d)
	return d
}

func (w *world) want(d rollout.Declared) {
	w.wanted = []reconcile.Package{{ID: rollout.Prefix + "deb." + d.Name, Declared: d}}
}

// live lets the agent run for some time, and start anew when it was killed.
func (w *world) live(length time.Duration) {
	for end := w.now.Add(length); w.now.Before(end); w.now = w.now.Add(time.Minute) {
		ctx, cancel := context.WithCancel(context.Background())
		w.cancel = cancel
		w.keeper.Turn(ctx)
		select {
		case <-w.keeper.Wants():
			if err := w.keeper.Carry(ctx, w); err == nil {
				w.keeper.Turn(ctx)
			}
		default:
		}
		if ctx.Err() != nil {
			w.start()
		}
		cancel()
	}
}

func (w *world) state() ddm.PackageStatus {
	list := w.keeper.Statuses()
	if len(list) != 1 {
		w.t.Fatalf("%d words", len(list))
	}
	return list[0]
}

func TestAPackageComesInItsWindowAndLeavesWithItsDeclaration(t *testing.T) {
	w := newWorld(t)
	w.now = monday.Add(3 * time.Hour) // nine o'clock: lessons
	w.declare("geogebra", "1.0", 1)
	w.live(30 * time.Minute)
	if s := w.state(); s.State != ddm.PackageWaiting || s.Reason == nil || s.Reason.Code != "package.window" {
		t.Fatalf("in lessons: %+v", s)
	}
	w.live(8 * time.Hour)
	if s := w.state(); s.State != ddm.PackageVerified || s.Present != "1.0" || w.installed["geogebra 1.0"] != 1 {
		t.Fatalf("after lessons: %+v, begun %d times", s, w.installed["geogebra 1.0"])
	}
	if size, _ := w.files.Size(w.wanted[0].SHA256 + ".deb"); size != 0 {
		t.Error("the file is still there")
	}
	w.present["geogebra"] = "" // somebody takes it away
	w.live(time.Hour)
	if s := w.state(); s.State != ddm.PackageVerified || s.Present != "1.0" {
		t.Errorf("after somebody took it away: %+v", s)
	}
	w.wanted = nil
	w.live(2 * time.Minute)
	if _, there := w.present["geogebra"]; there || len(w.keeper.Statuses()) != 0 {
		t.Error("it outlived its declaration")
	}
}

func TestWhatWasThereBeforeStaysWhenItsDeclarationLeaves(t *testing.T) {
	w := newWorld(t)
	w.present["geogebra"] = "0.9"
	w.declare("geogebra", "1.0", 1)
	w.now = w.now.Add(11 * time.Hour)
	w.live(time.Hour)
	w.wanted = nil
	w.live(2 * time.Minute)
	if w.present["geogebra"] != "1.0" {
		t.Error("what the device had before was taken away")
	}
}

func TestAFailureIsToldAndTriedAgainOnlyWhenAsked(t *testing.T) {
	w := newWorld(t)
	w.faults = 1
	w.declare("geogebra", "1.0", 1)
	w.now = w.now.Add(11 * time.Hour)
	w.live(2 * time.Hour)
	if s := w.state(); s.State != ddm.PackageFailed || s.Reason.Code != "package.install" || w.installed["geogebra 1.0"] != 1 {
		t.Fatalf("%+v, begun %d times", s, w.installed["geogebra 1.0"])
	}
	w.declare("geogebra", "1.0", 2)
	w.live(time.Hour)
	if s := w.state(); s.State != ddm.PackageVerified || s.Try != 2 {
		t.Errorf("asked again: %+v", s)
	}
}

func TestAWrongFileIsNeverInstalled(t *testing.T) {
	w := newWorld(t)
	d := w.declare("geogebra", "1.0", 1)
	w.served[d.Path] = append([]byte("another"), w.served[d.Path][7:]...)
	w.now = w.now.Add(11 * time.Hour)
	w.live(time.Hour)
	if s := w.state(); s.State != ddm.PackageFailed || s.Reason.Code != "package.hash" || len(w.installed) != 0 {
		t.Errorf("%+v", s)
	}
}

func TestARolloutThatIsHeldBeginsNothing(t *testing.T) {
	w := newWorld(t)
	d := w.declare("geogebra", "1.0", 1)
	d.Hold = true
	w.want(d)
	w.now = w.now.Add(11 * time.Hour)
	w.live(time.Hour)
	if s := w.state(); s.State != ddm.PackageWaiting || s.Reason.Code != "package.held" || len(w.installed) != 0 {
		t.Errorf("%+v", s)
	}
}

func TestTheVersionBeforeComesBackOnlyWhereOneIs(t *testing.T) {
	for had, want := range map[string]string{"": "", "2.0": "1.0"} {
		w := newWorld(t)
		w.present["geogebra"] = had
		d := w.declare("geogebra", "1.0", 1)
		d.IfPresent = true
		w.want(d)
		w.now = w.now.Add(11 * time.Hour)
		w.live(time.Hour)
		if s := w.state(); s.State != ddm.PackageVerified || w.present["geogebra"] != want {
			t.Errorf("with %q before: %+v, and there is %q", had, s, w.present["geogebra"])
		}
	}
}

func TestALessonThatBeginsMeanwhileIsNotDisturbed(t *testing.T) {
	w := newWorld(t)
	w.declare("geogebra", "1.0", 1)
	w.now = w.now.Add(11 * time.Hour)
	w.bell = true
	w.live(2 * time.Hour)
	w.bell = false
	if s := w.state(); s.State == ddm.PackageVerified || len(w.installed) != 0 {
		t.Fatalf("in the lesson: %+v", s)
	}
	w.busy = false
	w.live(time.Hour)
	if s := w.state(); s.State != ddm.PackageVerified {
		t.Errorf("after it: %+v", s)
	}
}

func TestAnInstallationThatIsCutOffAgainAndAgainIsTold(t *testing.T) {
	w := newWorld(t)
	w.declare("geogebra", "1.0", 1)
	w.now = w.now.Add(11 * time.Hour)
	w.mortal = true
	w.live(2 * time.Hour)
	if s := w.state(); s.State != ddm.PackageFailed || s.Reason.Code != "package.interrupted" || w.installed["geogebra 1.0"] != 3 {
		t.Fatalf("%+v, begun %d times", s, w.installed["geogebra 1.0"])
	}
}

// Whatever kills the agent, breaks the wire, fills the disk or begins a lesson: in
// the end the package is there, the system was never asked in a lesson, and begun
// again only where it was cut off.
func TestNothingTwiceAndNothingLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		w.declare("geogebra", "1.0", 1)
		kills := 0
		for range rapid.IntRange(1, 25).Draw(t, "events") {
			switch rapid.IntRange(0, 6).Draw(t, "event") {
			case 0:
				if w.killAt < 0 {
					w.killAt = rapid.IntRange(0, 6).Draw(t, "kill")
					kills++
				}
			case 1:
				w.offset = rapid.IntRange(0, 3).Draw(t, "wire")
			case 2:
				w.files.SetFull(true)
			case 3:
				w.files.SetFull(false)
			case 4:
				w.busy = !w.busy
			case 5:
				w.start() // killed while it did nothing
			case 6:
				w.live(time.Duration(rapid.IntRange(1, 600).Draw(t, "minutes")) * time.Minute)
			}
		}
		w.files.SetFull(false)
		w.busy, w.killAt, w.offset = false, -1, -1
		w.start()
		if s := w.keeper.Statuses(); len(s) == 1 && s[0].State == ddm.PackageFailed {
			if code := s[0].Reason.Code; code != "package.no-space" && code != "package.interrupted" {
				t.Fatalf("failed by itself: %s", code)
			}
			w.declare("geogebra", "1.0", 2)
		}
		w.live(30 * time.Hour)
		if s := w.state(); s.State != ddm.PackageVerified || w.present["geogebra"] != "1.0" {
			t.Fatalf("in the end: %+v", s)
		}
		if begun := w.installed["geogebra 1.0"]; begun > 1+kills {
			t.Fatalf("begun %d times with %d kills", begun, kills)
		}
		w.wanted = nil
		w.live(10 * time.Minute)
		if _, there := w.present["geogebra"]; there {
			t.Fatal("it outlived its declaration")
		}
	})
}
