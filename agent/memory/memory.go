package memory

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"sync"

	"schulwart.org/agent/host"
)

// Memory is the durable state of one device. It is safe for concurrent use.
type Memory struct {
	files host.Files

	mu         sync.Mutex
	state      State
	last       []byte // state as it stands on disk
	generation uint64
	torn       bool

	clock      Clock
	clockBeat  uint64
	clockSaved Clock
}

// The state lies in two files written in turn, so that a torn one leaves the
// other; the clock in two slots of fixed size, overwritten in turn.
var (
	stateFiles = [2]string{"memory.0", "memory.1"}
	clockFiles = [2]string{"clock.0", "clock.1"}
)

const (
	magic     = "schulwart-memory 1"
	slotSize  = 512
	slotMagic = "schulwart-clock 1"
)

// Open reads what is remembered. Nothing, or nothing readable, is an empty
// memory: a device that forgot comes back to its server, one that does not start
// never does. Open fails only where files cannot be read at all.
func Open(files host.Files) (*Memory, error) {
	m := &Memory{files: files}
	if err := m.readState(); err != nil {
		return nil, err
	}
	m.readClock()
	return m, nil
}

// Torn reports whether one of the files was damaged when memory was opened.
func (m *Memory) Torn() bool { return m.torn }

// State returns a copy of what is remembered.
func (m *Memory) State() State {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.copy()
}

// Look calls f with what is remembered; f must not change or keep it.
func (m *Memory) Look(f func(*State)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(&m.state)
}

// Update changes the state and returns after it is durable. If it cannot be
// stored, what was remembered before stays, and the error says why
// (host.IsFull). An unchanged state is not written.
func (m *Memory) Update(change func(*State)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := m.copy()
	change(&next)
	data, err := json.Marshal(next)
	if err != nil {
		return fmt.Errorf("encoding memory: %w", err)
	}
	if bytes.Equal(data, m.last) {
		return nil
	}
	generation := m.generation + 1
	if err := m.files.Write(stateFiles[generation%2], seal(magic, generation, data)); err != nil {
		return fmt.Errorf("storing memory: %w", err)
	}
	m.state, m.last, m.generation = next, data, generation
	return nil
}

// Believe makes memory that of an enrolment. What was remembered under another
// one is forgotten, for it was promised to another device; keys that were
// learned since are kept, and what may still stand in the system is not forgotten.
func (m *Memory) Believe(trust Trusted) error {
	return m.Update(func(s *State) {
		if s.Trust.Subject != trust.Subject || s.Trust.Issuer != trust.Issuer || len(s.Trust.Keys) == 0 {
			// Nobody else can hand in what was written here.
			*s = State{Trust: trust, EventSeq: s.EventSeq, Counters: s.Counters, Applied: s.Applied, Works: s.Works}
		}
	})
}

func (m *Memory) copy() State {
	var state State
	if len(m.last) > 0 {
		// What was marshalled a moment ago can be read.
		_ = json.Unmarshal(m.last, &state)
	}
	return state
}

func (m *Memory) readState() error {
	for _, name := range stateFiles {
		file, err := m.files.Read(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("reading memory: %w", err)
		}
		generation, data, ok := unseal(magic, file)
		var state State
		if !ok || json.Unmarshal(data, &state) != nil {
			m.torn = true
			continue
		}
		if generation > m.generation || m.last == nil {
			m.state, m.last, m.generation = state, data, generation
		}
	}
	return nil
}

// Clock returns the clock as it stood at the last reading.
func (m *Memory) Clock() Clock {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.clock
}

// SetClock remembers the clock in the process alone.
func (m *Memory) SetClock(c Clock) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clock = c
}

// Checkpoint makes the clock durable. It needs no space on a full disk.
func (m *Memory) Checkpoint() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.clock == m.clockSaved {
		return nil
	}
	data, err := json.Marshal(m.clock)
	if err != nil {
		return fmt.Errorf("encoding clock: %w", err)
	}
	beat := m.clockBeat + 1
	slot := seal(slotMagic, beat, data)
	if pad := slotSize - len(slot); pad > 0 {
		slot = append(slot, bytes.Repeat([]byte{'\n'}, pad)...)
	}
	if err := m.files.Overwrite(clockFiles[beat%2], slot); err != nil {
		return fmt.Errorf("storing clock: %w", err)
	}
	m.clockBeat, m.clockSaved = beat, m.clock
	return nil
}

func (m *Memory) readClock() {
	for _, name := range clockFiles {
		file, err := m.files.Read(name)
		if err != nil {
			continue
		}
		beat, data, ok := unseal(slotMagic, file)
		var clock Clock
		if !ok || json.Unmarshal(data, &clock) != nil {
			m.torn = true
			continue
		}
		if beat > m.clockBeat {
			m.clock, m.clockSaved, m.clockBeat = clock, clock, beat
		}
	}
}

// seal puts a line before data: magic, number, length, checksum.
func seal(magic string, number uint64, data []byte) []byte {
	head := fmt.Sprintf("%s %d %d %s\n", magic, number, len(data), checksum(number, data))
	return append([]byte(head), data...)
}

// unseal returns number and data if the line before them holds.
func unseal(magic string, file []byte) (number uint64, data []byte, ok bool) {
	head, rest, found := bytes.Cut(file, []byte("\n"))
	if !found || !bytes.HasPrefix(head, []byte(magic+" ")) {
		return 0, nil, false
	}
	fields := bytes.Fields(head[len(magic):])
	if len(fields) != 3 {
		return 0, nil, false
	}
	number, err := strconv.ParseUint(string(fields[0]), 10, 64)
	if err != nil {
		return 0, nil, false
	}
	length, err := strconv.Atoi(string(fields[1]))
	if err != nil || length < 0 || length > len(rest) {
		return 0, nil, false
	}
	data = rest[:length]
	return number, data, string(fields[2]) == checksum(number, data)
}

func checksum(number uint64, data []byte) string {
	h := sha256.New()
	_ = binary.Write(h, binary.BigEndian, number)
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil)[:12])
}
