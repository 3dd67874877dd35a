package live_test

import (
	"slices"
	"strconv"
	"sync"
	"testing"

	"schulwart.org/policies/org"
	"schulwart.org/server/live"
)

var (
	north = org.Branch{Authority: "city", School: "north"}
	south = org.Branch{Authority: "city", School: "south"}
)

func taken(b *live.Board) []org.ID {
	devices := b.Take()
	slices.Sort(devices)
	return devices
}

func ready(b *live.Board) bool {
	select {
	case <-b.Ready():
		return true
	default:
		return false
	}
}

func TestABoardHearsOfItsSchoolOnly(t *testing.T) {
	var hub live.Hub
	first, second, other := hub.Open(north), hub.Open(north), hub.Open(south)
	hub.Publish(org.Branch{Authority: "city", School: "north", Group: "7b"}, "a", "b")
	for _, board := range []*live.Board{first, second} {
		if !ready(board) {
			t.Fatal("a board of the school heard nothing")
		}
		if got := taken(board); !slices.Equal(got, []org.ID{"a", "b"}) {
			t.Errorf("heard of %v", got)
		}
	}
	if ready(other) || len(other.Take()) != 0 {
		t.Error("a board of another school heard of it")
	}
}

func TestWhatIsToldWhileABoardIsBusyIsToldOnce(t *testing.T) {
	var hub live.Hub
	board := hub.Open(north)
	for range 100 {
		hub.Publish(north, "a")
		hub.Publish(north, "b", "a")
	}
	if !ready(board) || ready(board) {
		t.Error("not signalled exactly once")
	}
	if got := taken(board); !slices.Equal(got, []org.ID{"a", "b"}) {
		t.Errorf("gathered %v", got)
	}
	if len(board.Take()) != 0 {
		t.Error("told twice")
	}
	hub.Publish(north, "c")
	if !ready(board) || !slices.Equal(taken(board), []org.ID{"c"}) {
		t.Error("what came afterwards is lost")
	}
}

func TestAClosedBoardIsForgotten(t *testing.T) {
	var hub live.Hub
	first, second := hub.Open(north), hub.Open(north)
	if hub.Count() != 2 {
		t.Errorf("%d boards are open", hub.Count())
	}
	first.Close()
	first.Close()
	hub.Publish(north, "a")
	if len(first.Take()) != 0 || len(second.Take()) != 1 {
		t.Error("a closed board still hears, or an open one does not")
	}
	second.Close()
	if hub.Count() != 0 {
		t.Errorf("%d boards are open", hub.Count())
	}
	hub.Publish(north, "a") // nobody hears, nobody blocks
}

func TestNothingIsLostBetweenManyVoices(t *testing.T) {
	var hub live.Hub
	board := hub.Open(north)
	var voices sync.WaitGroup
	for voice := range 8 {
		voices.Go(func() {
			for i := range 200 {
				hub.Publish(north, org.ID(strconv.Itoa(voice)+"-"+strconv.Itoa(i)))
			}
		})
	}
	heard := map[org.ID]bool{}
	done := make(chan struct{})
	go func() { voices.Wait(); close(done) }()
	for finished := false; !finished; {
		select {
		case <-board.Ready():
		case <-done:
			finished = true
		}
		for _, device := range board.Take() {
			heard[device] = true
		}
	}
	if len(heard) != 1600 {
		t.Errorf("heard of %d devices", len(heard))
	}
}
