package web

import (
	"slices"
	"strings"
)

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

func (p SitePage) siteTitle() string {
	if p.ID == "" {
		return p.T("sites.new")
	}
	return p.Name
}

func (p SitePage) sitePath() string {
	if p.ID == "" {
		return PathSiteNew
	}
	return To(PathSite, p.ID)
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

// shows is what the screen looks like: off, covered, or a desk.
func (s PupilScreen) shows() string {
	switch {
	case !s.On:
		return "off"
	case len(s.Modes) > 0 && s.Modes[0].Kind == ModeScreen:
		return "screen"
	}
	return "desk"
}

// pretendSite is a window on the drawn screen.
type pretendSite struct {
	name    string
	blocked bool
}

// sites draws a few windows, open or barred as the modes say: what a pupil may
// use first, then what they might like to.
func (s PupilScreen) sites() []pretendSite {
	windows := []pretendSite{{name: "GeoGebra"}, {name: "de.wikipedia.org"}, {name: "video.example"}}
	for _, m := range s.Modes {
		switch m.Kind {
		case ModeOffline:
			windows[1].blocked, windows[2].blocked = true, true
		case ModeSites:
			if len(m.What) > 0 {
				windows[1].name = m.What[0]
			}
			windows[2].blocked = true
		case ModeFocus:
			if len(m.What) > 0 {
				windows[0].name = m.What[0]
			}
			windows[1].blocked, windows[2].blocked = true, true
		}
	}
	if !s.Connected {
		windows[1].blocked, windows[2].blocked = true, true
	}
	return windows
}

// pupilSentence tells a pupil who set what until when.
func (f Frame) pupilSentence(m PupilMode) string {
	key := "pupil." + string(m.Kind)
	if len(m.What) > 0 && slices.Contains([]ModeKind{ModeSites, ModeFocus}, m.Kind) {
		key += ".what"
	}
	return f.T(key, "by", m.By, "until", m.Ends, "what", strings.Join(m.What, ", "))
}
