package web

import "github.com/a-h/templ"

// icons are drawn on a ground of 24 by 24 with the colour of the text around
// them. They decorate a word and are never alone.
var icons = map[string]string{
	"again":      `<path d="M4 12l5 5L20 6"/>`,
	"focus":      `<circle cx="12" cy="12" r="8"/><circle cx="12" cy="12" r="3" fill="currentColor" stroke="none"/>`,
	"sites":      `<path d="M4 6h16M4 12h10M4 18h7"/><path d="M15 17l2.4 2.4L22 15"/>`,
	"offline":    `<circle cx="12" cy="12" r="8.5"/><path d="M3.5 12h17M12 3.5c5 5 5 12 0 17M12 3.5c-5 5-5 12 0 17" stroke-width="1.5"/><path d="M4 4l16 16" stroke-width="2.4"/>`,
	"screen":     `<path d="M2.5 12S6 6 12 6s9.5 6 9.5 6-3.5 6-9.5 6-9.5-6-9.5-6z"/><circle cx="12" cy="12" r="2.6"/>`,
	"day":        `<circle cx="12" cy="12" r="4"/><path d="M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6l1.4 1.4M17 17l1.4 1.4M18.4 5.6L17 7M7 17l-1.4 1.4"/>`,
	"lessons":    `<rect x="3" y="4.5" width="18" height="12" rx="2"/><path d="M9 21h6M12 16.5V21"/>`,
	"exams":      `<path d="M5 3.5h10l4 4V20.5H5z"/><path d="M9 13l2.2 2.2L15.5 11"/><path d="M9 7.5h4"/>`,
	"school":     `<path d="M4 20V10l8-6 8 6v10z"/><path d="M10 20v-5h4v5"/>`,
	"devices":    `<rect x="4.5" y="5" width="15" height="10" rx="1.5"/><path d="M2.5 19h19"/>`,
	"enrolment":  `<circle cx="12" cy="12" r="8.5"/><path d="M12 8v8M8 12h8"/>`,
	"groups":     `<rect x="3.5" y="4" width="7" height="7" rx="1.5"/><rect x="13.5" y="4" width="7" height="7" rx="1.5"/><rect x="3.5" y="14" width="7" height="7" rx="1.5"/><rect x="13.5" y="14" width="7" height="7" rx="1.5"/>`,
	"people":     `<circle cx="9" cy="8" r="3.5"/><path d="M2.5 20c.5-4 3-6 6.5-6s6 2 6.5 6"/><path d="M16 5a3.3 3.3 0 010 6.2M18 14.5c2 .8 3.2 2.7 3.5 5.5"/>`,
	"import":     `<path d="M12 3v11M7.5 10l4.5 4.5 4.5-4.5"/><path d="M4 16v4h16v-4"/>`,
	"settings":   `<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2.2"/><circle cx="9" cy="17" r="2.2"/>`,
	"policies":   `<path d="M12 3l7.5 3v5.5c0 4.6-3 8-7.5 9.5-4.5-1.5-7.5-4.9-7.5-9.5V6z"/><path d="M8.5 12l2.4 2.4 4.6-4.6"/>`,
	"apps":       `<rect x="4" y="4" width="7" height="7" rx="2"/><rect x="13" y="4" width="7" height="7" rx="2"/><rect x="4" y="13" width="7" height="7" rx="2"/><path d="M16.5 13v7M13 16.5h7"/>`,
	"calendar":   `<rect x="3.5" y="5" width="17" height="15.5" rx="2"/><path d="M3.5 10h17M8 2.8V7M16 2.8V7"/><path d="M8 14h3M14 17h2.5"/>`,
	"exceptions": `<path d="M5 4v16M5 5h11l-2 4 2 4H5"/><path d="M18.5 15v3M18.5 20.6v.1"/>`,
	"helpdesk":   `<path d="M4.5 14v-2a7.5 7.5 0 0115 0v2"/><rect x="3" y="13" width="4" height="6" rx="1.5"/><rect x="17" y="13" width="4" height="6" rx="1.5"/><path d="M19 19c0 1.5-2 2.5-5 2.5"/>`,
	"schools":    `<path d="M3 20V9l5-4 5 4v11zM13 20h8v-8l-4-3-4 2"/>`,
	"operations": `<path d="M3 12h4l2.5-6 4.5 12 2.5-6H21"/>`,
	"audit":      `<path d="M6 3h9l4 4v14H6z"/><path d="M9.5 11h6M9.5 15h6"/>`,
	"programs":   `<path d="M8 8l-4.5 4L8 16M16 8l4.5 4-4.5 4M13.5 5l-3 14"/>`,
	"help":       `<circle cx="12" cy="12" r="8.5"/><path d="M9.6 9.6a2.5 2.5 0 113.6 2.2c-.8.4-1.2.9-1.2 1.9"/><path d="M12 16.8v.1"/>`,
	"person":     `<circle cx="12" cy="8" r="3.8"/><path d="M4.5 20.5c.7-4.5 3.5-6.5 7.5-6.5s6.8 2 7.5 6.5"/>`,
	"menu":       `<path d="M4 7h16M4 12h16M4 17h16"/>`,
	"leave":      `<path d="M10 4H5v16h5M10 12h10M16.5 8l4 4-4 4"/>`,
	"plus":       `<path d="M12 5v14M5 12h14"/>`,
	"search":     `<circle cx="10.5" cy="10.5" r="6.5"/><path d="M15.5 15.5L21 21"/>`,
	"done":       `<circle cx="12" cy="12" r="8.5"/><path d="M8 12.5l2.7 2.7L16 9.5"/>`,
	"notice":     `<circle cx="12" cy="12" r="8.5"/><path d="M12 11v5M12 7.8v.1"/>`,
	"warn":       `<path d="M12 4l9 16H3z"/><path d="M12 10v4.5M12 17.3v.1"/>`,
	"lost":       `<path d="M3 3l18 18M5 10a11 11 0 014-2.4M2 7a15 15 0 013-2M8.5 13.5a5 5 0 015-1M19 10a11 11 0 00-5-2.8M22 7A15 15 0 009.5 3.6"/><path d="M12 18.5v.1"/>`,
	"substitute": `<circle cx="8" cy="8" r="3.3"/><path d="M2 19c.5-3.5 2.7-5.3 6-5.3"/><path d="M13 14h8M18 11l3 3-3 3"/>`,
	"case":       `<rect x="3" y="8" width="18" height="11.5" rx="2"/><path d="M9 8V6a1.5 1.5 0 011.5-1.5h3A1.5 1.5 0 0115 6v2M3 13h18"/>`,
	"try":        `<path d="M7 4.5v15l12-7.5z"/>`,
	"bell":       `<path d="M6 17h12M7.5 17v-6a4.5 4.5 0 019 0v6M12 4.5v2"/><path d="M11 20h2"/>`,
	"cable":      `<path d="M9 3v5M15 3v5M6.5 8h11v3a5.5 5.5 0 01-11 0zM12 16.5V21"/>`,
	"restart":    `<path d="M19.5 12a7.5 7.5 0 11-2.3-5.4"/><path d="M20 3.5v4h-4"/>`,
	"server":     `<rect x="4" y="4" width="16" height="7" rx="1.5"/><rect x="4" y="13" width="16" height="7" rx="1.5"/><path d="M8 7.5v.1M8 16.5v.1"/>`,
	"clock":      `<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5.5l3.5 2"/>`,
	"speed":      `<path d="M4 6l7 6-7 6zM13 6l7 6-7 6z"/>`,
	"stop":       `<rect x="6" y="6" width="12" height="12" rx="1.5"/>`,
	"print":      `<path d="M7 9V4h10v5M7 17H4v-6a2 2 0 012-2h12a2 2 0 012 2v6h-3"/><rect x="7" y="14" width="10" height="6"/>`,
	"copy":       `<rect x="8.5" y="8.5" width="11" height="12" rx="2"/><path d="M15.5 5.5v-.5a1.5 1.5 0 00-1.5-1.5H6A1.5 1.5 0 004.5 5v9A1.5 1.5 0 006 15.5"/>`,
	"phone":      `<rect x="7" y="2.5" width="10" height="19" rx="2.2"/><path d="M11 18.5h2"/>`,
	"key":        `<circle cx="8" cy="15" r="4.5"/><path d="M11.3 11.7L20 3M16.5 6.5l3 3"/>`,
}

// icon draws an icon; an unknown name draws nothing.
func icon(name string) templ.Component {
	return templ.Raw(`<svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">` + icons[name] + `</svg>`)
}

// marks are the shapes of the states, on a ground of 12 by 12. No two have the
// same outline, so that they can be told apart without colour.
var marks = map[State]string{
	StateActive:      `<circle class="fill" cx="6" cy="6" r="6"/><path class="cut" d="M3.2 6.2l2 2 3.6-4"/>`,
	StateDelivered:   `<circle class="line" cx="6" cy="6" r="4.9"/>`,
	StatePlanned:     `<circle class="line" cx="6" cy="6" r="5"/><path class="line" d="M6 3.2V6l2 1.4"/>`,
	StateDeviating:   `<path class="fill" d="M6 .5l6 11H0z"/>`,
	StateUnreachable: `<rect class="line" x="1" y="1" width="10" height="10"/><path class="line" d="M1 11L11 1"/>`,
	StateEnded:       `<path class="line" d="M2.5 1v10M2.5 2h7l-1.5 2.5L9.5 7h-7"/>`,
	StateReady:       `<circle class="fill" cx="6" cy="6" r="3.2"/>`,
	StateAbsent:      `<path class="line" d="M1.5 6h9"/>`,
}

// mark draws the shape of a state; the word stands beside it.
func mark(state State) templ.Component {
	return templ.Raw(`<svg class="mark s-` + templ.EscapeString(string(state)) + `" viewBox="0 0 12 12" aria-hidden="true">` + marks[state] + `</svg>`)
}
