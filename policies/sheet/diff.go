package sheet

import (
	"slices"
	"sort"
	"time"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
)

// Difference is one thing that differs between what is and what a tree of sheets
// asks for.
type Difference struct {
	Place Place  `json:"place"`
	What  What   `json:"what"`
	About string `json:"about"` // "usb-storage.access", of an exception with its reason
	// Before and After are canonical values; nil where there is none.
	Before any `json:"before,omitempty"`
	After  any `json:"after,omitempty"`
}

// What says how two trees differ in one place.
type What string

// The differences.
const (
	Added   What = "added"
	Changed What = "changed"
	Removed What = "removed"
)

// Compare lists what has to change so that the places are as the tree wants
// them: deletions are among it. Places of whose sheet the tree has none lose
// everything, if whole says that the tree is meant to be complete.
func Compare(is, want []Sheet, whole bool) []Difference {
	wanted := map[Place]Sheet{}
	for _, sheet := range want {
		wanted[sheet.Place] = sheet
	}
	var all []Difference
	had := map[Place]bool{}
	for _, before := range is {
		had[before.Place] = true
		after, named := wanted[before.Place]
		if !named && !whole {
			continue
		}
		all = append(all, between(before, after, before.Place)...)
	}
	for _, after := range want {
		if !had[after.Place] {
			all = append(all, between(Sheet{}, after, after.Place)...)
		}
	}
	sort.SliceStable(all, func(i, j int) bool {
		if a, b := all[i].Place.String(), all[j].Place.String(); a != b {
			return a < b
		}
		return all[i].About < all[j].About
	})
	return all
}

func between(before, after Sheet, place Place) []Difference {
	var all []Difference
	note := func(about string, a, b any) {
		switch {
		case catalog.Same(a, b):
		case a == nil:
			all = append(all, Difference{place, Added, about, nil, b})
		case b == nil:
			all = append(all, Difference{place, Removed, about, a, nil})
		default:
			all = append(all, Difference{place, Changed, about, a, b})
		}
	}
	for _, family := range catalog.Families {
		a, b := before.Families[family.Name], after.Families[family.Name]
		for _, field := range family.Fields {
			note(family.Name+"."+field.Name, a.Settings[field.Name], b.Settings[field.Name])
			note(family.Name+".hold."+field.Name, said(a.Holds[field.Name]), said(b.Holds[field.Name]))
		}
	}
	for _, e := range before.Exceptions {
		if !slices.ContainsFunc(after.Exceptions, e.alike) {
			note("exception."+e.Family+"."+e.Field+": "+e.Reason, e.shown(), nil)
		}
	}
	for _, e := range after.Exceptions {
		at := slices.IndexFunc(before.Exceptions, e.alike)
		if at < 0 {
			note("exception."+e.Family+"."+e.Field+": "+e.Reason, nil, e.shown())
			continue
		}
		note("exception."+e.Family+"."+e.Field+": "+e.Reason, before.Exceptions[at].shown(), e.shown())
	}
	return all
}

func said(hold desired.Hold) any {
	if hold == desired.Standard {
		return nil
	}
	return string(hold)
}

// alike reports whether two exceptions are the same one, perhaps changed.
func (e Exception) alike(other Exception) bool {
	return e.Family == other.Family && e.Field == other.Field && e.Reason == other.Reason
}

func (e Exception) shown() map[string]any {
	shown := map[string]any{"value": e.Value, "owner": e.Owner, "until": e.Until.UTC().Format(time.RFC3339)}
	if !e.Starts.IsZero() {
		shown["starts"] = e.Starts.UTC().Format(time.RFC3339)
	}
	return shown
}
