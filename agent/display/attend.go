package display

import (
	"bufio"
	"encoding/json"
	"sync"
	"time"

	"schulwart.org/agent/host"
)

// Attendant is a process that looks after one display (Desk), seen from whoever
// started it.
type Attendant struct {
	process *host.Attached

	mu    sync.Mutex
	seen  DeskSeen
	heard time.Time
	ended bool
}

// Attend starts a process for the display of a desktop.
func Attend(d host.Desktop) (*Attendant, error) {
	process, err := host.Attach(d, "desk")
	if err != nil {
		return nil, err
	}
	a := &Attendant{process: process, heard: time.Now()}
	go a.listen()
	return a, nil
}

func (a *Attendant) listen() {
	lines := bufio.NewScanner(a.process.Out)
	for lines.Scan() {
		var seen DeskSeen
		if json.Unmarshal(lines.Bytes(), &seen) != nil {
			continue
		}
		a.mu.Lock()
		a.seen, a.heard = seen, time.Now()
		a.mu.Unlock()
	}
	<-a.process.Done()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = true
}

// Tell passes an order on.
func (a *Attendant) Tell(order DeskOrder) {
	if line, err := json.Marshal(order); err == nil {
		// A process that has ended is noticed by Gone.
		_, _ = a.process.In.Write(append(line, '\n'))
	}
}

// Seen is what the process said last.
func (a *Attendant) Seen() DeskSeen {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.seen
}

// Gone reports whether the process has ended; one that has been silent for too
// long is ended.
func (a *Attendant) Gone() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.ended && time.Since(a.heard) > silence {
		a.process.Kill()
	}
	return a.ended
}

// Leave lets the process make everything as before, and returns when it has ended.
func (a *Attendant) Leave() {
	_ = a.process.In.Close()
	select {
	case <-a.process.Done():
	case <-time.After(silence):
		a.process.Kill()
	}
}
