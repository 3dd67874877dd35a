package lesson

import (
	"context"
	"slices"
	"sort"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Bounds of what people type.
const (
	maxNames   = 200
	maxMessage = 300
	maxMinutes = 24 * 60 // longer than any kind; what is more may not overflow
)

// target resolves a request into the devices that it means.
func (s *Service) target(ctx context.Context, request Request) (org.Branch, []Member, error) {
	request.Devices = slices.Compact(slices.Sorted(slices.Values(request.Devices)))
	if request.Group == "" {
		if len(request.Devices) == 0 {
			return org.Branch{}, nil, errs.E(errs.Invalid, "mode.no_target").In("target")
		}
		return s.Store.LessonDevices(ctx, request.Devices)
	}
	group, err := s.Store.LessonGroup(ctx, request.Group)
	if err != nil {
		return org.Branch{}, nil, err
	}
	members, err := s.Store.LessonMembers(ctx, group, s.Now())
	if err != nil {
		return org.Branch{}, nil, err
	}
	if len(request.Devices) == 0 {
		return group.Branch, members, nil
	}
	members = slices.DeleteFunc(members, func(m Member) bool { return !slices.Contains(request.Devices, m.Device) })
	if len(members) != len(request.Devices) {
		return org.Branch{}, nil, errs.E(errs.NotFound, "mode.device_not_in_group").In("devices")
	}
	return group.Branch, members, nil
}

// mode checks a request and fills in what was not said.
func (s *Service) mode(permit may.Permit, branch org.Branch, request Request) (Mode, error) {
	now := s.Now().UTC().Truncate(time.Second)
	if !request.Kind.Valid() || request.Kind == lease.Exam {
		return Mode{}, errs.E(errs.Invalid, "mode.unknown_kind").In("kind")
	}
	starts := request.Starts.UTC().Truncate(time.Second)
	if starts.Before(now) {
		starts = now
	}
	ends, err := endOf(request, starts)
	if err != nil {
		return Mode{}, err
	}
	rules, err := rulesOf(request)
	if err != nil {
		return Mode{}, err
	}
	// Ticked devices alone are a mode of the school, not of the group: who
	// joins the group later is not meant.
	if len(request.Devices) > 0 {
		branch.Group = ""
	}
	return Mode{
		ID: s.NewID(), Branch: branch, Kind: request.Kind, Rules: rules, Starts: starts, Ends: ends,
		Staff: permit.Actor().ID, ByName: permit.Actor().Name, Reason: clip(request.Reason, maxMessage), Created: now, Changed: now,
	}, nil
}

// lessonEnd returns the end of a request that names none: the running lesson's.
// It is zero where no lesson runs, or where the kind lasts minutes anyway.
func (s *Service) lessonEnd(ctx context.Context, branch org.Branch, request Request) (time.Time, error) {
	if s.Timetable == nil || !request.Until.IsZero() || request.Minutes != 0 || request.Kind == lease.Screen || !request.Starts.IsZero() {
		return request.Until, nil
	}
	end, err := s.Timetable.LessonEnd(ctx, branch.School)
	if err != nil || end.Sub(s.Now()) > request.Kind.Longest() {
		return time.Time{}, err
	}
	return end, nil
}

func endOf(request Request, starts time.Time) (time.Time, error) {
	length := request.Kind.Default()
	switch {
	case !request.Until.IsZero() && request.Minutes != 0:
		return time.Time{}, errs.E(errs.Invalid, "mode.two_ends").In("until")
	case !request.Until.IsZero():
		length = request.Until.UTC().Truncate(time.Second).Sub(starts)
	case request.Minutes != 0:
		length = time.Duration(min(request.Minutes, maxMinutes)) * time.Minute
	}
	if length <= 0 {
		return time.Time{}, errs.E(errs.Invalid, "mode.ends_before_start").In("minutes")
	}
	if longest := request.Kind.Longest(); length > longest {
		return time.Time{}, errs.E(errs.Invalid, "mode.too_long", "minutes", int(longest/time.Minute)).In("minutes")
	}
	return starts.Add(length), nil
}

func rulesOf(request Request) (lease.Rules, error) {
	rules := lease.Rules{Message: clip(strings.TrimSpace(request.Message), maxMessage)}
	switch request.Kind {
	case lease.Sites:
		var wrong string
		rules.Sites, wrong = readHosts(request.Sites)
		switch {
		case wrong != "":
			return rules, errs.E(errs.Invalid, "mode.bad_site", "site", wrong).In("sites")
		case len(rules.Sites) == 0:
			return rules, errs.E(errs.Invalid, "mode.no_sites").In("sites")
		}
	case lease.Focus:
		rules.Apps = names(request.Apps)
		if len(rules.Apps) == 0 {
			return rules, errs.E(errs.Invalid, "mode.no_apps").In("apps")
		}
	}
	if len(rules.Sites) > maxNames || len(rules.Apps) > maxNames {
		return rules, errs.E(errs.Invalid, "mode.too_many_names", "most", maxNames)
	}
	return rules, nil
}

// Hosts reads what people type as sites: addresses, names, lists with commas or
// lines. It returns host names, lower-case, each once, ordered.
func Hosts(typed []string) []string {
	hosts, _ := readHosts(typed)
	return hosts
}

// readHosts also returns the first word that is no site, empty if every one is:
// whoever mistyped one of three is told so, and does not find out in the lesson.
func readHosts(typed []string) (hosts []string, wrong string) {
	seen := map[string]bool{}
	for _, text := range typed {
		for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,;\n\r\t", r) }) {
			if host := hostOf(word); host != "" {
				seen[host] = true
			} else if wrong == "" {
				wrong = clip(word, 80)
			}
		}
	}
	return sorted(seen), wrong
}

func hostOf(word string) string {
	word = strings.ToLower(strings.TrimSpace(word))
	if i := strings.Index(word, "://"); i >= 0 {
		word = word[i+3:]
	}
	if i := strings.IndexAny(word, "/?#"); i >= 0 {
		word = word[:i]
	}
	if i := strings.LastIndex(word, "@"); i >= 0 {
		word = word[i+1:]
	}
	word, _, _ = strings.Cut(word, ":")
	word = strings.Trim(word, ".*")
	if !strings.Contains(word, ".") || strings.ContainsFunc(word, func(r rune) bool {
		return !(r == '.' || r == '-' || r == '_' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r > 127)
	}) {
		return ""
	}
	// Devices see names as the network writes them: müller.example is
	// xn--mller-kva.example there.
	ascii, err := network.ToASCII(word)
	if err != nil || !strings.Contains(ascii, ".") {
		return ""
	}
	return ascii
}

var network = idna.New(idna.MapForLookup(), idna.StrictDomainName(false), idna.Transitional(false), idna.VerifyDNSLength(true))

func names(typed []string) []string {
	seen := map[string]bool{}
	for _, name := range typed {
		if name = strings.TrimSpace(name); name != "" {
			seen[clip(name, maxMessage)] = true
		}
	}
	return sorted(seen)
}

func sorted(set map[string]bool) []string {
	list := make([]string, 0, len(set))
	for one := range set {
		list = append(list, one)
	}
	sort.Strings(list)
	return list
}

// clip cuts a text after n runes.
func clip(text string, n int) string {
	runes := []rune(text)
	if len(runes) <= n {
		return text
	}
	return string(runes[:n])
}

// leases makes one lease per enrolled device that is not absent.
func (s *Service) leases(mode Mode, members []Member) []Lease {
	var leases []Lease
	for _, m := range members {
		if m.Absent || m.Enrolment == "" {
			continue
		}
		leases = append(leases, s.lease(mode, m))
	}
	return leases
}

func (s *Service) lease(mode Mode, m Member) Lease {
	branch := mode.Branch
	branch.Group = ""
	return Lease{
		ID: s.NewID(), Branch: branch, Mode: mode.ID, Device: m.Device, Enrolment: m.Enrolment, Platform: m.Platform, Rev: 1,
		Kind: mode.Kind, Rules: mode.Rules, Starts: mode.Starts, Ends: mode.Ends, KeepUntil: mode.Ends.Add(keepAfterEnd),
		ByName: mode.ByName, Reason: mode.Reason, Since: s.Now(),
	}
}

// keepAfterEnd is how long a lease stays readable after its end, so that a
// device that was away learns of an early end.
const keepAfterEnd = time.Minute
