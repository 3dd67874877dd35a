package checkin

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
)

// Bounds of what one report may leave behind.
const (
	mostEvents       = 200
	mostDeclarations = 256 << 10 // bytes
)

// Report is what is kept of a status report. Empty documents keep what is known.
type Report struct {
	Agent        string
	Schema       int
	Boot         string
	Token        string // of the set that is in force, as far as the device said
	Facts        *ddm.Facts
	Programs     *map[string]string // versions by id of the desktop entry; nil: nothing new
	Declarations string             // JSON, empty if the report has none
	Simulated    bool
}

// Report keeps what a device says of itself, tells those who wait for it, and
// returns after the commit. A report from other hardware than the enrolment's is
// refused and changes nothing.
func (s *Service) Report(ctx context.Context, e Enrolment, status ddm.StatusReport) error {
	if e.State != Enrolled {
		return Refusal(mdm.RefusedAnew)
	}
	if serial := serialOf(status); otherMachine(e, serial) {
		return s.clone(ctx, e, Hardware{Serial: serial, UDID: e.UDID})
	}
	err := s.Store.Atomically(ctx, func(ctx context.Context) error {
		report, err := s.report(ctx, e, status)
		if err != nil {
			return err
		}
		if err := s.Store.SaveReport(ctx, e, report); err != nil {
			return err
		}
		if agent := status.StatusItems.Agent; agent != nil && len(agent.Events) > 0 {
			if err := s.Store.SaveEvents(ctx, e, events(agent.Events, s.Now())); err != nil {
				return err
			}
		}
		if s.Reports == nil {
			return nil
		}
		return s.Reports.Reported(ctx, e, status)
	})
	if err == nil && s.Board != nil {
		s.Board.Publish(e.Branch(), e.Device)
	}
	return err
}

func (s *Service) report(ctx context.Context, e Enrolment, status ddm.StatusReport) (Report, error) {
	items := status.StatusItems
	var report Report
	if agent := items.Agent; agent != nil {
		report.Agent, report.Schema, report.Boot, report.Simulated = bounded(agent.Version), agent.Schema, bounded(agent.BootID), agent.Simulated
		report.Facts, report.Programs = agent.Facts, boundPrograms(agent.Programs)
	}
	if items.Management != nil && items.Management.Declarations != nil {
		if data, err := json.Marshal(items.Management.Declarations); err == nil && len(data) <= mostDeclarations {
			report.Declarations = string(data)
		}
	}
	if report.Facts == nil && items.Device != nil {
		// Apple reports only what changed.
		facts, err := s.Store.DeviceFacts(ctx, e)
		if err != nil {
			return report, err
		}
		addDeviceItems(&facts, *items.Device)
		report.Facts = &facts
	}
	if report.Facts != nil {
		boundFacts(report.Facts)
	}
	return report, nil
}

// Finished notes what a device answered to a question about itself. The command
// room has it called inside its transaction.
func (s *Service) Finished(ctx context.Context, authority, device org.ID, requestType string, result mdm.Result) error {
	if requestType != mdm.RequestDeviceInformation || result.Status != mdm.Acknowledged {
		return nil
	}
	var said mdm.DeviceInformationResponse
	if result.Into(&said) != nil {
		return nil // the device's fault, and no reason to stop its queue
	}
	if said == (mdm.DeviceInformationResponse{}) {
		return nil // it answered, and said nothing
	}
	e := Enrolment{Authority: authority, Device: device}
	facts, err := s.Store.DeviceFacts(ctx, e)
	if err != nil {
		return err
	}
	addDeviceInformation(&facts, said)
	boundFacts(&facts)
	if err := s.Store.SaveReport(ctx, e, Report{Facts: &facts}); err != nil {
		return err
	}
	return s.Store.SetSupervised(ctx, e, said.QueryResponses.IsSupervised)
}

func addDeviceItems(facts *ddm.Facts, items ddm.DeviceItems) {
	set(&facts.Serial, items.Identifier.SerialNumber)
	set(&facts.Model, first(items.Model.MarketingName, items.Model.Identifier, items.Model.Family))
	set(&facts.OSVersion, items.OperatingSystem.Version)
}

func addDeviceInformation(facts *ddm.Facts, said mdm.DeviceInformationResponse) {
	answers := said.QueryResponses
	set(&facts.Serial, answers.SerialNumber)
	set(&facts.Model, first(answers.ModelName, answers.ProductName, answers.Model))
	set(&facts.OSVersion, answers.OSVersion)
	set(&facts.Hostname, answers.DeviceName)
	if answers.BatteryLevel > 0 && answers.BatteryLevel <= 1 {
		percent := int(answers.BatteryLevel*100 + 0.5)
		facts.Battery = &percent
	}
	const gigabyte = 1_000_000_000
	if answers.DeviceCapacity > 0 && answers.DeviceCapacity < 1e6 {
		facts.DiskTotal = int64(answers.DeviceCapacity * gigabyte)
		facts.DiskFree = int64(answers.AvailableDeviceCapacity * gigabyte)
	}
}

func set(field *string, value string) {
	if value != "" {
		*field = value
	}
}

func boundFacts(facts *ddm.Facts) {
	for _, field := range []*string{&facts.Platform, &facts.OSVersion, &facts.Model, &facts.Serial, &facts.Hostname, &facts.Session, &facts.Certificate} {
		*field = bounded(*field)
	}
	if len(facts.Capabilities) > 50 {
		facts.Capabilities = facts.Capabilities[:50]
	}
	for i, capability := range facts.Capabilities {
		facts.Capabilities[i] = bounded(capability)
	}
}

func boundPrograms(said *map[string]string) *map[string]string {
	if said == nil {
		return nil
	}
	kept := map[string]string{}
	for _, id := range slices.Sorted(maps.Keys(*said)) {
		if len(kept) < ddm.MostPrograms {
			kept[bounded(id)] = bounded((*said)[id])
		}
	}
	return &kept
}

// events bounds what a device tells, and keeps its times from lying in the
// future.
func events(said []ddm.Event, now time.Time) []ddm.Event {
	if len(said) > mostEvents {
		said = said[len(said)-mostEvents:]
	}
	kept := make([]ddm.Event, 0, len(said))
	for _, event := range said {
		event.ID, event.Key = bounded(event.ID), bounded(event.Key)
		if event.ID == "" || event.Key == "" || len(event.Args) > 20 {
			continue
		}
		args := make(map[string]string, len(event.Args))
		for name, value := range event.Args {
			args[bounded(name)] = bounded(value)
		}
		event.Args = args
		if event.At.IsZero() || event.At.After(now.Add(5*time.Minute)) {
			event.At = now
		}
		kept = append(kept, event)
	}
	return kept
}

func serialOf(status ddm.StatusReport) string {
	items := status.StatusItems
	if items.Agent != nil && items.Agent.Facts != nil {
		return Serial(items.Agent.Facts.Serial)
	}
	if items.Device != nil {
		return Serial(items.Device.Identifier.SerialNumber)
	}
	return ""
}
