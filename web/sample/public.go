package sample

import (
	"time"

	"github.com/a-h/templ"
	"schulwart.org/web"
)

func stage(f web.Frame) web.DemoStage {
	f.Demo = true
	mode := offline(true)
	tile := web.TilePart{Frame: f, Group: "g7b", Device: "d0", Name: "Ada B.", Battery: 81, State: web.StateActive, Since: at(9, 52), Seen: ago(2 * time.Second), Simulated: true}
	shown := screen(f, web.PupilMode{Kind: web.ModeOffline, By: "Frau Oert", Ends: until})
	shown.Device = "Ada B."
	return web.DemoStage{Frame: f, Group: class7b, Tile: tile, Others: tiles(f, web.StateActive, true)[1:], Mode: &mode, Screen: shown, Cable: true, Server: true, Speed: 1}
}

func demo(f web.Frame, s web.DemoStage) web.DemoPage {
	f.Demo = true
	return web.DemoPage{Frame: f, Stage: s, LANURL: "http://192.0.2.10:8080/demo", LAN: code("http://192.0.2.10:8080/demo"), Roles: []web.DemoRole{
		{Key: web.RoleTeacher, Name: "Frau Oert", Place: "Goethe-Gymnasium"}, {Key: web.RoleSchoolAdmin, Name: "Herr Brandt", Place: "Goethe-Gymnasium"},
		{Key: web.RoleHelpdesk, Name: "Hotline 2", Place: "Musterstadt"}, {Key: web.RoleOperator, Name: "Frau Lang", Place: "Betreiber"}}}
}

func pupilSees(f web.Frame, tongue string) web.PupilSeesPage {
	return web.PupilSeesPage{Frame: f, Key: "k", Tongue: tongue, Device: "MS-0388", School: "Goethe-Gymnasium", Set: settingsSample(), Sees: []string{"model", "battery", "seen", "modes", "system", "disk", "tamper", "settings"},
		Never: []string{"browsing", "files", "location", "screen", "camera", "keys"}, Kept: []string{"modes", "events", "facts", "audit"},
		Looks: []web.Look{{At: ago(26 * time.Hour), By: "Hotline 2", What: say("helpdesk.use")}}, Contact: "datenschutz@musterstadt.example"}
}

const article = `<p>Ein Modus ist eine Vereinbarung mit Ende. Sie starten ihn mit einem Klick; er endet von selbst, auch wenn der Server steht.</p>
<h2>Starten</h2><ol><li>Öffnen Sie die Klasse.</li><li>Tippen Sie auf einen Modus.</li></ol>
<h2>Was die Formen bedeuten</h2><table><thead><tr><th>Form</th><th>Bedeutung</th></tr></thead><tbody><tr><td>Kreis mit Haken</td><td>aktiv: Das Gerät hat es zurückgelesen.</td></tr></tbody></table>
<blockquote><p>Nichts wird behauptet, was nicht bekannt ist.</p></blockquote>`

var visitorsOfPupils = []Sample{
	{"pupil-now", "Öffentlich", func(f web.Frame) templ.Component {
		return web.PupilNow(web.PupilNowPage{Frame: f, Key: "k", Device: "MS-0388", School: "Goethe-Gymnasium", Seen: at(9, 52), Modes: []web.PupilMode{{Kind: web.ModeSites, What: []string{"geogebra.org", "de.wikipedia.org"}, By: "Frau Oert", Ends: until}},
			Set: settingsSample()})
	}},
	{"pupil-now-free", "Öffentlich", func(f web.Frame) templ.Component {
		return web.PupilNow(web.PupilNowPage{Frame: f, Key: "k", Device: "MS-0388", School: "Goethe-Gymnasium", Seen: at(9, 52)})
	}},
	{"pupil-sees", "Öffentlich", func(f web.Frame) templ.Component {
		return web.PupilSees(pupilSees(f, f.Lang))
	}},
	{"pupil-sees-arabic", "Öffentlich", func(f web.Frame) templ.Component { return web.PupilSees(pupilSees(f, "ar")) }},
	{"pupil-sees-turkish", "Öffentlich", func(f web.Frame) templ.Component { return web.PupilSees(pupilSees(f, "tr")) }},
	{"pupil-sees-russian", "Öffentlich", func(f web.Frame) templ.Component { return web.PupilSees(pupilSees(f, "ru")) }},
	{"pupil-sees-ukrainian", "Öffentlich", func(f web.Frame) templ.Component {
		p := pupilSees(f, "uk")
		p.Set, p.Looks, p.Contact = nil, nil, ""
		return web.PupilSees(p)
	}},
	{"help", "Öffentlich", func(f web.Frame) templ.Component {
		return web.Help(web.HelpPage{Frame: teacher(f, web.NavHelp), Sections: []web.HelpSection{{Title: "Unterricht", Pages: []web.HelpLink{{Title: "Einen Modus starten", Summary: "In zwei Klicks, und wie er endet.", URL: "/hilfe/modus"}, {Title: "Freigabecode", Summary: "Wenn ein Gerät keine Verbindung hat.", URL: "/hilfe/freigabecode"}}}}})
	}},
	{"help-article", "Öffentlich", func(f web.Frame) templ.Component {
		return web.HelpArticle(web.HelpArticlePage{Frame: teacher(f, web.NavHelp), Title: "Einen Modus starten", HTML: article, Contents: []web.HelpLink{{Title: "Einen Modus starten", URL: "/hilfe/modus", Current: true}, {Title: "Freigabecode", URL: "/hilfe/freigabecode"}}, Next: &web.HelpLink{Title: "Freigabecode", URL: "/hilfe/freigabecode"}})
	}},
	{"demo", "Öffentlich", func(f web.Frame) templ.Component {
		s := stage(f)
		s.Story = []web.DemoStep{{At: ago(40 * time.Second), What: say("active")}, {At: at(9, 52), What: say("started")}}
		return web.Demo(demo(f, s))
	}},
	{"demo-trouble", "Öffentlich", func(f web.Frame) templ.Component {
		s := stage(f)
		s.Cable, s.Server, s.ClockOff, s.Speed = false, false, 24*time.Hour, 10
		s.Screen.Connected = false
		s.Tile.State, s.Tile.Seen, s.Tile.Reason = web.StateUnreachable, ago(90*time.Second), because("held_without_contact")
		s.Story = []web.DemoStep{{At: ago(10 * time.Second), What: say("clock")}, {At: ago(40 * time.Second), What: say("server_off")}, {At: ago(90 * time.Second), What: say("cable_out")}}
		return web.Demo(demo(f, s))
	}},
	{"demo-begin", "Öffentlich", func(f web.Frame) templ.Component {
		s := stage(f)
		s.Mode, s.Screen.Modes, s.Tile.State = nil, nil, web.StateReady
		return web.Demo(demo(f, s))
	}},
	{"demo-off-fragment", "Öffentlich", func(f web.Frame) templ.Component {
		s := stage(f)
		s.Screen.On, s.OOB = false, true
		return web.DemoStageFragment(s)
	}},
}
