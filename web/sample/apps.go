package sample

import (
	"time"

	"github.com/a-h/templ"

	"schulwart.org/web"
)

func appRows() []web.AppRow {
	return []web.AppRow{
		{ID: "p1", Title: "GeoGebra", Kind: "deb", Name: "geogebra-classic", Version: "6.2-1", Size: 84_213_760, By: "Frau Lang", At: ago(26 * time.Hour)},
		{ID: "p2", Title: "Krita", Kind: "appimage", Name: "krita", Version: "5.2.9", Size: 312_213_760, By: "Herr Brandt", At: ago(300 * time.Hour)},
		{ID: "p3", Title: "Moodle", Kind: "webapp", Name: "moodle.schule.example", Version: "1", By: "Frau Lang", At: ago(600 * time.Hour), Everywhere: true},
	}
}

func rolloutRow(state, why string) web.RolloutRow {
	return web.RolloutRow{ID: "r1", Title: "GeoGebra 6.2-1", State: state, Why: why, Changed: ago(3 * time.Hour), By: "Frau Lang"}
}

func rolloutPage(f web.Frame, state, why string) web.RolloutPage {
	return web.RolloutPage{
		Frame: admin(f, web.NavApps), Row: rolloutRow(state, why), AppID: "p1", Name: "GeoGebra", Version: "6.2-1", Former: "6.1-3", Where: 3, Count: 15, Of: 341, Allowed: 3, Deadline: now.AddDate(0, 0, 18),
		Opens: now.Add(4 * time.Hour), Rate: 2000,
		Steps: []web.RolloutStep{
			{At: ago(3 * time.Hour), What: "halts", Ring: 3, Where: 3, Count: 15, Of: 341}, {At: ago(20 * time.Hour), What: "ring", Ring: 3}, {At: ago(68 * time.Hour), What: "ring", Ring: 2},
			{At: ago(90 * time.Hour), What: "resume", By: "Frau Lang", Ring: 1}, {At: ago(92 * time.Hour), What: "pause", By: "Herr Brandt", Ring: 1}, {At: ago(94 * time.Hour), What: "start", By: "Frau Lang", Ring: 1},
		},
		Sites: []web.RolloutSite{
			{Name: "Goethe-Gymnasium", Line: 1, Devices: 214, FromServer: 93 << 20, FromPeers: 18 << 30}, {Name: "Goethe-Gymnasium", Line: 2, Devices: 31, FromServer: 88 << 20, FromPeers: 2600 << 20, Liars: 1},
			{Name: "Grundschule am Park", Devices: 58, FromServer: 91 << 20, FromPeers: 4900 << 20}, {Name: "Goethe-Gymnasium", Single: true, Devices: 7, FromServer: 616 << 20},
		},
		Rings: []web.RolloutRing{
			{Kind: "group", Place: "Raum 204", Devices: 26, Verified: 26, State: "passed"}, {Kind: "share", Share: 5, Devices: 70, Verified: 69, Failed: 1, State: "passed"},
			{Kind: "share", Share: 25, Devices: 341, Verified: 134, Failed: 15, Unable: 2, State: map[bool]string{true: "halted", false: "open"}[state == "halted"], Since: ago(20 * time.Hour)},
			{Kind: "all", Devices: 975, State: "ahead"},
		},
	}
}

var apps = []Sample{
	{"apps", "Apps", func(f web.Frame) templ.Component {
		return web.Apps(web.AppsPage{Frame: admin(f, web.NavApps), Rows: appRows(), Rollouts: []web.RolloutRow{rolloutRow("halted", "failed"), {ID: "r2", Title: "Krita 5.2.9", State: "waiting", Changed: ago(time.Hour), By: "Herr Brandt"}},
			Room:   []web.AppRoom{{Place: "Alle Schulträger", Used: 12_300_000_000, Most: 50_000_000_000}, {Place: "Landeshauptstadt Musterstadt", Used: 47_900_000_000, Most: 50_000_000_000}},
			Scopes: []web.Option{{Value: "", Label: "Alle Schulträger"}, {Value: "a1", Label: "Landeshauptstadt Musterstadt"}}})
	}},
	{"apps-empty", "Apps", func(f web.Frame) templ.Component {
		return web.Apps(web.AppsPage{Frame: admin(f, web.NavApps), Scopes: []web.Option{{Value: "a1", Label: "Landeshauptstadt Musterstadt"}}, Problem: &web.Problem{Key: "package.bad_url", Field: "url"}, Title: "Moodle", URL: "moodle"})
	}},
	{"app", "Apps", func(f web.Frame) templ.Component { return web.App(appPage(f)) }},
	{"app-preview", "Apps", func(f web.Frame) templ.Component {
		p := appPage(f)
		p.Preview = &web.RolloutPreview{Rings: rolloutPage(f, "draft", "").Rings, Opens: now.Add(4 * time.Hour), Former: "6.1-3", Total: 1412}
		return web.App(p)
	}},
	{"rollout-halted", "Apps", func(f web.Frame) templ.Component {
		p := rolloutPage(f, "halted", "failed")
		p.Actions = []string{"rollback", "retry", "resume"}
		p.Reasons = []web.RolloutReason{{Code: "disk.full", Devices: 13}, {Code: "package.unsaid", Devices: 2}}
		return web.Rollout(p)
	}},
	{"rollout-waiting", "Apps", func(f web.Frame) templ.Component {
		p := rolloutPage(f, "waiting", "")
		p.Actions = []string{"rollback", "pause"}
		return web.Rollout(p)
	}},
	{"rollout-paused", "Apps", func(f web.Frame) templ.Component {
		p := rolloutPage(f, "halted", "paused")
		p.Actions = []string{"rollback", "resume"}
		return web.Rollout(p)
	}},
	{"rollout-back", "Apps", func(f web.Frame) templ.Component { return web.Rollout(rolloutPage(f, "rolled_back", "")) }},
	{"rollout-devices", "Apps", func(f web.Frame) templ.Component {
		return web.RolloutDevices(web.RolloutDevicesPage{Frame: admin(f, web.NavApps), Row: rolloutRow("halted", "failed"), Ring: 3, Total: 341, Pager: web.Pager{Shown: 4, Total: 341, Next: "#"}, Reasons: []web.RolloutReason{{Code: "disk.full", Devices: 14}}, Filter: []web.Option{{Value: "", Label: "Alle", Chosen: true}, {Value: "failed", Label: "Fehlgeschlagen"}},
			Rows: []web.RolloutDevice{
				{ID: "d1", Name: "MS-0412", Ring: 3, Outcome: "failed", Offered: true, Present: "6.1-3", Reason: &web.RolloutReason{Code: "disk.full"}, Said: ago(2 * time.Hour), Tries: 3},
				{ID: "d2", Name: "MS-0413", Ring: 3, Outcome: "verified", Offered: true, Present: "6.2-1", Said: ago(3 * time.Hour), Tries: 1},
				{ID: "d3", Name: "MS-0414", Ring: 3, Offered: true}, {ID: "d4", Name: "MS-0415", Ring: 4},
			}})
	}},
	{"rollout-devices-none", "Apps", func(f web.Frame) templ.Component {
		return web.RolloutDevices(web.RolloutDevicesPage{Frame: admin(f, web.NavApps), Row: rolloutRow("running", ""), How: "failed"})
	}},
	{"rollout-do", "Apps", func(f web.Frame) templ.Component {
		return web.RolloutDo(web.RolloutDoPage{Frame: admin(f, web.NavApps), Row: rolloutRow("halted", "failed"), Do: "rollback", Devices: 437, Have: 229, Begun: 16, Version: "6.1-3", Possible: true})
	}},
	{"rollout-do-gone", "Apps", func(f web.Frame) templ.Component {
		return web.RolloutDo(web.RolloutDoPage{Frame: admin(f, web.NavApps), Row: rolloutRow("rolled_back", ""), Do: "pause"})
	}},
}

func appPage(f web.Frame) web.AppPage {
	return web.AppPage{
		Frame: admin(f, web.NavApps), Row: appRows()[0], Text: "Dynamische Mathematik für Unterricht und Zuhause.", Architecture: "amd64", Licence: "GPL-3.0-or-later", Source: "https://www.geogebra.org",
		SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", Depends: []string{"libc6 (>= 2.36)", "libgtk-3-0"}, MayRemove: true, MayRun: true,
		Form: web.RolloutForm{
			Targets: []web.Option{{Value: "authority/a1", Label: "Landeshauptstadt Musterstadt (Schulträger)"}, {Value: "school/s1", Label: "Goethe-Gymnasium (Schule)", Chosen: true}},
			First:   []web.Option{{Value: "", Label: "keine eigene Gruppe"}, {Value: "g1", Label: "Raum 204"}}, Rings: []web.Option{{Value: "careful", Chosen: true}, {Value: "quick"}, {Value: "all"}},
			Windows: []web.Option{{Value: "any"}, {Value: "friday", Chosen: true}}, Failed: "2", Verified: "10", Hours: "24", Sharing: []web.Option{{Value: "together", Chosen: true}, {Value: "alone"}}, Rate: "2000",
		},
	}
}
