package push_test

import (
	"slices"
	"testing"

	"schulwart.org/policies/org"
	"schulwart.org/server/push"
)

type way struct{ woken []org.ID }

func (w *way) Nudge(enrolments ...org.ID) { w.woken = append(w.woken, enrolments...) }

func TestAllNudgesByEveryWay(t *testing.T) {
	stream, apns := &way{}, &way{}
	var nudger push.Nudger = push.All{stream, apns}
	nudger.Nudge("a", "b")
	for _, w := range []*way{stream, apns} {
		if !slices.Equal(w.woken, []org.ID{"a", "b"}) {
			t.Errorf("woke %v", w.woken)
		}
	}
	push.All{}.Nudge("a")
}
