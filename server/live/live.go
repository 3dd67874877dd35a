// Package live tells open boards which devices show something new. It says
// which, never what: a board reads the truth again. What is told while a board
// is busy gathers and is told once.
package live

import (
	"sync"

	"schulwart.org/policies/org"
)

// Hub knows the open boards. The zero value is ready.
type Hub struct {
	mu     sync.Mutex
	boards map[org.ID]map[*Board]struct{} // by school
}

// Board is one open page.
type Board struct {
	hub    *Hub
	school org.ID
	ready  chan struct{}

	mu      sync.Mutex
	pending map[org.ID]struct{}
}

// Open registers a page that shows something of a school. Close it.
func (h *Hub) Open(school org.Branch) *Board {
	b := &Board{hub: h, school: school.School, ready: make(chan struct{}, 1), pending: map[org.ID]struct{}{}}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.boards == nil {
		h.boards = map[org.ID]map[*Board]struct{}{}
	}
	if h.boards[b.school] == nil {
		h.boards[b.school] = map[*Board]struct{}{}
	}
	h.boards[b.school][b] = struct{}{}
	return b
}

// Publish tells the boards of a school that devices changed. It never blocks.
func (h *Hub) Publish(branch org.Branch, devices ...org.ID) {
	h.mu.Lock()
	boards := make([]*Board, 0, len(h.boards[branch.School]))
	for b := range h.boards[branch.School] {
		boards = append(boards, b)
	}
	h.mu.Unlock()
	for _, b := range boards {
		b.add(devices)
	}
}

// Count returns how many pages are open, for the operations page.
func (h *Hub) Count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, boards := range h.boards {
		n += len(boards)
	}
	return n
}

// Ready signals that Take has something.
func (b *Board) Ready() <-chan struct{} { return b.ready }

// Take returns the devices that changed since the last call.
func (b *Board) Take() []org.ID {
	b.mu.Lock()
	defer b.mu.Unlock()
	devices := make([]org.ID, 0, len(b.pending))
	for device := range b.pending {
		devices = append(devices, device)
	}
	clear(b.pending)
	return devices
}

// Close forgets the page.
func (b *Board) Close() {
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	delete(b.hub.boards[b.school], b)
	if len(b.hub.boards[b.school]) == 0 {
		delete(b.hub.boards, b.school)
	}
}

func (b *Board) add(devices []org.ID) {
	b.mu.Lock()
	for _, device := range devices {
		b.pending[device] = struct{}{}
	}
	b.mu.Unlock()
	select {
	case b.ready <- struct{}{}:
	default:
	}
}
