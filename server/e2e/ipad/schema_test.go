package ipad_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/mdm"
	"schulwart.org/scripts/appleschema"
	"schulwart.org/server/gateway/gatewaytest"
	"schulwart.org/server/lesson"
	"schulwart.org/server/store/storetest"
	"schulwart.org/server/tablet"
)

func plain(t *testing.T, data []byte) map[string]any {
	t.Helper()
	var decoded map[string]any
	if err := mdm.Decode(data, &decoded); err != nil {
		t.Fatal(err)
	}
	return decoded
}

func valid(t *testing.T, faults []string) {
	t.Helper()
	for _, fault := range faults {
		t.Error(fault)
	}
}

func TestTheEnrolmentProfileIsValid(t *testing.T) {
	schema := appleschema.Load(t)
	r := gatewaytest.Start(t, storetest.Open(t))
	data, err := r.Enroll.Profile(context.Background(), r.Token(1).Token, false)
	if err != nil {
		t.Fatal(err)
	}
	valid(t, schema.Profile(plain(t, data)))
}

func TestModeProfilesAreValid(t *testing.T) {
	schema := appleschema.Load(t)
	page := lease.Examination{Title: "Mathe", Page: "https://moodle.example/klausur"}
	app := lease.Examination{Title: "Mathe", TabletApp: "org.geogebra.graphing", Aids: []string{"reader"}, Spelling: true}
	itself := lease.Examination{Title: "Mathe", Page: page.Page, TabletApp: "org.safeexambrowser.ipad", SelfLock: true}
	open := lease.Examination{Title: "Mathe", Page: page.Page, USB: true, Printing: true, Spelling: true, Assistants: true, Capture: true}
	for name, rules := range map[string]struct {
		kind lease.Kind
		exam *lease.Examination
	}{
		"sites": {lease.Sites, nil}, "offline": {lease.Offline, nil}, "focus": {lease.Focus, nil}, "screen": {lease.Screen, nil},
		"exam on a page": {lease.Exam, &page}, "exam in an app": {lease.Exam, &app}, "exam in an app that locks itself": {lease.Exam, &itself}, "exam with everything open": {lease.Exam, &open},
	} {
		t.Run(name, func(t *testing.T) {
			l := lesson.Lease{ID: "01a200e6-10a4-7e20-afd7-1a41dd4b140c", Kind: rules.kind, ByName: "Frau Oert", Ends: time.Now().Add(time.Hour),
				Rules: lease.Rules{Sites: []string{"geogebra.org", "*.example.de"}, Apps: []string{"org.geogebra.graphing"}, Exam: rules.exam}}
			profile, err := tablet.Profile(l, true, "https://schule.example")
			if err != nil {
				t.Fatal(err)
			}
			data, err := mdm.Encode(profile)
			if err != nil {
				t.Fatal(err)
			}
			decoded := plain(t, data)
			valid(t, schema.Profile(decoded))
			if _, ok := decoded["RemovalDate"].(time.Time); !ok {
				t.Error("it would never leave by itself")
			}
		})
	}
}

func TestCommandsAreValid(t *testing.T) {
	schema := appleschema.Load(t)
	for _, command := range []mdm.Command{
		mdm.InstallProfile([]byte("x")), mdm.RemoveProfile("x"), mdm.ProfileList(), mdm.DeviceInformation(), mdm.InstalledApplicationList(), mdm.InstalledApplicationList("a.b"), mdm.Synchronize(nil), mdm.Synchronize([]byte("{}")),
	} {
		t.Run(command.RequestType(), func(t *testing.T) {
			command.CommandUUID = "1"
			data, err := mdm.Encode(command)
			if err != nil {
				t.Fatal(err)
			}
			request, _ := plain(t, data)["Command"].(map[string]any)
			faults := schema.Command(request)
			// The schema names the queries as keys of a string.
			faults = slices.DeleteFunc(faults, func(fault string) bool { return strings.Contains(fault, ".Queries[") })
			valid(t, faults)
		})
	}
}

// The validator itself must notice.
func TestAnInvalidProfileIsNoticed(t *testing.T) {
	schema := appleschema.Load(t)
	p := mdm.NewProfile("org.schulwart.test", "x")
	p.Add("com.apple.app.lock", "lock", mdm.Payload{"App": map[string]any{"Identifer": "a"}})
	p.Add("com.apple.webcontent-filter", "web", mdm.Payload{"FilterType": "Homemade", "PermittedURLs": "all"})
	p.Add("com.apple.nothing", "n", nil)
	data, err := mdm.Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	faults := strings.Join(schema.Profile(plain(t, data)), "\n")
	for _, want := range []string{"App.Identifier: missing", "App.Identifer: unknown key", "FilterType: Homemade is not one of", "PermittedURLs: not an array", "com.apple.nothing): unknown type"} {
		if !strings.Contains(faults, want) {
			t.Errorf("did not notice %q in:\n%s", want, faults)
		}
	}
}
