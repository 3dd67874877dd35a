package sample

import (
	"time"

	"github.com/a-h/templ"

	"schulwart.org/web"
)

func shelfPage(f web.Frame) web.ShelfPage {
	return web.ShelfPage{
		Frame: admin(f, web.NavApps), School: "Goethe-Gymnasium", MayWrite: true,
		Requests: []web.AppRequest{
			{ID: "q1", Title: "Krita", Why: "Für den Kunstkurs in der 9a.", Who: "Frau Oert", At: ago(5 * time.Hour), Known: true, Answer: "open"},
			{ID: "q2", Title: "Audacity", Who: "Herr Adler", At: ago(30 * time.Hour), Answer: "open"},
			{ID: "q3", Title: "Minecraft", Who: "Herr Adler", At: ago(200 * time.Hour), Known: true, Answer: "refused", Reason: "Dafür fehlt uns die Lizenz.", By: "Frau Lang"},
		},
		Rows:  []web.ShelfRow{{ID: "e1", Title: "GeoGebra", Version: "6.2-1", For: "all", Picked: 41, By: "Frau Lang"}, {ID: "e2", Title: "Krita", Version: "5.2.9", For: "pupils", Group: "9a", By: "Frau Lang"}, {ID: "e3", Title: "Moodle", Version: "1", For: "teachers", Teacher: "Frau Oert", By: "Frau Lang"}},
		Picks: []web.Pick{pick("there", "", "Frau Oert"), pick("waiting", "package.lesson", ""), pick("unlicensed", "", "")},
		Apps:  []web.Option{{Value: "p1", Label: "GeoGebra 6.2-1"}, {Value: "p2", Label: "Krita 5.2.9"}}, For: []web.Option{{Value: "all", Chosen: true}, {Value: "pupils"}, {Value: "teachers"}},
		Groups: []web.Option{{Value: "", Label: "ganze Schule"}, {Value: "g1", Label: "9a"}},
	}
}

func pick(state, reason, by string) web.Pick {
	p := web.Pick{ID: "w1", Device: web.DeviceRef{ID: "d1", Name: "MS-0412"}, Title: "GeoGebra", State: state, By: by, At: ago(2 * time.Hour)}
	if reason != "" {
		p.Reason = &web.RolloutReason{Code: reason}
	}
	return p
}

func pickRows() []web.PickRow {
	there, waiting, lacks := pick("there", "", ""), pick("installing", "", ""), pick("unlicensed", "", "")
	return []web.PickRow{
		{ID: "e1", Title: "GeoGebra", Text: "Dynamische Mathematik für Unterricht und Zuhause.", Licence: "GPL-3.0-or-later"},
		{ID: "e2", Title: "Krita", Text: "Malen und Zeichnen.", Licence: "GPL-3.0-only", Cents: 490, Currency: "EUR", Counted: true, Free: 3, Pick: &there, Mine: true},
		{ID: "e3", Title: "Audacity", Pick: &waiting, Mine: true},
		{ID: "e4", Title: "Kahoot", Cents: 1250, Currency: "EUR", Counted: true, Pick: &lacks, Mine: true},
	}
}

func pupilApps(f web.Frame, tongue string) web.PupilAppsPage {
	return web.PupilAppsPage{Frame: f, Key: "k", Device: "MS-0388", School: "Goethe-Gymnasium", Tongue: tongue, Rows: pickRows()}
}

var shelves = []Sample{
	{"shelf", "Apps", func(f web.Frame) templ.Component { return web.Shelf(shelfPage(f)) }},
	{"shelf-empty", "Apps", func(f web.Frame) templ.Component {
		p := shelfPage(f)
		p.Rows, p.Picks, p.Requests = nil, nil, nil
		return web.Shelf(p)
	}},
	{"shelf-read", "Apps", func(f web.Frame) templ.Component {
		p := shelfPage(f)
		p.MayWrite, p.Requests = false, nil
		return web.Shelf(p)
	}},
	{"teacher-apps", "Apps", func(f web.Frame) templ.Component {
		return web.TeacherApps(web.TeacherAppsPage{Frame: teacher(f, web.NavDay), Key: "k", Device: "MS-0021", Rows: pickRows(), Requests: shelfPage(f).Requests, Missing: []web.Option{{Value: "", Label: "eine andere"}, {Value: "p9", Label: "Inkscape"}}})
	}},
	{"teacher-apps-none", "Apps", func(f web.Frame) templ.Component {
		return web.TeacherApps(web.TeacherAppsPage{Frame: teacher(f, web.NavDay), Problem: &web.Problem{Key: "request.no_title", Field: "title"}})
	}},
	{"pupil-apps", "Öffentlich", func(f web.Frame) templ.Component { return web.PupilApps(pupilApps(f, f.Lang)) }},
	{"pupil-apps-arabic", "Öffentlich", func(f web.Frame) templ.Component { return web.PupilApps(pupilApps(f, "ar")) }},
	{"pupil-apps-ukrainian", "Öffentlich", func(f web.Frame) templ.Component {
		p := pupilApps(f, "uk")
		p.Many = true
		return web.PupilApps(p)
	}},
	{"pupil-apps-turkish", "Öffentlich", func(f web.Frame) templ.Component {
		p := pupilApps(f, "tr")
		p.Rows = nil
		return web.PupilApps(p)
	}},
	{"pupil-apps-russian", "Öffentlich", func(f web.Frame) templ.Component { return web.PupilApps(pupilApps(f, "ru")) }},
}
