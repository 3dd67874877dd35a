package web

import "time"

// GroupRef is enough of a group to name it and lead to it.
type GroupRef struct {
	ID     string
	Name   string
	Kind   GroupKind
	School string // name; "" where it is clear
}

// GroupKind is what a group is. Its word is group.kind.<kind>.
type GroupKind string

// Kinds of groups.
const (
	KindClass  GroupKind = "class"
	KindCourse GroupKind = "course"
	KindRoom   GroupKind = "room"
	KindSet    GroupKind = "set" // Koffer
	KindPilot  GroupKind = "pilot"
)

// GroupKinds lists the kinds in the order of forms.
func GroupKinds() []GroupKind {
	return []GroupKind{KindClass, KindCourse, KindRoom, KindSet, KindPilot}
}

// Period is a lesson of the bell plan.
type Period struct {
	Number     int
	Start, End time.Time
}

// TeachingGroup is a group as its teacher sees it in a list.
type TeachingGroup struct {
	Group      GroupRef
	Devices    int
	Attention  int           // devices that need a look
	Modes      []RunningMode // running, most important first
	Planned    *RunningMode  // the next one that begins by itself, or nil
	Substitute *Substitution // not nil when the person stands in for somebody
	Borrowed   *time.Time    // until when the person holds this set; nil for others
	StandIns   []StandIn     // colleagues who stand in here now
}

// StandIn is a colleague who has a class for one lesson, as its own teacher reads
// it.
type StandIn struct {
	By    string
	Until time.Time
}

// Substitution is standing in for a colleague in one lesson.
type Substitution struct {
	For   string // the colleague, or "" when the group has no teacher
	Until time.Time
}

// DayPage is "Mein Tag": the classes of today and what runs in them. With no
// Groups it teaches how to begin.
type DayPage struct {
	Frame
	Period    *Period // the lesson that runs now; nil when none is known
	Groups    []TeachingGroup
	Rehearsed bool // the person has tried a mode on the pretend device
}

// LessonsPage is "Unterricht": every group the person teaches or holds.
type LessonsPage struct {
	Frame
	Groups []TeachingGroup
	Recent []RecentMode
}

// RecentMode is a mode that has ended.
type RecentMode struct {
	Group   GroupRef
	Mode    RunningMode
	EndedAt time.Time
	Early   bool // ended by a person before its time
}

// ChoosePage lets a teacher say which classes are theirs. Form field: group
// (repeated).
type ChoosePage struct {
	Frame
	Query   string // GET q
	Groups  []GroupChoice
	Problem *Problem
}

// GroupChoice is a group that can be chosen.
type GroupChoice struct {
	Group    GroupRef
	Devices  int
	Teachers []string
	Chosen   bool
}

// SubstitutePage is "Ich vertrete": take a class for one lesson. Form field:
// group.
type SubstitutePage struct {
	Frame
	Query   string // GET q
	Until   time.Time
	Groups  []GroupChoice
	Problem *Problem
}

// BorrowPage is "Ich habe Koffer B": take a set until the end of the lesson.
// Form fields: group, takeover=1 when a colleague holds it.
type BorrowPage struct {
	Frame
	Until   time.Time
	Sets    []SetChoice
	Asked   string // id of the set whose code was scanned; it comes first
	Problem *Problem
}

// SetChoice is a set that can be borrowed.
type SetChoice struct {
	Group   GroupRef
	Devices int
	HeldBy  string // colleague; "" when free
	Until   time.Time
	Mine    bool
}
