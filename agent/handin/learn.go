package handin

import (
	"slices"

	"schulwart.org/agent/memory"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/work"
)

// learn remembers what a lease says of handing in. What it says is signed; that it
// makes sense is looked at all the same.
func (k *Keeper) learn(l lease.Lease) {
	if l.Rules.Exam == nil || l.Rules.Exam.Work == nil || l.Rules.Exam.Rehearsal {
		return
	}
	rules := *l.Rules.Exam.Work
	if rules.Exam == "" || rules.Ticket == "" || len(rules.Key) != 32 || !work.IsName(rules.Folder) {
		return
	}
	rules.Given = slices.DeleteFunc(slices.Clone(rules.Given), func(g lease.Given) bool { return !work.IsName(g.Name) || !work.IsHash(g.Hash) || g.Size < 0 })
	var before memory.Work
	known := false
	k.o.Memory.Look(func(s *memory.State) { before, known = s.WorkOf(l.ID) })
	if known && alike(before.Rules, rules) {
		return
	}
	fresh := false
	_ = k.o.Memory.Update(func(s *memory.State) {
		w, is := s.WorkOf(l.ID)
		if !is {
			w = memory.Work{Lease: l.ID}
		}
		w.Rules = rules
		s.SetWork(w)
		fresh = len(missing(w)) > 0
	})
	if fresh {
		signal(k.carry)
	}
}

func alike(a, b lease.Work) bool {
	return a.Folder == b.Folder && a.Every == b.Every && a.Exam == b.Exam && a.Ticket == b.Ticket && string(a.Key) == string(b.Key) && a.Now == b.Now && slices.Equal(a.Given, b.Given)
}

// missing lists files that are to be given out and are not here yet.
func missing(w memory.Work) []lease.Given {
	return slices.DeleteFunc(slices.Clone(w.Rules.Given), func(g lease.Given) bool { return slices.Contains(w.Fetched, g.Hash) })
}

// unanswered reports whether somebody asked for the work and no state was kept since.
func unanswered(w memory.Work) bool { return w.Rules.Now > w.Asked }
