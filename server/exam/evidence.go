package exam

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Observed keeps what a device reported of examinations as evidence. It belongs
// to the transaction of the report; what is said twice is kept once.
func (s *Service) Observed(ctx context.Context, branch org.Branch, device org.ID, said ddm.AgentItems) error {
	leases := make([]org.ID, 0, len(said.Leases))
	for _, status := range said.Leases {
		leases = append(leases, org.ID(status.ID))
	}
	exams, err := s.Store.DeviceExams(ctx, branch.Authority, device, leases)
	if err != nil || len(exams) == 0 {
		return err
	}
	for _, exam := range exams {
		lines, err := s.Leases.Lines(ctx, exam.Mode)
		if err != nil {
			return err
		}
		mine := map[string]bool{}
		for _, line := range lines {
			mine[line.Lease.String()] = line.Device == device
		}
		records := s.observations(exam, device, mine, said)
		if err := s.Store.AddRecords(ctx, exam, records); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) observations(exam Exam, device org.ID, mine map[string]bool, said ddm.AgentItems) []Record {
	var records []Record
	for _, status := range said.Leases {
		if !mine[status.ID] {
			continue
		}
		key := "phase_" + string(status.Phase)
		records = append(records, Record{
			Said: status.Since, Key: key, Args: map[string]string{"rev": strconv.Itoa(status.Rev)}, About: key + "/" + strconv.Itoa(status.Rev) + "/" + millis(status.Since),
		})
		for _, part := range status.Parts {
			if part.State == ddm.PartDeviating || part.State == ddm.PartRepaired {
				key := "part_" + string(part.State)
				records = append(records, Record{Said: part.Since, Key: key, Args: map[string]string{"part": part.Name}, About: key + "/" + part.Name + "/" + millis(part.Since)})
			}
		}
	}
	for _, line := range said.Sealed {
		if mine[line.Lease] {
			records = append(records, sealedRecord(line))
		}
	}
	for _, event := range said.Events {
		if lease := event.Args["lease"]; lease != "" && !mine[lease] || event.At.Before(exam.Starts.Add(-ArmBefore)) || event.At.After(later(exam.Last, exam.End(s.Now())).Add(time.Hour)) {
			continue
		}
		args := maps.Clone(event.Args)
		if args == nil {
			args = map[string]string{}
		}
		args["event"] = event.Key
		records = append(records, Record{Said: event.At, Key: "event", Args: args, About: "event/" + event.ID})
	}
	for i := range records {
		records[i].Device, records[i].At, records[i].Said = device, whole(s.Now()), whole(records[i].Said)
	}
	return records
}

// sealedRecord keeps a line of the log that the device seals, with all that its
// seal stands for.
func sealedRecord(line ddm.Sealed) Record {
	args := maps.Clone(line.Args)
	if args == nil {
		args = map[string]string{}
	}
	for name, value := range map[string]string{
		"sealed.lease": line.Lease, "sealed.seq": strconv.Itoa(line.Seq), "sealed.boot": line.Boot, "sealed.elapsed": strconv.FormatInt(line.Elapsed, 10),
		"sealed.former": line.Former, "sealed.seal": line.Seal,
	} {
		args[name] = value
	}
	return Record{Said: line.At, Key: "deed_" + string(line.What), Args: args, About: "sealed/" + line.Lease + "/" + strconv.Itoa(line.Seq)}
}

// sealed is the line that a record was made from; false if it was made from none.
func (r Record) sealed() (ddm.Sealed, bool) {
	if r.Args["sealed.seal"] == "" {
		return ddm.Sealed{}, false
	}
	line := ddm.Sealed{
		Lease: r.Args["sealed.lease"], At: r.Said, Boot: r.Args["sealed.boot"], What: ddm.Deed(strings.TrimPrefix(r.Key, "deed_")),
		Former: r.Args["sealed.former"], Seal: r.Args["sealed.seal"],
	}
	line.Seq, _ = strconv.Atoi(r.Args["sealed.seq"])
	line.Elapsed, _ = strconv.ParseInt(r.Args["sealed.elapsed"], 10, 64)
	for name, value := range r.Args {
		if !strings.HasPrefix(name, "sealed.") {
			if line.Args == nil {
				line.Args = map[string]string{}
			}
			line.Args[name] = value
		}
	}
	return line, true
}

// Doubtful lists the devices whose own sealed log has a gap or a line that was
// changed, before it reached us.
func Doubtful(records []Record) []org.ID {
	logs := map[string][]ddm.Sealed{}
	owner := map[string]org.ID{}
	for _, r := range records {
		if line, is := r.sealed(); is {
			logs[line.Lease] = append(logs[line.Lease], line)
			owner[line.Lease] = r.Device
		}
	}
	var doubtful []org.ID
	for lease, lines := range logs {
		slices.SortFunc(lines, func(a, b ddm.Sealed) int { return a.Seq - b.Seq })
		if !ddm.Unbroken(ddm.Sealed{}, lines) {
			doubtful = append(doubtful, owner[lease])
		}
	}
	slices.Sort(doubtful)
	return slices.Compact(doubtful)
}

func whole(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Millisecond)
}

// Evidence is what is kept of an examination.
type Evidence struct {
	Exam    Exam
	Seats   []Seat
	Records []Record // chain by chain
	Whole   bool     // no line was changed or taken out here
	// Doubtful are devices whose own log was not whole when it came.
	Doubtful []org.ID
}

// Evidence returns the record of an examination for who led it and for the
// office. Reading it leaves an audit row.
func (s *Service) Evidence(ctx context.Context, actor may.Actor, id org.ID) (Evidence, error) {
	exam, permit, err := s.open(ctx, actor, id, may.ExamRun)
	if err != nil {
		return Evidence{}, err
	}
	seats, err := s.Store.ExamSeats(ctx, exam)
	if err != nil {
		return Evidence{}, err
	}
	records, err := s.Store.ExamRecords(ctx, exam)
	if err != nil {
		return Evidence{}, err
	}
	return Evidence{Exam: exam, Seats: seats, Records: records, Whole: Unbroken(exam.ID, records), Doubtful: Doubtful(records)}, s.Store.RecordExam(ctx, permit, exam, "evidence", nil)
}

// Compensate gives back what a device lost by technical failure: the invigilator
// accepts what its log proposes.
func (s *Service) Compensate(ctx context.Context, actor may.Actor, id, device org.ID) error {
	_, _, minutes, err := s.owed(ctx, actor, id, device)
	if err != nil {
		return err
	}
	return s.give(ctx, actor, id, device, min(minutes, MostExtra), "lost")
}

// owed is how many minutes the device's log proposes to give back. It is the Conflict fault
// "exam.nothing_lost" where that is nothing.
func (s *Service) owed(ctx context.Context, actor may.Actor, id, device org.ID) (Exam, may.Permit, int, error) {
	exam, seats, _, permit, err := s.seat(ctx, actor, id, device, may.ExamRun)
	if err != nil {
		return exam, permit, 0, err
	}
	records, err := s.Store.ExamRecords(ctx, exam)
	if err != nil {
		return exam, permit, 0, err
	}
	for _, lost := range LostTime(exam, seats, records) {
		if lost.Device == device && lost.Owed() > 0 {
			return exam, permit, lost.Owed(), nil
		}
	}
	return exam, permit, 0, errs.E(errs.Conflict, "exam.nothing_lost")
}

// Dismiss decides that what the device's log proposes is not given back: whoever
// invigilates knows that it was no failure. What is lost after it is proposed again.
func (s *Service) Dismiss(ctx context.Context, actor may.Actor, id, device org.ID) error {
	exam, permit, minutes, err := s.owed(ctx, actor, id, device)
	if err != nil {
		return err
	}
	said := []Record{{Device: device, Key: "lost_dismissed", Args: minutesOf(minutes)}}
	stamp(said, permit, s.Now())
	if err := s.Store.RecordExam(ctx, permit, exam, "dismiss", said); err != nil {
		return err
	}
	s.Boards.Publish(exam.Branch, device)
	return nil
}

// Bounds of how long evidence is kept, in days after the end.
const (
	LeastKept = 30
	MostKept  = 3650
)

// Keeping is how long an authority keeps evidence, and what was deleted.
type Keeping struct {
	Days      int
	MaySet    bool
	Deletions []Old // of the school, or of the authority for who looks after it
}

// Keeping returns it for who looks after the school.
func (s *Service) Keeping(ctx context.Context, actor may.Actor, school org.Branch) (Keeping, error) {
	if _, err := may.Do(actor, may.SchoolWrite, school); err != nil {
		return Keeping{}, err
	}
	authority := org.Branch{Authority: school.Authority}
	keeping := Keeping{MaySet: may.Can(actor, may.SchoolWrite, authority)}
	if keeping.MaySet {
		school = authority
	}
	var err error
	if keeping.Days, err = s.Store.ExamDays(ctx, school.Authority); err != nil {
		return keeping, err
	}
	keeping.Deletions, err = s.Store.ExamDeletions(ctx, school, mostDeletions)
	return keeping, err
}

const mostDeletions = 50

// SetKeeping says how long an authority keeps evidence. What is older is deleted
// in the next night.
func (s *Service) SetKeeping(ctx context.Context, actor may.Actor, authority org.ID, days int) error {
	permit, err := may.Do(actor, may.SchoolWrite, org.Branch{Authority: authority})
	if err != nil {
		return err
	}
	if days < LeastKept || days > MostKept {
		return errs.E(errs.Invalid, "exam.kept", "least", LeastKept, "most", MostKept).In("days")
	}
	return s.Store.PutExamDays(ctx, permit, authority, days)
}

// Forget deletes evidence that is kept no longer, with a line that says so.
func (s *Service) Forget(ctx context.Context) error {
	const atOnce = 50
	if err := s.Store.DropUnclaimed(ctx, s.Now().Add(-unclaimed)); err != nil {
		return err
	}
	for {
		old, err := s.Store.OldExams(ctx, s.Now(), atOnce)
		if err != nil {
			return err
		}
		for _, one := range old {
			if err := s.Store.DropExam(ctx, one, s.Now()); err != nil {
				return err
			}
		}
		if len(old) < atOnce {
			return nil
		}
	}
}
