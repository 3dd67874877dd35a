package web

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/a-h/templ"
)

// inPlace makes a button post its form and put the answered page's board where
// the board is now. Without a script the same button posts the same form, and
// the browser follows the redirect itself.
func inPlace(path string) templ.Attributes {
	return templ.Attributes{
		"hx-post": path, "hx-target": "#board", "hx-select": "#board", "hx-swap": "outerHTML",
		"hx-select-oob": "#flash,#undo", "hx-sync": "#board:drop", // a second tap while the first is on its way is none
	}
}

// summaryStates is the order in which the summary counts.
var summaryStates = []State{StateActive, StateDelivered, StatePlanned, StateDeviating, StateUnreachable, StateEnded, StateReady, StateAbsent}

// segment is one stretch of the summary's bar, in per cent.
type segment struct {
	state    State
	at, wide string
}

// segments share out the bar. Each is at least wide enough to be seen.
func (s SummaryPart) segments() []segment {
	const least = 1.5
	var all []segment
	at, total := 0.0, 0
	for _, state := range summaryStates {
		total += s.Counts[state]
	}
	if total == 0 {
		return nil
	}
	for _, state := range summaryStates {
		if s.Counts[state] == 0 {
			continue
		}
		wide := max(least, float64(s.Counts[state])/float64(total)*100)
		all = append(all, segment{state, percent(at), percent(max(0, min(wide-.35, 100-at)))})
		at += wide
	}
	return all
}

func percent(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) + "%" }

// whole says whether m is this person's mode on all of the group: then the tile
// of its kind is pressed, and pressing it again ends it.
func (p ModesPart) whole(kind ModeKind) *RunningMode {
	for i, m := range p.Running {
		if m.Kind == kind && m.Mine && m.Devices == 0 && !m.Planned {
			return &p.Running[i]
		}
	}
	return nil
}

// running says whether anything is in force, not only planned.
func (p ModesPart) running() bool {
	for _, m := range p.Running {
		if !m.Planned {
			return true
		}
	}
	return false
}

// title says what a mode is and until when: "Internet aus bis 10:35".
func (m RunningMode) title(f Frame) string {
	key := "mode." + string(m.Kind) + ".until"
	if m.What != "" && (m.Kind == ModeSites || m.Kind == ModeFocus) {
		key = "mode." + string(m.Kind) + ".what_until"
	}
	return f.T(key, "until", m.Ends, "what", m.What)
}

// more says for whom, by whom and from when, where that is not plain already.
func (m RunningMode) more(f Frame) string {
	var parts []string
	if m.Planned {
		parts = append(parts, f.T("mode.begins", "at", m.Starts))
	}
	if !m.Mine && m.By != "" {
		parts = append(parts, f.T("mode.by", "by", m.By))
	}
	if m.Group != "" {
		parts = append(parts, f.T("mode.for_group", "group", m.Group))
	}
	if m.Devices > 0 {
		parts = append(parts, f.T("mode.for_devices", "count", m.Devices))
	}
	if m.Covered != "" {
		parts = append(parts, f.T("mode.covered", "by", m.Covered))
	}
	text := ""
	for i, part := range parts {
		if i > 0 {
			text += " · "
		}
		text += part
	}
	return text
}

// endWord is the key of the word on the button that ends it.
func (m RunningMode) endWord() string {
	if m.Planned {
		return "mode.cancel"
	}
	return "mode.end"
}

func (m RunningMode) mayExtend() bool {
	return m.MayEnd && !m.Planned && (m.MaxEnd.IsZero() || m.Ends.Before(m.MaxEnd))
}

// since tells from when on a state lasts, for those where that matters more
// than the last contact.
func (t TilePart) since(f Frame) string {
	word := f.T("state." + string(t.State))
	if t.Since.IsZero() {
		return word
	}
	return f.T("tile.since", "state", word, "at", t.Since)
}

// batteryText writes a charge, nothing for one that is not known.
func batteryText(charge int) string {
	if charge < 0 {
		return ""
	}
	return itoa(charge) + " %"
}

// lastContact is what a tile counts from.
func (t TilePart) lastContact() time.Time {
	if t.Seen.IsZero() {
		return t.Since
	}
	return t.Seen
}

// outOfBand draws everything of the board for htmx to put in place.
func (b BoardLive) outOfBand() BoardLive {
	b.Modes.OOB, b.Summary.OOB, b.Attention.OOB, b.Tiles.OOB = true, true, true, true
	return b
}

func oob(on bool, how string) templ.Attributes {
	if !on {
		return nil
	}
	return templ.Attributes{"hx-swap-oob": how}
}

// codesJSON is the release codes as the page's script reads them.
func codesJSON(codes []OfflineCodes) string {
	if codes == nil {
		return "[]"
	}
	text, err := json.Marshal(codes)
	if err != nil {
		return "[]" // strings and numbers always marshal
	}
	return string(text)
}

// codeGroups writes eight digits as 1234 5678.
func codeGroups(code string) string {
	if len(code) != 8 {
		return code
	}
	return code[:4] + " " + code[4:]
}
