// Package control is how commands speak to the running agent: one line of JSON
// each way over a local socket. Everybody at the device may ask what holds,
// type a release code and raise a hand; the rest is for root.
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
	AskHand    = "hand"   // raise the hand in an examination, or take it down
	AskReload  = "reload" // root: read the identity anew
	AskSync    = "sync"   // root: fetch now
	AskPause   = "pause"  // root: let go of the drivers while the connection is open
)

// Request is one question.
type Request struct {
	Ask   string `json:"ask"`
	Code  string `json:"code,omitempty"`
	Lease string `json:"lease,omitempty"`
	Up    bool   `json:"up,omitempty"` // hand
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
	ErrBusy       = errors.New("control: a mode holds or begins soon")
)

// Agent is what answers.
type Agent interface {
	Status() reconcile.Status
	Release(code, lease string) reconcile.Outcome
	Hand(up bool) reconcile.Outcome
	Reload()
	Sync()
	// Pause lets go of the drivers until resume is called. It is false while a
	// mode holds or is about to.
	Pause() (resume func(), ok bool)
}

// Bounds: a question is short, and whoever asks does not keep others waiting.
const (
	longestQuestion = 4 << 10
	patience        = 10 * time.Second
	mostAsking      = 16 // at a time
	mostOfOne       = 3  // of one user that is not root
	forRoot         = 4  // places that only root takes
	longestPause    = 5 * time.Minute
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
	places := counter{byUser: map[uint32]int{}}
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
		uid, known := host.PeerUser(conn)
		if !known {
			uid = nobody
		}
		if !places.take(uid) {
			// Who keeps silent connections open keeps out nobody but himself.
			_ = conn.Close()
			continue
		}
		asking.Go(func() {
			defer places.leave(uid)
			answer(conn, agent, uid == 0)
		})
	}
}

// nobody stands for all users of a system that does not tell who connects.
const nobody = ^uint32(0)

// counter is who asks at the moment.
type counter struct {
	mu     sync.Mutex
	all    int
	byUser map[uint32]int
}

// take reports whether there is a place for one more question of the user.
func (c *counter) take(uid uint32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.all >= mostAsking,
		uid != 0 && c.all-c.byUser[0] >= mostAsking-forRoot,
		uid != 0 && uid != nobody && c.byUser[uid] >= mostOfOne:
		return false
	}
	c.all++
	c.byUser[uid]++
	return true
}

func (c *counter) leave(uid uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all--
	if c.byUser[uid]--; c.byUser[uid] == 0 {
		delete(c.byUser, uid)
	}
}

func answer(conn net.Conn, agent Agent, root bool) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	line, err := bufio.NewReader(io.LimitReader(conn, longestQuestion)).ReadBytes('\n')
	if err != nil {
		return
	}
	var request Request
	if json.Unmarshal(line, &request) == nil && request.Ask == AskPause {
		pause(conn, agent, root)
		return
	}
	_ = json.NewEncoder(conn).Encode(reply(line, agent, root))
}

// pause holds the agent for as long as the caller stays connected, so that a
// caller who dies leaves no device without its agent.
func pause(conn net.Conn, agent Agent, root bool) {
	if !root {
		_ = json.NewEncoder(conn).Encode(Answer{Error: "denied"})
		return
	}
	resume, ok := agent.Pause()
	if !ok {
		_ = json.NewEncoder(conn).Encode(Answer{Error: "busy"})
		return
	}
	defer resume()
	if json.NewEncoder(conn).Encode(Answer{}) != nil {
		return
	}
	_ = conn.SetDeadline(time.Now().Add(longestPause))
	_, _ = io.Copy(io.Discard, conn) // until the caller hangs up
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
	case AskHand:
		outcome := agent.Hand(request.Up)
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
	conn, answer, err := open(ctx, stateDir, request)
	if err != nil {
		return Answer{}, err
	}
	_ = conn.Close()
	return answer, nil
}

// Pause makes the running agent let go of the drivers until resume is called. It
// returns ErrBusy while a mode holds or begins soon.
func Pause(ctx context.Context, stateDir string) (resume func(), err error) {
	conn, _, err := open(ctx, stateDir, Request{Ask: AskPause})
	if err != nil {
		return nil, err
	}
	return func() { _ = conn.Close() }, nil
}

// open asks, reads the answer and leaves the connection open.
func open(ctx context.Context, stateDir string, request Request) (net.Conn, Answer, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", filepath.Join(stateDir, SocketName))
	if err != nil {
		return nil, Answer{}, fmt.Errorf("%w: %w", ErrNotRunning, err)
	}
	answer, err := exchange(conn, request)
	if err != nil {
		_ = conn.Close()
		return nil, Answer{}, err
	}
	return conn, answer, nil
}

func exchange(conn net.Conn, request Request) (Answer, error) {
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
	case "busy":
		return Answer{}, ErrBusy
	}
	return Answer{}, fmt.Errorf("asking the agent: %s", got.Error)
}
