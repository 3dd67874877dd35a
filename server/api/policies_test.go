package api_test

import (
	"fmt"
	"testing"
	"time"

	"schulwart.org/server/may"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// A program prepares a change, looks at its impact, has it approved, takes it
// back, and files an exception.
func TestAProgramChangesAPolicy(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s)
		place := object{"level": "authority", "id": h.school.Authority}
		var draft struct {
			ID, State   string
			Differences []object
		}
		r := h.ask(h.tokens[may.AuthorityAdmin], "POST", "/api/v1/drafts", object{
			"place": place, "title": "Sticks", "says": object{"usb-storage": object{"settings": object{"access": "read-only"}}},
		}, &draft)
		if r.StatusCode != 201 || draft.State != "draft" || len(draft.Differences) != 1 || draft.Differences[0]["new"] != "read-only" {
			t.Fatalf("%d %+v", r.StatusCode, draft)
		}
		path := "/api/v1/drafts/" + draft.ID
		var impact struct {
			Devices, Changed, Unable int
			Cannot                   []object
		}
		if r := h.ask(h.tokens[may.ReadOnly], "POST", path+"/impact", nil, &impact); r.StatusCode != 200 || impact.Devices != 3 || impact.Changed != 0 || impact.Unable != 3 {
			t.Errorf("impact: %d %+v", r.StatusCode, impact)
		}
		for _, role := range []may.Role{may.Trainee, may.SchoolAdmin, may.Teacher, may.Technician, may.ReadOnly} {
			if r := h.ask(h.tokens[role], "POST", path+"/publish", object{}, nil); r.StatusCode != 403 && r.StatusCode != 404 {
				t.Errorf("%s publishes: %d", role, r.StatusCode)
			}
		}
		if r := h.ask(h.foreign, "GET", path, nil, nil); r.StatusCode != 404 {
			t.Errorf("a foreign admin: %d", r.StatusCode)
		}
		if r := h.ask(h.tokens[may.AuthorityAdmin], "POST", path+"/publish", object{}, &draft); r.StatusCode != 200 || draft.State != "published" {
			t.Fatalf("publish: %d %+v", r.StatusCode, draft)
		}
		var held struct{ Items []object }
		h.ask(h.tokens[may.SchoolAdmin], "GET", "/api/v1/devices/"+h.devices[0].ID.String()+"/effective", nil, &held)
		if len(held.Items) != 1 || held.Items[0]["value"] != "read-only" || held.Items[0]["origin"].(object)["level"] != "authority" {
			t.Errorf("effective: %+v", held)
		}
		var fields struct{ Fields []object }
		h.ask(h.tokens[may.SchoolAdmin], "GET", "/api/v1/policies?level=school&place="+h.school.ID.String(), nil, &fields)
		if len(fields.Fields) != 1 || fields.Fields[0]["leeway"] != "stricter" {
			t.Errorf("policies: %+v", fields)
		}
		h.looser(t)
		h.exceptions(t)
		var versions struct{ Items []object }
		h.ask(h.tokens[may.AuthorityAdmin], "GET", "/api/v1/policies/revisions?level=authority&place="+h.school.Authority.String(), nil, &versions)
		if len(versions.Items) != 1 {
			t.Fatalf("versions: %+v", versions)
		}
		undo := fmt.Sprint("/api/v1/policies/revisions/", versions.Items[0]["id"], "/revert")
		if r := h.ask(h.tokens[may.AuthorityAdmin], "POST", undo, nil, nil); r.StatusCode != 200 {
			t.Errorf("undo: %d", r.StatusCode)
		}
		if r := h.ask(h.tokens[may.AuthorityAdmin], "POST", undo, nil, nil); r.StatusCode != 409 {
			t.Errorf("undo again: %d", r.StatusCode)
		}
	})
}

// looser sees that a school's draft says why it would change nothing.
func (h *house) looser(t *testing.T) {
	t.Helper()
	var draft struct{ ID string }
	h.ask(h.tokens[may.SchoolAdmin], "POST", "/api/v1/drafts", object{
		"place": object{"level": "school", "id": h.school.ID}, "title": "Looser", "says": object{"usb-storage": object{"settings": object{"access": "allowed"}}},
	}, &draft)
	var impact struct {
		Changed int
		Refused []object
	}
	r := h.ask(h.tokens[may.SchoolAdmin], "POST", "/api/v1/drafts/"+draft.ID+"/impact", nil, &impact)
	if r.StatusCode != 200 || impact.Changed != 0 || len(impact.Refused) != 1 || impact.Refused[0]["key"] != "policy.deviates" || impact.Refused[0]["exception"] != true {
		t.Fatalf("impact of what is looser: %d %+v", r.StatusCode, impact)
	}
	if place := impact.Refused[0]["place"].(object); place["level"] != "authority" || place["id"] != h.school.Authority.String() {
		t.Errorf("who decides: %+v", place)
	}
	h.ask(h.tokens[may.SchoolAdmin], "DELETE", "/api/v1/drafts/"+draft.ID, nil, nil)
}

func (h *house) exceptions(t *testing.T) {
	t.Helper()
	wanted := object{"place": object{"level": "school", "id": h.school.ID}, "family": "usb-storage", "field": "access", "value": "allowed", "reason": "Messgeräte", "until": time.Now().Add(1000 * 24 * time.Hour)}
	var problem struct{ Key, Field string }
	if r := h.ask(h.tokens[may.SchoolAdmin], "POST", "/api/v1/exceptions", wanted, &problem); r.StatusCode != 422 || problem.Key != "exception.too_long" || problem.Field != "until" {
		t.Errorf("for three years: %d %+v", r.StatusCode, problem)
	}
	wanted["until"] = time.Now().Add(50 * 24 * time.Hour)
	var made struct {
		ID      string
		Devices int
		Then    any
	}
	if r := h.ask(h.tokens[may.SchoolAdmin], "POST", "/api/v1/exceptions", wanted, &made); r.StatusCode != 201 || made.Devices != 3 || made.Then != "read-only" {
		t.Fatalf("%d %+v", r.StatusCode, made)
	}
	var register struct{ Items []object }
	h.ask(h.tokens[may.ReadOnly], "GET", "/api/v1/exceptions?within=90", nil, &register)
	if len(register.Items) != 1 {
		t.Errorf("%+v", register)
	}
	if r := h.ask(h.tokens[may.SchoolAdmin], "DELETE", "/api/v1/exceptions/"+made.ID, nil, nil); r.StatusCode != 200 {
		t.Errorf("ending: %d", r.StatusCode)
	}
	h.ask(h.tokens[may.ReadOnly], "GET", "/api/v1/exceptions", nil, &register)
	if len(register.Items) != 0 {
		t.Errorf("after its end: %+v", register)
	}
}

// Seen by a program: every PUT of a policy was "not found", because nothing of its
// address was read.
func TestAPolicyIsPutByItsAddress(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s)
		admin, path := h.tokens[may.AuthorityAdmin], "/api/v1/policies/authority/"+h.school.Authority.String()+"/usb-storage"
		var draft struct {
			ID, State   string
			Place       object
			Differences []object
		}
		if r := h.ask(admin, "PUT", path, object{"settings": object{"access": "blocked"}, "holds": object{"access": "locked"}}, &draft); r.StatusCode != 201 ||
			draft.Place["id"] != h.school.Authority.String() || len(draft.Differences) != 1 || draft.Differences[0]["new"] != "blocked" {
			t.Fatalf("put: %d %+v", r.StatusCode, draft)
		}
		if r := h.ask(admin, "POST", "/api/v1/drafts/"+draft.ID+"/publish", object{}, nil); r.StatusCode != 200 {
			t.Fatalf("publish: %d", r.StatusCode)
		}
		var said struct{ Settings, Holds object }
		if r := h.ask(admin, "GET", path, nil, &said); r.StatusCode != 200 || said.Settings["access"] != "blocked" || said.Holds["access"] != "locked" {
			t.Errorf("get: %d %+v", r.StatusCode, said)
		}
		school := "/api/v1/policies/school/" + h.school.ID.String() + "/usb-storage"
		var wish struct{ ID string }
		h.ask(h.tokens[may.SchoolAdmin], "PUT", school, object{"settings": object{"access": "allowed"}}, &wish)
		if r := h.ask(h.tokens[may.SchoolAdmin], "POST", "/api/v1/drafts/"+wish.ID+"/publish", object{}, nil); r.StatusCode != 422 {
			t.Errorf("a school publishes otherwise under a lock: %d", r.StatusCode)
		}
		var held struct{ Items []object }
		h.ask(h.tokens[may.SchoolAdmin], "GET", "/api/v1/devices/"+h.devices[0].ID.String()+"/effective", nil, &held)
		if held.Items[0]["value"] != "blocked" || held.Items[0]["locked"] != true {
			t.Errorf("a school gets out of a lock: %+v", held.Items)
		}
		if r := h.ask(admin, "DELETE", path, nil, &draft); r.StatusCode != 201 || draft.Differences[0]["old"] != "blocked" {
			t.Errorf("delete: %d %+v", r.StatusCode, draft)
		}
	})
}

// Seen by a program: an authority's four eyes were the operator's.
func TestFourEyesAreThoseOfTheNamedAuthority(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s)
		path := "/api/v1/four-eyes?authority=" + h.school.Authority.String()
		var eyes struct{ On bool }
		if r := h.ask(h.tokens[may.AuthorityAdmin], "PUT", path, object{"on": true}, &eyes); r.StatusCode != 200 || !eyes.On {
			t.Errorf("put: %d %+v", r.StatusCode, eyes)
		}
		if h.ask(h.tokens[may.AuthorityAdmin], "GET", path, nil, &eyes); !eyes.On {
			t.Error("the authority's four eyes are off")
		}
		if h.ask(h.tokens[may.Operator], "GET", "/api/v1/four-eyes", nil, &eyes); eyes.On {
			t.Error("the operator's four eyes are on")
		}
	})
}
