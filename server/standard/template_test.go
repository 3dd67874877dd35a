package standard_test

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"strings"
	"testing"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/policies/sheet"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/standard"
)

func keyOf(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

var centre, forger = keyOf(1), keyOf(2)

func publicOf(key ed25519.PrivateKey) ed25519.PublicKey {
	public, _ := key.Public().(ed25519.PublicKey)
	return public
}

// packed is a version of the centre's template.
func packed(t *testing.T, key ed25519.PrivateKey, version int, policies string) []byte {
	t.Helper()
	data, err := sheet.Pack(sheet.Template{Name: "grundschule", Title: "Grundschule", Version: version, Publisher: "Medienzentrum", Sheet: "policies:\n" + policies}, key)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

const (
	first  = "  webfilter: {deny: [spiele.example, wetten.example]}\n  usb-storage: {access: read-only}\n  screen-lock: {minutes: 10}\n"
	second = "  webfilter: {deny: [casino.example, spiele.example]}\n  usb-storage: {access: blocked}\n  screen-lock: {minutes: 5}\n"
)

func (h *house) trust(actor may.Actor, authority org.ID) standard.Publisher {
	h.t.Helper()
	publisher, err := h.Trust(h.t.Context(), actor, authority, "Medienzentrum Nordfurt", sheet.WriteKey(publicOf(centre)), sheet.Fingerprint(publicOf(centre)))
	h.must(err)
	return publisher
}

func (h *house) takeIn(authority org.ID, version int, policies string) standard.Package {
	h.t.Helper()
	pack, err := h.TakeIn(h.t.Context(), h.operator, authority, packed(h.t, centre, version, policies))
	h.must(err)
	return pack
}

func TestAPublisherIsTrustedOnPurpose(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx, city := t.Context(), h.school.Authority
		key, print := sheet.WriteKey(publicOf(centre)), sheet.Fingerprint(publicOf(centre))
		data := packed(t, centre, 1, first)
		opened, err := h.OpenPackage(ctx, h.city, city, data)
		h.must(err)
		same(t, "opened", fmt.Sprint(opened.Known == nil, len(opened.Says), len(opened.Faults)), "true 3 0")
		_, err = h.TakeIn(ctx, h.city, city, data)
		want(t, err, errs.Denied, "template.unknown_publisher")
		_, err = h.Trust(ctx, h.city, city, "Medienzentrum", key, sheet.Fingerprint(publicOf(forger)))
		want(t, err, errs.Invalid, "template.fingerprint")
		_, err = h.Trust(ctx, h.city, city, "Medienzentrum", key, "")
		want(t, err, errs.Invalid, "template.fingerprint")
		_, err = h.Trust(ctx, h.city, city, "Medienzentrum", "abc", print)
		want(t, err, errs.Invalid, "template.no_key")
		_, err = h.Trust(ctx, h.city, city, " ", key, print)
		want(t, err, errs.Invalid, "template.no_name")
		for actor, fault := range map[*may.Actor]errs.Kind{&h.trainee: errs.Denied, &h.admin: errs.NotFound, &h.stranger: errs.NotFound} {
			if _, err := h.Trust(ctx, *actor, city, "X", key, print); errs.KindOf(err) != fault {
				t.Errorf("%s: %v", actor.Name, err)
			}
		}
		publisher := h.trust(h.city, city)
		_, err = h.Trust(ctx, h.city, city, "Nochmal", key, print)
		want(t, err, errs.Conflict, "template.publisher_known")
		pack, err := h.TakeIn(ctx, h.city, city, data)
		h.must(err)
		_, err = h.Package(ctx, h.stranger, pack.ID)
		want(t, err, errs.NotFound, "template.not_found")
		seen, err := h.Publishers(ctx, h.admin)
		h.must(err)
		same(t, "the school sees it and does not remove it", fmt.Sprint(len(seen), seen[0].MayRemove), "1 false")
		seen, err = h.Publishers(ctx, h.stranger)
		h.must(err)
		same(t, "others do not", len(seen), 0)

		h.must(h.Distrust(ctx, h.city, publisher.ID))
		_, err = h.TakeTemplate(ctx, h.admin, pack.ID, at(h.school), "")
		want(t, err, errs.Denied, "template.unknown_publisher")
		_, err = h.TakeIn(ctx, h.city, city, packed(t, centre, 2, second))
		want(t, err, errs.Denied, "template.unknown_publisher")
		same(t, "audit", h.ask(`SELECT COUNT(*) FROM audit WHERE target_kind IN ('publisher', 'template')`), 3)
	})
}

func TestPackagesThatAreNotTakenIn(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx, city := t.Context(), h.school.Authority
		h.trust(h.operator, "")
		good := packed(t, centre, 3, first)
		h.takeIn("", 3, first)
		tampered := bytes.Replace(good, []byte(`"signature": "`), []byte(`"signature": "AA`), 1)
		other := packed(t, centre, 4, second)
		swapped := bytes.Replace(good, line(good, "template"), line(other, "template"), 1)
		for name, c := range map[string]struct {
			data []byte
			kind errs.Kind
			key  string
		}{
			"tampered":            {swapped, errs.Invalid, "template.tampered"},
			"half a signature":    {tampered, errs.Invalid, "template.not_package"},
			"no package":          {[]byte("place: {}\n"), errs.Invalid, "template.not_package"},
			"of a later kind":     {bytes.Replace(good, []byte("schulwart-template-1"), []byte("schulwart-template-7"), 1), errs.Invalid, "template.too_new"},
			"50 MB":               {bytes.Repeat([]byte("x"), 50<<20), errs.Invalid, "template.too_long"},
			"a foreign key":       {packed(t, forger, 9, second), errs.Denied, "template.unknown_publisher"},
			"an older version":    {packed(t, centre, 2, first), errs.Conflict, "template.older"},
			"the same, otherwise": {packed(t, centre, 3, second), errs.Conflict, "template.version_differs"},
			"a later schema":      {packed(t, centre, 4, "  {}\nschema: 9\n"), errs.Invalid, "template.faults"},
			"an unknown family":   {packed(t, centre, 4, "  holograms: {depth: 1}\n"), errs.Invalid, "template.faults"},
			"a bomb":              {packed(t, centre, 4, "  webfilter: &a {deny: [x.example]}\n  dns: *a\n"), errs.Invalid, "template.faults"},
			"a password":          {packed(t, centre, 4, "  wifi: {networks: [{name: Schule, security: wpa2, password: geheim123}]}\n"), errs.Invalid, "template.faults"},
		} {
			_, err := h.TakeIn(ctx, h.operator, "", c.data)
			if fault := errs.Find(err); fault == nil || fault.Kind != c.kind || fault.Key != c.key {
				t.Errorf("%s: %v, want %s %s", name, err, c.kind, c.key)
			}
		}
		same(t, "nothing was kept", h.ask(`SELECT COUNT(*) FROM template_packages`), 1)
		again, err := h.TakeIn(ctx, h.operator, "", good)
		h.must(err)
		same(t, "the same twice is one", fmt.Sprint(again.Version, h.ask(`SELECT COUNT(*) FROM template_packages`)), "31")
		// The operator's publisher is believed by authorities, too.
		_, err = h.TakeIn(ctx, h.city, city, good)
		h.must(err)
	})
}

func line(data []byte, field string) []byte {
	for one := range bytes.SplitSeq(data, []byte("\n")) {
		if bytes.Contains(one, []byte(`"`+field+`"`)) {
			return one
		}
	}
	return nil
}

func told(list []standard.Difference) string {
	var all []string
	for _, d := range list {
		all = append(all, fmt.Sprint(d.Family, ".", d.Field, ": ", d.Old, " > ", d.New))
	}
	return strings.Join(all, "; ")
}

// A template is taken over, changed in two places, and a newer version arrives as
// a proposal: what the school changed stays, everything else comes.
func TestANewerVersionArrivesAsAProposal(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx, place := t.Context(), at(h.school)
		h.devices(h.school, org.Linux, 4, true)
		h.trust(h.operator, "")
		one := h.takeIn("", 1, first)
		offer, err := h.Offer(ctx, h.admin, one.ID, place)
		h.must(err)
		same(t, "offer", fmt.Sprint(len(offer.Coming), len(offer.Kept), offer.Impact.Devices, offer.Impact.Changed, offer.Former == nil, offer.MayTake, offer.MayDecline), "3 0 4 4 true true false")
		draft, err := h.TakeTemplate(ctx, h.admin, one.ID, place, "")
		h.must(err)
		same(t, "source", fmt.Sprint(draft.State, draft.Source.Kind, draft.Source.Name), "draftpackageGrundschule 1")
		_, err = h.TakeTemplate(ctx, h.admin, one.ID, place, "")
		want(t, err, errs.Conflict, "template.draft_open")
		_, _, err = h.Publish(ctx, h.admin, draft.ID, standard.Release{})
		h.must(err)
		if list, err := h.Proposals(ctx, h.admin, h.school.Branch()); err != nil || len(list) > 0 {
			t.Errorf("nothing newer is there: %+v, %v", list, err)
		}
		held, err := h.TakenOver(ctx, h.admin, place)
		h.must(err)
		same(t, "provenance", fmt.Sprint(len(held), held[0].Pack.Label(), held[0].Place.Name), "1Grundschule 1Gymnasium am See")

		// The school goes on: another site, a shorter time.
		h.publish(h.admin, place, map[string]standard.Wish{
			"webfilter":   {Settings: map[string]any{"deny": []any{"spiele.example", "wetten.example", "eigene.example"}}},
			"screen-lock": {Settings: map[string]any{"minutes": 7}},
		})
		two := h.takeIn("", 2, second)
		list, err := h.Proposals(ctx, h.city, org.Branch{Authority: h.school.Authority})
		h.must(err)
		if len(list) != 1 || list[0].Pack.ID != two.ID || list[0].Former.Version != 1 || list[0].Place.Name != "Gymnasium am See" {
			t.Fatalf("%+v", list)
		}
		same(t, "coming", told(list[0].Coming), "usb-storage.access: read-only > blocked; webfilter.deny: [eigene.example spiele.example wetten.example] > [casino.example eigene.example spiele.example]")
		same(t, "kept", told(list[0].Kept), "screen-lock.minutes: 7 > 5")
		if list, err := h.Proposals(ctx, h.stranger, h.abroad.Branch()); err != nil || len(list) > 0 {
			t.Errorf("elsewhere nobody took it over: %+v, %v", list, err)
		}

		err = h.DeclineTemplate(ctx, h.admin, two.ID, place, "  ")
		want(t, err, errs.Invalid, "template.no_reason")
		err = h.DeclineTemplate(ctx, h.trainee, two.ID, place, "nein")
		want(t, err, errs.Denied, "denied")
		h.must(h.DeclineTemplate(ctx, h.admin, two.ID, place, "Erst nach den Ferien."))
		err = h.DeclineTemplate(ctx, h.admin, two.ID, place, "nochmal")
		want(t, err, errs.Conflict, "template.no_proposal")
		list, err = h.Proposals(ctx, h.admin, h.school.Branch())
		h.must(err)
		same(t, "declined", len(list), 0)
		offer, err = h.Offer(ctx, h.admin, two.ID, place)
		h.must(err)
		same(t, "why", fmt.Sprint(offer.Declined.Reason, offer.MayTake), "Erst nach den Ferien.true")

		// The next one is proposed again, and is taken over from the first.
		three := h.takeIn("", 3, second)
		draft, err = h.TakeTemplate(ctx, h.trainee, three.ID, place, "Neuer Stand")
		h.must(err)
		_, err = h.Propose(ctx, h.trainee, draft.ID)
		h.must(err)
		_, _, err = h.Approve(ctx, h.admin, draft.ID, standard.Release{})
		h.must(err)
		same(t, "held", fmt.Sprint(h.held(place, "webfilter", "deny"), h.held(place, "usb-storage", "access"), h.held(place, "screen-lock", "minutes")), "[casino.example eigene.example spiele.example]blocked7")
		held, err = h.TakenOver(ctx, h.admin, place)
		h.must(err)
		same(t, "provenance", held[0].Pack.Label(), "Grundschule 3")

		// Taking a version back takes its provenance along.
		versions, _, err := h.Versions(ctx, h.admin, standard.VersionFilter{Place: &place, Limit: 1})
		h.must(err)
		_, _, err = h.Undo(ctx, h.admin, versions[0].ID)
		h.must(err)
		held, err = h.TakenOver(ctx, h.admin, place)
		h.must(err)
		same(t, "after taking back", held[0].Pack.Label(), "Grundschule 1")
	})
}

func TestAFieldThatANewVersionBringsDoesNotReplaceAnOwnWord(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx, place := t.Context(), at(h.school)
		h.trust(h.operator, "")
		one := h.takeIn("", 1, "  webfilter: {deny: [spiele.example]}\n")
		h.publish(h.admin, place, sticks("read-only", desired.Locked))
		draft, err := h.TakeTemplate(ctx, h.admin, one.ID, place, "")
		h.must(err)
		_, _, err = h.Publish(ctx, h.admin, draft.ID, standard.Release{})
		h.must(err)
		two := h.takeIn("", 2, "  webfilter: {deny: [spiele.example]}\n  usb-storage: {access: blocked}\n")
		offer, err := h.Offer(ctx, h.admin, two.ID, place)
		h.must(err)
		same(t, "kept, and nothing comes", told(offer.Kept)+told(offer.Coming), "usb-storage.access: read-only > blocked")
		_, err = h.TakeTemplate(ctx, h.admin, two.ID, place, "")
		want(t, err, errs.Conflict, "template.nothing_new")
	})
}
