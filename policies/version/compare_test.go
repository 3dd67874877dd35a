package version_test

import (
	"os/exec"
	"testing"
	"time"

	"pgregory.net/rapid"

	"schulwart.org/policies/version"
	"schulwart.org/scripts/need"
)

func TestOlder(t *testing.T) {
	for _, c := range []struct {
		name, is, least string
		want            bool
	}{
		{"the same", "7.4.7", "7.4.7", false},
		{"numbers and not letters are compared", "7.10", "7.9", false},
		{"a packaged program is as new as its makers say", "4:7.4.7-1+deb12u5", "7.4.7", false},
		{"an epoch makes nothing new", "4:6.0-1", "7", true},
		{"a revision that is named counts", "7.4.7-1", "7.4.7-2", true},
		{"an epoch that is named counts", "1:7.4", "4:6", true},
		{"the short form means any of them", "128.3.1esr-1~deb12u1", "128", false},
		{"a candidate comes before", "2.0~rc1-1", "2.0", true},
		{"no version at all", "", "1", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := version.Older(c.is, c.least); got != c.want {
				t.Errorf("Older(%q, %q) = %v", c.is, c.least, got)
			}
		})
	}
}

func TestPlainAndValid(t *testing.T) {
	for is, want := range map[string]string{"4:7.4.7-1+deb12u5": "7.4.7", "115.3.0esr-1~deb12u1": "115.3.0esr", "24.8.2.1": "24.8.2.1", "": ""} {
		if got := version.Plain(is); got != want {
			t.Errorf("Plain(%q) = %q, want %q", is, got, want)
		}
	}
	for text, want := range map[string]bool{"7": true, "7.4.7-1+deb12u5": true, "": false, "neu": false, "7 4": false, "7<4": false} {
		if version.Valid(text) != want {
			t.Errorf("Valid(%q) is not %v", text, want)
		}
	}
}

// dpkg itself is asked about versions that nobody thought of.
func TestTheOrderIsDpkgs(t *testing.T) {
	need.Tool(t, "dpkg")
	rapid.Check(t, func(rt *rapid.T) {
		draw := rapid.StringMatching(`([0-2]:)?[0-9][0-9a-c.+~]{0,6}-[0-9a-c.+~]{1,4}`)
		is, least := draw.Draw(rt, "is"), draw.Draw(rt, "least")
		if is[1] != ':' || least[1] != ':' { // an epoch counts where both have one, or neither
			is, least = trimmed(is), trimmed(least)
		}
		want := exec.Command("dpkg", "--compare-versions", is, "lt", least).Run() == nil
		if got := version.Older(is, least); got != want {
			rt.Fatalf("Older(%q, %q) = %v", is, least, got)
		}
	})
}

func trimmed(v string) string {
	if v[1] == ':' {
		return v[2:]
	}
	return v
}

func TestSystemUntil(t *testing.T) {
	for name, want := range map[string]string{
		"Debian GNU/Linux 12 (bookworm)": "2028-07-01", "Debian GNU/Linux 11 (bullseye)": "2026-09-01", "Ubuntu 22.04.5 LTS": "2027-06-01", "Linux Mint 21.3": "2027-05-01",
		"Debian GNU/Linux 120": "", "Debian GNU/Linux trixie/sid": "", "": "",
	} {
		until, known := version.SystemUntil(name)
		if got := until.Format(time.DateOnly); known != (want != "") || known && got != want {
			t.Errorf("%s: %s, %v", name, got, known)
		}
	}
}
