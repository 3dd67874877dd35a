package checkin_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"schulwart.org/server/checkin"
)

// sightings keeps what was written, and can be out of order.
type sightings struct {
	seen    []checkin.Sighting
	minutes []checkin.Minute
	broken  error
}

func (s *sightings) SaveSightings(_ context.Context, seen []checkin.Sighting, minutes []checkin.Minute) error {
	if s.broken != nil {
		return s.broken
	}
	s.seen, s.minutes = append(s.seen, seen...), append(s.minutes, minutes...)
	return nil
}

func TestManyMessagesAreOneRow(t *testing.T) {
	kept, now := &sightings{}, time.Unix(1_800_000_000, 0)
	p := checkin.NewPresence(kept, func() time.Time { return now })
	for range 1000 {
		now = now.Add(time.Millisecond)
		p.Seen(checkin.Enrolment{ID: "e", Device: "d", Authority: "a", School: "s"})
	}
	if err := p.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(kept.seen) != 1 || !kept.seen[0].At.Equal(now) || len(kept.minutes) != 1 || kept.minutes[0].N != 1000 {
		t.Fatalf("wrote %+v", kept)
	}
	if err := p.Flush(context.Background()); err != nil || len(kept.seen) != 1 {
		t.Fatal("wrote again what nobody said again")
	}
}

func TestWhatCannotBeWrittenIsTriedAgain(t *testing.T) {
	kept, now := &sightings{broken: errors.New("disk full")}, time.Unix(1_800_000_000, 0)
	p := checkin.NewPresence(kept, func() time.Time { return now })
	p.Seen(checkin.Enrolment{ID: "e", Device: "d"})
	if p.Flush(context.Background()) == nil {
		t.Fatal("a full disk was taken for success")
	}
	kept.broken = nil
	if err := p.Flush(context.Background()); err != nil || len(kept.seen) != 1 || kept.minutes[0].N != 1 {
		t.Fatalf("wrote %+v, %v", kept, err)
	}
}

func TestContact(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	p := checkin.NewPresence(&sightings{}, func() time.Time { return now })
	if connected, seen := p.Contact("e"); connected || !seen.IsZero() {
		t.Fatal("in contact before the first message")
	}
	p.Seen(checkin.Enrolment{ID: "e", Device: "d"})
	p.Connected("e", true)
	now = now.Add(time.Hour)
	if connected, _ := p.Contact("e"); !connected {
		t.Fatal("a silent device with an open stream is in contact")
	}
	p.Connected("e", false)
	now = now.Add(checkin.Silence + time.Second)
	if connected, seen := p.Contact("e"); connected || seen.IsZero() {
		t.Fatal("in contact long after the stream was lost")
	}
	if place, ok := p.Place("e"); !ok || place.Device != "d" {
		t.Fatalf("at %+v", place)
	}
}

// A clock that goes on between two looks at it made the loss of a stream look like
// a message after it: a laptop without an agent counted as in contact for two
// minutes and a half.
func TestALostStreamIsNoMessage(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	p := checkin.NewPresence(&sightings{}, func() time.Time { now = now.Add(time.Microsecond); return now })
	p.Seen(checkin.Enrolment{ID: "e", Device: "d"})
	p.Connected("e", true)
	p.Connected("e", false)
	if connected, _ := p.Contact("e"); !connected {
		t.Error("lost at once: laptops change access points")
	}
	now = now.Add(checkin.Roaming)
	if connected, _ := p.Contact("e"); connected {
		t.Error("in contact after it was away for longer than to change access points")
	}
	p.Seen(checkin.Enrolment{ID: "e", Device: "d"}) // it polls
	now = now.Add(checkin.Roaming)
	if connected, _ := p.Contact("e"); !connected {
		t.Error("a device that polls is not in contact")
	}
}

func TestSerialNumbersThatAreNone(t *testing.T) {
	for text, want := range map[string]string{
		"PF0ABC12": "PF0ABC12", "  PF0ABC12 ": "PF0ABC12", "To be filled by O.E.M.": "", "Default string": "", "0": "", "00000000": "", "None": "", "System Serial Number": "", "-": "", "PF\x00\n1": "PF1",
	} {
		if got := checkin.Serial(text); got != want {
			t.Errorf("%q became %q", text, got)
		}
	}
}
