package shelf_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
	"schulwart.org/server/ids"
	"schulwart.org/server/licence"
	"schulwart.org/server/may"
	"schulwart.org/server/packages"
	"schulwart.org/server/shelf"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// house is a school with three devices: a pupil's, a teacher's, one of a class.
type house struct {
	*shelf.Service
	t        *testing.T
	store    *store.Store
	packages *packages.Service
	licences *licence.Service
	school   org.Branch
	class    org.ID
	keller   may.Actor // of the authority
	winter   may.Actor // of the school
	oert     may.Actor // teaches
	adler    may.Actor // teaches
}

func (h *house) Wake() {}

func (h *house) Package(ctx context.Context, actor may.Actor, id org.ID) (rollout.Package, org.ID, error) {
	pack, err := h.packages.Find(ctx, actor, id)
	return pack.Package, pack.Authority, err
}

func (h *house) OfAuthority(ctx context.Context, authority org.ID) ([]rollout.Package, error) {
	list, err := h.store.ListApps(ctx, []org.ID{"", authority})
	var packs []rollout.Package
	for _, pack := range list {
		packs = append(packs, pack.Package)
	}
	return packs, err
}

func build(t *testing.T, s *store.Store) *house {
	t.Helper()
	h := &house{t: t, store: s}
	h.school, h.class = storetest.School(t, s)
	at := time.Now()
	h.keller = storetest.Person(t, s, "Frau Keller", may.AuthorityAdmin, org.Branch{Authority: h.school.Authority}, at)
	h.winter = storetest.Person(t, s, "Frau Winter", may.SchoolAdmin, h.school, at)
	h.oert = storetest.Person(t, s, "Frau Oert", may.Teacher, h.school, at)
	h.adler = storetest.Person(t, s, "Herr Adler", may.Teacher, h.school, at)
	h.packages = &packages.Service{Store: s, NewID: ids.New, Now: time.Now, Quota: packages.Quota}
	h.licences = &licence.Service{Store: s, Changes: h, NewID: ids.New, Now: time.Now}
	h.Service = &shelf.Service{Store: s, Catalogue: h, Licences: h.licences, Changes: h, NewID: ids.New, Now: time.Now}
	for device, person := range map[string]string{"pupil": "somebody", "desk": "", "cart": ""} {
		storetest.Exec(t, s, `INSERT INTO devices (authority, id, school, name, platform, person, created) VALUES ($1, $2, $3, $2, 'linux', $4, 1)`, h.school.Authority, device, h.school.School, person)
		storetest.Enrol(t, s, h.school, org.ID(device))
	}
	storetest.Exec(t, s, `INSERT INTO group_devices (authority, group_id, device) VALUES ($1, $2, 'cart')`, h.school.Authority, h.class)
	return h
}

func (h *house) app(name string) packages.Package {
	h.t.Helper()
	pack, err := h.packages.WebApp(h.t.Context(), h.keller, h.school.Authority, rollout.Package{Name: name, Version: "1", URL: "https://" + name + ".example", Title: rollout.Text{DE: name}})
	h.must(err)
	return pack
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) offer(app packages.Package, to shelf.Audience, group org.ID) shelf.Entry {
	h.t.Helper()
	entry, err := h.Add(h.t.Context(), h.winter, shelf.New{School: h.school.School, Package: app.ID, For: to, Group: group})
	h.must(err)
	return entry
}

// told returns what a device is told of packages now, by name.
func (h *house) told(device org.ID) map[string]rollout.Declared {
	h.t.Helper()
	g, err := h.store.Ground(h.t.Context(), h.school)
	h.must(err)
	snapshot := desired.Snapshot{Branch: h.school, Name: g.Name, Offers: g.Offers, Wishes: g.Wishes, Calendar: g.Calendar}
	told := map[string]rollout.Declared{}
	for _, d := range g.Devices {
		for _, declaration := range desired.For(snapshot, d, time.Now()).Declarations {
			if declaration.Type != rollout.Type || d.ID != device {
				continue
			}
			var said rollout.Declared
			h.must(json.Unmarshal(declaration.Payload, &said))
			told[said.Name] = said
		}
	}
	return told
}

func (h *house) at(device org.ID) []shelf.Offer {
	h.t.Helper()
	offers, err := h.AtDevice(h.t.Context(), device)
	h.must(err)
	return offers
}

func TestPickedAtADeviceIsInstalledThereAndComesBack(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s)
		for _, entry := range []shelf.Entry{h.offer(h.app("geogebra"), shelf.All, ""), h.offer(h.app("answers"), shelf.Teachers, ""), h.offer(h.app("maths"), shelf.Pupils, h.class)} {
			if err := h.PickAt(t.Context(), "pupil", entry.ID); (err == nil) != (entry.Package.Name == "geogebra") {
				t.Errorf("%s picked at the pupil's device: %v", entry.Package.Name, err)
			}
		}
		offers := h.at("pupil")
		if len(offers) != 1 || offers[0].Wish == nil || offers[0].Wish.State() != shelf.Ordered {
			t.Fatalf("offers %+v", offers)
		}
		if got := h.at("cart"); len(got) != 2 {
			t.Fatalf("the device of the class is offered %+v", got)
		}
		told := h.told("pupil")
		if d, ok := told["geogebra"]; !ok || len(told) != 1 || d.Action != rollout.Install || d.Rollout != offers[0].Wish.ID {
			t.Fatalf("told %+v", told)
		}
		if others := h.told("desk"); len(others) != 0 {
			t.Fatalf("another device is told %+v", others)
		}
		wish := offers[0].Wish.ID
		for _, step := range []struct {
			said ddm.PackageStatus
			want shelf.State
		}{
			{ddm.PackageStatus{State: ddm.PackageWaiting, Reason: &ddm.Reason{Code: "package.lesson"}}, shelf.Waiting},
			{ddm.PackageStatus{State: ddm.PackageInstalling}, shelf.Installing},
			{ddm.PackageStatus{State: ddm.PackageFailed, Reason: &ddm.Reason{Code: "package.no-space"}}, shelf.Failed},
			{ddm.PackageStatus{State: ddm.PackageVerified, Present: "1"}, shelf.There},
		} {
			step.said.Rollout, step.said.Name = wish.String(), "geogebra"
			// Another device's word on this wish is none.
			h.must(s.SaveWords(t.Context(), h.school.Authority, "desk", []ddm.PackageStatus{{Rollout: wish.String(), Name: "geogebra", State: ddm.PackageFailed}}, nil, time.Now()))
			h.must(s.SaveWords(t.Context(), h.school.Authority, "pupil", []ddm.PackageStatus{step.said}, nil, time.Now()))
			if got := h.at("pupil")[0].Wish.State(); got != step.want {
				t.Errorf("after %s: %s, want %s", step.said.State, got, step.want)
			}
		}
		if err := h.ReturnAt(t.Context(), "desk", wish); !errs.Is(err, errs.NotFound) {
			t.Errorf("another device gave it back: %v", err)
		}
		h.must(h.ReturnAt(t.Context(), "pupil", wish))
		if told := h.told("pupil"); len(told) != 0 {
			t.Errorf("told after giving it back: %+v", told)
		}
		if left := storetest.Ask(t, s, `SELECT COUNT(*) FROM rollout_words`); left != "0" {
			t.Errorf("%s words left", left)
		}
	})
}

func TestTheLastLicenceIsPickedByOne(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s)
		app := h.app("geogebra")
		entry := h.offer(app, shelf.All, "")
		_, err := h.licences.Put(t.Context(), h.winter, licence.New{School: h.school.School, App: app.App(), Total: 1, Cost: licence.Cost{Cents: 490, Currency: "EUR"}})
		h.must(err)
		if offer := h.at("pupil")[0]; !offer.Counted || offer.Free != 1 || offer.Cents != 490 {
			t.Fatalf("the conditions: %+v", offer.Terms)
		}
		devices := []org.ID{"pupil", "desk", "cart"}
		var all sync.WaitGroup
		for _, device := range devices {
			all.Go(func() {
				if err := h.PickAt(t.Context(), device, entry.ID); err != nil {
					t.Error(err)
				}
				// Twice is once.
				if err := h.PickAt(t.Context(), device, entry.ID); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		have, wait := org.ID(""), 0
		for _, device := range devices {
			offer := h.at(device)[0]
			switch told := h.told(device); {
			case len(told) == 1 && offer.Wish.State() == shelf.Ordered && have == "":
				have = device
			case len(told) == 0 && offer.Wish.State() == shelf.Unlicensed && offer.Free == 0:
				wait++
			default:
				t.Errorf("%s: told %v, %s", device, told, offer.Wish.State())
			}
		}
		if have == "" || wait != 2 {
			t.Fatalf("%q has it, %d wait", have, wait)
		}
		h.must(h.ReturnAt(t.Context(), have, h.at(have)[0].Wish.ID))
		told := 0
		for _, device := range devices {
			told += len(h.told(device))
		}
		if told != 1 || h.at(have)[0].Wish != nil {
			t.Errorf("after giving it back %d are told, and the giver's wish is %v", told, h.at(have)[0].Wish)
		}
		h.must(h.Remove(t.Context(), h.winter, entry.ID))
		if given := storetest.Ask(t, s, `SELECT COUNT(*) FROM licences`); given != "0" {
			t.Errorf("%s licences given after the app was taken off the shelf", given)
		}
	})
}

func TestATeacherAsksAndTheSchoolDecides(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s)
		app := h.app("answers")
		mine, err := h.Mine(t.Context(), h.oert, h.school.School, "desk")
		if err != nil || len(mine.Offers) != 0 || len(mine.Missing) != 1 {
			t.Fatalf("before: %+v, %v", mine, err)
		}
		request, err := h.Ask(t.Context(), h.oert, shelf.NewRequest{School: h.school.School, Package: app.ID, Why: "Klasse 9"})
		h.must(err)
		other, err := h.Ask(t.Context(), h.adler, shelf.NewRequest{School: h.school.School, Title: "Spiele"})
		h.must(err)
		if _, err := h.Ask(t.Context(), h.oert, shelf.NewRequest{School: h.school.School}); !errs.Is(err, errs.Invalid) {
			t.Errorf("asked for nothing: %v", err)
		}
		for _, who := range []may.Actor{h.oert, h.adler} {
			if _, err := h.Grant(t.Context(), who, request.ID, "", false); !errs.Is(err, errs.Denied) {
				t.Errorf("%s says yes: %v", who.Name, err)
			}
		}
		waiting, err := h.Requests(t.Context(), h.winter, h.school.School)
		if err != nil || len(waiting) != 2 || waiting[0].Answer != shelf.Open {
			t.Fatalf("the school reads %+v, %v", waiting, err)
		}
		if _, err := h.Refuse(t.Context(), h.winter, other.ID, "  "); !errs.Is(err, errs.Invalid) {
			t.Errorf("refused without a reason: %v", err)
		}
		_, err = h.Refuse(t.Context(), h.winter, other.ID, "Nicht im Unterricht.")
		h.must(err)
		_, err = h.Grant(t.Context(), h.winter, request.ID, "", false)
		h.must(err)
		if _, err := h.Grant(t.Context(), h.winter, request.ID, "", true); !errs.Is(err, errs.Conflict) {
			t.Errorf("answered twice: %v", err)
		}
		if mine, err = h.Mine(t.Context(), h.adler, h.school.School, ""); err != nil || len(mine.Offers) != 0 || mine.Requests[0].Reason != "Nicht im Unterricht." {
			t.Errorf("the other reads %+v, %v", mine, err)
		}
		mine, err = h.Mine(t.Context(), h.oert, h.school.School, "desk")
		if err != nil || len(mine.Offers) != 1 || mine.Requests[0].Answer != shelf.Granted {
			t.Fatalf("who asked reads %+v, %v", mine, err)
		}
		entry := mine.Offers[0].ID
		for _, device := range []org.ID{"pupil", "cart"} {
			if err := h.Pick(t.Context(), h.oert, device, entry); !errs.Is(err, errs.Invalid) {
				t.Errorf("what is for teachers was put on %s: %v", device, err)
			}
		}
		if err := h.Pick(t.Context(), h.adler, "desk", entry); !errs.Is(err, errs.NotFound) {
			t.Errorf("another teacher picked it: %v", err)
		}
		h.must(h.Pick(t.Context(), h.oert, "desk", entry))
		if told := h.told("desk"); len(told) != 1 {
			t.Errorf("told %+v", told)
		}
		wishes, err := h.Picked(t.Context(), h.winter, h.school.School)
		if err != nil || len(wishes) != 1 || wishes[0].ByName != "Frau Oert" {
			t.Fatalf("the school reads %+v, %v", wishes, err)
		}
		if err := h.Return(t.Context(), h.adler, wishes[0].ID); !errs.Is(err, errs.Denied) {
			t.Errorf("another teacher gave it back: %v", err)
		}
		h.must(h.Return(t.Context(), h.oert, wishes[0].ID))
		if told := h.told("desk"); len(told) != 0 {
			t.Errorf("told after giving it back: %+v", told)
		}
	})
}
