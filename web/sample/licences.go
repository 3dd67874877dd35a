package sample

import (
	"time"

	"github.com/a-h/templ"

	"schulwart.org/web"
)

func poolRows() []web.PoolRow {
	return []web.PoolRow{
		{ID: "l2", Title: "Krita", Place: "Goethe-Gymnasium", School: true, Total: 30, Used: 30, Waiting: 7, Note: "Vertrag 2026-118", MayWrite: true},
		{ID: "l1", Title: "GeoGebra", Place: "Landeshauptstadt Musterstadt", Total: 500, Used: 463, Cents: 490, Currency: "EUR", Until: now.AddDate(0, 8, 4), Ends: 246, RunsOut: now.AddDate(0, 0, 24), MayWrite: true},
		{ID: "l3", Title: "Moodle", Place: "Goethe-Gymnasium", School: true, Total: 200, Used: 41, Until: now.AddDate(0, 0, -5), Ends: -5, Over: true, MayWrite: true},
		{ID: "l4", Title: "LibreOffice", Place: "Goethe-Gymnasium", School: true, Total: 200, Used: 41, MayWrite: true},
	}
}

func licenceForm() web.LicenceForm {
	return web.LicenceForm{
		Places: []web.Option{{Value: "authority/a1", Label: "Landeshauptstadt Musterstadt (Schulträger)"}, {Value: "school/s1", Label: "Goethe-Gymnasium (Schule)", Chosen: true}},
		Apps:   []web.Option{{Value: "deb/geogebra-classic", Label: "GeoGebra", Chosen: true}, {Value: "appimage/krita", Label: "Krita"}}, Currencies: []web.Option{{Value: "EUR", Label: "EUR", Chosen: true}, {Value: "CHF", Label: "CHF"}},
	}
}

func without() []web.LicenceDevice {
	return []web.LicenceDevice{{ID: "d7", Name: "MS-0418", School: "Goethe-Gymnasium", Waits: true}, {ID: "d8", Name: "MS-0419", School: "Goethe-Gymnasium", Waits: true}, {ID: "d9", Name: "RS-0007", School: "Realschule am See", Waits: true}}
}

var licences = []Sample{
	{"licences", "Apps", func(f web.Frame) templ.Component {
		return web.Licences(web.LicencesPage{Frame: admin(f, web.NavApps), Rows: poolRows(), MayWrite: true, Form: licenceForm()})
	}},
	{"licences-empty", "Apps", func(f web.Frame) templ.Component {
		return web.Licences(web.LicencesPage{Frame: admin(f, web.NavApps), MayWrite: true, Form: licenceForm()})
	}},
	{"licences-change", "Apps", func(f web.Frame) templ.Component {
		form := licenceForm()
		form.Total = "20"
		return web.Licences(web.LicencesPage{Frame: admin(f, web.NavApps), Rows: poolRows(), MayWrite: true, Form: form,
			Change: &web.LicenceChange{Title: "Krita", Place: "Goethe-Gymnasium", Total: 20, Before: 30, Used: 20, Waits: 17, Lose: 10, LoseWho: without()}})
	}},
	{"licence", "Apps", func(f web.Frame) templ.Component {
		devices := append([]web.LicenceDevice{{ID: "d1", Name: "MS-0412", School: "Goethe-Gymnasium", Since: ago(300 * time.Hour)}, {ID: "d2", Name: "MS-0413", School: "Goethe-Gymnasium", Since: ago(20 * time.Hour)}}, without()...)
		return web.Licence(web.LicencePage{Frame: admin(f, web.NavApps), Row: poolRows()[0], Devices: devices, Total: 37, Form: licenceForm(), Change: &web.LicenceChange{}})
	}},
	{"licence-nobody", "Apps", func(f web.Frame) templ.Component {
		return web.Licence(web.LicencePage{Frame: admin(f, web.NavApps), Row: web.PoolRow{ID: "l5", Title: "Krita", Place: "Goethe-Gymnasium", Total: 10}})
	}},
	{"app-preview-short", "Apps", func(f web.Frame) templ.Component {
		p := appPage(f)
		p.Preview = &web.RolloutPreview{Rings: rolloutPage(f, "draft", "").Rings, Now: true, Total: 1412, Short: web.Shortage{Needed: 1412, Without: 912, Names: without()}}
		return web.App(p)
	}},
	{"rollout-short", "Apps", func(f web.Frame) templ.Component {
		p := rolloutPage(f, "running", "")
		p.Rings[2].Waiting, p.Short = 40, web.Shortage{Needed: 1412, Without: 40, Names: without()}
		return web.Rollout(p)
	}},
}
