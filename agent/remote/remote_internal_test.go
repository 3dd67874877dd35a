package remote

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestBackoffDoublesUpToAQuarterOfAnHour(t *testing.T) {
	b := backoff{random: func() float64 { return 0.999999 }}
	var last time.Duration
	for range 10 {
		next := b.next()
		if next < last {
			t.Errorf("%v after %v", next, last)
		}
		last = next
	}
	for range 100 {
		last = b.next()
	}
	if last > longestBackoff || last < longestBackoff-time.Second {
		t.Errorf("after a long night: %v", last)
	}
	b.reset()
	if next := b.next(); next > firstBackoff {
		t.Errorf("after a success: %v", next)
	}
}

func TestBackoffIsFullyJittered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := rapid.Float64Range(0, 0.999999).Draw(t, "random")
		b := backoff{failures: rapid.IntRange(0, 1000).Draw(t, "failures"), random: func() float64 { return draw }}
		bound := longestBackoff
		if b.failures < 10 {
			bound = firstBackoff << b.failures
		}
		if next := b.next(); next > max(bound, firstBackoff/10) || next < firstBackoff/10 {
			t.Fatalf("%v, bound %v", next, bound)
		}
	})
	// Ten thousand devices whose server stops do not come back in one second.
	seconds := map[int]int{}
	for range 10_000 {
		b := backoff{failures: 6}
		seconds[int(b.next().Seconds())]++
	}
	for second, n := range seconds {
		if n > 300 {
			t.Errorf("%d devices in second %d", n, second)
		}
	}
}

func TestPollingIsJitteredAroundItsPace(t *testing.T) {
	if low, high := jittered(time.Minute, func() float64 { return 0 }), jittered(time.Minute, func() float64 { return 0.999 }); low != time.Second || high < 110*time.Second || high > 2*time.Minute {
		t.Errorf("between %v and %v", low, high)
	}
}

func streamSession() *Session {
	return &Session{nudges: make(chan struct{}, 1), repace: make(chan struct{}, 1), redial: make(chan struct{}, 1), renews: make(chan struct{}, 1)}
}

func TestASilentStreamIsGivenUp(t *testing.T) {
	s := streamSession()
	reader, writer := io.Pipe()
	ctx, cancel := context.WithCancelCause(context.Background())
	go func() {
		_, _ = writer.Write([]byte(": still here\n\ndata: nudge\n\n"))
		<-ctx.Done()
		_ = writer.CloseWithError(context.Cause(ctx))
	}()
	err := s.follow(reader, 50*time.Millisecond, cancel)
	if !errors.Is(err, errSilent) {
		t.Errorf("ended with %v", err)
	}
	if len(s.nudges) != 1 {
		t.Error("the nudge was not heard")
	}
}

func TestAGoodbyeEndsTheStream(t *testing.T) {
	s := streamSession()
	_, cancel := context.WithCancelCause(context.Background())
	if err := s.follow(strings.NewReader("event: bye\ndata: restart\n\n"), time.Minute, cancel); err != nil {
		t.Error(err)
	}
}

func FuzzServerAnswers(f *testing.F) {
	f.Add([]byte(`{"Declarations":{"Activations":[{"Identifier":"a","ServerToken":"b"}]},"DeclarationsToken":"c"}`))
	f.Add([]byte("data: nudge\n: x\nevent: bye\n"))
	f.Add([]byte(strings.Repeat("x", 5000)))
	f.Fuzz(func(t *testing.T, data []byte) {
		if manifest, err := parseManifest(data); err == nil && manifest.DeclarationsToken == "" {
			t.Error("a manifest without token")
		}
		_, cancel := context.WithCancelCause(context.Background())
		_ = streamSession().follow(strings.NewReader(string(data)), time.Minute, cancel)
		response := &http.Response{Header: http.Header{"Retry-After": {string(data)}, "Schulwart-Heartbeat": {string(data)}, "Schulwart-Poll": {string(data)}}}
		if after := faultOf(response).After; after < 0 || after > longestBackoff {
			t.Errorf("would wait %v", after)
		}
		if beat := heartbeatIn(response); beat <= 0 || beat > time.Hour {
			t.Errorf("would wait %v for a heartbeat", beat)
		}
	})
}
