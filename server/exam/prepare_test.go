package exam_test

import (
	"context"
	"testing"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/exam"
	"schulwart.org/server/lesson"
	"schulwart.org/server/may"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

func TestWhoMay(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s, 2)
		ctx := t.Context()
		_, err := h.Create(ctx, h.adler, h.plan())
		h.refused(err, "exam.not_yours")
		_, err = h.Create(ctx, h.desk, h.plan())
		h.refused(err, "denied")
		e := h.planned()
		_, err = h.Find(ctx, h.stranger, e.ID)
		h.refused(err, "not_found")
		_, err = h.Start(ctx, h.adler, e.ID)
		h.refused(err, "exam.not_yours")
		_, err = h.HandOver(ctx, h.adler, e.ID, h.adler.ID)
		h.refused(err, "exam.not_yours")
		// An invigilator, a substitute and the office may.
		_, err = h.Start(ctx, h.brandt, e.ID)
		h.must(err)
		_, err = h.roster.TakeClass(ctx, h.adler, h.class.ID, time.Time{})
		h.must(err)
		_, err = h.Extend(ctx, h.adler, e.ID, 5)
		h.must(err)
		_, err = h.Extend(ctx, h.office, e.ID, 5)
		h.must(err)
		_, err = h.Extend(ctx, h.desk, e.ID, 5)
		h.refused(err, "denied")
		// Everybody who may end a mode can end it, twice, and nothing hangs.
		for range 2 {
			_, err = h.End(ctx, h.desk, e.ID)
			h.must(err)
		}
		h.sync()
		if h.laptops[0].locked() {
			t.Error("still locked")
		}
		_, err = h.Extras(ctx, h.oert, h.school.Branch())
		h.refused(err, "denied")
		h.refused(h.SetExtra(ctx, h.oert, exam.ExtraTime{Branch: h.school.Branch(), Person: h.laptops[0].pupil, Extra: exam.Extra{Minutes: 10}}), "denied")
	})
}

// A teacher prepares for devices of the own classes only: not for a pupil who has
// none yet and may be given anybody's.
func TestATeacherNamesThoseOfTheOwnClasses(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s, 2)
		ctx := t.Context()
		without, err := h.roster.CreatePerson(ctx, h.office, h.school.ID, "Kind ohne Gerät", "")
		h.must(err)
		plan := h.plan()
		plan.Group, plan.School, plan.Authority = "", h.school.ID, h.school.Authority
		plan.Persons, plan.Devices = []org.ID{h.laptops[0].pupil}, []org.ID{h.laptops[0].id, h.laptops[1].id}
		_, err = h.Create(ctx, h.oert, plan)
		h.must(err)
		plan.Persons = append(plan.Persons, without.ID)
		_, err = h.Create(ctx, h.oert, plan)
		h.refused(err, "exam.not_yours")
		plan.Persons, plan.Devices = []org.ID{without.ID}, nil
		_, err = h.Create(ctx, h.oert, plan)
		h.refused(err, "exam.not_yours")
		_, err = h.Create(ctx, h.office, plan)
		h.must(err)
	})
}

func TestChangedAfterArming(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s, 1)
		e := h.planned()
		h.to(bell.Add(-time.Hour))
		plan := h.plan()
		plan.Starts, plan.Ends, plan.Rules.Apps = bell.Add(time.Hour), bell.Add(2*time.Hour), []string{"org.geogebra.GeoGebra"}
		_, err := h.Update(t.Context(), h.brandt, e.ID, plan)
		h.must(err)
		h.to(bell.Add(time.Minute))
		if h.laptops[0].locked() {
			t.Error("locked at the old time")
		}
		h.to(bell.Add(61 * time.Minute))
		held := h.laptops[0].held()
		if held == nil || !held.Expires.Equal(plan.Ends) || len(held.Rules.Apps) != 1 || len(h.laptops[0].kept) != 1 {
			t.Errorf("%+v of %d", held, len(h.laptops[0].kept))
		}
	})
}

func TestCalledOff(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s, 1)
		e := h.planned()
		h.to(bell.Add(-time.Hour))
		h.must(h.Delete(t.Context(), h.oert, e.ID))
		h.must(h.Delete(t.Context(), h.oert, e.ID))
		h.to(bell.Add(time.Minute))
		if h.laptops[0].locked() {
			t.Error("locked although it was called off")
		}
		// One that never was on a device leaves nothing.
		later := h.plan()
		later.Starts, later.Ends = bell.Add(100*time.Hour), bell.Add(101*time.Hour)
		draft, err := h.Create(t.Context(), h.oert, later)
		h.must(err)
		h.must(h.Delete(t.Context(), h.oert, draft.ID))
		_, err = h.Find(t.Context(), h.oert, draft.ID)
		h.refused(err, "exam.not_found")
	})
}

// meanwhile is a store before which something else happens once.
type meanwhile struct {
	lesson.Store
	first func()
}

// CreateMode is the store's, after what happens first.
func (m *meanwhile) CreateMode(ctx context.Context, permit may.Permit, mode lesson.Mode, leases []lesson.Lease) error {
	if first := m.first; first != nil {
		m.first = nil
		first()
	}
	return m.Store.CreateMode(ctx, permit, mode, leases)
}

// Seen where the job ran in the very moment in which somebody saved: both armed
// the examination, and whoever came second failed.
func TestTheClockAndWhoSavesArmAnExaminationTogether(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s, 2)
		h.at = bell.Add(-time.Hour)
		came := false
		h.lessons.Store = &meanwhile{h.lessons.Store, func() { came = true; h.must(h.Tick(t.Context())) }}
		e := h.planned()
		if !came {
			t.Fatal("nothing came between")
		}
		lines, err := h.Leases.Lines(t.Context(), made(t, h, e.ID).Mode)
		if h.must(err); len(lines) != 2 {
			t.Errorf("%d leases for two laptops", len(lines))
		}
	})
}

func made(t *testing.T, h *house, id org.ID) exam.Exam {
	e, err := h.Find(t.Context(), h.oert, id)
	h.must(err)
	return e
}
