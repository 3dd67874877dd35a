package handin_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/work"
)

func noise(n int) []byte {
	data := make([]byte, n)
	_, _ = rand.Read(data)
	return data
}

func TestWhatIsGivenOutIsFetchedBeforeAndSeenFromTheBeginning(t *testing.T) {
	r := newRig(t)
	sheet := noise(2*work.Piece + 10)
	r.give("Blatt.pdf", sheet)
	r.give("Hinweise.txt", []byte("Viel Erfolg"))
	r.keeper.Turn()
	r.server.dies = 2 // the line breaks in the midst of the first file
	if err := r.carry(); err == nil {
		t.Error("a broken line is no fault")
	}
	r.must(r.carry())
	if r.server.fetched != 5 {
		t.Errorf("%d pieces went over the wire, the one that was lost among them", r.server.fetched)
	}
	r.pass(time.Minute)
	if len(r.folders.Look()) > 0 {
		t.Error("there is a folder before the beginning")
	}
	r.server.off = true // from here on without network
	r.begin()
	if got := r.only().Files; len(got) != 2 || !bytes.Equal(got["Blatt.pdf"], sheet) || string(got["Hinweise.txt"]) != "Viel Erfolg" {
		t.Errorf("the folder holds %d files", len(got))
	}
	if !slices.Contains(r.deeds, ddm.DeedGiven) {
		t.Errorf("the log says %v", r.deeds)
	}
}

func TestWhatCameWrongIsNotGivenOut(t *testing.T) {
	r := newRig(t)
	r.give("Blatt.pdf", []byte("richtig"))
	r.server.given[work.Hash([]byte("richtig"))] = []byte("falsch!")
	r.keeper.Turn()
	if err := r.carry(); err == nil {
		t.Error("what is not what was signed is taken")
	}
	r.begin()
	if got := r.only().Files; len(got) != 0 {
		t.Errorf("laid out: %v", got)
	}
	r.server.given[work.Hash([]byte("richtig"))] = []byte("richtig")
	r.must(r.carry())
	r.pass(20 * time.Second)
	if got := r.only().Files; string(got["Blatt.pdf"]) != "richtig" {
		t.Errorf("late: %v", got)
	}
}

func TestAnUnchangedFolderCostsNothing(t *testing.T) {
	r := newRig(t)
	r.give("Blatt.pdf", []byte("Aufgabe"))
	r.keeper.Turn()
	r.must(r.carry())
	r.begin()
	picture := noise(3 * work.Piece)
	r.folders.Write("Bild.png", picture)
	r.folders.Write("Aufsatz.txt", []byte("Es war"))
	r.pass(6 * time.Minute)
	r.must(r.carry())
	if len(r.server.lists) != 1 || r.server.puts != 5 || r.waits() != 0 {
		t.Fatalf("%d states, %d pieces, %d wait", len(r.server.lists), r.server.puts, r.waits())
	}
	writes := r.disk.writes
	r.pass(30 * time.Minute)
	if r.disk.writes != writes {
		t.Errorf("%d writes for nothing", r.disk.writes-writes)
	}
	r.folders.Write("Aufsatz.txt", []byte("Es war einmal"))
	r.pass(6 * time.Minute)
	r.must(r.carry())
	if len(r.server.lists) != 2 || r.server.puts != 6 {
		t.Errorf("%d states, %d pieces", len(r.server.lists), r.server.puts)
	}
	r.end()
	r.must(r.carry())
	latest, content := r.server.latest()
	if !latest.Final || content["Aufsatz.txt"] != "Es war einmal" || content["Bild.png"] != string(picture) || r.server.puts != 6 {
		t.Errorf("final %v, %d pieces, %v", latest.Final, r.server.puts, slices.Sorted(maps.Keys(content)))
	}
	for _, file := range latest.Files {
		if file.Given != (file.Path == "Blatt.pdf") {
			t.Errorf("%s: given %v", file.Path, file.Given)
		}
	}
}

func TestWithoutNetworkForDaysNothingIsLost(t *testing.T) {
	r := newRig(t)
	r.server.off = true
	r.begin()
	for n := range 12 {
		r.folders.Write("Aufsatz.txt", []byte(strings.Repeat("Satz. ", n+1)))
		r.pass(5 * time.Minute)
		if err := r.carry(); err == nil {
			t.Fatal("carried without network")
		}
	}
	r.end()
	if !r.only().Closed {
		t.Error("the folder stays open after the end")
	}
	for range 3 { // days, and a start each
		r.pass(4 * time.Hour)
		r.start()
		if r.carry() == nil {
			t.Fatal("carried without network")
		}
	}
	if len(r.only().Files) != 1 {
		t.Error("the folder is gone and nothing was received")
	}
	r.server.off = false
	r.must(r.carry())
	latest, content := r.server.latest()
	if !latest.Final || content["Aufsatz.txt"] != strings.Repeat("Satz. ", 12) || len(r.server.lists) != 3 || r.server.finals() != 1 {
		t.Errorf("%d states, %d final, %v", len(r.server.lists), r.server.finals(), content)
	}
	r.pass(time.Minute)
	if len(r.folders.Look()) != 0 || r.waits() != 0 || len(r.memory.State().Works) != 0 {
		t.Errorf("%d folders, %d wait, remembered %+v", len(r.folders.Look()), r.waits(), r.memory.State().Works)
	}
}

func TestNothingIsDeletedThatTheServerDoesNotHave(t *testing.T) {
	r := newRig(t)
	r.begin()
	r.folders.Write("Aufsatz.txt", []byte("fertig"))
	r.folders.Write("zu groß.bin", make([]byte, work.MostFile+1))
	r.end()
	r.must(r.carry())
	latest, _ := r.server.latest()
	if len(latest.Left) != 1 || latest.Left[0].Why != work.LeftSize {
		t.Errorf("left out: %+v", latest.Left)
	}
	r.pass(3 * time.Hour)
	if folder := r.only(); len(folder.Files) != 1 || folder.Closed || folder.Files["zu groß.bin"] == nil {
		t.Errorf("what could not be handed in: %d files, closed %v", len(folder.Files), folder.Closed)
	}
}

func TestWhoIsLetInAgainFindsWhatWasWritten(t *testing.T) {
	r := newRig(t)
	r.begin()
	r.folders.Write("Aufsatz.txt", []byte("halb"))
	r.end()
	r.must(r.carry())
	r.pass(10 * time.Minute)
	r.lease.Rev++
	r.begin()
	if folder := r.only(); folder.Closed || string(folder.Files["Aufsatz.txt"]) != "halb" {
		t.Fatalf("%+v", folder)
	}
	r.folders.Write("Aufsatz.txt", []byte("ganz"))
	r.end()
	r.must(r.carry())
	latest, content := r.server.latest()
	if !latest.Final || content["Aufsatz.txt"] != "ganz" || r.server.finals() != 2 {
		t.Errorf("%v, %d final", content, r.server.finals())
	}
}

func TestAFullDiskIsToldAndTriedAgain(t *testing.T) {
	for name, full := range map[string]func(r *rig, is bool){
		"the box":     func(r *rig, is bool) { r.box.SetFull(is) },
		"memory":      func(r *rig, is bool) { r.files.SetFull(is) },
		"little room": func(r *rig, is bool) { r.free = map[bool]int64{true: 1 << 20, false: 1 << 40}[is] },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.begin()
			r.folders.Write("Aufsatz.txt", []byte("fertig"))
			full(r, true)
			r.end()
			r.pass(10 * time.Minute)
			if len(r.server.lists) != 0 || r.waits() != 0 {
				t.Errorf("%d lists, %d wait", len(r.server.lists), r.waits())
			}
			if n := len(slices.DeleteFunc(slices.Clone(r.events), func(key string) bool { return key != ddm.EventWorkFull })); name != "memory" && n != 1 {
				t.Errorf("told %d times: %v", n, r.events)
			}
			full(r, false)
			r.pass(2 * time.Minute)
			r.must(r.carry())
			latest, content := r.server.latest()
			if !latest.Final || content["Aufsatz.txt"] != "fertig" {
				t.Errorf("%v %v", latest.Final, content)
			}
		})
	}
}

// A server that was restored from an older backup asks for what it had.
func TestAServerThatForgotIsGivenEverythingAnew(t *testing.T) {
	r := newRig(t)
	r.begin()
	r.folders.Write("Bild.png", noise(work.Piece+1))
	r.pass(6 * time.Minute)
	r.must(r.carry())
	clear(r.server.pieces)
	clear(r.server.lists)
	r.folders.Write("Aufsatz.txt", []byte("neu"))
	r.end()
	for range 3 {
		_ = r.carry()
		r.pass(2 * time.Minute)
	}
	r.must(r.carry())
	latest, content := r.server.latest()
	if !latest.Final || content["Aufsatz.txt"] != "neu" || len(content["Bild.png"]) != work.Piece+1 {
		t.Errorf("final %v, %d files", latest.Final, len(content))
	}
}

func TestADeletedFolderComesBackAndWhatWasKeptStays(t *testing.T) {
	r := newRig(t)
	r.give("Blatt.pdf", []byte("Aufgabe"))
	r.keeper.Turn()
	r.must(r.carry())
	r.begin()
	r.folders.Write("Aufsatz.txt", []byte("gut"))
	r.pass(6 * time.Minute)
	r.must(r.carry())
	for path := range r.folders.Look() {
		r.folders.Drop(path)
	}
	r.pass(6 * time.Minute)
	if got := r.only().Files; string(got["Blatt.pdf"]) != "Aufgabe" {
		t.Errorf("the folder after it was deleted: %v", got)
	}
	found := false
	for _, list := range r.server.lists {
		found = found || slices.ContainsFunc(list.Files, func(f work.File) bool { return f.Path == "Aufsatz.txt" })
	}
	if !found {
		t.Error("what had been kept is gone")
	}
}

func TestANobodyHandsInThatNobodyWasThere(t *testing.T) {
	r := newRig(t)
	r.nobody = true
	r.begin()
	r.pass(10 * time.Minute)
	r.end()
	r.must(r.carry())
	if latest, _ := r.server.latest(); !latest.Final || !latest.Nobody {
		t.Errorf("%+v", latest)
	}
}

func TestAnExaminationThatNeverBeganLeavesNothing(t *testing.T) {
	r := newRig(t)
	r.give("Blatt.pdf", []byte("Aufgabe"))
	r.keeper.Turn()
	r.must(r.carry())
	r.end()
	if names, _ := r.box.Names(); len(names) != 0 || len(r.memory.State().Works) != 0 || len(r.folders.Look()) != 0 {
		t.Errorf("%v, %+v", names, r.memory.State().Works)
	}
}

func TestALeaseThatMakesNoSenseHandsInNothing(t *testing.T) {
	for name, spoil := range map[string]func(w *lease.Work){
		"a folder elsewhere": func(w *lease.Work) { w.Folder = "../Mathe" },
		"no key":             func(w *lease.Work) { w.Key = nil },
		"no ticket":          func(w *lease.Work) { w.Ticket = "" },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			w := *r.lease.Rules.Exam.Work
			spoil(&w)
			r.lease.Rules.Exam = &lease.Examination{Work: &w}
			r.begin()
			r.pass(6 * time.Minute)
			r.end()
			if len(r.folders.Look()) != 0 || r.waits() != 0 {
				t.Errorf("%d folders, %d wait", len(r.folders.Look()), r.waits())
			}
		})
	}
}

// The agent is killed before and after each of its writes, and starts again: in the
// end the server has the last state, once and byte for byte, and nothing is left.
func TestAKillAtAnyWriteLosesNothing(t *testing.T) {
	sheet, picture := noise(work.Piece+5), noise(2*work.Piece+9)
	for at := 1; ; at++ {
		killed := false
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d %v", at, after), func(t *testing.T) {
				r := newRig(t)
				r.disk.at, r.disk.after = at, after
				r.give("Blatt.pdf", sheet)
				alive := func(do func()) {
					defer func() {
						if p := recover(); p != nil {
							if _, is := p.(kill); !is {
								panic(p)
							}
							killed = true
							r.disk.at = 0
							r.start()
							do()
						}
					}()
					do()
				}
				alive(func() { r.keeper.Turn() })
				alive(func() { _ = r.carry() })
				alive(r.begin)
				r.folders.Write("Bild.png", picture)
				r.folders.Write("Aufsatz.txt", []byte("Anfang"))
				alive(func() { r.pass(6 * time.Minute) })
				r.server.dies = 3
				alive(func() { _ = r.carry() })
				r.folders.Write("Aufsatz.txt", []byte("Anfang und Ende"))
				alive(r.end)
				for range 6 {
					alive(func() { _ = r.carry() })
					alive(func() { r.pass(time.Minute) })
				}
				latest, content := r.server.latest()
				want := map[string]string{"Blatt.pdf": string(sheet), "Bild.png": string(picture), "Aufsatz.txt": "Anfang und Ende"}
				if !latest.Final || !maps.Equal(content, want) || r.server.finals() != 1 {
					t.Fatalf("final %v (%d), files %v", latest.Final, r.server.finals(), slices.Sorted(maps.Keys(content)))
				}
				alive(func() { r.pass(3 * time.Hour) })
				if len(r.folders.Look()) != 0 || r.waits() != 0 || len(r.memory.State().Works) != 0 {
					names, _ := r.box.Names()
					t.Errorf("left: %d folders, %v, %+v", len(r.folders.Look()), names, r.memory.State().Works)
				}
			})
		}
		if !killed {
			if at < 20 {
				t.Errorf("only %d writes", at)
			}
			return
		}
	}
}
