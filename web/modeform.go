package web

import (
	"slices"
	"strings"
	"time"
)

// lengths offers the ends that a lesson usually needs, none beyond the longest
// allowed.
func (p ModeFormPage) lengths() []int {
	offers := []int{10, 20, 45, 90}
	if p.Kind == ModeScreen {
		offers = []int{2, 5, 10, 15}
	}
	if !slices.Contains(offers, p.Minutes) && p.Minutes > 0 {
		offers = append(offers, p.Minutes)
	}
	slices.Sort(offers)
	var lengths []int
	for _, minutes := range offers {
		if p.MaxMinutes == 0 || minutes <= p.MaxMinutes {
			lengths = append(lengths, minutes)
		}
	}
	return lengths
}

func (p ModeFormPage) chosen(minutes int) bool { return p.Minutes == minutes }

// lengthLabel names a length; the one that ends with the lesson says so.
func (p ModeFormPage) lengthLabel(minutes int) string {
	end := p.now().Add(time.Duration(minutes) * time.Minute)
	return p.T("modeform.minutes", "count", minutes, "until", p.Clock(end))
}

// modeShort is a mode in few words: "Fokus: GeoGebra".
func (f Frame) modeShort(kind ModeKind, what string) string {
	name := f.T("mode." + string(kind) + ".name")
	if what == "" {
		return name
	}
	return name + ": " + what
}

func names(devices []DeviceRef) string {
	all := make([]string, len(devices))
	for i, device := range devices {
		all[i] = device.Name
	}
	return strings.Join(all, ", ")
}

// subline says where and when: "Raum 204 · 3. Stunde, 09:50–10:35".
func (p BoardPage) subline() string {
	var parts []string
	if p.Group.Kind != "" {
		parts = append(parts, p.T("group.kind."+string(p.Group.Kind)))
	}
	if p.Room != "" {
		parts = append(parts, p.T("board.room", "room", p.Room))
	}
	if p.Period != nil {
		parts = append(parts, p.period(*p.Period))
	}
	if p.Substitute != nil {
		parts = append(parts, p.substitution(*p.Substitute))
	}
	if p.Borrowed != nil {
		parts = append(parts, p.T("day.borrowed", "until", *p.Borrowed))
	}
	for _, colleague := range p.StandIns {
		parts = append(parts, p.T("day.stand_in", "by", colleague.By, "until", colleague.Until))
	}
	return strings.Join(parts, " · ")
}

// period is a lesson in words: "3. Stunde, 09:50–10:35".
func (f Frame) period(p Period) string {
	return f.T("time.period", "n", p.Number, "start", f.Clock(p.Start), "end", f.Clock(p.End))
}

func (f Frame) substitution(s Substitution) string {
	if s.For == "" {
		return f.T("day.substitute", "until", s.Until)
	}
	return f.T("day.substitute_for", "for", s.For, "until", s.Until)
}
