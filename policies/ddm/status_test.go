package ddm_test

import (
	"os"
	"path/filepath"
	"testing"

	"schulwart.org/policies/ddm"
)

func recorded(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestParseStatusOfATablet(t *testing.T) {
	report, err := ddm.ParseStatus(recorded(t, "status-ipad.json"))
	if err != nil {
		t.Fatal(err)
	}
	device := report.StatusItems.Device
	if device == nil || device.Identifier.SerialNumber != "F9FXK2N1Q1GC" || device.OperatingSystem.Version != "18.1" || device.Model.Family != "iPad" {
		t.Errorf("device items: %+v", device)
	}
	states := report.StatusItems.Management.Declarations
	if len(states.Configurations) != 2 || !states.Configurations[0].Active || states.Configurations[0].Valid != ddm.Valid {
		t.Errorf("configurations: %+v", states.Configurations)
	}
	if bad := states.Configurations[1]; bad.Valid != ddm.Invalid || len(bad.Reasons) != 1 || bad.Reasons[0].Code != "Error.ConfigurationCannotBeApplied" {
		t.Errorf("a configuration that cannot be applied: %+v", bad)
	}
	if details := states.Configurations[1].Reasons[0].Details; details["Error"] != "The profile is not valid." || details["Count"] != "3" {
		t.Errorf("details: %v", details)
	}
	if report.StatusItems.Agent != nil {
		t.Error("a tablet has no items of our agent")
	}
}

func TestParseStatusOfTheAgent(t *testing.T) {
	report, err := ddm.ParseStatus(recorded(t, "status-agent.json"))
	if err != nil {
		t.Fatal(err)
	}
	agent := report.StatusItems.Agent
	if agent == nil || len(agent.Leases) != 2 {
		t.Fatalf("items of the agent: %+v", agent)
	}
	active, ended := agent.Leases[0], agent.Leases[1]
	if active.Phase != ddm.LeaseActive || active.Rev != 2 || len(active.Parts) != 2 || active.Parts[0].State != ddm.PartOK || active.Parts[1].State != ddm.PartPending {
		t.Errorf("active lease: %+v", active)
	}
	if ended.Phase != ddm.LeaseEnded || ended.Reason == nil || ended.Reason.Code != "release_code" {
		t.Errorf("ended lease: %+v", ended)
	}
	if agent.Facts.Battery == nil || *agent.Facts.Battery != 81 || agent.Facts.Encrypted == nil || *agent.Facts.Encrypted {
		t.Errorf("facts: %+v", agent.Facts)
	}
	if len(agent.Events) != 1 || agent.Events[0].Key != "network_rules_repaired" {
		t.Errorf("events: %+v", agent.Events)
	}
	again, err := ddm.ParseStatus([]byte(text(report)))
	if err != nil || text(again) != text(report) {
		t.Errorf("written and read again, it says something else: %v", err)
	}
}

func TestParseStatusRefusesWhatIsNoReport(t *testing.T) {
	for _, bad := range []string{"", "[]", "{", `{"StatusItems": []}`, `{"StatusItems": {"org.schulwart": {"leases": [{"rev": "two"}]}}}`, `{"StatusItems": {"org.schulwart": {"sent": "yesterday"}}}`} {
		if _, err := ddm.ParseStatus([]byte(bad)); err == nil {
			t.Errorf("%q was read as a report", bad)
		}
	}
}

// What we do not know is left alone: devices are newer than servers, too.
func TestParseStatusLeavesTheUnknownAlone(t *testing.T) {
	report, err := ddm.ParseStatus([]byte(`{"StatusItems": {"battery": {"state": 3}, "device": {"identifier": {"serial-number": "X", "imei": "1"}}}, "Errors": [], "New": 1}`))
	if err != nil || report.StatusItems.Device.Identifier.SerialNumber != "X" {
		t.Errorf("%+v, %v", report, err)
	}
}

func FuzzParseStatus(f *testing.F) {
	f.Add(recorded(f, "status-ipad.json"))
	f.Add(recorded(f, "status-agent.json"))
	f.Add([]byte(`{"StatusItems":{"org.schulwart":{"leases":null,"facts":{}}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		report, err := ddm.ParseStatus(data)
		if err != nil {
			return
		}
		again, err := ddm.ParseStatus([]byte(text(report)))
		if err != nil || text(again) != text(report) {
			t.Fatalf("%v\n%s\n%s", err, text(report), text(again))
		}
	})
}
