package web

import "strings"

// stepState reads the zero value as open.
func stepState(s StepState) StepState {
	if s == "" {
		return StepOpen
	}
	return s
}

// checked says what was tried, and for a failure that it did not work.
func (f Frame) checked(c SetupCheck) string {
	if failed := c.What.Key + ".failed"; c.State == StepFailed && Knows(f.Lang, "check."+failed) {
		return f.Say("check", Sentence{Key: failed, Args: c.What.Args})
	}
	return f.Say("check", c.What)
}

// mend says what to do about a failed check. A check of a form fails with the
// fault's own key, whose words already say what is wanted.
func (f Frame) mend(s Sentence) string {
	if fault := strings.Replace(s.Key, "_", ".", 1); !Knows(f.Lang, "mend."+s.Key) && Knows(f.Lang, "error."+fault) {
		return f.Say("error", Sentence{Key: fault, Args: s.Args})
	}
	return f.Say("mend", s)
}
