package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"schulwart.org/policies/org"
	"schulwart.org/server/audit"
	"schulwart.org/server/errs"
	"schulwart.org/server/ids"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// log is an audit log with some rows in two authorities.
type log struct {
	*audit.Service
	t     *testing.T
	store *store.Store
	at    time.Time
	a, b  org.ID
}

func newLog(t *testing.T, s *store.Store) *log {
	t.Helper()
	l := &log{t: t, store: s, at: time.Now(), a: ids.New(), b: ids.New()}
	l.Service = &audit.Service{Store: s, Now: func() time.Time { return l.at }, Folder: t.TempDir()}
	return l
}

// act leaves a row.
func (l *log) act(authority org.ID, name string) {
	l.t.Helper()
	actor := may.Actor{ID: "staff-1", Name: "Frau Oert", Grants: []may.Grant{{Role: may.Operator}}, From: "192.0.2.1", Via: "test"}
	permit, err := may.Do(actor, may.SchoolCreate, org.Branch{Authority: authority})
	l.must(err)
	l.must(l.store.CreateSchool(l.t.Context(), permit, roster.School{Authority: authority, ID: ids.New(), Name: name, Created: l.at}))
}

func (l *log) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *log) verify(authority org.ID) audit.State {
	l.t.Helper()
	state, err := l.Verify(l.t.Context(), authority)
	l.must(err)
	return state
}

func (l *log) tamper(rows int64, statement string, args ...any) {
	l.t.Helper()
	n, err := l.store.Tamper(l.t.Context(), statement, args...)
	l.must(err)
	if n != rows {
		l.t.Fatalf("%s: %d rows", statement, n)
	}
}

func TestEveryTamperingShows(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		for name, do := range map[string]func(l *log){
			"who": func(l *log) {
				l.tamper(1, `UPDATE audit SET actor_name = 'Herr Kern' WHERE authority = $1 AND chain = 3`, l.a)
			},
			"what":          func(l *log) { l.tamper(1, `UPDATE audit SET after = '{}' WHERE authority = $1 AND chain = 3`, l.a) },
			"when":          func(l *log) { l.tamper(1, `UPDATE audit SET at = at - 60000 WHERE authority = $1 AND chain = 3`, l.a) },
			"where from":    func(l *log) { l.tamper(1, `UPDATE audit SET origin = '' WHERE authority = $1 AND chain = 3`, l.a) },
			"removed":       func(l *log) { l.tamper(1, `DELETE FROM audit WHERE authority = $1 AND chain = 3`, l.a) },
			"first removed": func(l *log) { l.tamper(1, `DELETE FROM audit WHERE authority = $1 AND chain = 1`, l.a) },
			"last removed":  func(l *log) { l.tamper(1, `DELETE FROM audit WHERE authority = $1 AND chain = 6`, l.a) },
			"head pulled in": func(l *log) {
				l.tamper(1, `DELETE FROM audit WHERE authority = $1 AND chain = 6`, l.a)
				l.tamper(1, `UPDATE audit_chains SET chain = 5, hash = (SELECT hash FROM audit WHERE authority = $1 AND chain = 5) WHERE authority = $1`, l.a)
			},
			"swapped": func(l *log) {
				l.tamper(1, `UPDATE audit SET chain = 100 WHERE authority = $1 AND chain = 3`, l.a)
				l.tamper(1, `UPDATE audit SET chain = 3 WHERE authority = $1 AND chain = 4`, l.a)
				l.tamper(1, `UPDATE audit SET chain = 4 WHERE authority = $1 AND chain = 100`, l.a)
			},
			"emptied without a record": func(l *log) {
				l.tamper(1, `UPDATE audit SET actor = '', actor_name = '', origin = '', before = '', after = '', salt = '', erased = 1 WHERE authority = $1 AND chain = 3`, l.a)
			},
			"marked as emptied": func(l *log) { l.tamper(1, `UPDATE audit SET erased = 1 WHERE authority = $1 AND chain = 3`, l.a) },
			"hashed anew": func(l *log) {
				l.tamper(1, `UPDATE audit SET actor_name = 'Herr Kern', content_hash = $2 WHERE authority = $1 AND chain = 3`, l.a, "00")
			},
			"head forged": func(l *log) { l.tamper(1, `UPDATE audit_heads SET hash = 'ff' WHERE authority = $1`, l.a) },
		} {
			t.Run(name, func(t *testing.T) {
				l := newLog(t, s)
				for i := range 6 {
					l.act(l.a, fmt.Sprintf("Schule %d", i))
					l.act(l.b, fmt.Sprintf("Schule %d", i))
				}
				l.must(l.Seal(t.Context()))
				l.must(l.ExportHeads(t.Context()))
				if state := l.verify(l.a); !state.OK || state.Sealed != 6 {
					t.Fatalf("untouched: %+v", state)
				}
				do(l)
				if state := l.verify(l.a); state.OK || state.BrokenAt == 0 || state.Reason == "" {
					t.Errorf("not noticed: %+v", state)
				}
				if state := l.verify(l.b); !state.OK {
					t.Errorf("the other authority's chain broke too: %+v", state)
				}
			})
		}
	})
}

// Whatever single change somebody makes to a sealed log of any length, it shows.
func TestAnyChangeShows(t *testing.T) {
	s := storetest.Open(t)
	columns := []string{"actor", "actor_name", "via", "origin", "action", "school", "target_kind", "target", "before", "after", "salt", "content_hash", "hash"}
	rapid.Check(t, func(r *rapid.T) {
		l := newLog(t, s)
		n := rapid.IntRange(1, 12).Draw(r, "rows")
		for i := range n {
			l.act(l.a, fmt.Sprintf("Schule %d", i))
			if rapid.Bool().Draw(r, "sealed in between") {
				l.must(l.Seal(t.Context()))
			}
		}
		l.must(l.Seal(t.Context()))
		if state := l.verify(l.a); !state.OK || state.Sealed != int64(n) {
			r.Fatalf("untouched: %+v", state)
		}
		at := rapid.IntRange(1, n).Draw(r, "at")
		switch rapid.SampledFrom([]string{"change", "remove", "insert"}).Draw(r, "how") {
		case "change":
			column := rapid.SampledFrom(columns).Draw(r, "column")
			l.tamper(1, `UPDATE audit SET `+column+` = `+column+` || 'x' WHERE authority = $1 AND chain = $2`, l.a, at)
		case "remove":
			l.tamper(1, `DELETE FROM audit WHERE authority = $1 AND chain = $2`, l.a, at)
		case "insert":
			l.tamper(int64(n-at+1), `UPDATE audit SET chain = -chain WHERE authority = $1 AND chain >= $2`, l.a, at)
			l.tamper(int64(n-at+1), `UPDATE audit SET chain = 1 - chain WHERE authority = $1 AND chain < 0`, l.a)
			l.tamper(1, `INSERT INTO audit (authority, at, actor, actor_name, via, origin, action, salt, content_hash, chain, hash)
				VALUES ($1, 1, 'x', 'x', 'x', 'x', 'x', '', $2, $3, 'x')`, l.a, audit.ContentHash("", l.a.String(), "x", "x", "x", "x", "x", "", "", "", "", ""), at)
		}
		if state := l.verify(l.a); state.OK {
			r.Fatalf("not noticed: %+v", state)
		}
	})
}

func TestErasingKeepsTheChain(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx, l := t.Context(), newLog(t, s)
		operator := may.Actor{ID: "op", Grants: []may.Grant{{Role: may.Operator}}}
		for range 4 {
			l.act(l.a, "Schule")
		}
		entries, _, err := l.List(ctx, operator, audit.Filter{})
		l.must(err)
		seq := entries[2].Seq
		if err := l.Erase(ctx, operator, seq); errs.Find(err) == nil || errs.Find(err).Key != "audit.not_sealed" {
			t.Errorf("erased before it was sealed: %v", err)
		}
		l.must(l.Seal(ctx))
		teacher := may.Actor{ID: "t", Grants: []may.Grant{{Role: may.Teacher, Branch: org.Branch{Authority: l.a, School: "x"}}}}
		if err := l.Erase(ctx, teacher, seq); err == nil {
			t.Error("a teacher erased a row")
		}
		l.must(l.Erase(ctx, operator, seq))
		if state := l.verify(l.a); !state.OK {
			t.Errorf("after erasing: %+v", state)
		}
		l.must(l.Seal(ctx))
		if state := l.verify(l.a); !state.OK || state.Sealed != 5 {
			t.Errorf("after sealing the record of it: %+v", state)
		}
		found, err := s.FindAudit(ctx, seq)
		l.must(err)
		if !found.Erased || found.ActorName != "" || found.After != "" || found.Action == "" {
			t.Errorf("erased row: %+v", found)
		}
		l.tamper(1, `DELETE FROM audit WHERE target_kind = 'audit_row'`)
		if state := l.verify(l.a); state.OK {
			t.Error("the record of the erasure was removed, and nobody noticed")
		}
	})
}

func TestArchive(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx, l := t.Context(), newLog(t, s)
		for range 5 {
			l.act(l.a, "Schule")
		}
		l.must(l.Seal(ctx))
		l.must(l.ExportHeads(ctx))
		l.at = l.at.Add(time.Hour)
		l.must(l.Archive(ctx, l.at))
		operator := may.Actor{ID: "op", Grants: []may.Grant{{Role: may.Operator}}}
		if entries, _, err := l.List(ctx, operator, audit.Filter{}); err != nil || len(entries) != 0 {
			t.Errorf("%d rows stayed in the database, %v", len(entries), err)
		}
		l.act(l.a, "Schule")
		l.must(l.Seal(ctx))
		if state := l.verify(l.a); !state.OK || state.Sealed != 6 {
			t.Errorf("through the archive: %+v", state)
		}
		files, err := filepath.Glob(filepath.Join(l.Folder, "*.jsonl.gz"))
		l.must(err)
		if len(files) != 1 {
			t.Fatalf("files %q", files)
		}
		data, err := os.ReadFile(files[0])
		l.must(err)
		data[len(data)/2] ^= 1
		l.must(os.WriteFile(files[0], data, 0o600))
		if state := l.verify(l.a); state.OK {
			t.Error("a bit of the archive turned, and nobody noticed")
		}
		l.must(os.Remove(files[0]))
		if state := l.verify(l.a); state.OK {
			t.Error("the archive is gone, and nobody noticed")
		}
		if heads, _ := filepath.Glob(filepath.Join(l.Folder, "heads-*.json")); len(heads) != 1 {
			t.Errorf("heads %q", heads)
		}
	})
}

func TestAuditIsBoundToBranches(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx, l := t.Context(), newLog(t, s)
		for i := range 5 {
			l.act(l.a, fmt.Sprintf("Schule %d", i))
			l.act(l.b, "andere")
		}
		admin := may.Actor{ID: "adam", Grants: []may.Grant{{Role: may.AuthorityAdmin, Branch: org.Branch{Authority: l.a}}}}
		var all []audit.Entry
		cursor := ""
		for range 5 {
			entries, next, err := l.List(ctx, admin, audit.Filter{Limit: 2, Cursor: cursor})
			l.must(err)
			all = append(all, entries...)
			if cursor = next; next == "" {
				break
			}
		}
		if len(all) != 5 || all[0].TargetName != "Schule 4" || all[0].ActorName != "Frau Oert" || all[0].From != "192.0.2.1" {
			t.Errorf("%d entries, the first %+v", len(all), all[0])
		}
		if found, _, err := l.List(ctx, admin, audit.Filter{Query: "oert", TargetKind: "school", From: l.at.Add(-time.Hour), Until: l.at.Add(time.Hour)}); err != nil || len(found) != 5 {
			t.Errorf("filtered: %d, %v", len(found), err)
		}
		if found, _, _ := l.List(ctx, admin, audit.Filter{Query: "kern"}); len(found) != 0 {
			t.Errorf("filtered by somebody else: %d", len(found))
		}
		if _, err := l.Chain(ctx, admin, l.b); !errs.Is(err, errs.NotFound) {
			t.Errorf("a foreign chain: %v", err)
		}
		teacher := may.Actor{ID: "t", Grants: []may.Grant{{Role: may.Teacher, Branch: org.Branch{Authority: l.a, School: "x"}}}}
		if _, _, err := l.List(ctx, teacher, audit.Filter{}); !errs.Is(err, errs.Denied) {
			t.Errorf("a teacher reads the log: %v", err)
		}
	})
}
