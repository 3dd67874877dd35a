package sample

import (
	"fmt"
	"time"

	"github.com/a-h/templ"
	"schulwart.org/web"
)

// curve is a morning of contacts: a hill at each bell.
func curve() web.Curve {
	c := web.Curve{From: at(6, 0), Step: 10 * time.Minute, Until: at(17, 0), Bells: []time.Time{at(8, 0), at(8, 45), at(9, 50), at(10, 35), at(11, 30), at(13, 15), at(15, 0)}}
	for _, n := range []int{3, 2, 4, 5, 9, 14, 30, 62, 118, 204, 260, 331, 410, 288, 190, 120, 96, 88, 142, 236, 171, 118, 104, 240, 301} {
		c.Values = append(c.Values, n)
	}
	return c
}

func schoolPage(f web.Frame) web.SchoolPage {
	sites := web.RunningMode{ID: "m8", Kind: web.ModeSites, What: "Mathematik 7", By: "Herr Adler", Starts: at(9, 55), Ends: until}
	ticked := web.RunningMode{ID: "m9", Kind: web.ModeOffline, By: "Frau Oert", Starts: at(9, 58), Ends: until, Devices: 5}
	follow := 94
	return web.SchoolPage{
		Follow: &follow,
		Frame:  admin(f, web.NavSchool), School: "Goethe-Gymnasium", Authority: "Landeshauptstadt Musterstadt",
		Period: &web.Period{Number: 3, Start: at(9, 50), End: until}, Teaching: true,
		Devices: 640, Seen: 612, CheckedAt: at(10, 3), Deviating: 7, Missing: 5, Curve: curve(),
		Running: []web.SchoolMode{
			{Group: class7b, Mode: offline(false)}, {Group: group("g7a", "7a", web.KindClass), Mode: sites},
			{Names: []string{"GYM-0001", "GYM-0002", "GYM-0003"}, Mode: ticked},
		},
		Todo: []web.Todo{
			{Urgency: "today", What: say("deviating", "count", 7), URL: web.With(web.PathDevices, "state", "deviating")},
			{Urgency: "soon", What: say("missing", "count", 5), URL: web.With(web.PathDevices, "seen", "14d")},
			{Urgency: "open", What: say("bells"), URL: web.PathSettings}},
	}
}

func options(chosen string, values ...string) []web.Option {
	var all []web.Option
	for _, value := range values {
		all = append(all, web.Option{Value: value, Chosen: value == chosen})
	}
	return all
}

func rows() []web.DeviceRow {
	states := []web.State{web.StateActive, web.StateActive, web.StateDeviating, web.StateUnreachable, web.StateReady, web.StateDelivered}
	var all []web.DeviceRow
	for i := range 12 {
		row := web.DeviceRow{ID: fmt.Sprintf("d%d", i), Name: fmt.Sprintf("MS-%04d", 380+i), Person: pupils[i], Serial: fmt.Sprintf("PF3K%04d", 1800+i*7), Platform: web.PlatformLinux, System: "Debian 12", Groups: []string{"7b", "Koffer B"}[:1+i%2], State: states[i%len(states)], Seen: ago(time.Duration(2+i*i*40) * time.Second)}
		switch row.State {
		case web.StateDeviating:
			row.Reason = because("browser.stayed")
		case web.StateUnreachable:
			row.Reason, row.Seen = because("not_received"), ago(52*time.Hour)
		}
		all = append(all, row)
	}
	all[10].Platform, all[10].System, all[11].Simulated = web.PlatformIPadOS, "iPadOS 26.1", true
	return all
}

func devicesPage(f web.Frame) web.DevicesPage {
	return web.DevicesPage{
		Frame: admin(f, web.NavDevices), Any: true, MayEnrol: true,
		States:   options("", "", "active", "delivered", "deviating", "unreachable", "ready"),
		Platform: options("", "", web.PlatformLinux, web.PlatformIPadOS),
		Groups:   []web.Option{{}, {Value: "g7b", Label: "7b"}, {Value: "kb", Label: "Koffer B"}},
		Seen:     options("", "", "today", "14d", "never"),
		Rows:     rows(), Pager: web.Pager{Next: "/geraete?after=x", Shown: 12, Total: 640},
	}
}

func devicePage(f web.Frame) web.DevicePage {
	return web.DevicePage{
		Frame: admin(f, web.NavDevices), ID: "d23", Name: "MS-0388", Holder: "Yuna I.", Serial: "PF3K1861", Model: "ThinkPad L13", Platform: web.PlatformLinux, System: "Debian 12",
		School: "Goethe-Gymnasium", Groups: []web.GroupRef{class7b}, Seen: ago(4 * time.Second), State: web.StateActive,
		Modes: []web.DeviceMode{{Mode: offline(false), State: web.StateActive, Since: at(9, 52).Add(time.Second), Seen: ago(4 * time.Second), Parts: []web.PartState{
			{Part: "network", Status: web.PartOK}, {Part: "browser", Status: web.PartPending, Why: because("browser.restart-at", "at", "10:04")}}}},
		Rules: []web.Rule{
			{Name: "mode", Value: say("mode", "mode", say("mode.offline")), From: say("mode", "by", "Frau Oert", "until", until), State: web.StateActive, Fixed: true}},
		Settings: settingsSample(), MayPolicies: true,
		Facts: []web.Fact{
			{Name: "hostname", Text: "ms-0388"}, {Name: "agent", Text: "1.0.2"}, {Name: "battery", Value: because("percent", "n", 81)},
			{Name: "disk", Value: because("disk", "free", "41 GB", "total", "128 GB")}, {Name: "encrypted", Value: because("no"), Trouble: true},
			{Name: "clock", Value: because("clock_ahead", "by", 12*time.Second)}, {Name: "certificate", Value: because("until", "until", now.AddDate(0, 9, 0))}},
		History: []web.HistoryEntry{
			{At: at(9, 58), What: say("tamper.repaired", "part", "network")}, {At: at(9, 52), By: "Frau Oert", What: say("mode_started", "kind", "offline", "until", until)},
			{At: at(7, 51), What: say("agent.started")}, {At: ago(96 * time.Hour), By: "Herr Brandt", What: say("audit.device_write")}, {At: ago(90 * 24 * time.Hour), What: say("enrolled")}},
		MoreHistory: "/geraete/d23?before=x", PupilURL: web.To(web.PathPupilNow, "k"), MayEdit: true, MayRelease: true, MayRetire: true,
		Commands: []web.Command{{Name: "DeviceInformation", State: web.StateEnded, At: at(8, 2)}},
	}
}

var token = web.TokenRow{ID: "t1", Target: "7b", Note: "Lieferung August", Uses: 3, MaxUses: 30, Expires: now.Add(22 * time.Hour), By: "Herr Brandt"}

const (
	tokenURL    = "https://mdm.musterstadt.example:8443/enroll/eyJhbGciOiJFZERTQSJ9.eyJqdGkiOiIwMUpEMlpLOSIsInVzZXMiOjMwfQ.c2lnbmF0dXJl"
	fingerprint = "3F:7A:11:0C:9D:52:E8:40:B6:1F:73:2A:C4:88:05:9E"
)

var schools = []Sample{
	{"school", "Schule", func(f web.Frame) templ.Component { return web.School(schoolPage(f)) }},
	{"school-quiet", "Schule", func(f web.Frame) templ.Component {
		p := schoolPage(f)
		p.Teaching, p.Period, p.Running, p.Todo, p.Deviating, p.Missing, p.Curve = false, nil, nil, nil, 0, 0, web.Curve{From: at(6, 0), Until: at(17, 0)}
		return web.School(p)
	}},
	{"school-overdue", "Schule", func(f web.Frame) templ.Component {
		p := schoolPage(f)
		p.Overdue = 1
		p.Todo = append([]web.Todo{{Urgency: "today", What: say("overdue", "count", 1), URL: web.PathDevices}}, p.Todo...)
		return web.School(p)
	}},
	{"school-empty", "Schule", func(f web.Frame) templ.Component {
		return web.School(web.SchoolPage{Frame: admin(f, web.NavSchool), School: "Goethe-Gymnasium", Authority: "Landeshauptstadt Musterstadt", Todo: []web.Todo{{Urgency: "open", What: say("first_device"), URL: web.PathTokenNew}}})
	}},
	{"devices", "Schule", func(f web.Frame) templ.Component { return web.Devices(devicesPage(f)) }},
	{"devices-none", "Schule", func(f web.Frame) templ.Component {
		p := devicesPage(f)
		p.Query, p.Rows = "Tafel", nil
		return web.Devices(p)
	}},
	{"devices-empty", "Schule", func(f web.Frame) templ.Component {
		return web.Devices(web.DevicesPage{Frame: admin(f, web.NavDevices), MayEnrol: true})
	}},
	{"device", "Schule", func(f web.Frame) templ.Component { return web.Device(devicePage(f)) }},
	{"device-leaving", "Schule", func(f web.Frame) templ.Component {
		p := devicePage(f)
		p.Retired, p.Leaving, p.MayEdit, p.MayRetire = now, until, false, false
		p.Modes[0].State, p.Modes[0].Mode.MayEnd = web.StateUnreachable, false
		return web.Device(p)
	}},
	{"device-plain", "Schule", func(f web.Frame) templ.Component {
		p := devicePage(f)
		p.Settings = nil
		p.Modes, p.Rules, p.Facts, p.History, p.Commands, p.MoreHistory = nil, nil, nil, nil, nil, ""
		p.State, p.Seen, p.Simulated, p.Reason = web.StateUnreachable, time.Time{}, true, because("never_seen")
		return web.Device(p)
	}},
	{"device-retire", "Schule", func(f web.Frame) templ.Component {
		return web.DeviceRetire(web.DeviceRetirePage{Frame: admin(f, web.NavDevices), ID: "d23", Name: "MS-0388", Modes: 1, Groups: 2})
	}},
	{"tokens", "Schule", func(f web.Frame) templ.Component {
		old, gone := token, token
		old.Target, old.Expires, old.Uses = "Goethe-Gymnasium", ago(time.Hour), 30
		gone.Target, gone.Revoked = "Koffer B", true
		return web.Tokens(web.TokensPage{Frame: admin(f, web.NavEnrolment), Rows: []web.TokenRow{token, old, gone}, Pager: web.Pager{Shown: 3, Total: -1}, MayMake: true})
	}},
	{"tokens-empty", "Schule", func(f web.Frame) templ.Component {
		return web.Tokens(web.TokensPage{Frame: admin(f, web.NavEnrolment), MayMake: true})
	}},
	{"token-new", "Schule", func(f web.Frame) templ.Component {
		return web.TokenNew(web.TokenNewPage{Frame: admin(f, web.NavEnrolment), Targets: []web.Option{{Value: "s", Label: "Goethe-Gymnasium"}, {Value: "g7b", Label: "7b", Chosen: true}}, Uses: 30, Hours: 24})
	}},
	{"token", "Schule", func(f web.Frame) templ.Component {
		return web.Token(web.TokenPage{Frame: admin(f, web.NavEnrolment), Row: token, URL: tokenURL, QR: code(tokenURL), Fingerprint: fingerprint, Command: "sudo schulwart-agent enroll '" + tokenURL + "'", MayRevoke: true, Serials: []string{"PF3K1800", "PF3K1807"},
			Used: []web.TokenUse{{Device: web.DeviceRef{ID: "d1", Name: "MS-0381"}, Serial: "PF3K1807", At: at(9, 12)}}})
	}},
	{"token-revoked", "Schule", func(f web.Frame) templ.Component {
		row := token
		row.Revoked = true
		return web.Token(web.TokenPage{Frame: admin(f, web.NavEnrolment), Row: row})
	}},
	{"token-link", "Schule", func(f web.Frame) templ.Component {
		return web.TokenLink(web.TokenLinkPage{Frame: f, ID: "t1", School: "Goethe-Gymnasium", Group: "7b", Expires: now.Add(24 * time.Hour), QR: code(tokenURL), Command: "sudo schulwart-agent enroll '" + tokenURL + "'"})
	}},
	{"token-link-gone", "Schule", func(f web.Frame) templ.Component {
		return web.TokenLink(web.TokenLinkPage{Frame: f, ID: "t1", Problem: &web.Problem{Key: "token.expired"}})
	}},
	{"token-sheet", "Schule", func(f web.Frame) templ.Component {
		return web.TokenSheet(web.TokenSheetPage{Frame: admin(f, web.NavEnrolment), Row: token, School: "Goethe-Gymnasium", URL: tokenURL, QR: code(tokenURL), Fingerprint: fingerprint, Command: "sudo schulwart-agent enroll '" + tokenURL + "'"})
	}},
	{"settings", "Schule", func(f web.Frame) templ.Component {
		return web.Settings(web.SettingsPage{Frame: admin(f, web.NavSettings), Name: "Goethe-Gymnasium", Short: "GG", Bells: "08:00-08:45\n08:50-09:35\n09:50-25:35\n", FilterURL: "#", DefaultMinutes: 45, Problem: &web.Problem{Key: "school.bad_bells", Field: "bells", Args: map[string]any{"line": 3}}})
	}},
}
