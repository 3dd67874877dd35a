package standard_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/ids"
	"schulwart.org/server/may"
	"schulwart.org/server/standard"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

func TestImpactCountsRealDevicesAndSaysWhoCannot(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		class := h.devices(h.school, org.Linux, 3, true, h.class)
		h.devices(h.school, org.Linux, 2, true)
		h.devices(h.school, org.Linux, 1, false)
		h.devices(h.school, org.MacOS, 1, true)
		h.devices(h.other, org.Linux, 4, true)
		h.devices(h.abroad, org.Linux, 5, true)
		h.publish(h.admin, at(h.school), deny("schule.example"))
		draft := h.begin(h.city, h.cityPlace(), deny("stadt.example"))
		impact, err := h.Impact(ctx, h.city, draft.ID)
		h.must(err)
		same(t, "devices, changed, unable", fmt.Sprint(impact.Devices, impact.Changed, impact.Unable), "11 9 2")
		if len(impact.Schools) != 2 || impact.Schools[0].Name != "Gymnasium am See" || impact.Schools[0].Changed != 5 || impact.Schools[0].Cannot != 2 || impact.Schools[1].Changed != 4 {
			t.Errorf("%+v", impact.Schools)
		}
		why := map[string]int{}
		for _, cannot := range impact.Cannot {
			why[cannot.Why+" "+string(cannot.Platform)] += cannot.Devices
		}
		same(t, "why", why, map[string]int{"not-enrolled linux": 1, "not-possible macos": 1})
		if len(impact.Fields) != 2 || fmt.Sprint(impact.Fields[0].Old, impact.Fields[0].New) != "[schule.example] [schule.example stadt.example]" || impact.Fields[0].Devices != 7 || impact.Fields[1].Old != nil {
			t.Errorf("%+v", impact.Fields)
		}
		one, err := h.ImpactOn(ctx, h.city, draft.ID, class[0])
		h.must(err)
		if !one.Changed || len(one.Fields) != 1 || one.Name == "" {
			t.Errorf("%+v", one)
		}
		list, err := h.ImpactDevices(ctx, h.city, draft.ID, h.school.ID, "", 4)
		h.must(err)
		rest, err := h.ImpactDevices(ctx, h.city, draft.ID, h.school.ID, list.Next, 4)
		h.must(err)
		same(t, "devices by page, and how many in all", fmt.Sprint(len(list.Devices), len(rest.Devices), list.Total, rest.Total, rest.Next), "4 3 7 7")
	})
}

func TestImpactSaysWhoseWordIsHeardNoLonger(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.devices(h.school, org.Linux, 3, true, h.class)
		h.devices(h.school, org.Linux, 2, true)
		h.publish(h.city, h.cityPlace(), only(desired.Free, "vorschlag.example"))
		h.publish(h.admin, at(h.school), only("", "schule.example"))
		h.publish(h.admin, of(h.pilot), only("", "schule.example")) // agrees; an empty group
		h.publish(h.operator, everywhere, sticks("read-only", ""))
		exception, err := h.Except(ctx, h.admin, standard.NewException{Place: of(h.class), Family: "usb-storage", Field: "access", Value: "allowed", Reason: "Messgeräte", Until: h.at.Add(30 * 24 * time.Hour)})
		h.must(err)
		draft := h.begin(h.city, h.cityPlace(), only(desired.Locked, "vorschlag.example"))
		impact, err := h.Impact(ctx, h.city, draft.ID)
		h.must(err)
		if len(impact.Lower) < 1 || impact.Lower[0].Place != at(h.school) || impact.Lower[0].Effect != desired.LockedOut || impact.Lower[0].Devices != 5 {
			t.Errorf("lower %+v", impact.Lower)
		}
		if len(impact.Exceptions) != 0 {
			t.Errorf("an exception about something else: %+v", impact.Exceptions)
		}
		same(t, "name", impact.Names[at(h.school)].Name, "Gymnasium am See")
		loose := h.begin(h.operator, everywhere, sticks("allowed", ""))
		impact, err = h.Impact(ctx, h.operator, loose.ID)
		h.must(err)
		if len(impact.Exceptions) != 1 || impact.Exceptions[0].Exception.ID != exception.ID || !impact.Exceptions[0].Needless || impact.Devices != 5 {
			t.Errorf("%+v", impact)
		}
		back := h.begin(h.admin, at(h.school), map[string]standard.Wish{"webfilter": {}})
		impact, err = h.Impact(ctx, h.admin, back.ID)
		h.must(err)
		if len(impact.Fields) != 1 || fmt.Sprint(impact.Fields[0].New) != "[vorschlag.example]" {
			t.Errorf("taking a word away: %+v", impact.Fields)
		}
	})
}

// A program named as forbidden and as wanted, updates without a way out: what
// the catalogue says would strand devices does not get out.
func TestWhatWouldStrandDevicesIsNotPublished(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.devices(h.school, org.Linux, 2, true)
		h.publish(h.city, h.cityPlace(), map[string]standard.Wish{"programs": {Settings: map[string]any{"install": []any{"gimp"}}}})
		draft := h.begin(h.admin, at(h.school), map[string]standard.Wish{"programs": {Settings: map[string]any{"forbid-packages": []any{"gimp"}}}})
		_, _, err := h.Publish(ctx, h.admin, draft.ID, standard.Release{})
		want(t, err, errs.Invalid, "policy.faults")
		impact, err := h.Impact(ctx, h.admin, draft.ID)
		h.must(err)
		if len(impact.Strands) != 1 || impact.Strands[0].Family != "programs" || impact.Strands[0].Devices != 2 {
			t.Errorf("%+v", impact.Strands)
		}
	})
}

func TestAPilotTriesItFirst(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		tries := h.devices(h.school, org.Linux, 4, true, h.pilot)
		h.devices(h.school, org.Linux, 1, false, h.pilot)
		h.devices(h.school, org.Linux, 2, true)
		draft := h.begin(h.city, h.cityPlace(), deny("spiele.example"))
		_, _, err := h.Publish(ctx, h.city, draft.ID, standard.Release{Pilot: of(h.class).ID})
		h.must(err)
		_, err = h.TakeBack(ctx, h.city, draft.ID)
		h.must(err)
		same(t, "after taking back", h.ask(`SELECT COUNT(*) FROM base_policies`), 0)
		runs, version, err := h.Publish(ctx, h.city, draft.ID, standard.Release{Pilot: h.pilot.ID})
		h.must(err)
		same(t, "state", fmt.Sprint(runs.State, runs.PilotName, version.ID), "pilotPilot")
		same(t, "in the group", h.held(of(h.pilot), "webfilter", "deny"), []string{"spiele.example"})
		same(t, "elsewhere", h.held(of(h.class), "webfilter", "deny"), nil)
		other := h.begin(h.second, h.cityPlace(), deny("anderes.example"))
		_, _, err = h.Publish(ctx, h.second, other.ID, standard.Release{})
		want(t, err, errs.Conflict, "policy.pilot_runs")

		token := tokenOf(t, h, tries[0])
		h.says(tries[0], ddm.DeclarationState{Identifier: "org.schulwart.webfilter", Active: true, Valid: ddm.Valid, ServerToken: token})
		h.says(tries[1], ddm.DeclarationState{Identifier: "org.schulwart.webfilter", Valid: ddm.Invalid, ServerToken: token, Reasons: []ddm.Reason{{Code: "unsupported"}}})
		h.says(tries[2], ddm.DeclarationState{Identifier: "org.schulwart.webfilter", Active: true, Valid: ddm.Valid, ServerToken: "old"})
		_, err = h.Pilot(ctx, h.admin, draft.ID)
		want(t, err, errs.NotFound, "not_found")
		result, err := h.Pilot(ctx, h.city, draft.ID)
		h.must(err)
		same(t, "devices, active, waiting, deviating, absent", fmt.Sprint(result.Devices, result.Active, result.Waiting, result.Deviating, result.Absent), "5 1 2 1 1")
		for _, line := range result.Lines {
			if line.State == "deviating" && (line.Device != tries[1] || line.Reasons[0].Code != "unsupported") {
				t.Errorf("%+v", line)
			}
		}
		impact, err := h.Impact(ctx, h.city, draft.ID)
		h.must(err)
		same(t, "what is left to change", impact.Changed, 2)
		_, version, err = h.Publish(ctx, h.city, draft.ID, standard.Release{})
		h.must(err)
		same(t, "elsewhere", h.held(of(h.class), "webfilter", "deny"), []string{"spiele.example"})
		same(t, "rows", h.ask(`SELECT COUNT(*) FROM base_policies WHERE pilot = ''`)+h.ask(`SELECT COUNT(*) FROM base_policies WHERE pilot <> ''`), "10")
		if version.ID == "" {
			t.Error("no version")
		}
	})
}

// tokenOf is what a device should report for the filter.
func tokenOf(t *testing.T, h *house, device org.ID) string {
	t.Helper()
	ground, err := h.store.Ground(t.Context(), h.school.Branch())
	h.must(err)
	for _, d := range ground.Devices {
		if d.ID == device {
			state := desired.For(desired.Snapshot{Branch: h.school.Branch(), Policies: ground.Policies}, d, h.at)
			for _, declaration := range state.Declarations {
				if declaration.Identifier == "org.schulwart.webfilter" {
					return declaration.ServerToken
				}
			}
		}
	}
	t.Fatal("no filter for the device")
	return ""
}

func (h *house) says(device org.ID, states ...ddm.DeclarationState) {
	h.t.Helper()
	data, err := json.Marshal(ddm.DeclarationStates{Configurations: states})
	h.must(err)
	storetest.Exec(h.t, h.store, `UPDATE device_states SET declarations = $1, reported = 5 WHERE device = $2`, string(data), device)
}

func TestADeviceSaysWhatHoldsAndWhetherItReadItBack(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		device := h.devices(h.school, org.Linux, 1, true, h.class)[0]
		h.publish(h.city, h.cityPlace(), deny("stadt.example"))
		h.publish(h.admin, of(h.class), deny("klasse.example"))
		holding, err := h.OnDevice(ctx, h.admin, device)
		h.must(err)
		if len(holding.Items) != 1 || holding.Items[0].Origin.Name != "7b" || !holding.Items[0].Change || holding.Items[0].State != "waiting" || len(holding.Items[0].From) != 2 {
			t.Fatalf("%+v", holding.Items)
		}
		h.says(device, ddm.DeclarationState{Identifier: "org.schulwart.webfilter", Active: true, Valid: ddm.Valid, ServerToken: tokenOf(t, h, device)})
		holding, err = h.OnDevice(ctx, h.admin, device)
		h.must(err)
		same(t, "state", holding.Items[0].State, "active")
		// Seen on a device page a second after a policy was published: "deviates".
		for code, want := range map[string]string{ddm.ReasonPending: "waiting", "family.changed": "deviating"} {
			h.says(device, ddm.DeclarationState{
				Identifier: "org.schulwart.webfilter", Valid: ddm.Valid, ServerToken: tokenOf(t, h, device), Reasons: []ddm.Reason{{Code: code}},
			})
			holding, err = h.OnDevice(ctx, h.admin, device)
			h.must(err)
			same(t, code, holding.Items[0].State, want)
		}
	})
}

// The data set of an association of municipalities: 27 authorities, 158 schools,
// 60,000 devices.
func BenchmarkImpactOnSixtyThousandDevices(b *testing.B) {
	s := storetest.Open(b)
	plant(b, s, 27, 158, 60000)
	service := &standard.Service{Store: s, NewID: ids.New, Now: time.Now}
	ctx := b.Context()
	say := func(place desired.Place, families map[string]standard.Wish) {
		if _, err := service.Put(ctx, benchOperator, place, standard.NewDraft{Title: "x", Families: families}); err != nil {
			b.Fatal(err)
		}
	}
	say(everywhere, deny("a.example"))
	// A third of the schools and one class in each say something themselves.
	for i := 0; i < 158; i += 3 {
		say(desired.Place{Level: org.School, ID: org.ID(fmt.Sprintf("s%d", i))}, deny(fmt.Sprintf("s%d.example", i)))
		say(desired.Place{Level: org.Group, ID: org.ID(fmt.Sprintf("s%dc0", i))}, deny(fmt.Sprintf("c%d.example", i)))
	}
	draft, err := service.Begin(ctx, benchOperator, everywhere, standard.NewDraft{Title: "x", Families: deny("a.example", "b.example")})
	if err != nil {
		b.Fatal(err)
	}
	before := cpu(b)
	defer func() { b.ReportMetric((cpu(b)-before).Seconds()/float64(b.N), "cpu-s/op") }()
	for b.Loop() {
		impact, err := service.Impact(ctx, benchOperator, draft.ID)
		if err != nil || impact.Devices != 60000 || impact.Changed == 0 {
			b.Fatalf("%d of %d devices, %v", impact.Changed, impact.Devices, err)
		}
	}
}

// plant fills a store with devices by single statements, since rooms would take
// minutes.
func plant(b *testing.B, s *store.Store, authorities, schools, devices int) {
	b.Helper()
	numbers := `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d - 1) `
	storetest.Exec(b, s, fmt.Sprintf(`INSERT INTO authorities (id, name, timezone, created) `+numbers+`SELECT 'a' || i, 'Stadt ' || i, 'Europe/Berlin', 1 FROM n`, authorities))
	for _, statement := range []string{
		`INSERT INTO schools (authority, id, name, created) %sSELECT 'a' || (i %% AUTH), 's' || i, 'Schule ' || i, 1 FROM n WHERE i < SCHOOLS`,
		`INSERT INTO school_groups (authority, id, school, kind, name, created) %sSELECT 'a' || ((i / 15) %% AUTH), 's' || (i / 15) || 'c' || (i %% 15), 's' || (i / 15), 'class', 'c' || i, 1 FROM n WHERE i < SCHOOLS * 15`,
		`INSERT INTO devices (authority, id, school, name, platform, created) %sSELECT 'a' || ((i %% SCHOOLS) %% AUTH), 'd' || i, 's' || (i %% SCHOOLS), 'G' || i, CASE WHEN i %% 3 = 0 THEN 'ipados' ELSE 'linux' END, 1 FROM n`,
		`INSERT INTO enrolments (authority, id, device, school, udid, state, created, changed) %sSELECT 'a' || ((i %% SCHOOLS) %% AUTH), 'e' || i, 'd' || i, 's' || (i %% SCHOOLS), 'u' || i, 'enrolled', 1, 1 FROM n`,
		`INSERT INTO device_states (authority, device, school, schema_no) %sSELECT 'a' || ((i %% SCHOOLS) %% AUTH), 'd' || i, 's' || (i %% SCHOOLS), 1 FROM n`,
		`INSERT INTO group_devices (authority, group_id, device, starts) %sSELECT 'a' || ((i %% SCHOOLS) %% AUTH), 's' || (i %% SCHOOLS) || 'c' || ((i / SCHOOLS) %% 15), 'd' || i, 0 FROM n`,
	} {
		storetest.Exec(b, s, expand(statement, fmt.Sprintf(numbers, devices), authorities, schools))
	}
}

func expand(statement, numbers string, authorities, schools int) string {
	return strings.NewReplacer("AUTH", fmt.Sprint(authorities), "SCHOOLS", fmt.Sprint(schools)).Replace(fmt.Sprintf(statement, numbers))
}

var benchOperator = may.Actor{ID: "bench", Name: "Betrieb", Grants: []may.Grant{{Role: may.Operator}}, Via: "test"}

// cpu is the time that this process has worked: the machine may be shared.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
