package web

import (
	"slices"
	"strings"
)

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
