package memory

import (
	"slices"
	"time"

	"schulwart.org/agent/host"
	"schulwart.org/policies/lease"
)

// Work is what is remembered of the files of one examination, until all of them are
// with the server.
type Work struct {
	Lease string     `json:"lease"`
	Rules lease.Work `json:"rules"` // as signed
	// Fetched are the files that were given out and lie in the box, by hash.
	Fetched []string `json:"fetched,omitempty"`
	// Places are the folders that were made, each with what was given out in it.
	Places []host.Folder `json:"places,omitempty"`
	Began  bool          `json:"began,omitempty"` // it held here
	// Over is when it held no more; zero while it does. Final says that the state
	// after that was kept.
	Over  time.Time `json:"over,omitzero"`
	Final bool      `json:"final,omitempty"`
	// Asked is which ask the latest state that was kept answers, as lease.Work.Now.
	Asked int64 `json:"asked,omitempty"`
	// Seen stands for the content of the latest state that was kept.
	Seen    string  `json:"seen,omitempty"`
	Batches []Batch `json:"batches,omitempty"`
}

// Batch is a state of a folder that lies in the box, sealed, and waits to be
// received.
type Batch struct {
	ID     string   `json:"id"` // hash of its list
	Final  bool     `json:"final,omitempty"`
	Pieces []string `json:"pieces,omitempty"` // that lie in the box for it, by hash
}

const mostWorks = 20

// WorkOf returns what is remembered of the work of an examination, by its lease.
func (s *State) WorkOf(id string) (Work, bool) {
	at := slices.IndexFunc(s.Works, func(w Work) bool { return w.Lease == id })
	if at < 0 {
		return Work{}, false
	}
	return s.Works[at], true
}

// SetWork remembers it. Of too many, the earliest with nothing left to hand in goes.
func (s *State) SetWork(work Work) {
	at := slices.IndexFunc(s.Works, func(w Work) bool { return w.Lease == work.Lease })
	if at >= 0 {
		s.Works[at] = work
		return
	}
	s.Works = append(s.Works, work)
	if len(s.Works) > mostWorks {
		if idle := slices.IndexFunc(s.Works, func(w Work) bool { return len(w.Batches) == 0 && w.Final }); idle >= 0 {
			s.Works = slices.Delete(s.Works, idle, idle+1)
		}
	}
}

// DropWork forgets it.
func (s *State) DropWork(id string) {
	s.Works = slices.DeleteFunc(s.Works, func(w Work) bool { return w.Lease == id })
}
