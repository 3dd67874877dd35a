package packages

import (
	"context"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"schulwart.org/agent/peers"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
)

// How a file is had from others, and when not.
const (
	// patience is how long a device waits in vain for others before it takes the file
	// from the server; a random part of the same length comes on top, so that not all
	// give up at once.
	patience = 45 * time.Second
	// mostFaults is how often in a row a peer may fail before it is left alone.
	mostFaults = 2
	// A piece from the server takes about so long, so that a lead is told in time how
	// it stands, and others have what comes soon.
	shortPiece, longPiece = time.Second, 4 * time.Second
	leastPiece            = 64 << 10
	// A device keeps at the most so many bytes for others, in all.
	mostKept = 2 << 30
	// keepGrace is for how long a device keeps a file on whose need the server does
	// not answer.
	keepGrace = time.Hour
)

// transfer is one file on its way: from whom it comes, and how fast.
type transfer struct {
	k    *Keeper
	door Door
	p    kept

	way   rollout.Way
	at    string // where this device gives the file out; empty if it does not
	net   string
	asked time.Time // zero for not yet
	sums  []byte
	since time.Time     // when a peer last gave something
	wait  time.Duration // for peers, before the server is asked all the same
	step  int64         // bytes that are asked of the server at a time

	ask    rollout.Ask // what the next question will say
	faults map[org.ID]int
}

func (k *Keeper) begin(door Door, p kept) *transfer {
	return &transfer{k: k, door: door, p: p, since: k.o.Now(), wait: patience + k.o.Spread(patience), step: rollout.Chunk / 4, faults: map[org.ID]int{}}
}

// end leaves what is here with those who may have it, and no unsaid word behind.
func (t *transfer) end() {
	if n := t.k.o.Neighbours; n != nil && !t.way.Share {
		n.Withdraw(t.p.SHA256)
	}
}

// next returns the bytes that follow, from whoever has them.
func (t *transfer) next(ctx context.Context, have int64) ([]byte, error) {
	for {
		now := t.k.o.Now()
		if t.due(now, have) {
			if err := t.question(ctx, have); err != nil {
				return nil, err
			}
		}
		if piece := t.fromPeers(ctx, have); piece != nil {
			return piece, nil
		}
		if t.way.Lead || now.Sub(t.since) > t.wait {
			return t.fromServer(ctx, have)
		}
		if !t.k.pause(ctx, time.Second+rand.N(2*time.Second)) {
			return nil, ctx.Err()
		}
		if t.k.o.Busy() {
			return nil, errBusy
		}
	}
}

// errBusy lets go of a transfer for a lesson; what is here stays.
var errBusy = errors.New("packages: a lesson begins")

// due reports whether the server is to be asked: at first, now and then, and sooner
// where there is nobody to have the file from.
func (t *transfer) due(now time.Time, have int64) bool {
	again := time.Duration(max(t.way.Again, 5)) * time.Second
	if !t.way.Lead && len(t.able(have)) == 0 {
		again = min(again, 3*time.Second)
	}
	return t.asked.IsZero() || now.Sub(t.asked) >= again || now.Before(t.asked)
}

// question asks the server for the way. The first answer may say that this device
// can give the file out; then it says so at once.
func (t *transfer) question(ctx context.Context, have int64) error {
	for range 2 {
		ask := t.ask
		ask.At, ask.Net, ask.Have, ask.Sums = t.at, t.net, have, t.sums == nil
		ask.Silent = t.silent()
		if n := t.k.o.Neighbours; n != nil && ask.Net == "" {
			ask.Net = n.Network()
		}
		way, err := t.door.Way(ctx, t.p.Path+"/way", ask)
		if err != nil {
			return err
		}
		t.way, t.asked, t.ask = way, t.k.o.Now(), rollout.Ask{Last: t.ask.Last}
		if len(way.Sums) == int(rollout.Chunks(t.p.Size))*rollout.SumSize {
			t.sums = way.Sums
		}
		t.k.bucket.set(way.Rate)
		before := t.at
		t.offer()
		if t.at == before {
			break
		}
	}
	return nil
}

// offer gives out what is here, if the way says so.
func (t *transfer) offer() {
	t.at, t.net = "", ""
	if t.way.Share {
		t.at, t.net = t.k.offer(t.p, t.way.Word)
	}
}

// able lists the peers that are worth asking for what follows.
func (t *transfer) able(have int64) []rollout.Peer {
	return slices.DeleteFunc(slices.Clone(t.way.Peers), func(p rollout.Peer) bool {
		return t.faults[p.ID] >= mostFaults || t.way.Lead && p.Have <= have
	})
}

func (t *transfer) silent() []org.ID {
	var list []org.ID
	for id, faults := range t.faults {
		if faults >= mostFaults {
			list = append(list, id)
		}
	}
	slices.Sort(list)
	return list
}

// fromPeers returns what follows up to the end of its chunk, checked, from the
// first peer that has it; nil if none does.
func (t *transfer) fromPeers(ctx context.Context, have int64) []byte {
	if t.k.o.Neighbours == nil || !t.way.Share || t.sums == nil {
		return nil
	}
	begins := have - have%rollout.Chunk
	length := min(rollout.Chunk, t.p.Size-begins)
	want := t.sums[begins/rollout.Chunk*rollout.SumSize:][:rollout.SumSize]
	for _, peer := range t.able(have) {
		chunk, err := t.k.o.Neighbours.Piece(ctx, peer, t.p.SHA256, t.way.Word, begins, int(length))
		if errors.Is(err, peers.ErrLater) {
			t.faults[peer.ID] = 0
			continue
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			t.faults[peer.ID]++
			continue
		}
		if sum := sha256.Sum256(chunk); !slices.Equal(sum[:], want) {
			t.k.o.Log.Warn("another device gave out what the file does not hold", "package", t.p.Name, "enrolment", peer.ID)
			t.faults[peer.ID] = 1 << 20
			t.ask.Lied = append(t.ask.Lied, peer.ID)
			t.asked = time.Time{} // this is told at once
			continue
		}
		t.faults[peer.ID], t.since, t.ask.Last = 0, t.k.o.Now(), rollout.FromPeer
		t.ask.FromPeers += length
		return chunk[have-begins:]
	}
	return nil
}

// fromServer takes a piece from the server, no faster than this device's part of
// the line.
func (t *transfer) fromServer(ctx context.Context, have int64) ([]byte, error) {
	most := min(t.step, t.p.Size-have)
	if rate := t.k.bucket.rate; rate > 0 {
		most = min(most, max(rate, leastPiece/4))
	}
	if !t.k.pause(ctx, t.k.bucket.take(most, t.k.o.Now())) {
		return nil, ctx.Err()
	}
	began := t.k.o.Now()
	piece, err := t.door.Piece(ctx, t.p.Path, have, int(most))
	if err != nil {
		return nil, err
	}
	switch took := t.k.o.Now().Sub(began); {
	case took < shortPiece:
		t.step = min(2*t.step, rollout.Chunk)
	case took > longPiece:
		t.step = max(t.step/2, leastPiece)
	}
	t.ask.Last = rollout.FromServer
	t.ask.FromServer += int64(len(piece))
	return piece, nil
}

// offer gives out what is here of a file, and returns where and in which network;
// nothing where that cannot be.
func (k *Keeper) offer(p kept, word string) (at, network string) {
	if k.o.Neighbours == nil || word == "" || p.Hold {
		return "", ""
	}
	name := fileName(p.Declared)
	at, network, err := k.o.Neighbours.Offer(p.SHA256, word, func(from int64, most int) ([]byte, error) {
		if k.o.Busy() {
			return nil, errBusy // the line belongs to the lesson
		}
		return k.o.Store.Part(name, from, most)
	})
	if err != nil {
		k.o.Log.Info("files are not given out", "reason", err)
	}
	return at, network
}

// settle tells the server that the file is whole, and keeps it for others as long
// as it says. Where it does not answer, what was agreed before holds.
func (k *Keeper) settle(ctx context.Context, t *transfer, have int64) {
	t.ask.Last = ""
	if !k.room(t.p) {
		t.way.Share = false // a full disk helps nobody
	} else if word := t.p.Word; word != "" && t.at == "" {
		t.at, t.net = k.offer(t.p, word)
	}
	if err := t.question(ctx, have); err != nil {
		k.o.Log.Info("it is not told that a file has come", "package", t.p.Name, "reason", err)
		return
	}
	until := time.Time{}
	if t.way.Keep > 0 && t.at != "" && k.room(t.p) {
		until = k.o.Now().Add(time.Duration(t.way.Keep) * time.Second).UTC().Truncate(time.Second)
	}
	k.update(t.p.ID, func(p *kept) { p.Until, p.Word = until, t.way.Word })
	if until.IsZero() {
		k.withdraw(t.p)
	}
}

// room reports whether a file may be kept for others: the disk has enough space
// left, and there are not many of them.
func (k *Keeper) room(p kept) bool {
	k.mu.Lock()
	kept := int64(0)
	for _, other := range k.kept {
		if other.ID != p.ID && k.keeps(other) {
			kept += other.Size
		}
	}
	k.mu.Unlock()
	return kept+p.Size <= mostKept && k.o.Free() > 2*p.Size+2*spareRoom
}

// keeps reports whether a file is here for others only.
func (k *Keeper) keeps(p kept) bool {
	return p.State == ddm.PackageVerified && p.Fetched && p.SHA256 != ""
}

// tend keeps giving out what is kept for others, and drops it when its time is
// over, the rollout is held or the disk fills.
func (k *Keeper) tend(p kept) {
	if !k.keeps(p) {
		return
	}
	now := k.o.Now()
	if p.Hold || p.Leaving || p.Until.IsZero() || now.After(p.Until.Add(keepGrace)) || !k.room(p) {
		k.release(p)
		return
	}
	if !now.Before(p.Until) {
		signal(k.wants)
	}
	k.offer(p, p.Word)
}

// release lets go of a file that is kept for others.
func (k *Keeper) release(p kept) {
	k.drop(p)
	k.update(p.ID, func(p *kept) { p.Fetched, p.Until, p.Word = false, time.Time{}, "" })
}

// drop removes a file and gives it out no more.
func (k *Keeper) drop(p kept) {
	k.withdraw(p)
	_ = k.o.Store.Remove(fileName(p.Declared))
}

func (k *Keeper) withdraw(p kept) {
	if k.o.Neighbours != nil {
		k.o.Neighbours.Withdraw(p.SHA256)
	}
}

// bucket is a token bucket: it lets as many bytes through as a rate allows, and a
// second's worth at once.
type bucket struct {
	rate int64 // bytes each second; 0 for as many as come
	owed float64
	at   time.Time
}

func (b *bucket) set(rate int64) { b.rate = rate }

// take takes bytes and returns how long to wait before they may come.
func (b *bucket) take(n int64, now time.Time) time.Duration {
	if b.rate <= 0 {
		b.owed = 0
		return 0
	}
	if passed := now.Sub(b.at).Seconds(); passed > 0 {
		b.owed = max(b.owed-passed*float64(b.rate), -float64(b.rate))
	}
	b.at = now
	b.owed += float64(n)
	return time.Duration(max(b.owed, 0) / float64(b.rate) * float64(time.Second))
}
