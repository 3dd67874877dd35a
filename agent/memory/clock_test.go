package memory_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"schulwart.org/agent/host"
	"schulwart.org/agent/memory"
)

var friday = time.Date(2026, 3, 20, 9, 0, 0, 0, time.UTC)

func TestClock(t *testing.T) {
	const day = 24 * time.Hour
	running := memory.Clock{Boot: "a", Elapsed: time.Hour, Now: friday, Exam: friday, Trust: memory.TrustServer}
	inExam := running
	inExam.Exams = true
	for name, c := range map[string]struct {
		from      memory.Clock
		reading   host.Reading
		now, exam time.Time
		trust     memory.Trust
	}{
		"ten seconds pass":                      {running, host.Reading{Boot: "a", Elapsed: time.Hour + 10*time.Second, Wall: friday.Add(10 * time.Second)}, friday.Add(10 * time.Second), friday.Add(10 * time.Second), memory.TrustServer},
		"wall clock moved a day on":             {running, host.Reading{Boot: "a", Elapsed: time.Hour + 10*time.Second, Wall: friday.Add(day)}, friday.Add(10 * time.Second), friday.Add(10 * time.Second), memory.TrustServer},
		"wall clock moved a day back":           {running, host.Reading{Boot: "a", Elapsed: time.Hour + 10*time.Second, Wall: friday.Add(-day)}, friday.Add(10 * time.Second), friday.Add(10 * time.Second), memory.TrustServer},
		"asleep over the weekend":               {running, host.Reading{Boot: "a", Elapsed: time.Hour + 3*day, Wall: friday.Add(3 * day)}, friday.Add(3 * day), friday.Add(3 * day), memory.TrustServer},
		"off over the weekend":                  {running, host.Reading{Boot: "b", Elapsed: time.Minute, Wall: friday.Add(3 * day)}, friday.Add(3 * day), friday.Add(3 * day), memory.TrustWall},
		"empty battery: clock at 1970":          {running, host.Reading{Boot: "b", Elapsed: time.Minute, Wall: time.Unix(0, 0)}, friday.Add(time.Minute), friday.Add(time.Minute), memory.TrustCheckpoint},
		"clock a minute slow at start":          {running, host.Reading{Boot: "b", Elapsed: time.Minute, Wall: friday}, friday.Add(time.Minute), friday.Add(time.Minute), memory.TrustWall},
		"exam: started anew with a later clock": {inExam, host.Reading{Boot: "b", Elapsed: time.Minute, Wall: friday.Add(3 * time.Hour)}, friday.Add(3 * time.Hour), friday.Add(time.Minute), memory.TrustWall},
		"exam: moved while running":             {inExam, host.Reading{Boot: "a", Elapsed: time.Hour + time.Minute, Wall: friday.Add(3 * time.Hour)}, friday.Add(time.Minute), friday.Add(time.Minute), memory.TrustServer},
		"nothing known":                         {memory.Clock{}, host.Reading{Boot: "b", Elapsed: time.Minute, Wall: friday}, friday, friday, memory.TrustNone},
		"still nothing known after a restart":   {memory.Clock{Boot: "a", Now: friday, Exam: friday, Trust: memory.TrustNone}, host.Reading{Boot: "b", Elapsed: time.Minute, Wall: friday.Add(day)}, friday.Add(day), friday.Add(day), memory.TrustNone},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.from.At(c.reading)
			if !got.Now.Equal(c.now) || !got.Exam.Equal(c.exam) || got.Trust != c.trust {
				t.Errorf("got now %v, exam %v, trust %s; want %v, %v, %s", got.Now, got.Exam, got.Trust, c.now, c.exam, c.trust)
			}
		})
	}
}

func TestTheServerIsRightInBothDirections(t *testing.T) {
	behind := memory.Clock{Boot: "a", Now: friday, Exam: friday, Trust: memory.TrustCheckpoint}
	for _, by := range []time.Duration{time.Hour, -time.Hour, 3 * time.Second} {
		got, corrected := behind.Confirmed(friday.Add(by))
		if corrected != by || !got.Now.Equal(friday.Add(by)) || got.Trust != memory.TrustServer {
			t.Errorf("corrected by %v to %v, want %v", corrected, got.Now, by)
		}
	}
	if got, corrected := behind.Confirmed(friday.Add(time.Second)); corrected != 0 || !got.Now.Equal(friday) {
		t.Errorf("a second within the precision moved the time by %v", corrected)
	}
	exam := memory.Clock{Boot: "a", Now: friday, Exam: friday.Add(-time.Hour), Exams: true, Trust: memory.TrustWall}
	if got, _ := exam.Confirmed(friday); !got.Exam.Equal(friday) {
		t.Errorf("the server's word did not reach the exam: %v", got.Exam)
	}
}

// machine is a device whose owner does what he likes to its wall clock.
type machine struct {
	reading host.Reading
	clock   memory.Clock
	boots   int
}

func (m *machine) pass(d time.Duration) {
	m.reading.Elapsed += d
	m.reading.Wall = m.reading.Wall.Add(d)
	m.clock = m.clock.At(m.reading)
}

// Whatever is done to the wall clock while the system runs, the end of a lease
// comes after the same elapsed time, give or take two minutes.
func TestNoJumpMovesAnEndWhileRunning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{reading: host.Reading{Boot: "a", Wall: friday}}
		m.clock = memory.Clock{Boot: "a", Now: friday, Exam: friday, Trust: memory.TrustServer}
		var passed time.Duration
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "jump") {
				m.reading.Wall = m.reading.Wall.Add(time.Duration(rapid.Int64Range(-int64(1000*time.Hour), int64(1000*time.Hour)).Draw(t, "by")))
			}
			d := time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "pass"))
			m.pass(d)
			passed += d
			if off := m.clock.Now.Sub(friday.Add(passed)); off.Abs() > 2*time.Minute {
				t.Fatalf("after %v the clock is off by %v", passed, off)
			}
		}
	})
}

// With restarts, a lease never holds for longer running time than it had left,
// and the time of exams is moved by elapsed time alone.
func TestNoJumpLengthensALeaseAcrossRestarts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{reading: host.Reading{Boot: "a", Wall: friday}}
		m.clock = memory.Clock{Boot: "a", Now: friday, Exam: friday, Exams: true, Trust: memory.TrustServer}
		var ran time.Duration
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"pass", "jump", "reboot"}).Draw(t, "what") {
			case "jump":
				m.reading.Wall = m.reading.Wall.Add(time.Duration(rapid.Int64Range(-int64(100*time.Hour), int64(100*time.Hour)).Draw(t, "by")))
			case "reboot":
				m.boots++
				m.reading.Boot = "b" + string(rune('a'+m.boots))
				m.reading.Elapsed = 0
			}
			d := time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "pass"))
			m.pass(d)
			ran += d
			if m.clock.Now.Before(friday.Add(ran)) {
				t.Fatalf("a lease holds %v too long", friday.Add(ran).Sub(m.clock.Now))
			}
			if !m.clock.Exam.Equal(friday.Add(ran)) {
				t.Fatalf("exam time is %v after %v of running", m.clock.Exam.Sub(friday), ran)
			}
		}
	})
}
