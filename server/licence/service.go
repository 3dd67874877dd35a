package licence

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Bounds of what people say of a pool.
const (
	mostLicences = 1_000_000
	mostCents    = 100_000_000
	longestNote  = 500
)

// List lists the pools that the actor sees, with what became of them: those of the
// own places, and for schools those of their authority.
func (s *Service) List(ctx context.Context, actor may.Actor) ([]View, error) {
	branches := may.Branches(actor, may.AppRead)
	if len(branches) == 0 {
		return nil, errs.E(errs.Denied, "denied", "action", string(may.AppRead))
	}
	var authorities []org.ID
	for _, branch := range branches {
		if branch.Authority == "" {
			authorities = nil
			break
		}
		authorities = append(authorities, branch.Authority)
	}
	pools, err := s.Store.ListPools(ctx, authorities)
	if err != nil {
		return nil, err
	}
	pools = slices.DeleteFunc(pools, func(p Pool) bool { return !sees(actor, p) })
	used, books := map[org.ID]map[org.ID]int{}, map[org.ID]map[rollout.App]Book{}
	views := make([]View, 0, len(pools))
	for _, pool := range pools {
		at := pool.Branch.Authority
		if used[at] == nil {
			if used[at], err = s.Store.UsedLicences(ctx, at); err != nil {
				return nil, err
			}
			books[at] = map[rollout.App]Book{}
		}
		book, read := books[at][pool.App]
		if !read {
			if book, err = s.Store.Book(ctx, at, pool.App); err != nil {
				return nil, err
			}
			books[at][pool.App] = book
		}
		view, err := s.view(ctx, actor, pool, used[at][pool.ID], book)
		if err != nil {
			return nil, err
		}
		views = append(views, view)
	}
	return views, nil
}

// sees reports whether the actor reads of a pool: a school reads of what its
// authority has for it, too.
func sees(actor may.Actor, p Pool) bool {
	return slices.ContainsFunc(may.Branches(actor, may.AppRead), func(b org.Branch) bool {
		return b.Holds(p.Branch) || p.Branch.School == "" && b.Authority == p.Branch.Authority
	})
}

func (s *Service) view(ctx context.Context, actor may.Actor, pool Pool, used int, book Book) (View, error) {
	view := View{Pool: pool, Used: used, MayWrite: may.Can(actor, may.LicenceWrite, pool.Branch)}
	for _, m := range book.Waiting() {
		if pool.Branch.School == "" || pool.Branch.School == m.Branch.School {
			view.Waiting++
		}
	}
	days, err := s.Store.LicenceDays(ctx, pool.Branch.Authority, pool.ID)
	if err != nil {
		return View{}, err
	}
	now := s.Now()
	view.RunsOut = runsOut(pool.Total, used, days, now)
	if pool.Until != "" {
		view.Ends = daysBetween(book.Today, pool.Until)
	}
	return view, nil
}

// Find returns a pool with what became of it.
func (s *Service) Find(ctx context.Context, actor may.Actor, id org.ID) (View, error) {
	pool, err := s.find(ctx, actor, id)
	if err != nil {
		return View{}, err
	}
	used, err := s.Store.UsedLicences(ctx, pool.Branch.Authority)
	if err != nil {
		return View{}, err
	}
	book, err := s.Store.Book(ctx, pool.Branch.Authority, pool.App)
	if err != nil {
		return View{}, err
	}
	return s.view(ctx, actor, pool, used[pool.ID], book)
}

func (s *Service) find(ctx context.Context, actor may.Actor, id org.ID) (Pool, error) {
	pool, err := s.Store.FindPool(ctx, id)
	if err != nil {
		return Pool{}, err
	}
	if !sees(actor, pool) {
		return Pool{}, errs.E(errs.NotFound, "licence.not_found")
	}
	return pool, nil
}

// Holders lists who has a licence of a pool, then who waits for one, in school
// order. A school reads of its own devices only.
func (s *Service) Holders(ctx context.Context, actor may.Actor, id org.ID) ([]Holder, error) {
	pool, err := s.find(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	book, err := s.Store.Book(ctx, pool.Branch.Authority, pool.App)
	if err != nil {
		return nil, err
	}
	var list []Holder
	Sort(book.Members)
	for _, m := range book.Members {
		if m.Pool == pool.ID && may.Can(actor, may.AppRead, m.Branch) {
			list = append(list, Holder{Member: m})
		}
	}
	for _, m := range book.Waiting() {
		if (pool.Branch.School == "" || pool.Branch.School == m.Branch.School) && may.Can(actor, may.AppRead, m.Branch) {
			list = append(list, Holder{Member: m, Waits: true})
		}
	}
	return list, nil
}

// Preview says what a pool would change, and keeps nothing.
func (s *Service) Preview(ctx context.Context, actor may.Actor, wanted New) (Change, error) {
	change, _, err := s.drawUp(ctx, actor, wanted)
	return change, err
}

// Put keeps a pool in the place of the one that its place has of the app. It tells
// what that changed.
func (s *Service) Put(ctx context.Context, actor may.Actor, wanted New) (Change, error) {
	change, permit, err := s.drawUp(ctx, actor, wanted)
	if err != nil {
		return Change{}, err
	}
	change.ByName = actor.Name
	if change.Pool, err = s.Store.SavePool(ctx, permit, change.Pool); err != nil {
		return Change{}, err
	}
	s.Changes.Wake()
	used, err := s.Store.UsedLicences(ctx, change.Branch.Authority)
	change.Used = used[change.ID]
	return change, err
}

func (s *Service) drawUp(ctx context.Context, actor may.Actor, wanted New) (Change, may.Permit, error) {
	level, place := org.Authority, wanted.Authority
	if wanted.School != "" {
		level, place = org.School, wanted.School
	}
	branch, err := s.Store.FindTarget(ctx, level, place)
	if err == nil && wanted.School != "" && wanted.Authority != "" && wanted.Authority != branch.Authority {
		err = errs.E(errs.NotFound, "not_found")
	}
	if err != nil {
		return Change{}, may.Permit{}, err
	}
	permit, err := may.Do(actor, may.LicenceWrite, branch)
	if err != nil {
		return Change{}, may.Permit{}, err
	}
	pool := Pool{ID: s.NewID(), Branch: branch, App: wanted.App, Total: wanted.Total, Cost: wanted.Cost, Until: wanted.Until, Note: strings.TrimSpace(wanted.Note), Since: s.Now().UTC()}
	if err := check(pool); err != nil {
		return Change{}, may.Permit{}, err
	}
	book, err := s.Store.Book(ctx, branch.Authority, pool.App)
	if err != nil {
		return Change{}, may.Permit{}, err
	}
	change := Change{Pool: pool}
	for _, known := range book.Pools {
		if known.Branch == branch {
			change.ID, change.Since, change.Title, change.Before = known.ID, known.Since, known.Title, known.Total
		}
	}
	change.Over = pool.Until != "" && pool.Until < book.Today
	after := book.with(change.Pool)
	change.Gain, change.Lose = book.change(after)
	change.Waits = len(after.Waiting())
	for _, from := range after.Allot() {
		if from == change.ID {
			change.Used++
		}
	}
	return change, permit, nil
}

func check(p Pool) error {
	switch {
	case p.App.Name == "" || len(p.App.Name) > 200 || len(p.App.Kind.Platforms()) == 0:
		return errs.E(errs.Invalid, "licence.no_app").In("app")
	case p.Total < 0 || p.Total > mostLicences:
		return errs.E(errs.Invalid, "licence.bad_total", "most", mostLicences).In("total")
	case p.Cost.Cents < 0 || p.Cost.Cents > mostCents || (p.Cost.Cents > 0) != (p.Cost.Currency != "") || !currency(p.Cost.Currency):
		return errs.E(errs.Invalid, "licence.bad_cost").In("cost")
	case p.Until != "" && !p.Until.Valid():
		return errs.E(errs.Invalid, "licence.bad_until").In("until")
	case len(p.Note) > longestNote:
		return errs.E(errs.Invalid, "licence.long_note", "most", longestNote).In("note")
	}
	return nil
}

func currency(code string) bool {
	return code == "" || len(code) == 3 && strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// Drop forgets a pool: licences of the app are not counted there any more.
func (s *Service) Drop(ctx context.Context, actor may.Actor, id org.ID) error {
	pool, err := s.find(ctx, actor, id)
	if err != nil {
		return err
	}
	permit, err := may.Do(actor, may.LicenceWrite, pool.Branch)
	if err != nil {
		return err
	}
	if err := s.Store.DropPool(ctx, permit, pool); err != nil {
		return err
	}
	s.Changes.Wake()
	return nil
}

// DropPreview says what it would change to forget a pool.
func (s *Service) DropPreview(ctx context.Context, actor may.Actor, id org.ID) (Change, error) {
	pool, err := s.find(ctx, actor, id)
	if err != nil {
		return Change{}, err
	}
	if _, err := may.Do(actor, may.LicenceWrite, pool.Branch); err != nil {
		return Change{}, err
	}
	book, err := s.Store.Book(ctx, pool.Branch.Authority, pool.App)
	if err != nil {
		return Change{}, err
	}
	change := Change{Pool: pool, Before: pool.Total}
	after := book.without(pool.ID)
	change.Gain, change.Lose = book.change(after)
	change.Waits = len(after.Waiting())
	return change, nil
}

// Short says for which devices an offer would find no licence, with every ring of it
// reached. Nothing is said of an app whose licences nobody counts there.
func (s *Service) Short(ctx context.Context, authority org.ID, offer rollout.Offer) (rollout.Shortage, error) {
	app := offer.Package.App()
	pools, err := s.Store.ListPools(ctx, []org.ID{authority})
	if err != nil || !slices.ContainsFunc(pools, func(p Pool) bool { return p.App == app }) {
		return rollout.Shortage{}, err
	}
	book, err := s.Store.Book(ctx, authority, app)
	if err != nil {
		return rollout.Shortage{}, err
	}
	offer = offer.Whole()
	if offer.Started.IsZero() {
		offer.Started = s.Now()
	}
	return book.short(offer), nil
}

// short counts among the devices that the offer would reach.
func (b Book) short(offer rollout.Offer) rollout.Shortage {
	var short rollout.Shortage
	given := b.Allot(offer)
	members := map[org.ID]Member{}
	for _, m := range b.Members {
		members[m.ID] = m
	}
	for _, claim := range b.Claims(offer) {
		m := members[claim.Device]
		if offer.Plan.RingOf(m.Member) == rollout.Outside {
			continue
		}
		short.Counted = true
		short.Needed++
		if given[claim.Device] == "" {
			short.Without = append(short.Without, rollout.Lacking{Device: m.ID, Name: m.Name, School: m.School, SchoolID: m.Branch.School})
		}
	}
	return short
}

// Terms tells the conditions of an app in a school.
func (s *Service) Terms(ctx context.Context, school org.Branch, app rollout.App) (rollout.Terms, error) {
	book, err := s.Store.Book(ctx, school.Authority, app)
	if err != nil {
		return rollout.Terms{}, err
	}
	var terms rollout.Terms
	used := map[org.ID]int{}
	for _, from := range book.Allot() {
		used[from]++
	}
	for _, pool := range book.Pools {
		if pool.Branch.School != "" && pool.Branch.School != school.School {
			continue
		}
		terms.Counted = true
		if !pool.Over {
			terms.Free += max(0, pool.Total-used[pool.ID])
		}
		// The school's own say what one costs before the authority's.
		if pool.Cost.Currency != "" && (terms.Currency == "" || pool.Branch.School != "") {
			terms.Cents, terms.Currency = pool.Cost.Cents, pool.Cost.Currency
		}
	}
	return terms, nil
}

// Settle takes licences back from who left the school of a branch, and gives them to
// who waits.
func (s *Service) Settle(ctx context.Context, branch org.Branch) error {
	changed, err := s.Store.SettleLicences(ctx, branch.Authority)
	if changed {
		s.Changes.Wake()
	}
	return err
}

// The pace is that of the last weeks; less than some days say nothing of it.
const (
	paceDays  = 28
	leastDays = 4
	farthest  = 2 * 365 // days ahead beyond which nothing is foretold
)

// runsOut says when a pool has no licence left if it goes on as in the last weeks.
func runsOut(total, used int, days []Day, now time.Time) time.Time {
	if len(days) == 0 || used >= total {
		return time.Time{}
	}
	today := rollout.DateOf(now.UTC())
	from := today.Add(-paceDays)
	base := days[0]
	for _, day := range days {
		if day.Day <= from {
			base = Day{from, day.Used}
		}
	}
	span := daysBetween(base.Day, today)
	grown := used - base.Used
	if span < leastDays || grown <= 0 {
		return time.Time{}
	}
	ahead := (total - used) * span / grown
	if ahead > farthest {
		return time.Time{}
	}
	return now.UTC().AddDate(0, 0, ahead)
}

func daysBetween(from, to rollout.Date) int {
	a, err := time.Parse(time.DateOnly, string(from))
	b, other := time.Parse(time.DateOnly, string(to))
	if cmp.Or(err, other) != nil {
		return 0
	}
	return int(b.Sub(a).Hours() / 24)
}
