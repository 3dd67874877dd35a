package remote

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"schulwart.org/agent/identity"
)

// Heartbeats of the stream, and how many may be missing.
const (
	defaultHeartbeat = 5 * time.Minute
	silentFor        = 2.5
)

// errSilent says that a stream lives only in appearance.
var errSilent = errors.New("remote: stream is silent")

// steady is how long a stream must have lasted for its end to count as the
// first failure.
const steady = 30 * time.Second

// stream holds the event stream open and wakes the session at each nudge. While
// it cannot be had, the session polls.
func (s *Session) stream(ctx context.Context) {
	var retry backoff
	for ctx.Err() == nil {
		began := time.Now()
		pause, err := s.listen(ctx)
		if s.connected.Swap(false) {
			signal(s.repace) // the long pause of a session with a stream is over
		}
		if ctx.Err() != nil {
			return
		}
		if identity.Dated(err) {
			s.askTime(ctx)
		}
		if time.Since(began) > steady {
			retry.reset()
		}
		select {
		case <-ctx.Done():
		case <-s.redial:
		case <-s.again:
		case <-s.config.Clock.After(max(retry.next(), pause)):
		}
	}
}

// listen opens one stream and follows it to its end. It returns how long the
// server asks not to be asked again.
func (s *Session) listen(parent context.Context) (time.Duration, error) {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.config.Identity.DeviceURL+"/stream", nil)
	if err != nil {
		return 0, fmt.Errorf("opening stream: %w", err)
	}
	request.Header.Set("Accept", "text/event-stream")
	response, err := s.client.http.Do(request)
	if err != nil {
		return 0, fmt.Errorf("opening stream: %w", err)
	}
	defer response.Body.Close()
	s.paced(response)
	if response.StatusCode != http.StatusOK || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		return faultOf(response).After, faultOf(response)
	}
	s.connected.Store(true)
	go s.hangUp(ctx, cancel)
	silence := time.Duration(silentFor * float64(heartbeatIn(response)))
	return 0, s.follow(response.Body, silence, cancel)
}

// paced takes how often the device shall poll while it has no stream.
func (s *Session) paced(response *http.Response) {
	if seconds, err := strconv.Atoi(response.Header.Get("Schulwart-Poll")); err == nil && seconds > 0 {
		pace := int64(min(time.Duration(seconds)*time.Second, slowest))
		if s.pace.Swap(pace) != pace {
			signal(s.repace)
		}
	}
}

func heartbeatIn(response *http.Response) time.Duration {
	if seconds, err := strconv.Atoi(response.Header.Get("Schulwart-Heartbeat")); err == nil && seconds > 0 {
		return min(time.Duration(seconds)*time.Second, time.Hour)
	}
	return defaultHeartbeat
}

// hangUp ends the stream when the machine slept or was unplugged.
func (s *Session) hangUp(ctx context.Context, cancel context.CancelCauseFunc) {
	select {
	case <-ctx.Done():
	case <-s.redial:
		signal(s.redial)
		cancel(errUnplugged)
	}
}

// longestLine is more than any line of the stream; a server that sends longer
// ones is none of ours.
const longestLine = 512

// follow reads lines until the stream ends, is silent for too long, or says
// goodbye.
func (s *Session) follow(body io.Reader, silence time.Duration, cancel context.CancelCauseFunc) error {
	watchdog := time.AfterFunc(silence, func() { cancel(errSilent) })
	defer watchdog.Stop()
	lines := bufio.NewReaderSize(body, longestLine)
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil {
			return fmt.Errorf("following stream: %w", err)
		}
		watchdog.Reset(silence)
		switch strings.TrimSpace(string(line)) {
		case "data: nudge":
			signal(s.nudges)
		case "event: bye":
			return nil
		}
	}
}
