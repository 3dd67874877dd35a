package packages_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"testing"
	"time"

	"schulwart.org/agent/host"
	"schulwart.org/agent/packages"
	"schulwart.org/agent/peers"
	"schulwart.org/agent/reconcile"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
)

// site is a device among others, whose clock goes on by waiting alone.
type site struct {
	*world
	way    rollout.Way // what the server answers, without the hashes
	lead   int         // questions after which this device leads; negative: never
	silent bool        // the server answers no question about the way
	asks   []rollout.Ask
	server int64 // bytes had from the server
	slow   time.Duration
	peers  map[org.ID]func(from int64, most int) ([]byte, error)
	free   int64

	offered   map[string]func(from int64, most int) ([]byte, error)
	words     map[string]string
	withdrawn int
}

// Read and After are part of host.Clock.
func (s *site) Read() host.Reading { return host.Reading{Wall: s.now} }

func (s *site) After(d time.Duration) <-chan time.Time {
	s.now = s.now.Add(d)
	done := make(chan time.Time, 1)
	done <- s.now
	return done
}

func (s *site) Way(_ context.Context, path string, ask rollout.Ask) (rollout.Way, error) {
	if s.silent {
		return rollout.Way{}, errors.New("no answer")
	}
	s.asks = append(s.asks, ask)
	way := s.way
	way.Lead = way.Lead || s.lead >= 0 && len(s.asks) > s.lead
	if ask.Sums {
		for part := range slices.Chunk(s.served[path[:len(path)-len("/way")]], rollout.Chunk) {
			sum := sha256.Sum256(part)
			way.Sums = append(way.Sums, sum[:]...)
		}
	}
	return way, nil
}

func (s *site) Piece(ctx context.Context, path string, from int64, most int) ([]byte, error) {
	s.now = s.now.Add(s.slow)
	piece, err := s.world.Piece(ctx, path, from, most)
	s.server += int64(len(piece))
	return piece, err
}

// others is the way to peers.
type others struct{ *site }

func (o others) Piece(_ context.Context, peer rollout.Peer, hash, word string, from int64, most int) ([]byte, error) {
	if word != "word" {
		return nil, errors.New("who are you?")
	}
	return o.peers[peer.ID](from, most)
}

func (o others) Offer(hash, word string, read func(from int64, most int) ([]byte, error)) (string, string, error) {
	o.offered[hash], o.words[hash] = read, word
	return "10.0.0.1:7447", "10.0.0.0/24", nil
}

func (o others) Withdraw(hash string) {
	delete(o.offered, hash)
	o.withdrawn++
}
func (o others) Network() string { return "10.0.0.0/24" }
func (o others) Close()          {}

func newSite(t *testing.T) *site {
	s := &site{world: newWorld(t), lead: -1, free: 10 << 30, peers: map[org.ID]func(int64, int) ([]byte, error){}, offered: map[string]func(int64, int) ([]byte, error){}, words: map[string]string{}}
	s.now = s.now.Add(11 * time.Hour) // after lessons
	s.way = rollout.Way{Share: true, Word: "word", Again: 10, Keep: 1800}
	s.begin()
	return s
}

// begin is the agent's start.
func (s *site) begin() {
	s.keeper = packages.New(packages.Options{
		Wanted: func() []reconcile.Package { return s.wanted }, Announce: func() {}, Busy: func() bool { return s.busy }, Now: func() time.Time { return s.now }, Clock: s, Store: s.files, System: s.world, Neighbours: others{s},
		Free: func() int64 { return s.free }, Spread: func(within time.Duration) time.Duration { return within / 3 },
	})
}

// gives makes a peer that has the file, as far as spoilt leaves it so.
func (s *site) gives(id org.ID, file []byte, spoilt func([]byte) []byte) {
	s.peers[id] = func(from int64, most int) ([]byte, error) {
		if from+int64(most) > int64(len(file)) {
			return nil, peers.ErrLater
		}
		return spoilt(slices.Clone(file[from : from+int64(most)])), nil
	}
	s.way.Peers = append(s.way.Peers, rollout.Peer{ID: id, At: "10.0.0.2:7447", Have: int64(len(file))})
}

func whole(b []byte) []byte { return b }

// come lets the package come, and says how long it took.
func (s *site) come(t *testing.T) time.Duration {
	t.Helper()
	began := s.now
	for range 30 {
		s.keeper.Turn(t.Context())
		select {
		case <-s.keeper.Wants():
			if err := s.keeper.Carry(t.Context(), s); err != nil {
				t.Log(err)
			}
		default:
		}
		if s.state().State == ddm.PackageVerified || s.state().State == ddm.PackageFailed {
			return s.now.Sub(began)
		}
		s.now = s.now.Add(10 * time.Second)
	}
	t.Fatalf("it does not come: %+v", s.state())
	return 0
}

func TestAFileIsHadFromOthersAndChecked(t *testing.T) {
	for name, c := range map[string]struct {
		others func(s *site, file []byte)
		server func(size int64) int64 // bytes that come from the server
		told   func(ask rollout.Ask) bool
	}{
		"one has it": {
			func(s *site, file []byte) { s.gives("a", file, whole) }, func(int64) int64 { return 0 }, func(ask rollout.Ask) bool { return ask.FromPeers > 0 && ask.FromServer == 0 },
		},
		"one lies": {
			func(s *site, file []byte) {
				s.gives("liar", file, func(b []byte) []byte { b[7] ^= 1; return b })
				s.gives("b", file, whole)
			}, func(int64) int64 { return 0 }, func(ask rollout.Ask) bool { return slices.Equal(ask.Lied, []org.ID{"liar"}) },
		},
		"all lie": {
			func(s *site, file []byte) {
				s.gives("liar", file, func(b []byte) []byte { return make([]byte, len(b)) })
			}, func(size int64) int64 { return size },
			func(ask rollout.Ask) bool { return slices.Equal(ask.Silent, []org.ID{"liar"}) },
		},
		"one is dead": {
			func(s *site, file []byte) {
				s.gives("dead", file, whole)
				s.peers["dead"] = func(int64, int) ([]byte, error) { return nil, errors.New("no route") }
			}, func(size int64) int64 { return size }, func(ask rollout.Ask) bool { return slices.Equal(ask.Silent, []org.ID{"dead"}) },
		},
		"one never gets further": {
			func(s *site, file []byte) { s.gives("slow", file[:rollout.Chunk], whole) }, func(size int64) int64 { return size - rollout.Chunk }, func(ask rollout.Ask) bool { return ask.FromServer > 0 },
		},
		"nobody is named": {func(*site, []byte) {}, func(size int64) int64 { return size }, func(ask rollout.Ask) bool { return ask.FromServer > 0 }},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			d := s.declare("geogebra", "1.0", 1)
			c.others(s, s.served[d.Path])
			took := s.come(t)
			if s.state().State != ddm.PackageVerified || s.present["geogebra"] != "1.0" {
				t.Fatalf("%+v", s.state())
			}
			if s.server != c.server(d.Size) {
				t.Errorf("%d bytes of %d from the server, expected %d", s.server, d.Size, c.server(d.Size))
			}
			if !slices.ContainsFunc(s.asks, c.told) {
				t.Errorf("it was not told: %+v", s.asks)
			}
			if took > 4*time.Minute {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// Where the server does not answer the question, nothing is lost: it is asked again
// with the file.
func TestTheWayIsAskedAgainWhenTheServerWasSilent(t *testing.T) {
	s := newSite(t)
	s.silent = true
	s.declare("geogebra", "1.0", 1)
	s.keeper.Turn(t.Context())
	s.now = s.now.Add(time.Minute)
	s.keeper.Turn(t.Context())
	if err := s.keeper.Carry(t.Context(), s); err == nil {
		t.Fatal("no fault")
	}
	s.silent = false
	s.come(t)
}

// The file stays for others as long as the server says, no longer than it answers,
// and not where the disk is full, the rollout held or the declaration gone.
func TestAFileIsKeptForOthersWithinBounds(t *testing.T) {
	for name, c := range map[string]struct {
		then func(s *site, d rollout.Declared)
		kept bool
	}{
		"it is still needed": {func(s *site, _ rollout.Declared) { s.now = s.now.Add(31 * time.Minute) }, true},
		"the agent was restarted": {func(s *site, _ rollout.Declared) {
			clear(s.offered)
			s.begin()
		}, true},
		"the rollout is over": {func(s *site, _ rollout.Declared) {
			s.way.Keep, s.way.Share = 0, false
			s.now = s.now.Add(31 * time.Minute)
		}, false},
		"the server is silent for long": {func(s *site, _ rollout.Declared) {
			s.silent = true
			s.now = s.now.Add(2 * time.Hour)
		}, false},
		"the disk is full": {func(s *site, _ rollout.Declared) { s.free = 300 << 20 }, false},
		"the rollout is held": {func(s *site, d rollout.Declared) {
			d.Hold = true
			s.want(d)
		}, false},
		"nobody declares it": {func(s *site, _ rollout.Declared) { s.wanted = nil }, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			d := s.declare("geogebra", "1.0", 1)
			s.way.Lead = true
			s.come(t)
			given, err := s.offered[d.SHA256](100, 50)
			if err != nil || !bytes.Equal(given, s.served[d.Path][100:150]) || s.words[d.SHA256] != "word" {
				t.Fatalf("after it was installed: %q, %v", given, err)
			}
			s.busy = true
			if _, err := s.offered[d.SHA256](100, 50); err == nil {
				t.Error("it gives out in a lesson")
			}
			s.busy = false
			c.then(s, d)
			for range 3 {
				s.keeper.Turn(t.Context())
				select {
				case <-s.keeper.Wants():
					if err := s.keeper.Carry(t.Context(), s); err != nil {
						t.Fatal(err)
					}
				default:
				}
			}
			size, _ := s.files.Size(d.SHA256 + ".deb")
			if _, gives := s.offered[d.SHA256]; gives != c.kept || (size > 0) != c.kept {
				t.Errorf("given out: %v; %d bytes are here", gives, size)
			}
		})
	}
}

// A rate holds over the whole file, whoever counts.
func TestTheRateOfTheLineIsKept(t *testing.T) {
	s := newSite(t)
	s.way = rollout.Way{Lead: true, Rate: 50_000, Again: 10}
	d := s.declare("geogebra", "1.0", 1)
	s.keeper.Turn(t.Context())
	s.now = s.now.Add(time.Minute)
	s.keeper.Turn(t.Context())
	began := s.now
	if err := s.keeper.Carry(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if took, least := s.now.Sub(began).Seconds(), float64(d.Size)/50_000-2; took < least || took > 1.2*least+5 {
		t.Errorf("%d bytes took %.0f s at 50 kB a second", d.Size, took)
	}
	if s.state().State != ddm.PackageLoading || s.server != d.Size {
		t.Errorf("%+v, %d bytes", s.state(), s.server)
	}
}
