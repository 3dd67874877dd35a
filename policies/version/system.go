package version

import (
	"strings"
	"time"
)

// supported says until when the makers mend faults of a system, long-term support by
// them or their community included, and without what is sold beside it.
// https://wiki.debian.org/LTS, https://ubuntu.com/about/release-cycle,
// https://linuxmint.com/download_all.php
var supported = []struct{ name, until string }{
	{"Debian GNU/Linux 9", "2022-06-30"},
	{"Debian GNU/Linux 10", "2024-06-30"},
	{"Debian GNU/Linux 11", "2026-08-31"},
	{"Debian GNU/Linux 12", "2028-06-30"},
	{"Debian GNU/Linux 13", "2030-06-30"},
	{"Ubuntu 18.04", "2023-05-31"},
	{"Ubuntu 20.04", "2025-05-31"},
	{"Ubuntu 22.04", "2027-05-31"},
	{"Ubuntu 24.04", "2029-05-31"},
	{"Linux Mint 20", "2025-04-30"},
	{"Linux Mint 21", "2027-04-30"},
	{"Linux Mint 22", "2029-04-30"},
}

// SystemUntil returns until when faults of a system are mended, by the name that the
// system gives itself ("Debian GNU/Linux 12 (bookworm)"); false for systems that are
// not known here.
func SystemUntil(name string) (time.Time, bool) {
	for _, s := range supported {
		rest, is := strings.CutPrefix(name, s.name)
		if !is || rest != "" && digit(rest[0]) {
			continue
		}
		day, err := time.Parse(time.DateOnly, s.until)
		return day.AddDate(0, 0, 1), err == nil
	}
	return time.Time{}, false
}
