package packages

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"sync"

	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
)

// sums remembers the hashes of chunks, so that a file is read once for all devices.
type sums struct {
	mu    sync.Mutex
	known map[string]*once
}

type once struct {
	sync.Mutex
	sums []byte
}

// mostSums bounds how many files are remembered; the hashes of one of two
// gigabytes are 64 kB.
const mostSums = 64

func (s *sums) of(hash string) *once {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.known[hash]
	if o == nil {
		if s.known == nil || len(s.known) >= mostSums {
			s.known = map[string]*once{}
		}
		o = &once{}
		s.known[hash] = o
	}
	return o
}

// Sums returns the SHA-256 of each chunk of a file, one after the other, so that a
// device knows at once when another one gives it something else.
func (s *Service) Sums(ctx context.Context, authority org.ID, hash string) ([]byte, error) {
	// Under the authority's name, or one could learn what another one has.
	o := s.sums.of(authority.String() + " " + hash)
	o.Lock()
	defer o.Unlock()
	if o.sums != nil {
		return o.sums, nil
	}
	file, err := s.Open(ctx, authority, hash)
	if err != nil {
		return nil, err
	}
	list, buffer := []byte{}, make([]byte, rollout.Chunk)
	for {
		n, err := io.ReadFull(file, buffer)
		if n > 0 {
			sum := sha256.Sum256(buffer[:n])
			list = append(list, sum[:]...)
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("reading a file for its hashes: %w", err)
		}
	}
	o.sums = list
	return list, nil
}
