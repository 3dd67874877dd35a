package linux

import (
	"testing"

	"schulwart.org/agent/host"
)

// Seen in a review: whatever had "/schulwart-exam-" among its words passed for the
// examination's own browser, and stayed open beside it.
func TestANameLikeOursMakesNoBrowserTheExaminations(t *testing.T) {
	const ours = "/var/lib/schulwart-exam/schulwart-exam-1f"
	k := &sessionKeeper{browsers: map[string]*examBrowser{"1000:0": {profile: ours}}}
	for _, c := range []struct {
		what string
		args []string
		want bool
	}{
		{"the exam's Chromium", []string{"chromium", "--kiosk", "--user-data-dir=" + ours, "https://moodle.example"}, true},
		{"a helper of it", []string{"chromium --type=renderer --user-data-dir=" + ours + " --lang=de"}, true},
		{"the exam's Firefox", []string{"firefox-esr", "--kiosk", "--profile", ours, "https://moodle.example"}, true},
		{"a profile that looks like it", []string{"chromium", "--user-data-dir=/tmp/schulwart-exam-1f"}, false},
		{"an address that looks like it", []string{"chromium", "--user-data-dir=/home/ada/own", "https://spiele.example" + ours}, false},
		{"two profiles", []string{"chromium", "--user-data-dir=" + ours, "--user-data-dir=/home/ada/own"}, false},
		{"its folder as a page", []string{"chromium", ours}, false},
		{"no profile", []string{"chromium"}, false},
	} {
		if got := k.browserOf(host.Program{Args: c.args}) != nil; got != c.want {
			t.Errorf("%s: taken for ours is %v", c.what, got)
		}
	}
}
