package host

import (
	"context"
	"fmt"
	"strings"
	"sync"
)

// FakeCommands is a system's programs in a test. The zero value has none.
type FakeCommands struct {
	// Answer is what a program prints, or how it fails; a missing one is not
	// installed.
	Answer map[string]func(c Command) ([]byte, error)

	mu  sync.Mutex
	ran []string
}

// Has reports whether there is an answer.
func (f *FakeCommands) Has(name string) bool { return f.Answer[name] != nil }

// Run notes the command and answers.
func (f *FakeCommands) Run(_ context.Context, c Command) ([]byte, error) {
	answer := f.Answer[c.Name]
	if answer == nil {
		return nil, fmt.Errorf("%w: %s", ErrNoCommand, c.Name)
	}
	f.mu.Lock()
	f.ran = append(f.ran, strings.Join(append([]string{c.Name}, c.Args...), " "))
	f.mu.Unlock()
	return answer(c)
}

// Ran returns what was run since the last call.
func (f *FakeCommands) Ran() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	ran := f.ran
	f.ran = nil
	return ran
}
