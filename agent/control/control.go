// Package control is how commands speak to the running agent: one line of JSON
// each way over a local socket. Everybody at the device may ask what holds and
// type a release code; the rest is for root.
package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"schulwart.org/agent/host"
	"schulwart.org/agent/reconcile"
)

// SocketName is the socket in the state directory.
const SocketName = "agent.sock"

// What can be asked.
const (
	AskStatus  = "status"
	AskRelease = "release"
	AskReload  = "reload" // root: read the identity anew
	AskSync    = "sync"   // root: fetch now
)

// Request is one question.
type Request struct {
	Ask   string `json:"ask"`
	Code  string `json:"code,omitempty"`
	Lease string `json:"lease,omitempty"`
}

// Answer is one answer.
type Answer struct {
	Error   string             `json:"error,omitempty"`
	Status  *reconcile.Status  `json:"status,omitempty"`
	Outcome *reconcile.Outcome `json:"outcome,omitempty"`
}

// Faults that a caller tells apart.
var (
	ErrNotRunning = errors.New("control: the agent is not running")
	ErrDenied     = errors.New("control: only root may do this")
)

// Agent is what answers.
type Agent interface {
	Status() reconcile.Status
	Release(code, lease string) reconcile.Outcome
	Reload()
	Sync()
}

// Bounds: a question is short, and whoever asks does not keep others waiting.
const (
	longestQuestion = 4 << 10
	patience        = 10 * time.Second
	mostAsking      = 16
)

// Serve answers until the context ends.
func Serve(ctx context.Context, stateDir string, agent Agent, log *slog.Logger) error {
	path := filepath.Join(stateDir, SocketName)
	_ = os.Remove(path) // of an agent that was killed; the lock says that none runs
	listener, err := net.Listen("unix", path)
	if err != nil {
		return fmt.Errorf("opening control socket: %w", err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		return errors.Join(fmt.Errorf("opening control socket: %w", err), listener.Close())
	}
	go func() {
		<-ctx.Done()
		_ = listener.Close()
	}()
	places := make(chan struct{}, mostAsking)
	var asking sync.WaitGroup
	defer asking.Wait()
	for {
		conn, err := listener.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			log.Warn("control socket", "error", err)
			time.Sleep(100 * time.Millisecond)
			continue
		}
		places <- struct{}{}
		asking.Go(func() {
			defer func() { <-places }()
			answer(conn, agent)
		})
	}
}

func answer(conn net.Conn, agent Agent) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	line, err := bufio.NewReader(io.LimitReader(conn, longestQuestion)).ReadBytes('\n')
	if err != nil {
		return
	}
	_ = json.NewEncoder(conn).Encode(reply(line, agent, host.PeerIsRoot(conn)))
}

func reply(line []byte, agent Agent, root bool) Answer {
	var request Request
	if err := json.Unmarshal(line, &request); err != nil {
		return Answer{Error: "unreadable"}
	}
	switch request.Ask {
	case AskStatus:
		status := agent.Status()
		return Answer{Status: &status}
	case AskRelease:
		outcome := agent.Release(request.Code, request.Lease)
		return Answer{Outcome: &outcome}
	case AskReload, AskSync:
		if !root {
			return Answer{Error: "denied"}
		}
		if request.Ask == AskReload {
			agent.Reload()
		} else {
			agent.Sync()
		}
		return Answer{}
	}
	return Answer{Error: "unknown"}
}

// Ask puts a question to the running agent. It returns ErrNotRunning if none
// answers.
func Ask(ctx context.Context, stateDir string, request Request) (Answer, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", filepath.Join(stateDir, SocketName))
	if err != nil {
		return Answer{}, fmt.Errorf("%w: %w", ErrNotRunning, err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if err := json.NewEncoder(conn).Encode(request); err != nil {
		return Answer{}, fmt.Errorf("asking the agent: %w", err)
	}
	var got Answer
	if err := json.NewDecoder(conn).Decode(&got); err != nil {
		return Answer{}, fmt.Errorf("asking the agent: %w", err)
	}
	switch got.Error {
	case "":
		return got, nil
	case "denied":
		return Answer{}, ErrDenied
	}
	return Answer{}, fmt.Errorf("asking the agent: %s", got.Error)
}
