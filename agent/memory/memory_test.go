package memory_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"schulwart.org/agent/host"
	"schulwart.org/agent/memory"
	"schulwart.org/policies/ddm"
)

func open(t testing.TB, files host.Files) *memory.Memory {
	t.Helper()
	m, err := memory.Open(files)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func remember(t testing.TB, m *memory.Memory, token string) {
	t.Helper()
	if err := m.Update(func(s *memory.State) { s.Token = token }); err != nil {
		t.Fatal(err)
	}
}

func TestWhatWasUpdatedIsThereAfterAReboot(t *testing.T) {
	dir, _ := host.OpenDir(t.TempDir())
	m := open(t, dir)
	for i := range 5 {
		remember(t, m, "token-"+strconv.Itoa(i))
		if got := open(t, dir).State().Token; got != "token-"+strconv.Itoa(i) {
			t.Errorf("after update %d: %q", i, got)
		}
	}
}

// A power cut may leave any beginning of a file, or any rubbish in it. Then the
// former generation counts.
func TestATornFileLeavesTheFormerGeneration(t *testing.T) {
	files := &host.FakeFiles{}
	m := open(t, files)
	remember(t, m, "former")
	remember(t, m, "latest") // generation 2 lies in memory.0
	whole, err := files.Read("memory.0")
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(whole) {
		_ = files.Write("memory.0", whole[:cut])
		torn := open(t, files)
		if got := torn.State().Token; got != "former" || !torn.Torn() {
			t.Fatalf("cut at %d: token %q, torn %v", cut, got, torn.Torn())
		}
	}
	for flip := range len(whole) {
		broken := append([]byte(nil), whole...)
		broken[flip] ^= 0x20
		_ = files.Write("memory.0", broken)
		if got := open(t, files).State().Token; got != "former" {
			t.Fatalf("flipped at %d: token %q", flip, got)
		}
	}
	_ = files.Write("memory.0", whole[:10])
	again := open(t, files)
	remember(t, again, "next")
	if got := open(t, files).State().Token; got != "next" {
		t.Errorf("after the repair: %q", got)
	}
}

func TestAFullDiskKeepsWhatWas(t *testing.T) {
	files := &host.FakeFiles{}
	m := open(t, files)
	remember(t, m, "former")
	m.SetClock(memory.Clock{Boot: "a", Now: friday, Exam: friday})
	for range 2 { // both slots have their size
		m.SetClock(m.Clock().At(host.Reading{Boot: "a", Elapsed: m.Clock().Elapsed + time.Second, Wall: friday}))
		if err := m.Checkpoint(); err != nil {
			t.Fatal(err)
		}
	}
	files.SetFull(true)
	err := m.Update(func(s *memory.State) { s.Token = "too much" })
	if !errors.Is(err, host.ErrFull) || !host.IsFull(err) {
		t.Errorf("the full disk was not told: %v", err)
	}
	if got := m.State().Token; got != "former" {
		t.Errorf("what could not be stored is acted upon: %q", got)
	}
	m.SetClock(memory.Clock{Boot: "a", Now: friday.Add(time.Hour), Exam: friday})
	if err := m.Checkpoint(); err != nil {
		t.Errorf("the clock needs no space: %v", err)
	}
	if got := open(t, files).Clock().Now; !got.Equal(friday.Add(time.Hour)) {
		t.Errorf("clock after reboot: %v", got)
	}
}

func TestATornClockLeavesTheFormerBeat(t *testing.T) {
	files := &host.FakeFiles{}
	m := open(t, files)
	m.SetClock(memory.Clock{Boot: "a", Now: friday, Exam: friday})
	_ = m.Checkpoint()
	m.SetClock(memory.Clock{Boot: "a", Now: friday.Add(10 * time.Second), Exam: friday})
	_ = m.Checkpoint() // beat 2 lies in clock.0
	whole, _ := files.Read("clock.0")
	for cut := 0; cut < 200; cut++ {
		_ = files.Write("clock.0", whole[:cut])
		if got := open(t, files).Clock().Now; cut < 150 && !got.Equal(friday) {
			t.Fatalf("cut at %d: %v", cut, got)
		}
	}
}

func TestAnEndIsNeverTakenBackByAnEarlierRevision(t *testing.T) {
	var s memory.State
	s.End(memory.Ended{ID: "a", Rev: 3, At: friday})
	if s.End(memory.Ended{ID: "a", Rev: 2, At: friday.Add(time.Hour)}) {
		t.Error("an earlier revision changed the end")
	}
	if _, ok := s.EndOf("a", 3); !ok {
		t.Error("revision 3 is not over")
	}
	if _, ok := s.EndOf("a", 4); ok {
		t.Error("revision 4 is over before it came")
	}
}

func TestOldNotesMakeRoom(t *testing.T) {
	var s memory.State
	for i := range 500 {
		s.End(memory.Ended{ID: strconv.Itoa(i), Rev: 1})
		s.Happened(ddm.Event{ID: strconv.Itoa(i)})
		s.Spend(memory.Used{ID: strconv.Itoa(i)})
	}
	if len(s.Ended) != 200 || len(s.Events) != 100 || len(s.Release.Used) != 50 {
		t.Errorf("kept %d ends, %d events, %d codes", len(s.Ended), len(s.Events), len(s.Release.Used))
	}
	if s.Events[99].ID != "499" || s.Counters.Lost != 400 {
		t.Errorf("last event %s, lost %d", s.Events[99].ID, s.Counters.Lost)
	}
}

// Whatever of updates, full disks, torn files and reboots happens, memory holds
// the last state that was reported as stored, or the one before if that very
// file was torn.
func TestMemoryNeverInvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		files := &host.FakeFiles{}
		m, _ := memory.Open(files)
		var stored []string
		for i := range rapid.IntRange(1, 30).Draw(t, "steps") {
			files.SetFull(rapid.Float64().Draw(t, "full") < 0.3)
			token := "t" + strconv.Itoa(i)
			if m.Update(func(s *memory.State) { s.Token = token }) == nil {
				stored = append(stored, token)
			}
			files.SetFull(false)
			if rapid.Bool().Draw(t, "reboot") {
				m, _ = memory.Open(files)
			}
			want := ""
			if len(stored) > 0 {
				want = stored[len(stored)-1]
			}
			if got := m.State().Token; got != want {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
	})
}

func FuzzOpen(f *testing.F) {
	files := &host.FakeFiles{}
	m, _ := memory.Open(files)
	_ = m.Update(func(s *memory.State) { s.Token = "a" })
	m.SetClock(memory.Clock{Boot: "a", Now: friday})
	_ = m.Checkpoint()
	state, _ := files.Read("memory.1")
	clock, _ := files.Read("clock.1")
	f.Add(state, clock)
	f.Add([]byte("schulwart-memory 1 1 99999999999999999999 x\n"), []byte("schulwart-clock 1 1 -1 x\n"))
	f.Fuzz(func(t *testing.T, state, clock []byte) {
		files := &host.FakeFiles{}
		_ = files.Write("memory.0", state)
		_ = files.Write("clock.0", clock)
		m, err := memory.Open(files)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Update(func(s *memory.State) { s.Token = "after" }); err != nil {
			t.Fatal(err)
		}
		again, _ := memory.Open(files)
		if got := again.State().Token; got != "after" && m.State().Token == "after" {
			t.Fatalf("an update was lost: %q", got)
		}
	})
}
