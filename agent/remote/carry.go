package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"schulwart.org/policies/rollout"
)

// Carrier has things that go over the wire beside messages: files.
type Carrier interface {
	// Carry does what is to do. After an error it is called again, later.
	Carry(ctx context.Context, door Door) error
	// Wants receives when there is something to do.
	Wants() <-chan struct{}
}

// Door is the way to the server, as this device.
type Door struct{ client *client }

// carryTime bounds one request of a carrier: half a megabyte on a thin line.
const carryTime = 5 * time.Minute

// Get fetches what lies under a path of the device's server.
func (d Door) Get(ctx context.Context, path string) ([]byte, error) {
	return d.exchange(ctx, http.MethodGet, path, nil)
}

// Piece fetches the bytes of a file from an offset on, at most as many as asked for
// (RFC 9110, section 14).
func (d Door) Piece(ctx context.Context, path string, from int64, most int) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, carryTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.client.id.DeviceURL+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", from, from+int64(most)-1))
	response, err := d.client.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusPartialContent {
		return nil, faultOf(response)
	}
	piece, err := io.ReadAll(io.LimitReader(response.Body, int64(most)))
	if len(piece) > 0 {
		return piece, nil // what came before the way broke off is no loss
	}
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return nil, fmt.Errorf("reading a piece: %w", err)
}

// Way asks from whom this device shall have a file. A server that knows no such
// question is the only one to have it from.
func (d Door) Way(ctx context.Context, path string, ask rollout.Ask) (rollout.Way, error) {
	var way rollout.Way
	body, err := json.Marshal(ask)
	if err != nil {
		return way, err
	}
	answer, err := d.exchange(ctx, http.MethodPost, path, body)
	var fault Fault
	if errors.As(err, &fault) && (fault.Status == http.StatusNotFound || fault.Status == http.StatusMethodNotAllowed) {
		return rollout.Way{Lead: true, Again: 600}, nil
	}
	if err == nil {
		err = json.Unmarshal(answer, &way)
	}
	return way, err
}

// Put brings something there and returns the answer.
func (d Door) Put(ctx context.Context, path string, body []byte) ([]byte, error) {
	return d.exchange(ctx, http.MethodPut, path, body)
}

func (d Door) exchange(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, carryTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, d.client.id.DeviceURL+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	response, err := d.client.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, faultOf(response)
	}
	answer, err := io.ReadAll(io.LimitReader(response.Body, largest))
	if err != nil {
		return nil, fmt.Errorf("reading answer: %w", err)
	}
	return answer, nil
}

// carry lets the carrier do what it wants, until the context ends. A fault never
// disturbs what the session says; it is tried again as everything else is.
func (s *Session) carry(ctx context.Context, carrier Carrier, uplink <-chan struct{}) {
	var retry backoff
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-carrier.Wants():
			if again != nil {
				continue // it waits for its turn
			}
		case <-again:
		case <-uplink:
		}
		again = nil
		err := carrier.Carry(ctx, Door{s.client})
		if err == nil {
			retry.reset()
			continue
		}
		s.config.Log.Info("files were not carried", "error", err)
		pause := retry.next()
		var fault Fault
		if errors.As(err, &fault) {
			pause = max(pause, fault.After)
		}
		again = s.config.Clock.After(pause)
	}
}
