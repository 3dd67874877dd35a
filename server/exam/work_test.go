package exam_test

import (
	"archive/zip"
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/policies/work"
	"schulwart.org/server/exam"
	"schulwart.org/server/may"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// collecting is a house with a key for work.
func collecting(t *testing.T, s *store.Store, laptops int) *house {
	t.Helper()
	h := build(t, s, laptops)
	key, err := ecdh.X25519().NewPrivateKey(bytes.Repeat([]byte{7}, 32))
	h.must(err)
	h.WorkKey = key
	return h
}

// collected plans an examination whose work is collected.
func (h *house) collected() exam.Exam {
	h.t.Helper()
	plan := h.plan()
	plan.Rules.Exam.Work = &lease.Work{Every: 5}
	e, err := h.Create(h.t.Context(), h.oert, plan)
	h.must(err)
	return e
}

// handing is what the laptop's lease says of handing in.
func (l *laptop) handing() *lease.Work {
	for _, kept := range l.kept {
		if kept.Rules.Exam != nil && kept.Rules.Exam.Work != nil {
			return kept.Rules.Exam.Work
		}
	}
	return nil
}

func (l *laptop) sender() exam.Sender {
	w := l.handing()
	return exam.Sender{Authority: l.h.school.Authority, Device: l.id, Exam: org.ID(w.Exam), Ticket: w.Ticket}
}

// cut makes pieces of a file.
func cut(content []byte) (hashes []string, pieces map[string][]byte) {
	pieces = map[string][]byte{}
	for part := range slices.Chunk(content, work.Piece) {
		hash := work.Hash(part)
		hashes, pieces[hash] = append(hashes, hash), part
	}
	return hashes, pieces
}

// handIn sends a folder as an agent does: the list, the pieces that are missing,
// the list again.
func (l *laptop) handIn(at time.Time, final bool, files map[string][]byte) (sent int, receipt work.Receipt) {
	h, w := l.h, l.handing()
	h.t.Helper()
	list := work.List{At: at, Final: final, Asked: w.Now}
	all := map[string][]byte{}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		hashes, pieces := cut(files[path])
		list.Files = append(list.Files, work.File{Path: path, Size: int64(len(files[path])), Modified: at, Pieces: hashes})
		for hash, piece := range pieces {
			all[hash] = piece
		}
	}
	plain, err := list.Encode()
	h.must(err)
	for range 2 {
		sealed, err := work.Seal(w.Key, plain, work.AboutList(w.Exam))
		h.must(err)
		receipt, err = h.TakeList(h.t.Context(), l.sender(), sealed)
		h.must(err)
		for _, hash := range receipt.Missing {
			sealed, err := work.Seal(w.Key, all[hash], work.AboutPiece(w.Exam, hash))
			h.must(err)
			h.must(h.TakePiece(h.t.Context(), l.sender(), hash, sealed))
			sent++
		}
	}
	return sent, receipt
}

func written(t *testing.T, c exam.Content, err error) []byte {
	t.Helper()
	var out bytes.Buffer
	if err == nil {
		err = c.Write(&out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func noise(n int) []byte {
	data := make([]byte, n)
	_, _ = rand.Read(data)
	return data
}

func TestFilesAreGivenOutWithTheLeaseAndFetchedPieceByPiece(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := collecting(t, s, 2)
		e := h.planned()
		sheet := noise(work.Piece + 1000)
		file, err := h.Give(t.Context(), h.oert, e.ID, `C:\Aufgaben\..\Blatt 1.pdf`, bytes.NewReader(sheet))
		h.must(err)
		if file.Name != "Blatt 1.pdf" || file.Size != int64(len(sheet)) || file.Hash != work.Hash(sheet) {
			t.Errorf("%+v", file)
		}
		read, err := h.ReadGiven(t.Context(), h.oert, e.ID, file.ID)
		if !bytes.Equal(written(t, read, err), sheet) {
			t.Error("what is read is not what was given")
		}
		other, err := h.Give(t.Context(), h.oert, e.ID, "Falsch.odt", strings.NewReader("falsch"))
		h.must(err)
		h.must(h.TakeBack(t.Context(), h.oert, e.ID, other.ID))

		h.to(bell.Add(-time.Hour))
		l := h.laptops[0]
		w := l.handing()
		if w == nil || w.Folder != "Mathematik" || w.Every != exam.CollectEvery || len(w.Given) != 1 || w.Given[0].Hash != file.Hash || w.Ticket == h.laptops[1].handing().Ticket {
			t.Fatalf("what the lease says: %+v", w)
		}
		var got []byte
		for n := range 2 {
			piece, err := h.HandOut(t.Context(), l.sender(), file.Hash, n)
			h.must(err)
			got = append(got, piece...)
		}
		if !bytes.Equal(got, sheet) {
			t.Error("what the laptop got is not what was given")
		}
		_, err = h.HandOut(t.Context(), l.sender(), file.Hash, 2)
		h.refused(err, "exam.no_such_file")
		stolen := l.sender()
		stolen.Device = h.laptops[1].id
		_, err = h.HandOut(t.Context(), stolen, file.Hash, 0)
		h.refused(err, "exam.not_found")

		// A resit has the same files; once it runs, nothing is given out any more.
		copied, err := h.Copy(t.Context(), h.oert, e.ID)
		h.must(err)
		again, err := h.Given(t.Context(), h.oert, copied.ID)
		h.must(err)
		read, err = h.ReadGiven(t.Context(), h.oert, copied.ID, again[0].ID)
		if len(again) != 1 || !bytes.Equal(written(t, read, err), sheet) {
			t.Errorf("the copy gives out %+v", again)
		}
		h.to(bell.Add(time.Minute))
		_, err = h.Give(t.Context(), h.oert, e.ID, "zu spät.txt", strings.NewReader("x"))
		h.refused(err, "exam.begun")
		h.refused(h.TakeBack(t.Context(), h.oert, e.ID, file.ID), "exam.begun")
	})
}

func TestWhatCannotBeGivenOutIsRefusedWithItsField(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := collecting(t, s, 1)
		e := h.collected()
		give := func(name string, content io.Reader) error {
			_, err := h.Give(t.Context(), h.oert, e.ID, name, content)
			return err
		}
		h.refused(give("leer.txt", strings.NewReader("")), "exam.given_empty")
		h.refused(give("groß.bin", io.LimitReader(zeros{}, exam.MostGivenFile+1)), "exam.given_too_large")
		h.refused(give("kaputt.bin", io.MultiReader(strings.NewReader("anfang"), broken{})), "exam.given_broken")
		h.must(give("blatt.pdf", strings.NewReader("eins")))
		h.refused(give("Blatt.PDF", strings.NewReader("zwei")), "exam.given_twice")
		h.must(give("a.bin", io.LimitReader(zeros{}, exam.MostGivenFile)))
		h.refused(give("b.bin", io.LimitReader(zeros{}, exam.MostGivenFile)), "exam.given_too_large")
		for _, who := range []may.Actor{h.adler, h.desk, h.stranger} {
			if _, err := h.Give(t.Context(), who, e.ID, "fremd.txt", strings.NewReader("x")); err == nil {
				t.Errorf("%s gives files out", who.Name)
			}
			if _, err := h.Given(t.Context(), who, e.ID); err == nil {
				t.Errorf("%s reads the questions", who.Name)
			}
			if _, err := h.Service.Collected(t.Context(), who, e.ID); err == nil {
				t.Errorf("%s reads what was handed in", who.Name)
			}
		}
		// What broke off is cleared away, what was given out stays.
		h.at = h.at.Add(30 * time.Hour)
		h.must(h.Forget(t.Context()))
		files, err := h.Given(t.Context(), h.oert, e.ID)
		h.must(err)
		if left := storetest.Ask(t, s, `SELECT COUNT(DISTINCT file) FROM exam_given_pieces`); len(files) != 2 || left != "2" {
			t.Errorf("%d files, pieces of %s", len(files), left)
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("gone") }

func TestWorkIsReceivedOnceAndComesBackByteForByte(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := collecting(t, s, 2)
		e := h.collected()
		h.to(bell.Add(time.Minute))
		l := h.laptops[0]
		big, essay := noise(2*work.Piece+77), []byte("Es war einmal")
		if sent, receipt := l.handIn(h.at, false, map[string][]byte{"Bild.png": big, "Text/Aufsatz.txt": essay}); sent != 4 || !receipt.Received {
			t.Fatalf("%d pieces, %+v", sent, receipt)
		}
		// Only what changed goes over the wire.
		essay = append(essay, " ein Kind."...)
		h.at = bell.Add(6 * time.Minute)
		if sent, receipt := l.handIn(h.at, false, map[string][]byte{"Bild.png": big, "Text/Aufsatz.txt": essay}); sent != 1 || !receipt.Received {
			t.Errorf("%d pieces, %+v", sent, receipt)
		}
		// The end, without contact; it comes two days later, and is taken, twice.
		end := bell.Add(90 * time.Minute)
		h.at = end.Add(48 * time.Hour)
		for range 2 {
			if _, receipt := l.handIn(end.Add(time.Second), true, map[string][]byte{"Bild.png": big, "Text/Aufsatz.txt": essay}); !receipt.Received {
				t.Errorf("late: %+v", receipt)
			}
		}
		c, err := h.Service.Collected(t.Context(), h.oert, e.ID)
		h.must(err)
		for _, seat := range c.Seats {
			latest, came := seat.Latest()
			if mine := seat.Device == l.id; came != mine || seat.Missing() == mine || seat.Late != mine || mine && (!latest.Final || len(seat.Works) != 3 || len(latest.Files) != 2) {
				t.Errorf("%s: %d states, missing %v, late %v, %+v", seat.Name, len(seat.Works), seat.Missing(), seat.Late, latest)
			}
		}
		bundle, err := h.Bundle(t.Context(), h.brandt, e.ID, "")
		packed := written(t, bundle, err)
		archive, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
		h.must(err)
		got := map[string][]byte{}
		for _, file := range archive.File {
			in, err := file.Open()
			h.must(err)
			content, err := io.ReadAll(in)
			h.must(err)
			folder, path, _ := strings.Cut(file.Name, "/")
			if !strings.Contains(folder, "Kind") || !strings.Contains(folder, "MS-") {
				t.Errorf("the folder of the seat: %q", folder)
			}
			got[path] = content
		}
		if len(got) != 2 || !bytes.Equal(got["Bild.png"], big) || !bytes.Equal(got["Text/Aufsatz.txt"], essay) {
			t.Errorf("the bundle holds %d files", len(got))
		}
		for _, seat := range c.Seats {
			if first := len(seat.Works) - 1; first > 0 {
				old, err := h.ReadWork(t.Context(), h.oert, e.ID, l.id, seat.Works[first].ID, "Text/Aufsatz.txt")
				if string(written(t, old, err)) != "Es war einmal" {
					t.Error("the first state is not what it was")
				}
			}
		}
		evidence, err := h.Evidence(t.Context(), h.oert, e.ID)
		h.must(err)
		keys := map[string]int{}
		for _, r := range evidence.Records {
			keys[r.Key]++
		}
		if !evidence.Whole || keys["work_kept"] != 2 || keys["work_received"] != 1 || keys["work_fetched"] != 2 {
			t.Errorf("the evidence: %v, whole %v", keys, evidence.Whole)
		}
		// It goes with the evidence, and a line says how much there was.
		h.at = h.at.AddDate(2, 0, 0)
		h.must(h.Forget(t.Context()))
		for _, table := range []string{"exam_work", "exam_work_pieces", "exam_work_parts", "exam_given", "exam_given_pieces"} {
			if n := storetest.Ask(t, s, `SELECT COUNT(*) FROM `+table); n != "0" {
				t.Errorf("%s keeps %s rows", table, n)
			}
		}
		keeping, err := h.Keeping(t.Context(), h.office, h.school.Branch())
		h.must(err)
		if len(keeping.Deletions) != 1 || keeping.Deletions[0].Files != 2 {
			t.Errorf("the line that remains: %+v", keeping.Deletions)
		}
		_, err = h.TakeList(t.Context(), l.sender(), []byte("zu spät"))
		h.refused(err, "exam.not_found")
	})
}

func TestOfMuchWorkTheEarliestStatesGoAndNoPieceOfALaterOne(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := collecting(t, s, 1)
		e := h.collected()
		h.to(bell.Add(time.Minute))
		l := h.laptops[0]
		for n := range 25 {
			h.at = h.at.Add(time.Minute)
			l.handIn(h.at, false, map[string][]byte{"immer gleich.txt": []byte("gleich"), "Aufsatz.txt": []byte(strings.Repeat("Satz. ", n+1))})
		}
		c, err := h.Service.Collected(t.Context(), h.oert, e.ID)
		h.must(err)
		works := c.Seats[0].Works
		if pieces := storetest.Ask(t, s, `SELECT COUNT(*) FROM exam_work_pieces`); len(works) != 20 || pieces != "21" {
			t.Errorf("%d states of %s pieces", len(works), pieces)
		}
		for _, one := range works {
			for _, file := range one.Files {
				read, err := h.ReadWork(t.Context(), h.oert, e.ID, l.id, one.ID, file.Path)
				if got := written(t, read, err); int64(len(got)) != file.Size {
					t.Errorf("%s: %d bytes of %d", file.Path, len(got), file.Size)
				}
			}
		}
	})
}

func TestWhatALaptopMayNotSend(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := collecting(t, s, 1)
		h.collected()
		h.to(bell.Add(time.Minute))
		l := h.laptops[0]
		w := l.handing()
		seal := func(content []byte, about string) []byte {
			sealed, err := work.Seal(w.Key, content, about)
			h.must(err)
			return sealed
		}
		hash := work.Hash([]byte("a"))
		for name, sealed := range map[string][]byte{
			"not sealed":        []byte("a"),
			"another's content": seal([]byte("b"), work.AboutPiece(w.Exam, hash)),
			"another's name":    seal([]byte("a"), work.AboutPiece("other", hash)),
			"too long":          seal(make([]byte, work.Piece+1), work.AboutPiece(w.Exam, hash)),
		} {
			t.Run(name, func(t *testing.T) {
				h.refused(h.TakePiece(t.Context(), l.sender(), hash, sealed), "exam.work_unreadable")
			})
		}
		for _, path := range []string{"../x", "/etc/x", `a\b`, "a/../b", "", "a//b", "con:", "a\x00b", "\u202egpj.exe"} {
			list := work.List{At: h.at, Files: []work.File{{Path: path, Modified: h.at}}}
			plain, err := list.Encode()
			h.must(err)
			_, err = h.TakeList(t.Context(), l.sender(), seal(plain, work.AboutList(w.Exam)))
			h.refused(err, "exam.work_unreadable")
		}
	})
}
