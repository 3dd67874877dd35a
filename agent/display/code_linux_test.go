package display_test

import (
	"bufio"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"schulwart.org/agent/control"
	"schulwart.org/agent/display"
	"schulwart.org/agent/enforce"
	"schulwart.org/agent/enforce/linux"
	"schulwart.org/agent/host"
	"schulwart.org/agent/memory"
	"schulwart.org/agent/reconcile"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
)

// otherBoot is the machine's clock after a restart that did not happen.
type otherBoot struct {
	host.Clock
	began time.Duration
}

func (c otherBoot) Read() host.Reading {
	r := c.Clock.Read()
	r.Boot, r.Elapsed = r.Boot+"-again", r.Elapsed-c.began
	return r
}

// listening is a loop as the commands meet it.
type listening struct{ *reconcile.Loop }

func (listening) Hand(bool) reconcile.Outcome { return reconcile.Outcome{} }
func (listening) Reload()                     {}
func (listening) Sync()                       {}
func (listening) Pause() (func(), bool)       { return nil, false }

// The whole way of a resume code: the loop covers a real screen, somebody types
// digits on it, and the loop lets the examination go on.
func TestAResumeCodeIsTypedOnTheCoveredScreen(t *testing.T) {
	s := startSession(t)
	state, holdDir := t.TempDir(), t.TempDir()
	holds, err := host.NewHolds(holdDir, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = holds.Drop(display.Name) })
	secret := []byte("known to root and to the server")
	key := lease.SigningKey{ID: "k", Private: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))}
	files := &host.FakeFiles{}
	begin := func(clock host.Clock) *reconcile.Loop {
		m, err := memory.Open(files)
		if err != nil {
			t.Fatal(err)
		}
		const subject = org.ID("11111111-1111-4111-8111-111111111111")
		if err := m.Believe(memory.Trusted{Issuer: "https://schule.example", Subject: subject, Keys: []lease.Key{key.Public()}}); err != nil {
			t.Fatal(err)
		}
		screen := linux.NewScreen(linux.ScreenOptions{Holds: holds, Desktops: host.SystemDesktops{}, Clock: clock, Displays: []string{s.name}, State: state})
		return reconcile.New(reconcile.Config{Memory: m, Clock: clock, Drivers: []enforce.Driver{screen}, Secret: secret, Version: "test"})
	}
	loop := begin(host.NewClock(""))
	now := time.Now().UTC().Truncate(time.Second)
	exam := lease.Lease{
		Issuer: "https://schule.example", Subject: "11111111-1111-4111-8111-111111111111", ID: "e", Rev: 1, Kind: lease.Exam, By: "Frau Oert",
		NotBefore: now.Add(-time.Minute), Expires: now.Add(time.Hour), Rules: lease.Rules{Exam: &lease.Examination{Title: "Mathe", Resume: true}},
	}
	jws, err := key.Sign(exam)
	if err != nil {
		t.Fatal(err)
	}
	declared := ddm.New(lease.DeclarationType, "org.schulwart.lease.e", map[string]any{"jws": jws})
	set := []ddm.Declaration{declared, ddm.Activate("org.schulwart.activation", []string{declared.Identifier})}
	if err := loop.Take(ddm.ManifestOf(set), set); err != nil {
		t.Fatal(err)
	}
	loop.Tick()
	if s.covered(t) {
		t.Fatal("covered before any restart")
	}

	loop = begin(otherBoot{host.NewClock(""), host.NewClock("").Read().Elapsed - time.Second})
	go loop.Run(t.Context())
	go func() { _ = control.Serve(t.Context(), state, listening{loop}, slog.New(slog.DiscardHandler)) }()
	eventually(t, 5*time.Second, "the screen waits", func() bool { return s.covered(t) && s.report(holds).Held })
	s.keep(t, "exam-waits")
	empty := s.picture(t)
	s.do(t, "type", "1234 5")
	eventually(t, 2*time.Second, "digits are seen", func() bool { return string(s.picture(t).Pix) != string(empty.Pix) })
	s.do(t, "key", "BackSpace")
	s.do(t, "type", "5679")
	eventually(t, 5*time.Second, "the wrong code was judged", func() bool {
		status := loop.Report().Status.StatusItems.Agent
		return status != nil && loop.Status().Running && s.tries(files) == 1
	})
	time.Sleep(500 * time.Millisecond) // for the picture alone
	s.keep(t, "exam-wrong")
	if !s.covered(t) {
		t.Fatal("a wrong code opened the screen")
	}
	s.do(t, "type", lease.PreparedCode(secret, "e", lease.UseResume, 2))
	eventually(t, 5*time.Second, "the screen is free", func() bool { return !s.covered(t) })
	resumed := 0
	for _, line := range loop.Report().Status.StatusItems.Agent.Sealed {
		if line.What == ddm.DeedResumed && line.Args["number"] == "2" {
			resumed++
		}
	}
	if resumed != 1 {
		t.Errorf("the log tells %d times that it went on", resumed)
	}
}

// tries is how many wrong codes in a row are stored.
func (s *session) tries(files *host.FakeFiles) int {
	m, err := memory.Open(files)
	if err != nil {
		return -1
	}
	return m.State().Release.Failed
}

// What is typed on the covered screen is drawn; to whom a screen reader reads, each
// digit is said.
func TestTypedDigitsAreSaidToWhoUsesAScreenReader(t *testing.T) {
	s := startSession(t)
	cover := exec.Command(os.Args[0], "cover")
	cover.Env = []string{"DISPLAY=" + s.name, "XAUTHORITY=" + os.Getenv("XAUTHORITY")}
	in, err := cover.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cover.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cover.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = cover.Wait() })
	fmt.Fprintln(in, `{"order":{"by":"Frau Oert","until":"2026-03-16T09:35:00Z","total":60000000000,"code":true},"left":60000000000,"voice":true,"reader":true}`)
	var said []string
	var held bool
	var mu sync.Mutex
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			var word struct {
				Held       bool
				Speak, Say string
			}
			_ = json.Unmarshal(lines.Bytes(), &word)
			mu.Lock()
			if word.Say != "" {
				said = append(said, word.Speak+word.Say)
			}
			held = held || word.Held
			mu.Unlock()
		}
	}()
	eventually(t, 10*time.Second, "the keyboard is held", func() bool { mu.Lock(); defer mu.Unlock(); return held })
	s.do(t, "type", "47")
	eventually(t, 10*time.Second, "both digits are said", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return slices.Equal(said, []string{"de4", "de7"})
	})
}
