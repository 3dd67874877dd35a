package tablet

import (
	"strings"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/lesson"
)

// Types of the payloads that modes are made of.
const (
	typeWebFilter    = "com.apple.webcontent-filter"
	typeRestrictions = "com.apple.applicationaccess"
	typeAppLock      = "com.apple.app.lock"
)

// safari cannot be removed from an iPad, so a lock on it cannot strand one.
const safari = "com.apple.mobilesafari"

// Identifier names the profile of a lease: the same for every revision, so that
// an extension replaces what is installed.
func Identifier(l lesson.Lease) string { return "org.schulwart.mode." + l.ID.String() }

// Profile builds the profile that stands for a lease on an iPad. home is the
// school's page, which stays reachable in a mode without web. Kinds that need
// supervision are a fault "not_possible.supervision" without it: the device
// would take the profile and do nothing.
func Profile(l lesson.Lease, supervised bool, home string) (mdm.Profile, error) {
	p := mdm.NewProfile(Identifier(l), title(l))
	p.PayloadDescription = "Gesetzt von " + l.ByName + ". Danach ist alles wieder wie vorher. · Set by " + l.ByName + ". Everything is as before afterwards."
	p.PayloadRemovalDisallowed = supervised
	ends := l.Ends.UTC()
	p.RemovalDate = &ends
	if l.Kind != lease.Sites && !supervised {
		return p, errs.E(errs.Invalid, "not_possible.supervision")
	}
	switch l.Kind {
	case lease.Sites:
		p.Add(typeWebFilter, "web", onlySites(l.Rules.Sites))
	case lease.Offline:
		p.Add(typeWebFilter, "web", onlySites([]string{home}))
		p.Add(typeRestrictions, "apps", mdm.Payload{"allowListedAppBundleIDs": []string{safari}})
	case lease.Focus:
		p.Add(typeRestrictions, "apps", mdm.Payload{"allowListedAppBundleIDs": l.Rules.Apps})
	case lease.Screen:
		p.Add(typeAppLock, "screen", lock(safari, map[string]any{"DisableTouch": true, "DisableAutoLock": true}, nil))
	case lease.Exam:
		if l.Platform == org.MacOS {
			return p, errs.E(errs.Invalid, "not_possible.kind")
		}
		return p, examination(&p, l, home)
	default:
		return p, errs.E(errs.Invalid, "not_possible.kind")
	}
	return p, nil
}

// onlySites lets the built-in filter pass the sites, and nothing else. It holds
// for all that uses WebKit; apps with an engine of their own are not reached.
func onlySites(sites []string) mdm.Payload {
	var bookmarks []map[string]any
	for _, site := range sites {
		host := strings.TrimLeft(site, "=*.")
		address := host
		if !strings.Contains(host, "://") {
			address = "https://" + host
		}
		bookmarks = append(bookmarks, map[string]any{"URL": address, "Title": strings.TrimPrefix(address, "https://")})
	}
	return mdm.Payload{"FilterType": "BuiltIn", "AllowListBookmarks": bookmarks}
}

func title(l lesson.Lease) string {
	switch l.Kind {
	case lease.Exam:
		return "Prüfung · Exam"
	case lease.Sites:
		return "Nur diese Seiten · Only these sites"
	case lease.Offline:
		return "Web aus · Web off"
	case lease.Focus:
		return "Fokus · Focus"
	case lease.Screen:
		return "Augen nach vorn · Eyes front"
	}
	return "Schulwart"
}
