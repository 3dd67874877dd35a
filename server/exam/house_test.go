package exam_test

import (
	"context"
	"testing"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/app"
	"schulwart.org/server/errs"
	"schulwart.org/server/exam"
	"schulwart.org/server/ids"
	"schulwart.org/server/lesson"
	"schulwart.org/server/live"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// house is a school with a class of laptops, its teacher, colleagues and office,
// and a clock that the test moves. Leases are made by the room of lessons.
type house struct {
	*exam.Service
	t       testing.TB
	store   *store.Store
	roster  *roster.Service
	lessons *lesson.Service
	at      time.Time
	away    map[org.ID]bool // enrolments without contact

	operator, oert, brandt, adler, office, desk, stranger may.Actor
	school                                                roster.School
	class                                                 roster.Group
	laptops                                               []*laptop
}

func (h *house) Contact(enrolment org.ID) lesson.Contact {
	return lesson.Contact{Connected: !h.away[enrolment], Seen: h.at}
}
func (h *house) Wake()                                           {}
func (h *house) Prepare(_ context.Context, _ lesson.Lease) error { return nil }
func (h *house) Install(_ context.Context, _ lesson.Lease) error { return nil }
func (h *house) Remove(_ context.Context, _ lesson.Lease) error  { return nil }

var bell = time.Date(2026, 11, 23, 8, 50, 0, 0, time.UTC)

func build(t testing.TB, s *store.Store, laptops int) *house {
	t.Helper()
	h := &house{t: t, store: s, at: bell.Add(-30 * time.Hour), away: map[org.ID]bool{}}
	now := func() time.Time { return h.at }
	h.roster = &roster.Service{Store: s, NewID: ids.New, Now: now}
	h.lessons = &lesson.Service{Store: s, Roster: h.roster, Timetable: h.roster, Presence: h, Changes: h, Board: &live.Hub{}, Tablets: h, NewID: ids.New, Now: now}
	h.Service = &exam.Service{Store: s, Roster: h.roster, Leases: app.ExamLeases{Service: h.lessons}, Boards: &live.Hub{}, Schools: app.ExamSchools{Store: s, Zone: time.UTC}, NewID: ids.New, Now: now, Agent: "1.0", BrowserKey: []byte("0123456789abcdef0123456789abcdef")}
	h.operator = may.Actor{ID: "op", Name: "Betrieb", Grants: []may.Grant{{Role: may.Operator}}, Via: "test"}
	city, err := h.roster.CreateAuthority(t.Context(), h.operator, "Musterstadt", "")
	h.must(err)
	h.school, err = h.roster.CreateSchool(t.Context(), h.operator, city.ID, "Goethe-Gymnasium", "")
	h.must(err)
	other, err := h.roster.CreateSchool(t.Context(), h.operator, city.ID, "Andere Schule", "")
	h.must(err)
	h.oert, h.brandt, h.adler = h.person("Frau Maria Oert", may.Teacher, h.school), h.person("Herr Jan Brandt", may.Teacher, h.school), h.person("Herr Ole Adler", may.Teacher, h.school)
	h.office, h.stranger = h.person("Frau Petra Winter", may.SchoolAdmin, h.school), h.person("Frau Eva Fremd", may.SchoolAdmin, other)
	h.desk = may.Actor{ID: "desk", Name: "Hotline", Grants: []may.Grant{{Role: may.HelpDesk}}, Via: "test"}
	name, kind := "10a", org.Class
	h.class, err = h.roster.CreateGroup(t.Context(), h.operator, h.school.ID, roster.GroupUpdate{Name: &name, Kind: &kind})
	h.must(err)
	h.must(h.roster.AddTeacher(t.Context(), h.office, h.class.ID, h.oert.ID))
	for range laptops {
		h.laptops = append(h.laptops, h.laptop(h.class))
	}
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// refused fails unless the fault has the key.
func (h *house) refused(err error, key string) {
	h.t.Helper()
	if fault := errs.Find(err); fault == nil || fault.Key != key {
		h.t.Errorf("%v, want %s", err, key)
	}
}

func (h *house) person(name string, role may.Role, school roster.School) may.Actor {
	h.t.Helper()
	return storetest.Person(h.t, h.store, name, role, school.Branch(), h.at)
}

// laptop makes an enrolled laptop with a pupil, in groups.
func (h *house) laptop(groups ...roster.Group) *laptop {
	h.t.Helper()
	id := ids.New()
	device, err := h.roster.CreateDevice(h.t.Context(), h.operator, h.school.ID, "MS-"+id.String()[28:], "", org.Linux)
	h.must(err)
	pupil, err := h.roster.CreatePerson(h.t.Context(), h.office, h.school.ID, "Kind "+id.String()[28:], "")
	h.must(err)
	storetest.Exec(h.t, h.store, `UPDATE devices SET person = $1 WHERE id = $2`, pupil.ID, device.ID)
	enrolment := storetest.Enrol(h.t, h.store, h.school.Branch(), device.ID)
	storetest.Exec(h.t, h.store, `INSERT INTO device_states (authority, device, school, schema_no, agent, last_seen) VALUES ($1, $2, $3, 1, '1.0', $4)
		ON CONFLICT (authority, device) DO UPDATE SET schema_no = 1`, h.school.Authority, device.ID, h.school.ID, h.at.UnixMilli())
	for _, group := range groups {
		h.must(h.roster.AddDevices(h.t.Context(), h.operator, group.ID, []org.ID{device.ID}, time.Time{}, time.Time{}))
	}
	return &laptop{h: h, id: device.ID, enrolment: enrolment, pupil: pupil.ID, kept: map[string]lease.Lease{}, left: map[string]int{}}
}

// plan is an examination of the class from ten to nine for ninety minutes.
func (h *house) plan() exam.Plan {
	return exam.Plan{
		Name: "Mathematik", Group: h.class.ID, Room: "Aula", Invigilators: []org.ID{h.oert.ID, h.brandt.ID}, Starts: bell, Ends: bell.Add(90 * time.Minute),
		Rules: lease.Rules{Exam: &lease.Examination{Page: "https://moodle.example/mathe"}},
	}
}

// planned makes it.
func (h *house) planned() exam.Exam {
	h.t.Helper()
	e, err := h.Create(h.t.Context(), h.oert, h.plan())
	h.must(err)
	return e
}

// to moves the clock and lets the job and the laptops do what is due.
func (h *house) to(at time.Time) {
	h.t.Helper()
	h.at = at
	h.must(h.Settle(h.t.Context(), h.school.Branch()))
	h.sync()
}

func (h *house) sync() {
	h.t.Helper()
	for _, l := range h.laptops {
		l.sync()
	}
}

// laptop keeps leases as an agent does: the highest revision of each, and its own
// clock starts and ends them.
type laptop struct {
	h                    *house
	id, enrolment, pupil org.ID
	kept                 map[string]lease.Lease
	left                 map[string]int // by which revision it was let out with a code
	events               []ddm.Event
	sealed               []ddm.Sealed
	dry                  []ddm.Part // what a dry run found
}

func (l *laptop) offline(is bool) { l.h.away[l.enrolment] = is }

// sync fetches what changed and says what it holds, if there is contact.
func (l *laptop) sync() {
	l.h.t.Helper()
	if l.h.away[l.enrolment] {
		return
	}
	branch := l.h.school.Branch()
	granted, err := l.h.store.DeviceLeases(l.h.t.Context(), branch.Authority, l.id, l.h.at)
	l.h.must(err)
	for _, g := range granted {
		if g.Enrolment != l.enrolment || g.Rev <= max(l.kept[g.ID.String()].Rev, l.left[g.ID.String()]) {
			continue
		}
		l.kept[g.ID.String()] = g.Signed("test")
		l.h.must(l.h.lessons.Delivered(l.h.t.Context(), branch, l.id, g.ID, g.Rev))
	}
	var said []ddm.LeaseStatus
	for id, kept := range l.kept {
		status := ddm.LeaseStatus{ID: id, Rev: kept.Rev, Phase: ddm.LeaseWaiting, Since: l.h.at}
		switch {
		case l.left[id] > 0 && l.left[id] >= kept.Rev:
			status.Phase, status.Rev, status.Reason = ddm.LeaseEnded, l.left[id], &ddm.Reason{Code: "ended.code"}
		case kept.Ended(l.h.at):
			status.Phase, status.Reason = ddm.LeaseEnded, &ddm.Reason{Code: "ended.time"}
		case kept.Holds(l.h.at):
			status.Phase = ddm.LeaseActive
		default:
			status.Parts = l.dry
		}
		said = append(said, status)
	}
	l.h.must(l.h.lessons.Reported(l.h.t.Context(), branch, l.id, said))
	l.h.must(l.h.Observed(l.h.t.Context(), branch, l.id, ddm.AgentItems{Leases: said, Events: l.events, Sealed: l.sealed}))
}

// code lets the laptop out with a release code.
func (l *laptop) code() {
	for id, kept := range l.kept {
		if kept.Holds(l.h.at) {
			l.left[id] = kept.Rev + 1
		}
	}
}

// held is the lease of an examination that holds on the laptop now; nil if none.
func (l *laptop) held() *lease.Lease {
	var all []lease.Lease
	for id, kept := range l.kept {
		if l.left[id] < kept.Rev {
			all = append(all, kept)
		}
	}
	return lease.Hold(all, l.h.at).Exam
}

// locked reports whether an examination holds on the laptop.
func (l *laptop) locked() bool { return l.held() != nil }

// standing is how a laptop stands on the board.
func (h *house) standing(id org.ID, l *laptop) exam.Standing {
	h.t.Helper()
	board, err := h.Board(h.t.Context(), h.oert, id)
	h.must(err)
	for _, place := range board.Places {
		if place.Device == l.id {
			return place.Standing
		}
	}
	return ""
}
