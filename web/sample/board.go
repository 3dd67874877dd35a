package sample

import (
	"fmt"
	"time"

	"github.com/a-h/templ"
	"schulwart.org/web"
)

var class7b = web.GroupRef{ID: "g7b", Name: "7b", Kind: web.KindClass}

var pupils = []string{"Ada B.", "Ben K.", "Cem A.", "Dana L.", "Elif S.", "Finn H.", "Greta M.", "Hanna R.", "Ida W.", "Jona P.", "Karl T.", "Lea D.", "Mika N.", "Noor F.", "Ole G.", "Pia Z.", "Quinn E.", "Rosa V.", "Samir J.", "Tilda O.", "Uwe C.", "Vera Q.", "Wim U.", "Yuna I."}

// tiles is the class with every pupil in the given state, and the exceptions
// that a real morning has when trouble is set.
func tiles(f web.Frame, state web.State, trouble bool) []web.TilePart {
	var all []web.TilePart
	for i, name := range pupils {
		tile := web.TilePart{
			Opens: true,
			Frame: f, Group: class7b.ID, Device: fmt.Sprintf("d%d", i), Name: name, Tag: fmt.Sprintf("MS-%04d", 365+i),
			Platform: web.PlatformLinux, Battery: 38 + (i*13)%60, State: state, Since: at(9, 52), Seen: ago(time.Duration(1+(i*7)%9) * time.Second),
			Mode: "m1", Code: state == web.StateActive,
		}
		if trouble {
			exception(&tile)
		}
		all = append(all, tile)
	}
	return all
}

func exception(t *web.TilePart) {
	switch t.Name {
	case "Elif S.":
		t.State, t.Since = web.StateDelivered, ago(2*time.Second)
	case "Jona P.":
		t.State, t.Absent, t.Code = web.StateAbsent, true, false
	case "Vera Q.":
		t.State, t.Since, t.Seen, t.Battery = web.StateUnreachable, at(9, 41), at(9, 41), -1
		t.Reason = because("not_received")
	case "Wim U.":
		t.State, t.Since, t.Seen, t.Battery = web.StateUnreachable, at(9, 57), at(9, 57), 12
		t.Reason = because("no_answer")
	case "Yuna I.":
		t.State, t.Since = web.StateDeviating, at(10, 1)
		t.Reason = because("browser.restart-at", "at", "10:04")
	}
}

// live puts a board together from its tiles.
func live(f web.Frame, group web.GroupRef, all []web.TilePart, running ...web.RunningMode) web.BoardLive {
	counts := map[web.State]int{}
	var looks []web.TilePart
	var codes []web.OfflineCodes
	for _, tile := range all {
		counts[tile.State]++
		if tile.State == web.StateUnreachable || tile.State == web.StateDeviating {
			looks = append(looks, tile)
		}
		if tile.Code {
			codes = append(codes, web.OfflineCodes{Device: tile.Device, Name: tile.Name, Ends: at(10, 35), From: at(9, 50).Unix(), Step: 300, Codes: []string{"12345678", "23456789", "34567890", "45678901", "56789012", "67890123", "78901234", "89012345", "90123456"}})
		}
	}
	return web.BoardLive{
		Modes:     web.ModesPart{Frame: f, Group: group, Devices: len(all), Last: &web.LastMode{Kind: web.ModeFocus, What: "GeoGebra", Until: at(10, 35)}, DefaultEnd: at(10, 35), Running: running, Codes: codes},
		Summary:   web.SummaryPart{Frame: f, Group: group, Total: len(all), Counts: counts},
		Attention: web.AttentionPart{Frame: f, Group: group, Tiles: looks},
		Tiles:     web.TilesPart{Frame: f, Group: group, Tiles: all},
	}
}

func offline(mine bool) web.RunningMode {
	return web.RunningMode{ID: "m1", Kind: web.ModeOffline, By: "Frau Oert", Mine: mine, Starts: at(9, 52), Ends: at(10, 35), MayEnd: true, MaxEnd: at(11, 22)}
}

func board(f web.Frame) web.BoardPage {
	f = teacher(f, web.NavLessons)
	return web.BoardPage{Frame: f, Group: class7b, Room: "204", Period: &web.Period{Number: 3, Start: at(9, 50), End: at(10, 35)}}
}

// boards are the boards in every situation.
var boards = []Sample{
	{"board-running", "Unterricht", func(f web.Frame) templ.Component {
		p := board(f)
		p.Live = live(p.Frame, class7b, tiles(p.Frame, web.StateActive, true), offline(true))
		return web.Board(p)
	}},
	{"board-idle", "Unterricht", func(f web.Frame) templ.Component {
		p := board(f)
		p.Undo = &web.Undo{URL: web.To(web.PathUndo, "g7b"), Token: "t", Key: "mode.ended", Args: map[string]any{"mode": say("mode.offline")}, Until: now.Add(9 * time.Second)}
		p.Live = live(p.Frame, class7b, tiles(p.Frame, web.StateReady, false))
		return web.Board(p)
	}},
	{"board-colleague", "Unterricht", func(f web.Frame) templ.Component {
		p := board(f)
		other := offline(false)
		other.By, other.Group, other.Devices = "Herr Adler", "Koffer B", 6
		mine := web.RunningMode{ID: "m2", Kind: web.ModeSites, What: "GeoGebra, Wikipedia", Mine: true, Starts: at(9, 58), Ends: at(10, 35), MayEnd: true, MaxEnd: at(11, 20)}
		planned := web.RunningMode{ID: "m3", Kind: web.ModeScreen, Message: "Bitte aufräumen.", Mine: true, Planned: true, Starts: at(10, 30), Ends: at(10, 35), MayEnd: true}
		p.Live = live(p.Frame, class7b, tiles(p.Frame, web.StateActive, true), mine, other, planned)
		p.Substitute = &web.Substitution{For: "Herr Adler", Until: at(10, 35)}
		return web.Board(p)
	}},
	{"board-fault", "Unterricht", func(f web.Frame) templ.Component {
		p := board(f)
		p.Problem = &web.Problem{Key: "mode.too_long", Args: map[string]any{"minutes": 90}}
		p.Live = live(p.Frame, class7b, tiles(p.Frame, web.StateReady, false)[:5])
		p.Live.Modes.Last = nil
		return web.Board(p)
	}},
	{"board-empty", "Unterricht", func(f web.Frame) templ.Component {
		p := board(f)
		p.Group.Name, p.Group.Kind = "AG Robotik", web.KindCourse
		p.Live = live(p.Frame, p.Group, nil)
		return web.Board(p)
	}},
	{"mode-sites", "Unterricht", func(f web.Frame) templ.Component {
		return web.ModeForm(web.ModeFormPage{Frame: teacher(f, web.NavLessons), Group: class7b, Devices: 24, Kind: web.ModeSites, Minutes: 32, DefaultEnd: at(10, 35), MaxMinutes: 90, Sites: "de.wikipedia.org\ngeogebra.org\n", Lists: []web.SiteListChoice{{ID: "l1", Name: "Mathematik 7", Hosts: 6, Chosen: true}, {ID: "l2", Name: "Wörterbücher", Hosts: 4}, {ID: "l3", Name: "Schulportal", Hosts: 2}}, Problem: &web.Problem{Key: "sites.bad_host", Field: "sites", Args: map[string]any{"host": "wiki pedia"}}})
	}},
	{"mode-focus", "Unterricht", func(f web.Frame) templ.Component {
		return web.ModeForm(web.ModeFormPage{Frame: teacher(f, web.NavLessons), Group: class7b, Devices: 24, Kind: web.ModeFocus, Minutes: 45, MaxMinutes: 90, Selected: []web.DeviceRef{{ID: "d1", Name: "Ben K."}, {ID: "d2", Name: "Cem A."}}, Programs: []web.Option{{Value: "geogebra", Label: "GeoGebra", Detail: "24 / 24", Chosen: true}, {Value: "libreoffice-writer", Label: "LibreOffice Writer", Detail: "24 / 24"}, {Value: "firefox", Label: "Firefox", Detail: "22 / 24"}, {Value: "scratch", Label: "Scratch", Detail: "9 / 24"}}})
	}},
	{"mode-screen", "Unterricht", func(f web.Frame) templ.Component {
		return web.ModeForm(web.ModeFormPage{Frame: teacher(f, web.NavLessons), Group: class7b, Devices: 24, Kind: web.ModeScreen, Minutes: 5, MaxMinutes: 15})
	}},
	{"mode-offline", "Unterricht", func(f web.Frame) templ.Component {
		return web.ModeForm(web.ModeFormPage{Frame: teacher(f, web.NavLessons), Group: class7b, Devices: 24, Kind: web.ModeOffline, Minutes: 45, MaxMinutes: 90})
	}},
	{"release", "Unterricht", func(f web.Frame) templ.Component {
		f = teacher(f, web.NavLessons)
		return web.Release(web.ReleasePage{Frame: f, Back: web.To(web.PathBoard, "g7b"), Part: web.ReleasePart{Frame: f, URL: web.To(web.PathRelease, "g7b", "d1"), Device: "Vera Q.", Mode: web.ModeOffline, Ends: at(10, 35), Code: "41876203", ValidUntil: at(10, 5)}})
	}},
	{"propose-fragment", "Unterricht", func(f web.Frame) templ.Component {
		return web.ProposalFragment(web.ProposalPart{Frame: f, URL: "https://www.geogebra.org", Hosts: []web.ProposedHost{{Host: "www.geogebra.org", Why: "page", Times: 1, Chosen: true}, {Host: "cdn.geogebra.org", Why: "script", Times: 7, Chosen: true}, {Host: "fonts.example", Why: "font", Times: 2}}})
	}},
	{"board-fragments", "Unterricht", func(f web.Frame) templ.Component {
		return web.BoardLiveFragment(live(f, class7b, tiles(f, web.StateActive, true), offline(true)))
	}},
}

// All lists every sample, grouped as in the gallery.
func All() []Sample {
	var all []Sample
	for _, group := range [][]Sample{visitors, teachers, boards, exams, schools, standards, templates, apps, licences, calendars, shelves, offices, operators, visitorsOfPupils, setups()} {
		all = append(all, group...)
	}
	return all
}
