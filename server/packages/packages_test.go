package packages_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
	"schulwart.org/server/ids"
	"schulwart.org/server/may"
	"schulwart.org/server/packages"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// house is a catalogue on a real store, with people of two authorities.
type house struct {
	*packages.Service
	t                      *testing.T
	city                   org.ID
	keller, winter, abroad may.Actor
}

func build(t *testing.T, s *store.Store) *house {
	t.Helper()
	school, _ := storetest.School(t, s)
	h := &house{Service: &packages.Service{Store: s, NewID: ids.New, Now: time.Now, Quota: packages.Quota}, t: t, city: school.Authority}
	h.keller = storetest.Person(t, s, "Frau Keller", may.AuthorityAdmin, org.Branch{Authority: school.Authority}, time.Now())
	h.winter = storetest.Person(t, s, "Frau Winter", may.SchoolAdmin, school, time.Now())
	h.abroad = storetest.Person(t, s, "Frau Fremd", may.AuthorityAdmin, org.Branch{Authority: "elsewhere"}, time.Now())
	return h
}

// image is an AppImage of so many bytes that do not repeat.
func image(size int) []byte {
	data := make([]byte, size)
	_, _ = rand.Read(data)
	copy(data, "\x7fELF\x02\x01\x01\x00AI\x02\x00\x00\x00\x00\x00\x02\x00\x3e\x00")
	return data
}

func (h *house) begin(size int, wanted rollout.Package) packages.Upload {
	h.t.Helper()
	upload, err := h.Begin(h.t.Context(), h.keller, h.city, "Krita.AppImage", int64(size), wanted)
	if err != nil {
		h.t.Fatal(err)
	}
	return upload
}

func (h *house) takeIn(data []byte, version string) packages.Package {
	h.t.Helper()
	upload := h.begin(len(data), rollout.Package{Name: "krita", Version: version})
	_, pack, err := h.Append(h.t.Context(), h.keller, upload.ID, 0, bytes.NewReader(data))
	if err != nil || pack == nil {
		h.t.Fatal(err)
	}
	return *pack
}

func (h *house) fault(err error, key string) {
	h.t.Helper()
	if found := errs.Find(err); found == nil || found.Key != key {
		h.t.Errorf("%v, want %s", err, key)
	}
}

// breaks is a sender whose connection ends after so many bytes.
type breaks struct {
	data []byte
	left int
}

func (b *breaks) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, errors.New("connection reset by peer")
	}
	n := copy(p, b.data[:min(b.left, len(b.data), 7000)])
	b.data, b.left = b.data[n:], b.left-n
	return n, nil
}

func TestAFileComesInPartsAndIsReadFromAnywhere(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h, ctx := build(t, s), t.Context()
		data := image(1_700_000)
		sum := sha256.Sum256(data)
		upload := h.begin(len(data), rollout.Package{Name: "krita", Version: "5.2", SHA256: hex.EncodeToString(sum[:]), Licence: "GPL-3.0"})
		state, _, err := h.Append(ctx, h.keller, upload.ID, 0, &breaks{data, 1_234_567})
		h.fault(err, "upload.broken")
		if state.Received != 1_234_567 {
			t.Fatalf("%d bytes were kept of 1234567 that came", state.Received)
		}
		// Another process goes on: nothing of the hash is in memory.
		h.Service = &packages.Service{Store: s, NewID: ids.New, Now: time.Now, Quota: packages.Quota}
		_, _, err = h.Append(ctx, h.keller, upload.ID, 99, bytes.NewReader(data[99:]))
		h.fault(err, "upload.offset")
		_, pack, err := h.Append(ctx, h.keller, upload.ID, state.Received, bytes.NewReader(data[state.Received:]))
		if err != nil || pack.SHA256 != hex.EncodeToString(sum[:]) || pack.Size != int64(len(data)) || pack.Kind != rollout.AppImage || pack.Architecture != "x86_64" || pack.Version != "5.2" {
			t.Fatalf("%+v, %v", pack, err)
		}
		file, err := h.Open(ctx, h.city, pack.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []int64{0, 1, 524_287, 524_288, 1_234_566, 1_234_567, int64(len(data)) - 1} {
			if _, err := file.Seek(at, io.SeekStart); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, min(700_000, int64(len(data))-at))
			if _, err := io.ReadFull(file, got); err != nil || !bytes.Equal(got, data[at:at+int64(len(got))]) {
				t.Errorf("from byte %d it is another file: %v", at, err)
			}
		}
		if _, err := h.Open(ctx, "elsewhere", pack.SHA256); !errs.Is(err, errs.NotFound) {
			t.Errorf("another authority opens it: %v", err)
		}
	})
}

func TestTheSameFileIsKeptOnceAndGoesWithItsLastPackage(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h, ctx := build(t, s), t.Context()
		data := image(600_000)
		first := h.takeIn(data, "5.2")
		again := h.takeIn(data, "5.2.0")
		room, err := s.AppRoom(ctx, h.city)
		if err != nil || room != 600_000 || storetest.Ask(t, s, `SELECT COUNT(*) FROM app_pieces`) != "2" {
			t.Errorf("%d bytes, %v", room, err)
		}
		_, _, err = h.Append(ctx, h.keller, h.begin(len(data), rollout.Package{Name: "krita", Version: "5.2"}).ID, 0, bytes.NewReader(data))
		h.fault(err, "package.exists")
		for i, id := range []org.ID{first.ID, again.ID} {
			if err := h.Delete(ctx, h.keller, id); err != nil {
				t.Fatal(err)
			}
			file, err := h.Open(ctx, h.city, first.SHA256)
			if i == 0 && (err != nil || !same(file, data)) {
				t.Errorf("the file went with the first of two packages: %v", err)
			}
		}
		if left := storetest.Ask(t, s, `SELECT COUNT(*) FROM app_pieces`) + storetest.Ask(t, s, `SELECT COUNT(*) FROM app_uploads`); left != "00" {
			t.Errorf("pieces and uploads are left: %s", left)
		}
	})
}

func same(file io.Reader, data []byte) bool {
	got, err := io.ReadAll(file)
	return err == nil && bytes.Equal(got, data)
}

func TestTheQuotaCountsWhatWasPromised(t *testing.T) {
	h := build(t, storetest.Open(t))
	h.Quota = 1_000_000
	first := h.begin(600_000, rollout.Package{Name: "x", Version: "1"})
	_, err := h.Begin(t.Context(), h.keller, h.city, "y.AppImage", 500_000, rollout.Package{})
	h.fault(err, "upload.quota")
	if err := h.Abandon(t.Context(), h.keller, first.ID); err != nil {
		t.Fatal(err)
	}
	h.begin(500_000, rollout.Package{Name: "y", Version: "1"})
	rooms, err := h.Rooms(t.Context(), h.keller, []org.ID{h.city})
	if err != nil || len(rooms) != 1 || rooms[0] != (packages.Room{Scope: h.city, Used: 500_000, Most: 1_000_000}) {
		t.Errorf("%+v: %v", rooms, err)
	}
	if rooms, err := h.Rooms(t.Context(), h.winter, []org.ID{h.city}); err == nil {
		t.Errorf("a school reads %+v", rooms)
	}
	for size, key := range map[int64]string{0: "upload.size", packages.Largest + 1: "upload.size"} {
		_, err := h.Begin(t.Context(), h.keller, h.city, "z.AppImage", size, rollout.Package{})
		h.fault(err, key)
	}
}

func TestWhatNobodyGoesOnWithIsThrownAway(t *testing.T) {
	s := storetest.Open(t)
	h := build(t, s)
	upload := h.begin(600_000, rollout.Package{Name: "x", Version: "1"})
	if _, _, err := h.Append(t.Context(), h.keller, upload.ID, 0, bytes.NewReader(image(1000))); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		days int
		left string
	}{{6, "1"}, {8, "0"}} {
		h.Now = func() time.Time { return time.Now().Add(time.Duration(c.days) * 24 * time.Hour) }
		if err := h.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := storetest.Ask(t, s, `SELECT COUNT(*) FROM app_pieces`); got != c.left {
			t.Errorf("after %d days %s pieces are left", c.days, got)
		}
	}
}

func TestWhoMayDoWhatInTheCatalogue(t *testing.T) {
	h, ctx := build(t, storetest.Open(t)), t.Context()
	pack := h.takeIn(image(1000), "5.2")
	upload := h.begin(1000, rollout.Package{Name: "x", Version: "1"})
	for name, c := range map[string]struct {
		do   func() error
		kind errs.Kind
	}{
		"a school takes in":       {func() error { _, err := h.Begin(ctx, h.winter, h.city, "x", 5, rollout.Package{}); return err }, errs.NotFound},
		"a stranger takes in":     {func() error { _, err := h.Begin(ctx, h.abroad, h.city, "x", 5, rollout.Package{}); return err }, errs.NotFound},
		"a stranger goes on":      {func() error { _, _, err := h.Append(ctx, h.abroad, upload.ID, 0, nil); return err }, errs.NotFound},
		"a stranger looks":        {func() error { _, err := h.Find(ctx, h.abroad, pack.ID); return err }, errs.NotFound},
		"a stranger takes out":    {func() error { return h.Delete(ctx, h.abroad, pack.ID) }, errs.NotFound},
		"for all, by one of many": {func() error { _, err := h.Begin(ctx, h.keller, "", "x", 5, rollout.Package{}); return err }, errs.NotFound},
	} {
		if err := c.do(); !errs.Is(err, c.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
	list, err := h.List(ctx, h.winter)
	if err != nil || len(list) != 1 || list[0].MayRemove {
		t.Errorf("a school sees %+v, %v", list, err)
	}
}

func TestAWebAppIsAnAddress(t *testing.T) {
	h, ctx := build(t, storetest.Open(t)), t.Context()
	title := rollout.Text{DE: "Moodle"}
	pack, err := h.WebApp(ctx, h.keller, h.city, rollout.Package{URL: "https://moodle.schule.example/kurse", Title: title})
	if err != nil || pack.Kind != rollout.WebApp || pack.Name != "moodle.schule.example" || pack.SHA256 != "" {
		t.Fatalf("%+v, %v", pack, err)
	}
	for url, key := range map[string]string{"http://x.example": "package.bad_url", "javascript:alert(1)": "package.bad_url", "https://u:p@x.example": "package.bad_url", "": "package.bad_url"} {
		_, err := h.WebApp(ctx, h.keller, h.city, rollout.Package{URL: url, Title: title})
		h.fault(err, key)
	}
	if !slices.Contains(pack.Kind.Platforms(), org.IPadOS) {
		t.Error("no iPad has a web app")
	}
}

func TestAPackageFromARepositoryHasNoFile(t *testing.T) {
	h, ctx := build(t, storetest.Open(t)), t.Context()
	key := "-----BEGIN PGP PUBLIC KEY BLOCK-----\r\n\r\n" + strings.Repeat("mDMEZabc/+0123456789\r\n", 10) + "=ab12\r\n-----END PGP PUBLIC KEY BLOCK-----\r\n"
	from := func(change func(*rollout.Package)) (packages.Package, error) {
		wanted := rollout.Package{Kind: rollout.Deb, Name: "geogebra-classic", Version: "6.2-1", Repository: &rollout.Repository{URL: "https://packages.example.org/debian", Suite: "stable", Components: []string{"main"}, Key: key}}
		change(&wanted)
		return h.FromRepository(ctx, h.keller, h.city, wanted)
	}
	pack, err := from(func(*rollout.Package) {})
	if err != nil {
		t.Fatal(err)
	}
	got, err := h.Find(ctx, h.keller, pack.ID)
	if err != nil || got.SHA256 != "" || got.Repository == nil || got.Repository.URL != "https://packages.example.org/debian" || strings.Contains(got.Repository.Key, "\r") || got.Title.DE != "geogebra-classic" {
		t.Errorf("%+v, %v", got, err)
	}
	for want, change := range map[string]func(*rollout.Package){
		"package.exists":                func(*rollout.Package) {},
		"package.repository.url":        func(p *rollout.Package) { p.Repository.URL = "file:///etc" },
		"package.repository.suite":      func(p *rollout.Package) { p.Repository.Suite = "stable\nTrusted: yes" },
		"package.repository.components": func(p *rollout.Package) { p.Repository.Components = nil },
		"package.repository.key":        func(p *rollout.Package) { p.Repository.Key = "ssh-ed25519 AAAA" },
		"package.repository.name":       func(p *rollout.Package) { p.Name = "-oDebug=1" },
		"package.repository.kind":       func(p *rollout.Package) { p.Kind = rollout.AppImage },
	} {
		if _, err := from(change); errs.Find(err) == nil || errs.Find(err).Key != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := from(func(p *rollout.Package) { p.Repository = nil }); errs.KindOf(err) != errs.Invalid {
		t.Errorf("without a repository: %v", err)
	}
	if _, err := h.FromRepository(ctx, h.winter, h.city, pack.Package); err == nil {
		t.Error("a school's person takes it in for the authority")
	}
}
