package exam

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
)

// Record is one line of the evidence of an examination. The lines of a device
// are a chain, and so are those of the examination itself (no device): each
// holds the hash of the one before, so that none can be changed or taken out
// unnoticed.
type Record struct {
	Device org.ID    // empty: of the examination as a whole
	Seq    int       // from 1, per chain
	At     time.Time // server time
	Said   time.Time // device time; zero for what people did
	Key    string    // under "exam.record." in web/locale
	Args   map[string]string
	By     string // who did it; empty: the device, or the clock
	// About is the same for what a device says twice; it is kept once. It is not
	// part of the chain.
	About string
	Hash  string // hexadecimal SHA-256 over the former hash and the content
}

// RecordStore keeps the evidence.
type RecordStore interface {
	// AddRecords appends to the chains of an examination.
	AddRecords(ctx context.Context, exam Exam, records []Record) error
	ExamRecords(ctx context.Context, exam Exam) ([]Record, error)
	// DeviceExams lists the examinations in which the device has one of the leases.
	DeviceExams(ctx context.Context, authority, device org.ID, leases []org.ID) ([]Exam, error)
	// OldExams lists at most n examinations whose evidence is kept no longer;
	// DropExam deletes one and leaves the line that says so.
	OldExams(ctx context.Context, at time.Time, n int) ([]Old, error)
	DropExam(ctx context.Context, old Old, at time.Time) error
	// ExamDays is how long an authority keeps evidence.
	ExamDays(ctx context.Context, authority org.ID) (int, error)
	PutExamDays(ctx context.Context, permit may.Permit, authority org.ID, days int) error
	ExamDeletions(ctx context.Context, school org.Branch, n int) ([]Old, error)
}

// Old is an examination whose evidence is deleted.
type Old struct {
	Branch  org.Branch
	Exam    org.ID
	Starts  time.Time
	Records int
	Files   int // that had been handed in
	Days    int // that the authority keeps evidence
	Deleted time.Time
}

// Link returns the hash of the record behind one with the hash given.
func (r Record) Link(exam org.ID, former string) string {
	args, _ := json.Marshal(r.Args) // a map of texts always marshals, in the order of its keys
	sum := sha256.New()
	for _, part := range []string{former, exam.String(), r.Device.String(), strconv.Itoa(r.Seq), millis(r.At), millis(r.Said), r.Key, string(args), r.By} {
		sum.Write([]byte(part))
		sum.Write([]byte{0})
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func millis(t time.Time) string {
	if t.IsZero() {
		return "0"
	}
	return strconv.FormatInt(t.UnixMilli(), 10)
}

// Unbroken reports whether the records, ordered by device and number, are whole
// chains.
func Unbroken(exam org.ID, records []Record) bool {
	former := Record{}
	for i, r := range records {
		if i == 0 || r.Device != former.Device {
			former = Record{Device: r.Device}
		}
		if r.Seq != former.Seq+1 || r.Hash != r.Link(exam, former.Hash) {
			return false
		}
		former = r
	}
	return true
}

// stamp says who did it, and when.
func stamp(records []Record, permit may.Permit, at time.Time) {
	for i := range records {
		records[i].At = at.UTC().Truncate(time.Millisecond)
		if actor := permit.Actor(); actor.Via != "job" {
			records[i].By = actor.Name
		}
	}
}
