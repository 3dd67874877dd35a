package web

import "strings"

func (p DayPage) greeting() string {
	switch hour := p.local(p.now()).Hour(); {
	case hour < 10:
		return p.T("day.morning")
	case hour < 18:
		return p.T("day.noon")
	}
	return p.T("day.evening")
}

// gone is how much of the lesson is over, in per cent.
func (p DayPage) gone() string {
	whole := p.Period.End.Sub(p.Period.Start)
	if whole <= 0 {
		return "0%"
	}
	return percent(min(100, max(0, 100*float64(p.now().Sub(p.Period.Start))/float64(whole))))
}

func (p DayPage) rehearseHint() string {
	if p.Rehearsed {
		return p.T("day.rehearse.again")
	}
	return p.T("day.rehearse.hint")
}

// running is the mode that a list shows: the first in force.
func (g TeachingGroup) running() *RunningMode {
	for i := range g.Modes {
		if !g.Modes[i].Planned {
			return &g.Modes[i]
		}
	}
	return nil
}

// headline answers the page's question: where does something run?
func (p LessonsPage) headline() string {
	count := 0
	for _, g := range p.Groups {
		if g.running() != nil {
			count++
		}
	}
	return p.T("lessons.headline", "count", count)
}

func (f Frame) groupDetail(g GroupChoice) string {
	parts := []string{f.T("group.kind." + string(g.Group.Kind)), f.T("board.devices", "count", g.Devices)}
	if len(g.Teachers) > 0 {
		parts = append(parts, strings.Join(g.Teachers, ", "))
	}
	return strings.Join(parts, " · ")
}

func (f Frame) setState(s SetChoice) string {
	switch {
	case s.Mine:
		return f.T("borrow.mine", "until", s.Until)
	case s.HeldBy != "":
		return f.T("borrow.held", "by", s.HeldBy, "until", s.Until)
	}
	return f.T("borrow.free")
}

// joined lists what is not empty.
func joined(names []string) string {
	var kept []string
	for _, name := range names {
		if name != "" {
			kept = append(kept, name)
		}
	}
	return strings.Join(kept, ", ")
}
