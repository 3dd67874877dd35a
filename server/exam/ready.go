package exam

import (
	"context"
	"slices"
	"strconv"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	"schulwart.org/server/may"
)

// What a device should bring into an examination.
const (
	leastBattery = 40      // percent, unless it is charging
	leastStorage = 2 << 30 // bytes
	mostClock    = 120.0   // seconds by which its clock may differ
	seenWithin   = 24 * time.Hour
	SealedBefore = 15 * time.Minute // by when it should be on the device
)

// Facts is what a device last said of itself.
type Facts struct {
	Device   org.ID
	Seen     time.Time
	Agent    string // version
	Schema   int    // highest schema of declarations that it understands
	Facts    ddm.Facts
	Programs map[string]string // versions by id; nil: it told none
	Retired  bool
	Released bool // it made a secret for codes
}

// ReadinessStore reads what devices said of themselves.
type ReadinessStore interface {
	ExamFacts(ctx context.Context, exam Exam, devices []org.ID) (map[org.ID]Facts, error)
}

// Asker asks devices to say now how they are, and wakes them for it. Devices that
// are gone are passed over.
type Asker interface {
	Ask(ctx context.Context, authority org.ID, devices ...org.ID) error
}

// Blocker is something that keeps a device from the examination, or may. Key is
// under "exam.blocker" in web/locale, its remedy under "exam.remedy".
type Blocker struct {
	Key   string
	Args  map[string]string
	Stops bool // the device cannot take part so; otherwise it is worth a look
}

// Ready is what is known of a device before the examination.
type Ready struct {
	Seat
	Line     *Line     // nil: nothing is on its way to it yet
	Seen     time.Time // when it last said something of itself; zero: never
	Blockers []Blocker
}

// Stopped reports whether something keeps the device from the examination.
func (r Ready) Stopped() bool {
	return slices.ContainsFunc(r.Blockers, func(b Blocker) bool { return b.Stops })
}

// AskReady asks every device of an examination to say now how it is. It returns how
// many were asked; Readiness tells by Seen which of them have answered.
func (s *Service) AskReady(ctx context.Context, actor may.Actor, id org.ID) (int, error) {
	exam, _, err := s.open(ctx, actor, id, may.ExamRun)
	if err != nil {
		return 0, err
	}
	seats, err := s.Store.ExamSeats(ctx, exam)
	if err != nil || s.Asks == nil {
		return 0, err
	}
	var devices []org.ID
	for _, seat := range seats {
		if seat.Enrolment != "" {
			devices = append(devices, seat.Device)
		}
	}
	return len(devices), s.Asks.Ask(ctx, exam.Branch.Authority, devices...)
}

// Readiness checks each device. It looks at what they said and asks none.
func (s *Service) Readiness(ctx context.Context, actor may.Actor, id org.ID) (Exam, []Ready, error) {
	exam, _, err := s.open(ctx, actor, id, may.ExamRun)
	if err != nil {
		return Exam{}, nil, err
	}
	seats, lines, err := s.seatLines(ctx, exam)
	if err != nil {
		return exam, nil, err
	}
	devices := make([]org.ID, len(seats))
	for i, seat := range seats {
		devices[i] = seat.Device
	}
	facts, err := s.Store.ExamFacts(ctx, exam, devices)
	if err != nil {
		return exam, nil, err
	}
	ready := make([]Ready, 0, len(seats))
	for _, seat := range seats {
		line := lines[seat.Enrolment]
		one := Ready{Seat: seat, Line: line, Seen: facts[seat.Device].Seen}
		if line != nil {
			one.Seen = later(one.Seen, line.Seen)
		}
		one.Blockers = s.blockers(exam, seat, facts[seat.Device], line, one.Seen)
		ready = append(ready, one)
	}
	return exam, ready, nil
}

// seatLines returns the seats, and what is known of each by its enrolment.
func (s *Service) seatLines(ctx context.Context, exam Exam) ([]Seat, map[org.ID]*Line, error) {
	seats, err := s.Store.ExamSeats(ctx, exam)
	if err != nil || exam.Mode == "" {
		return seats, nil, err
	}
	found, err := s.Leases.Lines(ctx, exam.Mode)
	if err != nil {
		return seats, nil, err
	}
	lines := make(map[org.ID]*Line, len(found))
	for i, line := range found {
		lines[line.Enrolment] = &found[i]
	}
	return seats, lines, nil
}

func (s *Service) blockers(exam Exam, seat Seat, facts Facts, line *Line, seen time.Time) []Blocker {
	var all []Blocker
	add := func(stops bool, key string, pairs ...string) {
		args := map[string]string{}
		for i := 0; i+1 < len(pairs); i += 2 {
			args[pairs[i]] = pairs[i+1]
		}
		all = append(all, Blocker{Key: key, Args: args, Stops: stops})
	}
	now := s.Now()
	if seat.Enrolment == "" {
		add(true, "not_enrolled")
		return all
	}
	if !seat.Platform.Agent() {
		s.tablet(exam, line, now, add)
	}
	switch {
	case seen.IsZero():
		add(true, "never_seen")
	case now.Sub(seen) > seenWithin && (line == nil || !line.Armed):
		add(true, "not_seen", "since", seen.UTC().Format(time.RFC3339))
	}
	if exam.Mode != "" && seat.Platform.Agent() {
		s.delivery(exam, line, now, add)
	}
	said := facts.Facts
	if said.Battery != nil && *said.Battery < leastBattery && (said.Charging == nil || !*said.Charging) {
		add(false, "battery", "percent", strconv.Itoa(*said.Battery))
	}
	if said.DiskTotal > 0 && said.DiskFree < leastStorage {
		add(false, "storage", "bytes", strconv.FormatInt(said.DiskFree, 10))
	}
	if offset := said.ClockOffset; offset != nil && (*offset > mostClock || *offset < -mostClock) {
		add(false, "clock", "seconds", strconv.Itoa(int(*offset)))
	}
	if seat.Platform.Agent() {
		s.agent(exam, facts, now, add)
		programs(exam.Rules, facts, line, add)
		system(facts.Facts.OSVersion, now, add)
	}
	return all
}

// delivery looks at whether the sealed lease is on the device, and at what a dry
// run there has found.
func (s *Service) delivery(exam Exam, line *Line, now time.Time, add func(bool, string, ...string)) {
	if line == nil {
		add(false, "not_sent")
		return
	}
	if line.Refused {
		add(true, "refused", "reason", line.Reason)
		return
	}
	if !line.Armed && now.Before(exam.Starts) {
		add(exam.Starts.Sub(now) < SealedBefore, "not_armed")
		return
	}
	for _, part := range line.Troubles {
		if part = present(part, exam.Rules.Apps); part.Key == "" {
			continue
		}
		args := []string{"part", part.Part}
		for name, value := range part.Args {
			args = append(args, name, value)
		}
		add(part.Stops, part.Key, args...)
	}
}

// tablet looks at whether an Apple tablet said that it can take part. It is
// started by push, so that it is asked early.
func (s *Service) tablet(exam Exam, line *Line, now time.Time, add func(bool, string, ...string)) {
	add(false, "by_push")
	switch {
	case line == nil:
	case line.Refused && tablet(line.Reason):
		add(true, line.Reason, "app", line.ReasonArgs["app"])
	case line.Refused:
		add(true, "refused", "reason", line.Reason)
	case !line.Armed && !line.Active && now.Before(exam.Starts):
		add(exam.Starts.Sub(now) < SealedBefore, "not_asked")
	}
}

// agent looks at the program that keeps the examination.
func (s *Service) agent(exam Exam, facts Facts, now time.Time, add func(bool, string, ...string)) {
	if facts.Agent != "" && s.Agent != "" && facts.Agent != s.Agent {
		add(false, "agent", "is", facts.Agent, "newest", s.Agent)
	}
	if facts.Schema > 0 && facts.Schema < ddm.Schema {
		add(true, "schema")
	}
	if facts.Facts.PupilIsRoot != nil && *facts.Facts.PupilIsRoot {
		add(false, "root")
	}
	if !facts.Released {
		add(false, "no_codes")
	}
	if until, err := time.Parse(time.RFC3339, facts.Facts.Certificate); err == nil && until.Before(exam.End(now)) {
		add(true, "certificate", "until", until.UTC().Format(time.RFC3339))
	}
}

// Trouble is a part of the enforcement that would not hold, as the device found.
type Trouble struct {
	Part  string
	Key   string
	Args  map[string]string
	Stops bool
}
