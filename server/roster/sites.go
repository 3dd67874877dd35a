package roster

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/net/idna"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// mostHosts bounds a list of hosts, and so a device's rules.
const mostHosts = 500

// SiteLists lists the actor's own lists and those shared in the actor's schools.
func (s *Service) SiteLists(ctx context.Context, actor may.Actor) ([]SiteList, error) {
	branches := may.Branches(actor, may.SitesWrite)
	if len(branches) == 0 {
		return nil, errs.E(errs.Denied, "denied", "action", string(may.SitesWrite))
	}
	return s.Store.ListSites(ctx, branches, actor.ID)
}

// SiteList returns one list. Somebody else's that is not shared is not found.
func (s *Service) SiteList(ctx context.Context, actor may.Actor, id org.ID) (SiteList, error) {
	list, _, err := s.siteList(ctx, actor, id)
	return list, err
}

func (s *Service) siteList(ctx context.Context, actor may.Actor, id org.ID) (SiteList, may.Permit, error) {
	list, err := s.Store.FindSites(ctx, id)
	if err != nil {
		return SiteList{}, may.Permit{}, err
	}
	permit, err := may.Do(actor, may.SitesWrite, org.Branch{Authority: list.Authority, School: list.School})
	if err != nil {
		return SiteList{}, may.Permit{}, err
	}
	if list.Owner != actor.ID && !list.Shared {
		return SiteList{}, may.Permit{}, errs.E(errs.NotFound, "not_found")
	}
	return list, permit, nil
}

// MayEdit reports whether the actor may change the list: the owner, and who
// administers the school.
func (l SiteList) MayEdit(actor may.Actor) bool {
	return l.Owner == actor.ID || may.Can(actor, may.SchoolWrite, org.Branch{Authority: l.Authority, School: l.School})
}

// SaveSites changes a list, or makes one when the id is empty; school is then
// where it belongs.
func (s *Service) SaveSites(ctx context.Context, actor may.Actor, id, school org.ID, name string, hosts []string, shared bool) (SiteList, error) {
	var list SiteList
	var permit may.Permit
	var err error
	if id == "" {
		list, permit, err = s.newSites(ctx, actor, school)
	} else if list, permit, err = s.siteList(ctx, actor, id); err == nil && !list.MayEdit(actor) {
		err = errs.E(errs.Denied, "sites.not_yours")
	}
	if err != nil {
		return SiteList{}, err
	}
	if list.Name, err = readName(name, "name"); err != nil {
		return SiteList{}, err
	}
	if list.Sites, err = ReadHosts(hosts); err != nil {
		return SiteList{}, err
	}
	if len(list.Sites) == 0 {
		return SiteList{}, errs.E(errs.Invalid, "sites.none").In("hosts")
	}
	list.Shared, list.Changed = shared, s.Now().UTC()
	return list, s.Store.PutSites(ctx, permit, list)
}

func (s *Service) newSites(ctx context.Context, actor may.Actor, school org.ID) (SiteList, may.Permit, error) {
	home, err := s.Store.FindSchool(ctx, school)
	if err != nil {
		return SiteList{}, may.Permit{}, err
	}
	permit, err := may.Do(actor, may.SitesWrite, home.Branch())
	return SiteList{Authority: home.Authority, ID: s.NewID(), School: home.ID, Owner: actor.ID, OwnerName: actor.Name}, permit, err
}

// DeleteSites removes a list. Modes that used it keep the hosts they began with.
func (s *Service) DeleteSites(ctx context.Context, actor may.Actor, id org.ID) error {
	list, permit, err := s.siteList(ctx, actor, id)
	if err != nil {
		return err
	}
	if !list.MayEdit(actor) {
		return errs.E(errs.Denied, "sites.not_yours")
	}
	return s.Store.DeleteSites(ctx, permit, list)
}

// ReadHosts reads host names as people type and paste them: addresses, names,
// several in a line. It returns them lower-case, in the form that travels
// (umlauts as xn--), each once and in order. Something that is no host is an
// Invalid fault "sites.bad_host" that names it.
func ReadHosts(typed []string) ([]string, error) {
	var hosts []string
	for _, text := range typed {
		for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,;\n\r\t", r) }) {
			host, ok := ReadHost(word)
			if !ok {
				return nil, errs.E(errs.Invalid, "sites.bad_host", "host", clip(word, 80)).In("hosts")
			}
			hosts = append(hosts, host)
		}
	}
	slices.Sort(hosts)
	hosts = slices.Compact(hosts)
	if len(hosts) > mostHosts {
		return nil, errs.E(errs.Invalid, "sites.too_many", "most", mostHosts).In("hosts")
	}
	return hosts, nil
}

// ReadHost reads one host name from a name or an address. A leading "=" (this
// name alone, see lease.MatchHost) is kept.
func ReadHost(word string) (string, bool) {
	word = strings.ToLower(strings.TrimSpace(word))
	exact := strings.HasPrefix(word, "=")
	word = strings.TrimPrefix(word, "=")
	if _, rest, found := strings.Cut(word, "://"); found {
		word = rest
	}
	word = strings.TrimPrefix(word, "//")
	if end := strings.IndexAny(word, "/?#"); end >= 0 {
		word = word[:end]
	}
	if at := strings.LastIndex(word, "@"); at >= 0 {
		word = word[at+1:]
	}
	word, _, _ = strings.Cut(word, ":")
	word = strings.TrimSuffix(strings.TrimLeft(word, "*."), ".")
	host, err := idna.Lookup.ToASCII(word)
	if err != nil || !isHost(host) {
		return "", false
	}
	if exact {
		host = "=" + host
	}
	return host, true
}

// isHost reports whether a name is one that DNS could answer for (RFC 1123),
// with at least two labels.
func isHost(name string) bool {
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	return len(labels) > 1 && len(name) <= 253 && !numeric(name)
}

// numeric reports an IPv4 address: rules go by names, and the last label of a
// name is never a number.
func numeric(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	return strings.Trim(last, "0123456789") == ""
}
