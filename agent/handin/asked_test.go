package handin_test

import (
	"testing"
	"time"

	"schulwart.org/policies/lease"
)

// ask lets an invigilator ask for the work now.
func (r *rig) ask() int64 {
	w := *r.lease.Rules.Exam.Work
	w.Now = r.clock.Now.UnixMilli()
	r.lease.Rev++
	r.lease.Rules.Exam = &lease.Examination{Work: &w}
	r.keeper.Turn()
	return w.Now
}

// everyMinutes says how often work is collected without being asked for; 0: never.
func (r *rig) everyMinutes(n int) {
	w := *r.lease.Rules.Exam.Work
	w.Every = n
	r.lease.Rules.Exam = &lease.Examination{Work: &w}
}

func TestWorkIsHandedInAtOnceWhenSomebodyAsks(t *testing.T) {
	for _, every := range []int{0, 30} {
		r := newRig(t)
		r.everyMinutes(every)
		r.begin()
		r.folders.Write("Aufsatz.txt", []byte("Es war"))
		r.pass(time.Minute)
		r.must(r.carry())
		if len(r.server.lists) != 0 {
			t.Fatalf("every %d: collected without being asked", every)
		}
		first := r.ask()
		r.must(r.carry())
		latest, content := r.server.latest()
		if latest.Asked != first || latest.Final || content["Aufsatz.txt"] != "Es war" {
			t.Fatalf("every %d: %+v with %v", every, latest, content)
		}
		// Asked again, it says so, though nothing changed; a new process asks nobody twice.
		r.pass(2 * time.Minute)
		second := r.ask()
		r.start()
		r.pass(time.Minute)
		r.must(r.carry())
		if latest, _ := r.server.latest(); latest.Asked != second || len(r.server.lists) != 2 {
			t.Errorf("every %d: answered %d of %d, %d states", every, latest.Asked, second, len(r.server.lists))
		}
		r.end()
		r.must(r.carry())
		if latest, _ := r.server.latest(); latest.Asked != second || !latest.Final {
			t.Errorf("every %d: the final state is %+v", every, latest)
		}
	}
}

// Nobody is told that work was received which lies on a full disk, and it is tried
// again without being asked for again.
func TestAnAskWaitsForRoomOnTheDisk(t *testing.T) {
	r := newRig(t)
	r.everyMinutes(0)
	r.begin()
	r.folders.Write("Aufsatz.txt", []byte("Es war"))
	r.free = 1 << 20
	asked := r.ask()
	r.pass(5 * time.Minute)
	r.must(r.carry())
	if len(r.server.lists) != 0 || len(r.events) != 1 {
		t.Fatalf("%d states, told %v", len(r.server.lists), r.events)
	}
	r.free = 1 << 40
	r.pass(2 * time.Minute)
	r.must(r.carry())
	if latest, content := r.server.latest(); latest.Asked != asked || content["Aufsatz.txt"] != "Es war" {
		t.Errorf("%+v with %v", latest, content)
	}
}

func TestAnAskBeforeTheBeginningIsAnsweredAtTheBeginning(t *testing.T) {
	r := newRig(t)
	r.everyMinutes(0)
	asked := r.ask()
	r.must(r.carry())
	if len(r.server.lists) != 0 {
		t.Fatal("collected before it began")
	}
	r.begin()
	r.must(r.carry())
	if latest, _ := r.server.latest(); latest.Asked != asked {
		t.Errorf("%+v", latest)
	}
}
