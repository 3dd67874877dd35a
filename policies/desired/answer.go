package desired

import (
	"fmt"
	"sort"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
)

// answer collects what For returns.
type answer struct {
	at   time.Time
	set  []ddm.Declaration
	next time.Time
	why  []Why
	// effective are the fields that hold, by family and field.
	effective []Effective
}

func (a *answer) add(declarations ...ddm.Declaration) { a.set = append(a.set, declarations...) }

// changes notes an instant at which the answer will be another one.
func (a *answer) changes(at time.Time) {
	if at.After(a.at) && (a.next.IsZero() || at.Before(a.next)) {
		a.next = at
	}
}

func (a *answer) keys(snapshot Snapshot) {
	for i, jws := range snapshot.Announced {
		a.add(ddm.New(lease.KeyDeclarationType, fmt.Sprintf("%s%03d", KeyPrefix, i), lease.Announced{JWS: jws}))
	}
}

func (a *answer) leases(snapshot Snapshot, device Device) {
	for _, granted := range snapshot.Leases {
		if granted.Device != device.ID || granted.Lease.Subject != device.Enrolment || !a.at.Before(granted.Until) {
			continue
		}
		a.changes(granted.Until)
		l := granted.Lease
		a.add(ddm.New(lease.DeclarationType, LeasePrefix+l.ID, LeasePayload{KeyID: snapshot.KeyID, Lease: l}))
		if !l.Ended(a.at) {
			a.changes(l.Expires)
			a.why = append(a.why, Why{Key: "mode." + string(l.Kind), Args: map[string]string{"by": l.By, "lease": l.ID}, Level: org.Device, Place: device.ID, Until: l.Expires})
		}
	}
}

func (a *answer) state() State {
	var configurations []string
	for _, d := range a.set {
		if ddm.ClassOf(d.Type) == ddm.Configuration {
			configurations = append(configurations, d.Identifier)
		}
	}
	a.add(ddm.Activate(ActivationID, configurations))
	sort.Slice(a.set, func(i, j int) bool { return a.set[i].Identifier < a.set[j].Identifier })
	sort.Slice(a.why, func(i, j int) bool { return a.why[i].before(a.why[j]) })
	return State{Declarations: a.set, Token: ddm.ManifestOf(a.set).DeclarationsToken, Next: a.next, Settings: a.effective, Why: a.why}
}

func (w Why) before(other Why) bool {
	if w.Key != other.Key {
		return w.Key < other.Key
	}
	if w.Level != other.Level {
		return w.Level < other.Level
	}
	if w.Place != other.Place {
		return w.Place < other.Place
	}
	return w.Args["lease"] < other.Args["lease"]
}

func organization(snapshot Snapshot) ddm.Declaration {
	return ddm.New(ddm.TypeOrganization, OrganizationID, struct{ Name string }{snapshot.Name})
}

func subscriptions() ddm.Declaration {
	type item struct{ Name string }
	items := make([]item, len(StatusItems))
	for i, name := range StatusItems {
		items[i] = item{name}
	}
	return ddm.New(ddm.TypeSubscriptions, SubscriptionsID, struct{ StatusItems []item }{items})
}
