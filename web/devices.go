package web

import "strings"

// about says whose device it is and what number it carries.
func (d DeviceRow) about() string { return dotted(d.Person, d.Serial) }

func (d DeviceRow) placeText() string {
	if d.School == "" {
		return strings.Join(d.Groups, ", ")
	}
	return dotted(d.School, strings.Join(d.Groups, ", "))
}

// dotted joins what is not empty with dots.
func dotted(parts ...string) string {
	var kept []string
	for _, part := range parts {
		if part != "" {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, " · ")
}

func (p DevicePage) about() string {
	return dotted(p.T("platform."+p.platform()), systemName(p.System), p.Model, p.Holder, p.Serial)
}

// platform guards against platforms that the words do not know.
func (p DevicePage) platform() string {
	if Knows(p.Lang, "platform."+p.Platform) {
		return p.Platform
	}
	return "other"
}

func (p DevicePage) crumbPairs() []string {
	pairs := []string{p.T("nav.devices"), PathDevices}
	if p.School != "" {
		pairs = append(pairs, p.School, PathSchool)
	}
	if len(p.Groups) > 0 {
		pairs = append(pairs, p.Groups[0].Name, To(PathGroup, p.Groups[0].ID))
	}
	return pairs
}

// told says who set the mode when, and since when the device keeps it.
func (m DeviceMode) told(f Frame) string {
	if m.Mode.Planned {
		return dotted(f.T("mode.begins", "at", m.Mode.Starts), f.T("mode.by", "by", m.Mode.By))
	}
	set := f.T("device.set_by", "by", m.Mode.By, "at", m.Mode.Starts)
	if m.State != StateActive || m.Since.IsZero() {
		return set
	}
	return set + " · " + f.T("device.active_since", "at", f.local(m.Since).Format("15:04:05"))
}

func (f Frame) factText(fact Fact) string {
	if fact.Text != "" || fact.Value == nil {
		return fact.Text
	}
	return f.Say("value", *fact.Value)
}

// systemName is an operating system as people call it: "Debian GNU/Linux 12
// (bookworm)" is Debian 12.
func systemName(told string) string {
	name, _, _ := strings.Cut(told, " (")
	return strings.Join(strings.Fields(strings.Replace(name, "GNU/Linux", "", 1)), " ")
}
