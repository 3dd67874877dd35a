package remote_test

import (
	"testing"
	"time"

	"schulwart.org/agent/host"
	"schulwart.org/agent/memory"
	"schulwart.org/agent/remote/remotetest"
)

// wrongClock is this machine's clock after another start, with hands that
// somebody or an empty battery moved.
type wrongClock struct {
	host.Clock
	boot string
	wall time.Time
	from time.Duration
}

func moved(t *testing.T, wall time.Time) *wrongClock {
	clock := host.NewClock(t.TempDir())
	return &wrongClock{Clock: clock, boot: "after " + t.Name(), wall: wall, from: clock.Read().Elapsed}
}

func (c *wrongClock) Read() host.Reading {
	r := c.Clock.Read()
	return host.Reading{Boot: c.boot, Elapsed: r.Elapsed - c.from, Wall: c.wall.Add(r.Elapsed - c.from)}
}

// Certificates are judged at the latest of wall clock, last word of the server
// and the time of the build; where that is too late, the server tells the time
// under its own authority. A device comes back by itself whatever its clock says,
// and knows the time then.
func TestAWrongClockAtStartDoesNotShutADeviceOut(t *testing.T) {
	for name, wall := range map[string]time.Time{
		"1970": time.Unix(0, 0),
		"2100": time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		for _, known := range []bool{true, false} {
			what := name + ", the server was heard before"
			if !known {
				what = name + ", nothing was heard before"
			}
			t.Run(what, func(t *testing.T) {
				s := remotetest.New(t)
				d := enrolled(t, s)
				udid := d.id.UDID
				remotetest.Await(t, "the stream", streaming(s, udid))
				remotetest.Await(t, "the server's time", func() bool { return d.loop.Status().Clock == memory.TrustServer })
				d.stop()
				remotetest.Await(t, "its end", func() bool { return !streaming(s, udid)() })
				if !known {
					var err error
					if d.memory, err = memory.Open(host.NewFake(wall).Files); err != nil {
						t.Fatal(err)
					}
					if err := d.memory.Believe(d.id.Trusted()); err != nil {
						t.Fatal(err)
					}
				}
				d.clock = moved(t, wall)
				d.start(t)
				remotetest.Await(t, "the stream again", streaming(s, udid))
				remotetest.Await(t, "the server's time again", func() bool { return d.loop.Status().Clock == memory.TrustServer })
				if off := time.Since(d.loop.Now()).Abs(); off > 5*time.Second {
					t.Errorf("the time is off by %v", off)
				}
			})
		}
	}
}
