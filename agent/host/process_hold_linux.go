package host

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// SystemHolds starts helpers as units of systemd where it runs, so that they
// live on without the agent and are started again within moments; elsewhere as
// processes of their own, which the agent watches.
type SystemHolds struct {
	files holdFiles
	exe   string

	mu      sync.Mutex
	watched map[string]bool
}

// ErrHeld says that another helper of the name runs.
var ErrHeld = errors.New("host: held already")

// NewHolds returns the helpers whose orders lie in dir (HoldDir). exe is the
// program that knows the command "hold NAME DIR"; empty for this very program.
func NewHolds(dir, exe string) (*SystemHolds, error) {
	if exe == "" {
		own, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("finding own program: %w", err)
		}
		// A program that was replaced by an update runs on; its helpers are new.
		exe = strings.TrimSuffix(own, " (deleted)")
	}
	return &SystemHolds{files: holdFiles{dir, NewClock(dir)}, exe: exe, watched: map[string]bool{}}, nil
}

// Hold writes the order and sees to the helper.
func (s *SystemHolds) Hold(name string, content []byte, release time.Duration) error {
	if release <= 0 {
		return s.Drop(name)
	}
	if err := s.files.tell(name, content, release); err != nil {
		return err
	}
	s.watch(name)
	if s.running(name) {
		return nil
	}
	return s.start(name)
}

// dropWait is how long a helper may take to let go before it is ended.
const dropWait = 3 * time.Second

// Drop takes the order away and waits until the helper is gone.
func (s *SystemHolds) Drop(name string) error {
	if err := s.files.forget(name); err != nil {
		return err
	}
	for end := time.Now().Add(dropWait); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if !s.running(name) {
			return nil
		}
	}
	return s.end(name)
}

// Held reads order, lock and report.
func (s *SystemHolds) Held(name string) Held {
	var held Held
	o, ok := s.files.read(name)
	held.Running = s.running(name)
	if !ok {
		return held
	}
	now := s.files.clock.Read().Elapsed
	held.Wanted, held.Content, held.Left = true, o.Content, o.Ends-now
	var w word
	if data, err := os.ReadFile(s.files.report(name)); err == nil && json.Unmarshal(data, &w) == nil {
		held.Report, held.Age = w.Report, now-w.At
	}
	return held
}

// watch starts the helper again for as long as the order stands. systemd does so
// too, sooner; without it this is the only one.
func (s *SystemHolds) watch(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watched[name] {
		return
	}
	s.watched[name] = true
	go func() {
		for {
			time.Sleep(250 * time.Millisecond)
			s.mu.Lock()
			if _, ok := s.files.read(name); !ok {
				s.watched[name] = false
				s.mu.Unlock()
				return
			}
			s.mu.Unlock()
			if !s.running(name) {
				_ = s.start(name)
			}
		}
	}()
}

func (s *SystemHolds) start(name string) error {
	if !systemdRuns() {
		err := Launch{UID: os.Getuid(), GID: os.Getgid(), Path: s.exe, Args: []string{"hold", name, s.files.dir}, Env: os.Environ(), Dir: "/"}.fork()
		return s.await(name, err)
	}
	out, err := exec.Command("systemd-run", "--quiet", "--collect", "--no-ask-password", "--unit="+unitOf(name), "--slice=system.slice",
		"--description=Schulwart holds: "+name,
		"--property=Restart=on-failure", "--property=RestartSec=100ms", "--property=StartLimitIntervalSec=0", "--property=OOMScoreAdjust=-900", "--property=DefaultDependencies=no",
		"--", s.exe, "hold", name, s.files.dir).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("starting helper: %w: %s", err, bytes.TrimSpace(out))
	}
	return s.await(name, err)
}

// await returns when the helper has taken hold. A start may fail because systemd
// was quicker; what counts is that one runs.
func (s *SystemHolds) await(name string, failed error) error {
	for end := time.Now().Add(dropWait); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if s.running(name) {
			return nil
		}
	}
	if failed == nil {
		failed = fmt.Errorf("starting helper: %s does not hold", name)
	}
	return failed
}

func unitOf(name string) string { return "schulwart-hold-" + name + ".service" }

// running reports whether some process has the lock.
func (s *SystemHolds) running(name string) bool {
	lock, err := os.OpenFile(s.files.lock(name), os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer lock.Close()
	return errors.Is(unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB), unix.EWOULDBLOCK)
}

// end stops a helper that does not listen.
func (s *SystemHolds) end(name string) error {
	data, err := os.ReadFile(s.files.lock(name))
	if err != nil {
		return fmt.Errorf("finding helper: %w", err)
	}
	pid, err := strconv.Atoi(string(bytes.TrimSpace(data)))
	if err != nil {
		return fmt.Errorf("finding helper: %w", err)
	}
	if !s.running(name) {
		return nil
	}
	// The lock is held, so the id in it is the helper's own and not reused.
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("ending helper: %w", err)
	}
	return nil
}

// Keep takes the lock of a name in dir, as a helper does once it runs. It
// returns ErrHeld if another one has it.
func Keep(dir, name string) (*Keeper, error) {
	k := &Keeper{holdFiles: holdFiles{dir, NewClock(dir)}, name: name}
	lock, err := os.OpenFile(k.holdFiles.lock(name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening lock: %w", err)
	}
	// Who looks whether the lock is taken has it for an instant.
	for try := 0; ; try++ {
		err = unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			break
		}
		if try == 20 {
			lock.Close()
			return nil, ErrHeld
		}
		time.Sleep(3 * time.Millisecond)
	}
	if err = lock.Truncate(0); err == nil {
		_, err = lock.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0)
	}
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("writing lock: %w", err)
	}
	k.lock = lock
	return k, nil
}

// LockFile is the file whose lock the helper holds; its content is the helper's
// process id.
func (s *SystemHolds) LockFile(name string) string { return s.files.lock(name) }
