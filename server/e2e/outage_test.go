package e2e

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/app"
	"schulwart.org/server/backup"
	"schulwart.org/server/config"
	"schulwart.org/server/declare"
	"schulwart.org/server/errs"
	"schulwart.org/server/lesson"
	"schulwart.org/server/store/storetest"
)

func TestAServerThatStartsAnewInMidModeLosesNothing(t *testing.T) {
	h := newHouse(t)
	d := h.desks(2, 7, h.link(h.class, 2), "")
	one := d.desk(0)
	mode := h.as(oert).start(order{"target": in(h.class), "kind": "offline", "minutes": 20})
	short := h.as(oert).start(order{"target": in(h.class), "kind": "screen", "until": soon(5 * time.Second)})
	h.as(oert).reaches(mode.ID, lesson.Active, 2)
	h.as(oert).reaches(short.ID, lesson.Active, 2)
	h.close()
	one.sees("never")
	await(t, "the other mode's end without the server", func() bool { return one.look().Pupil.Screen == nil })
	h.open()
	teacher := h.as(oert)
	teacher.reaches(mode.ID, lesson.Active, 2)
	teacher.reaches(short.ID, lesson.Ended, 2)
	await(t, "all devices to be in contact", func() bool { return h.app.Streams.Count() == 2 })
	one.sees("never")
	teacher.end(mode.ID)
	teacher.reaches(mode.ID, lesson.Ended, 2)
	one.sees("open")
}

func TestARestoredBackupRevivesNothing(t *testing.T) {
	h := newHouse(t)
	ctx := context.Background()
	d := h.desks(2, 7, h.link(h.class, 2), "")
	one, other := d.desk(0), d.desk(1)
	teacher := h.as(oert)
	mode := teacher.start(order{"target": in(h.class), "kind": "offline", "minutes": 20})
	teacher.reaches(mode.ID, lesson.Active, 2)
	file := filepath.Join(t.TempDir(), "backup.age")
	const lock = "zehn kleine Tiere gehen heute baden"
	made(h.app.Backup.WriteFile(ctx, file, lock))(t)
	teacher.end(mode.ID, one.id)
	teacher.comes(mode.ID, one.id, lesson.Ended)
	one.sees("open")
	h.close()

	// An empty machine takes the place of the one that burnt.
	h.config = settings(t, t.TempDir(), h.config.Listen, h.config.DeviceListen)
	made(backup.Restore(bytes.NewReader(made(os.ReadFile(file))(t)), lock, backup.Places{Database: h.database(), KeyFile: h.config.KeyFile}))(t)
	h.open()
	teacher = h.as(oert)
	await(t, "both laptops to come back untouched", func() bool { return h.app.Streams.Count() == 2 })
	teacher.comes(mode.ID, one.id, lesson.Ended)
	teacher.comes(mode.ID, other.id, lesson.Active)
	// Extending the mode does not reach who was let go.
	teacher.want(http.StatusOK, "POST", "/api/v1/modes/"+mode.ID.String()+"/extend", map[string]int{"minutes": 5}, nil)
	teacher.comes(mode.ID, other.id, lesson.Active)
	stays(t, "free after the restore", time.Second, func() bool { return one.internet() == "open" })
	if state := teacher.is(mode.ID, one.id); state != lesson.Ended {
		t.Errorf("who was let go is %s", state)
	}
	other.sees("never")
	again := teacher.start(order{"target": in(h.class), "kind": "offline", "minutes": 20})
	teacher.reaches(again.ID, lesson.Active, 2)
	one.sees("never")
}

// The way to grow, and back: a backup goes onto either database. Devices reconnect
// untouched and keep their mode, logins and the audit chain are whole.
func TestAnInstallationMovesToPostgreSQLAndBack(t *testing.T) {
	address := storetest.Postgres(t)
	h := newHouse(t)
	ctx := context.Background()
	d := h.desks(2, 7, h.link(h.class, 2), "")
	one, other := d.desk(0), d.desk(1)
	teacher := h.as(oert)
	mode := teacher.start(order{"target": in(h.class), "kind": "offline", "minutes": 20})
	teacher.reaches(mode.ID, lesson.Active, 2)
	const lock = "zehn kleine Tiere gehen heute baden"
	words := filepath.Join(t.TempDir(), "words")
	must(t, os.WriteFile(words, []byte(lock), 0o600))

	move := func(database string) {
		t.Helper()
		must(t, h.app.Audit.Seal(ctx))
		file := filepath.Join(t.TempDir(), "backup.age")
		made(h.app.Backup.WriteFile(ctx, file, lock))(t)
		h.close()
		h.config = &config.Serve{Data: t.TempDir(), Listen: h.config.Listen, DeviceListen: h.config.DeviceListen, Timezone: "Europe/Berlin", Database: database}
		must(t, h.config.Settle())
		restore := &config.RestoreCommand{Serve: *h.config, From: file, PassphraseFile: words}
		must(t, app.Restore(ctx, restore, app.Terminal{Out: io.Discard}))
		if err := app.Restore(ctx, restore, app.Terminal{Out: io.Discard}); !errs.Is(err, errs.Conflict) {
			t.Fatalf("onto what exists: %v", err)
		}
		h.open()
		teacher = h.as(oert)
		await(t, "both laptops to come back untouched", func() bool { return h.app.Streams.Count() == 2 })
		must(t, app.Verify(ctx, &config.VerifyCommand{Serve: *h.config}, app.Terminal{Out: io.Discard}))
	}
	move(address)
	if h.app.Store.Kind() != "postgres" {
		t.Fatalf("it runs on %s", h.app.Store.Kind())
	}
	teacher.reaches(mode.ID, lesson.Active, 2)
	one.sees("never")
	teacher.end(mode.ID, one.id)
	teacher.comes(mode.ID, one.id, lesson.Ended)
	one.sees("open")

	move("")
	if h.app.Store.Kind() != "sqlite" {
		t.Fatalf("it runs on %s", h.app.Store.Kind())
	}
	teacher.comes(mode.ID, one.id, lesson.Ended)
	teacher.comes(mode.ID, other.id, lesson.Active)
	one.sees("open")
	again := teacher.start(order{"target": in(h.class), "kind": "offline", "minutes": 20})
	teacher.reaches(again.ID, lesson.Active, 2)
}

// twister signs leases otherwise than it should, as somebody could who has
// taken over the server, but not the keys.
type twister struct {
	declare.Signer
	mu    sync.Mutex
	twist func(l lease.Lease, sign func(lease.Lease) (string, error)) (string, error)
}

func (w *twister) Sign(l lease.Lease) (string, error) {
	w.mu.Lock()
	twist := w.twist
	w.mu.Unlock()
	if twist == nil {
		return w.Signer.Sign(l)
	}
	return twist(l, w.Signer.Sign)
}

func (w *twister) to(twist func(l lease.Lease, sign func(lease.Lease) (string, error)) (string, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.twist = twist
}

func TestForgedLeasesAreNotObeyed(t *testing.T) {
	w := &twister{}
	h := newHouse(t)
	h.close()
	h.before = func(a *app.App) {
		w.Signer = a.Declare.Signer
		a.Declare.Signer = w
	}
	h.open()
	d := h.desks(2, 7, h.link(h.class, 2), "")
	one, other := d.desk(0), d.desk(1)
	teacher := h.as(oert)
	var strangers org.ID
	for name, forgery := range map[string]struct {
		twist func(l lease.Lease, sign func(lease.Lease) (string, error)) (string, error)
		why   string
	}{
		"a bad signature": {func(l lease.Lease, sign func(lease.Lease) (string, error)) (string, error) {
			jws, err := sign(l)
			return jws[:len(jws)-8] + "AAAAAAAA", err
		}, "lease.signature"},
		"a lease of another device": {func(l lease.Lease, sign func(lease.Lease) (string, error)) (string, error) {
			l.Subject = strangers
			return sign(l)
		}, "lease.subject"},
		"a lease of another server": {func(l lease.Lease, sign func(lease.Lease) (string, error)) (string, error) {
			l.Issuer = "https://anderswo.example"
			return sign(l)
		}, "lease.issuer"},
		"a lease without end": {func(l lease.Lease, sign func(lease.Lease) (string, error)) (string, error) {
			l.Expires = l.NotBefore.Add(30 * 24 * time.Hour)
			return sign(l)
		}, "lease.too-long"},
		"garbage": {func(lease.Lease, func(lease.Lease) (string, error)) (string, error) { return "a.b.c", nil }, "lease.signature"},
	} {
		t.Run(name, func(t *testing.T) {
			strangers = org.ID(other.look().UDID)
			w.to(forgery.twist)
			mode := teacher.start(order{"target": in(h.class), "kind": "offline", "minutes": 20})
			await(t, "the board to say why", func() bool {
				for _, line := range teacher.mode(mode.ID).Devices {
					if line.State != lesson.Deviating || line.Reason != forgery.why {
						return false
					}
				}
				return true
			}, func() any { return teacher.mode(mode.ID).Devices })
			if got := one.internet(); got != "open" {
				t.Errorf("the internet is %s", got)
			}
			w.to(nil)
			teacher.end(mode.ID)
		})
	}
	t.Run("a replayed older revision", func(t *testing.T) {
		first := map[string]string{}
		w.to(func(l lease.Lease, sign func(lease.Lease) (string, error)) (string, error) {
			jws, err := sign(l)
			if l.Rev == 1 {
				w.mu.Lock()
				first[l.ID] = jws
				w.mu.Unlock()
			}
			return jws, err
		})
		mode := teacher.start(order{"target": in(h.class), "kind": "offline", "minutes": 20})
		teacher.reaches(mode.ID, lesson.Active, 2)
		teacher.end(mode.ID)
		teacher.reaches(mode.ID, lesson.Ended, 2)
		w.to(func(l lease.Lease, _ func(lease.Lease) (string, error)) (string, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			return first[l.ID], nil
		})
		made(h.app.Lessons.Resume(context.Background(), h.person(oert), mode.ID))(t)
		await(t, "the old revision to be fetched", func() bool {
			for _, line := range teacher.mode(mode.ID).Devices {
				if line.State != lesson.Delivered {
					return false
				}
			}
			return true
		}, func() any { return teacher.mode(mode.ID).Devices })
		stays(t, "free", 500*time.Millisecond, func() bool { return one.internet() == "open" && other.internet() == "open" })
		if running := one.look().Status.Leases; len(running) != 0 {
			t.Errorf("the device obeys %+v", running)
		}
		w.to(nil)
		made(h.app.Lessons.End(context.Background(), h.person(oert), mode.ID))(t)
	})
	honest := teacher.start(order{"target": in(h.class), "kind": "offline", "minutes": 20})
	teacher.reaches(honest.ID, lesson.Active, 2)
}
