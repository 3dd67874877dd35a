package reconcile

import (
	"maps"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/memory"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/lease"
)

// examinationOf is what the drivers are told of the exam that holds. A lease
// without one says nothing but sites and programs.
func examinationOf(h lease.Holding) *enforce.Exam {
	if h.Exam == nil || h.Exam.Rules.Exam == nil {
		return nil
	}
	return &enforce.Exam{ID: h.Exam.ID, Examination: *h.Exam.Rules.Exam, By: h.Exam.By, Sites: h.Exam.Rules.Sites}
}

// closedBy narrows families of the base policy by an examination. The base itself
// stays what it is: when the examination is over, it is computed without.
func closedBy(exam *enforce.Exam, base enforce.Base) enforce.Base {
	if exam == nil {
		return base
	}
	closed := maps.Clone(base)
	if closed == nil {
		closed = enforce.Base{}
	}
	set := func(family, field string, value any) {
		settings := maps.Clone(closed[family])
		if settings == nil {
			settings = catalog.Settings{}
		}
		settings[field] = value
		closed[family] = settings
	}
	if !exam.USB {
		set(catalog.USBStorage.Name, "access", "blocked")
	}
	if !exam.Printing {
		set(catalog.Printing.Name, "allowed", false)
	}
	if !exam.Capture {
		set(catalog.Camera.Name, "camera", false)
	}
	// Bluetooth stays: keyboards and hearing aids come through it.
	set(catalog.Sharing.Name, "network-shares", false)
	return closed
}

// closes reports whether the exam that holds narrows a family.
func closes(exam *enforce.Exam, name catalog.Part) bool {
	if exam == nil {
		return false
	}
	switch string(name) {
	case catalog.USBStorage.Name:
		return !exam.USB
	case catalog.Printing.Name:
		return !exam.Printing
	case catalog.Camera.Name:
		return !exam.Capture
	case catalog.Sharing.Name:
		return true
	}
	return false
}

// waiting covers the screen while an examination waits for its resume code: it
// wants one, and the system was started since it was let go on.
func waiting(rules enforce.Rules, remembered func(id string) memory.Exam, clock memory.Clock) enforce.Rules {
	if rules.Exam == nil || !rules.Exam.Resume {
		return rules
	}
	if known := remembered(rules.Exam.ID); known.Boot == "" || known.Boot == clock.Boot {
		return rules
	}
	exam := *rules.Exam
	exam.Waits = true
	rules.Exam = &exam
	rules.Screen = &enforce.Screen{By: exam.By, Code: true, Until: exam.Until, Release: exam.Until.Sub(clock.Now)}
	return rules
}

// rememberedExam reads what is remembered of an examination.
func rememberedExam(m *memory.Memory) func(id string) memory.Exam {
	return func(id string) (exam memory.Exam) {
		m.Look(func(s *memory.State) { exam = s.ExamOf(id) })
		return exam
	}
}
