package control

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"schulwart.org/agent/reconcile"
	"schulwart.org/scripts/need"
)

// deaf is an agent that notes what it was asked.
type deaf struct {
	reloads, syncs int
	busy           bool
	paused         atomic.Bool
}

func (*deaf) Status() reconcile.Status {
	return reconcile.Status{Running: true, School: "Schule am Park"}
}

func (*deaf) Release(code, lease string) reconcile.Outcome {
	return reconcile.Outcome{Key: "release.wrong", Args: map[string]string{"left": code + lease}}
}

func (*deaf) Hand(up bool) reconcile.Outcome {
	if up {
		return reconcile.Outcome{Key: "hand.up"}
	}
	return reconcile.Outcome{Key: "hand.down"}
}

func (d *deaf) Reload() { d.reloads++ }
func (d *deaf) Sync()   { d.syncs++ }

func (d *deaf) Pause() (func(), bool) {
	if d.busy {
		return nil, false
	}
	d.paused.Store(true)
	return func() { d.paused.Store(false) }, true
}

func serve(t *testing.T, agent Agent) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sw") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, dir, agent, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = os.RemoveAll(dir)
	})
	for range 200 {
		if _, err := Ask(ctx, dir, Request{Ask: AskStatus}); err == nil {
			return dir
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("nobody answers")
	return ""
}

func TestQuestionsAreAnswered(t *testing.T) {
	dir := serve(t, &deaf{})
	answer, err := Ask(context.Background(), dir, Request{Ask: AskStatus})
	if err != nil || answer.Status == nil || answer.Status.School != "Schule am Park" {
		t.Errorf("status: %+v, %v", answer, err)
	}
	answer, err = Ask(context.Background(), dir, Request{Ask: AskRelease, Code: "1", Lease: "2"})
	if err != nil || answer.Outcome == nil || answer.Outcome.Args["left"] != "12" {
		t.Errorf("release: %+v, %v", answer, err)
	}
	for _, up := range []bool{true, false} {
		answer, err = Ask(context.Background(), dir, Request{Ask: AskHand, Up: up})
		if err != nil || answer.Outcome == nil || (answer.Outcome.Key == "hand.up") != up {
			t.Errorf("a hand up %v: %+v, %v", up, answer, err)
		}
	}
	info, err := os.Stat(filepath.Join(dir, SocketName))
	if err != nil || info.Mode().Perm() != 0o666 {
		t.Errorf("pupils cannot ask: %v, %v", info.Mode(), err)
	}
}

func TestSomeThingsAreForRoot(t *testing.T) {
	agent := &deaf{}
	for _, ask := range []string{AskReload, AskSync} {
		line := []byte(`{"ask":"` + ask + `"}`)
		if got := reply(line, agent, false); got.Error != "denied" {
			t.Errorf("%s as a pupil: %+v", ask, got)
		}
		if got := reply(line, agent, true); got.Error != "" {
			t.Errorf("%s as root: %+v", ask, got)
		}
	}
	if agent.reloads != 1 || agent.syncs != 1 {
		t.Errorf("reloaded %d, asked %d times", agent.reloads, agent.syncs)
	}
}

func TestGarbageOnTheSocketHurtsNobody(t *testing.T) {
	dir := serve(t, &deaf{})
	for _, garbage := range []string{"\n", "{}\n", "null\n", `{"ask":"dance"}` + "\n", strings.Repeat("x", 100_000)} {
		conn, err := net.Dial("unix", filepath.Join(dir, SocketName))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write([]byte(garbage)) // a refusing end may be closed already
		_ = conn.Close()
	}
	if _, err := Ask(context.Background(), dir, Request{Ask: AskStatus}); err != nil {
		t.Errorf("after the garbage: %v", err)
	}
}

func TestWithoutAgentTheCallerIsTold(t *testing.T) {
	if _, err := Ask(context.Background(), t.TempDir(), Request{Ask: AskStatus}); !errors.Is(err, ErrNotRunning) {
		t.Errorf("got %v", err)
	}
}

func TestAPauseLastsAsLongAsItsCaller(t *testing.T) {
	need.Root(t)
	agent := &deaf{}
	dir := serve(t, agent)
	resume, err := Pause(context.Background(), dir)
	if err != nil || !agent.paused.Load() {
		t.Fatalf("paused %v, %v", agent.paused.Load(), err)
	}
	resume()
	for range 200 {
		if !agent.paused.Load() {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if agent.paused.Load() {
		t.Error("the caller is gone and the agent is still paused")
	}
}

func TestNobodyPausesAModeAway(t *testing.T) {
	need.Root(t)
	dir := serve(t, &deaf{busy: true})
	if _, err := Pause(context.Background(), dir); !errors.Is(err, ErrBusy) {
		t.Errorf("got %v", err)
	}
}
