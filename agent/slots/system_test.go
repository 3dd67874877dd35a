package slots

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"schulwart.org/agent/packages"
	"schulwart.org/policies/agentfile"
	"schulwart.org/policies/agentfile/agentfiletest"
	"schulwart.org/policies/rollout"
)

var signer = agentfiletest.New("ours")

// device has real files; what would be a start of a program is noted.
type device struct {
	t        *testing.T
	state    string
	restarts int
	started  string
}

func (d *device) slots(p Place, own string) *Slots {
	exe := "/usr/bin/schulwart-agent"
	if p != Base {
		exe = filepath.Join(d.state, dirName, string(p))
	}
	return At(d.state, exe, own)
}

func (d *device) system(p Place, own string) System {
	d.t.Helper()
	keys, err := agentfile.Keys(signer.Public())
	if err != nil {
		d.t.Fatal(err)
	}
	return System{Slots: d.slots(p, own), Own: own, Keys: keys, Now: time.Now, Restart: func() { d.restarts++ }, Log: slog.New(slog.DiscardHandler)}
}

func manifest(version string) agentfile.Manifest {
	return agentfile.Manifest{Version: version, OS: runtime.GOOS, Arch: runtime.GOARCH, Floor: "0.1", Expires: time.Now().Add(time.Hour)}
}

func (d *device) install(s System, m agentfile.Manifest, data []byte, try int) error {
	d.t.Helper()
	path := filepath.Join(d.t.TempDir(), "file")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		d.t.Fatal(err)
	}
	return s.Install(d.t.Context(), rollout.Declared{Rollout: "r", Try: try, Action: rollout.Install, Kind: rollout.Agent, Name: m.Name(), Version: m.Version}, path)
}

// start is what the service's system does: the base chooses.
func (d *device) start() string {
	d.started = ""
	d.slots(Base, "0.1").Choose(func(path string) error {
		if d.started != "" {
			return errors.New("started twice")
		}
		d.started = filepath.Base(path)
		panic(d) // a program that is started does not come back
	})
	return d.started
}

func (d *device) boot() (started string) {
	defer func() {
		if is := recover(); is != nil && is != d { //nolint:errorlint // it is the value itself
			panic(is)
		}
		started = d.started
	}()
	return d.start()
}

func TestWhatADeviceDoesNotTake(t *testing.T) {
	d := &device{t: t, state: t.TempDir()}
	late, far, elsewhere := manifest("0.2"), manifest("0.2"), manifest("0.2")
	late.Expires = time.Now().Add(-time.Hour)
	far.Floor = "0.2"
	elsewhere.Arch = "z80"
	cut := signer.File(manifest("0.2"), []byte("program"))
	cut[len(cut)-1]++
	for code, c := range map[string]struct {
		m    agentfile.Manifest
		data []byte
	}{
		"package.agent-expired":  {late, signer.File(late, []byte("program"))},
		"package.agent-floor":    {far, signer.File(far, []byte("program"))},
		"package.agent-platform": {elsewhere, signer.File(elsewhere, []byte("program"))},
		"package.agent-older":    {manifest("0.1"), signer.File(manifest("0.1"), []byte("program"))},
		"package.agent-stranger": {manifest("0.2"), agentfiletest.New("others").File(manifest("0.2"), []byte("program"))},
		"package.agent-form":     {manifest("0.2"), cut},
	} {
		var known packages.Fault
		if err := d.install(d.system(Base, "0.1"), c.m, c.data, 0); !errors.As(err, &known) || known.Code != code {
			t.Errorf("%s: %v", code, err)
		}
		if started := d.boot(); started != "" || d.restarts != 0 {
			t.Errorf("%s: %q was started, %d restarts", code, started, d.restarts)
		}
	}
}

func TestAVersionComesProvesItselfAndGivesWay(t *testing.T) {
	d := &device{t: t, state: t.TempDir()}
	m := manifest("0.2")
	if err := d.install(d.system(Base, "0.1"), m, signer.File(m, []byte("program")), 0); !errors.Is(err, packages.ErrLater) || d.restarts != 1 {
		t.Fatalf("%v, %d restarts", err, d.restarts)
	}
	if got := d.boot(); got != "a" {
		t.Fatalf("it starts %q", got)
	}
	newer := d.system(A, "0.2")
	install := rollout.Declared{Rollout: "r", Action: rollout.Install, Version: "0.2"}
	if got, _ := newer.Present(t.Context(), install); got != "0.2"+packages.Half {
		t.Errorf("on trial it says %q", got)
	}
	if err := newer.Slots.Proven(); err != nil {
		t.Fatal(err)
	}
	if got, _ := newer.Present(t.Context(), install); got != "0.2" {
		t.Errorf("it says %q", got)
	}
	remove := rollout.Declared{Rollout: "r", Try: 1, Action: rollout.Remove, Version: "0.2"}
	if err := newer.Remove(t.Context(), remove); !errors.Is(err, packages.ErrLater) {
		t.Fatal(err)
	}
	if got := d.boot(); got != "" {
		t.Fatalf("the base starts %q", got)
	}
	base := d.system(Base, "0.1")
	if err := base.Slots.Proven(); err != nil {
		t.Fatal(err)
	}
	if got, _ := base.Present(t.Context(), remove); got != "" {
		t.Errorf("%q is still there", got)
	}
}

func TestAProgramThatTheDiskSpoiltIsNotStarted(t *testing.T) {
	d := &device{t: t, state: t.TempDir()}
	m := manifest("0.2")
	if err := d.install(d.system(Base, "0.1"), m, signer.File(m, []byte("program")), 0); !errors.Is(err, packages.ErrLater) {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.state, dirName, "a"), []byte("spoilt"), 0o755); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	if got := d.boot(); got != "" {
		t.Fatalf("it starts %q", got)
	}
	if _, failed := d.system(Base, "0.1").Trying(rollout.Declared{Rollout: "r"}); failed == nil || failed.Code != "package.agent-start" {
		t.Errorf("%+v", failed)
	}
}

func TestTheServersWordIsNoReasonToReturnBeforeItIsReachedOften(t *testing.T) {
	d := &device{t: t, state: t.TempDir()}
	m := manifest("0.2")
	if err := d.install(d.system(Base, "0.1"), m, signer.File(m, []byte("program")), 0); !errors.Is(err, packages.ErrLater) {
		t.Fatal(err)
	}
	base := d.slots(Base, "0.1")
	for i := 1; i <= mostMissed; i++ {
		over, err := base.Missed()
		if err != nil || over != (i == mostMissed) {
			t.Fatalf("after %d it is over: %v, %v", i, over, err)
		}
	}
	if got := d.boot(); got != "" {
		t.Errorf("it starts %q", got)
	}
	if err := d.install(d.system(Base, "0.1"), m, signer.File(m, []byte("program")), 0); errors.Is(err, packages.ErrLater) {
		t.Error("it is tried twice on the same word")
	}
	if err := d.install(d.system(Base, "0.1"), m, signer.File(m, []byte("program")), 1); !errors.Is(err, packages.ErrLater) {
		t.Errorf("a higher try: %v", err)
	}
}
