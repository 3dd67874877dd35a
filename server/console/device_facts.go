package console

import (
	"math"
	"strconv"
	"time"

	"schulwart.org/server/board"
	"schulwart.org/web"
)

// facts lists what a device told about itself, as far as somebody can act on
// it. What it did not say is left out.
func (h *Handler) facts(d board.Device, now time.Time) []web.Fact {
	var list []web.Fact
	text := func(name, value string) {
		if value != "" {
			list = append(list, web.Fact{Name: name, Text: value})
		}
	}
	says := func(name, key string, trouble bool, pairs ...any) {
		args := map[string]any{}
		for i := 0; i+1 < len(pairs); i += 2 {
			args[pairs[i].(string)] = pairs[i+1]
		}
		list = append(list, web.Fact{Name: name, Value: &web.Sentence{Key: key, Args: args}, Trouble: trouble})
	}
	yesNo := func(name string, value *bool, wanted bool) {
		if value != nil {
			says(name, map[bool]string{true: "yes", false: "no"}[*value], *value != wanted)
		}
	}
	f := d.Facts
	text("hostname", f.Hostname)
	text("agent", d.Agent)
	if f.Battery != nil {
		says("battery", "percent", *f.Battery < 15, "n", *f.Battery)
	}
	if f.DiskTotal > 0 {
		says("disk", "disk", f.DiskFree < 2<<30, "free", gigabytes(f.DiskFree), "total", gigabytes(f.DiskTotal))
	}
	if f.Session != "" {
		says("session", "session."+f.Session, f.Session == "wayland")
	}
	yesNo("encrypted", f.Encrypted, true)
	yesNo("secure_boot", f.SecureBoot, true)
	yesNo("pupil_is_root", f.PupilIsRoot, false)
	if f.ClockOffset != nil && math.Abs(*f.ClockOffset) >= 1 {
		key := "clock_ahead"
		if *f.ClockOffset < 0 {
			key = "clock_behind"
		}
		says("clock", key, math.Abs(*f.ClockOffset) > 120, "by", time.Duration(math.Abs(*f.ClockOffset)*float64(time.Second)).Round(time.Second))
	}
	if !d.Enrolled.IsZero() {
		says("enrolled", "at", false, "at", d.Enrolled)
	}
	if !d.Until.IsZero() {
		says("certificate", "until", d.Until.Sub(now) < 14*24*time.Hour, "until", d.Until)
	}
	if !d.Reported.IsZero() {
		says("reported", "at", false, "at", d.Reported)
	}
	return list
}

func gigabytes(bytes int64) string { return strconv.FormatInt(bytes>>30, 10) + " GB" }
