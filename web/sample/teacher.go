package sample

import (
	"time"

	"github.com/a-h/templ"
	"schulwart.org/web"
)

func group(id, name string, kind web.GroupKind) web.GroupRef {
	return web.GroupRef{ID: id, Name: name, Kind: kind}
}

var until = at(10, 35)

func teaching() []web.TeachingGroup {
	return []web.TeachingGroup{
		{Group: class7b, Devices: 24, Attention: 3, Modes: []web.RunningMode{offline(true)}},
		{Group: group("g9a", "9a", web.KindClass), Devices: 27, Planned: &web.RunningMode{Kind: web.ModeFocus, What: "GeoGebra", Starts: at(11, 45), Ends: at(12, 30), Planned: true}},
		{Group: group("g8c", "8c Informatik", web.KindCourse), Devices: 21, Substitute: &web.Substitution{For: "Herr Adler", Until: until}, StandIns: []web.StandIn{{By: "Frau Yilmaz", Until: until}}},
		{Group: group("kb", "Koffer B", web.KindSet), Devices: 16, Borrowed: &until},
	}
}

var teachers = []Sample{
	{"day", "Lehrkraft", func(f web.Frame) templ.Component {
		return web.Day(web.DayPage{Frame: teacher(f, web.NavDay), Period: &web.Period{Number: 3, Start: at(9, 50), End: at(10, 35)}, Groups: teaching()})
	}},
	{"day-empty", "Lehrkraft", func(f web.Frame) templ.Component {
		return web.Day(web.DayPage{Frame: teacher(f, web.NavDay)})
	}},
	{"lessons", "Lehrkraft", func(f web.Frame) templ.Component {
		ended := offline(true)
		return web.Lessons(web.LessonsPage{Frame: teacher(f, web.NavLessons), Groups: teaching(), Recent: []web.RecentMode{
			{Group: class7b, Mode: ended, EndedAt: at(8, 45)},
			{Group: group("g9a", "9a", web.KindClass), Mode: web.RunningMode{Kind: web.ModeFocus, What: "GeoGebra"}, EndedAt: at(8, 31), Early: true},
			{Group: class7b, Mode: web.RunningMode{Kind: web.ModeScreen}, EndedAt: ago(70 * time.Hour)}}})
	}},
	{"choose", "Lehrkraft", func(f web.Frame) templ.Component {
		return web.Choose(web.ChoosePage{Frame: teacher(f, web.NavDay), Groups: []web.GroupChoice{
			{Group: class7b, Devices: 24, Teachers: []string{"Frau Oert"}, Chosen: true},
			{Group: group("g7a", "7a", web.KindClass), Devices: 26, Teachers: []string{"Herr Adler", "Frau Yıldız"}},
			{Group: group("g9a", "9a", web.KindClass), Devices: 27, Chosen: true},
			{Group: group("r301", "Raum 301", web.KindRoom), Devices: 15}}})
	}},
	{"substitute", "Lehrkraft", func(f web.Frame) templ.Component {
		return web.Substitute(web.SubstitutePage{Frame: teacher(f, web.NavDay), Query: "8", Until: until, Groups: []web.GroupChoice{
			{Group: group("g8a", "8a", web.KindClass), Devices: 25, Teachers: []string{"Frau Yıldız"}},
			{Group: group("g8c", "8c Informatik", web.KindCourse), Devices: 21, Teachers: []string{"Herr Adler"}}}})
	}},
	{"borrow", "Lehrkraft", func(f web.Frame) templ.Component {
		return web.Borrow(web.BorrowPage{Frame: teacher(f, web.NavDay), Until: until, Asked: "kb", Sets: []web.SetChoice{
			{Group: group("kb", "Koffer B", web.KindSet), Devices: 16, HeldBy: "Herr Adler", Until: until},
			{Group: group("ka", "Koffer A", web.KindSet), Devices: 16},
			{Group: group("kc", "Koffer C", web.KindSet), Devices: 12, Mine: true, Until: until}}})
	}},
	{"sites", "Lehrkraft", func(f web.Frame) templ.Component {
		return web.Sites(web.SitesPage{Frame: teacher(f, web.NavSites), Lists: []web.SiteListRow{
			{ID: "l1", Name: "Mathematik 7", Hosts: []string{"www.geogebra.org", "de.wikipedia.org", "lernen.goethe-gym.example"}, More: 3, MayEdit: true},
			{ID: "l2", Name: "Wörterbücher", Hosts: []string{"www.dwds.example", "dict.example"}, Owner: "Herr Adler", Shared: true}}})
	}},
	{"sites-empty", "Lehrkraft", func(f web.Frame) templ.Component {
		return web.Sites(web.SitesPage{Frame: teacher(f, web.NavSites)})
	}},
	{"site", "Lehrkraft", func(f web.Frame) templ.Component {
		return web.Site(web.SitePage{Frame: teacher(f, web.NavSites), ID: "l1", Name: "Mathematik 7", Hosts: "www.geogebra.org\nde.wikipedia.org\n", MayEdit: true, Shared: true})
	}},
	{"site-new", "Lehrkraft", func(f web.Frame) templ.Component {
		return web.Site(web.SitePage{Frame: teacher(f, web.NavSites), MayEdit: true, Problem: &web.Problem{Key: "roster.no_name", Field: "name"}})
	}},
	{"rehearsal", "Lehrkraft", func(f web.Frame) templ.Component {
		f = teacher(f, web.NavDay)
		pretend := group("probe", "Probeklasse", web.KindClass)
		tile := web.TilePart{Frame: f, Group: "probe", Device: "p0", Name: "Probegerät", Battery: 80, State: web.StateActive, Since: ago(4 * time.Second), Seen: ago(2 * time.Second), Mode: "m1", Code: true, Simulated: true}
		return web.Rehearsal(web.RehearsalPage{Frame: f, Group: pretend, Live: live(f, pretend, []web.TilePart{tile}, offline(true)), Screen: screen(f, web.PupilMode{Kind: web.ModeOffline, By: "Frau Oert", Ends: until})})
	}},
	{"screen-lock-fragment", "Lehrkraft", func(f web.Frame) templ.Component {
		return web.PupilScreenFragment(screen(f, web.PupilMode{Kind: web.ModeScreen, By: "Frau Oert", Message: "Bitte hört Mia zu.", Ends: now.Add(3 * time.Minute)}))
	}},
}

func screen(f web.Frame, modes ...web.PupilMode) web.PupilScreen {
	return web.PupilScreen{Frame: f, Device: "Probegerät", On: true, Connected: true, Modes: modes, Clock: now, Since: ago(3 * time.Second)}
}

var visitors = []Sample{
	{"login", "Anmeldung", func(f web.Frame) templ.Component { return web.Login(web.LoginPage{Frame: f}) }},
	{"login-fault", "Anmeldung", func(f web.Frame) templ.Component {
		return web.Login(web.LoginPage{Frame: f, Email: "oert@goethe-gym.example", Problem: &web.Problem{Key: "staff.bad_login_or_password"}, Wait: 8})
	}},
	{"second-factor", "Anmeldung", func(f web.Frame) templ.Component {
		return web.SecondFactor(web.SecondFactorPage{Frame: f, Problem: &web.Problem{Key: "staff.bad_factor", Field: "code"}})
	}},
	{"invite-code", "Anmeldung", func(f web.Frame) templ.Component { return web.InviteCode(web.InviteCodePage{Frame: f}) }},
	{"invite", "Anmeldung", func(f web.Frame) templ.Component {
		return web.Invite(web.InvitePage{Frame: f, Token: "t", Name: "Anna Oert", Email: "oert@goethe-gym.example", Place: "Goethe-Gymnasium", Roles: []web.Role{web.RoleTeacher}, InvitedBy: "Herr Brandt", ValidUntil: now.Add(7 * 24 * time.Hour), Problem: &web.Problem{Key: "staff.password_short", Field: "password", Args: map[string]any{"least": 10}}})
	}},
	{"reset", "Anmeldung", func(f web.Frame) templ.Component { return web.Reset(web.ResetPage{Frame: f}) }},
	{"signed-out", "Anmeldung", func(f web.Frame) templ.Component { return web.SignedOut(web.SignedOutPage{Frame: f}) }},
	{"error-404", "Anmeldung", func(f web.Frame) templ.Component {
		return web.Error(web.ErrorPage{Frame: f, Status: 404, RequestID: "01JD2ZK9"})
	}},
	{"error-403", "Anmeldung", func(f web.Frame) templ.Component {
		return web.Error(web.ErrorPage{Frame: teacher(f, ""), Status: 403, RequestID: "01JD2ZKB"})
	}},
	{"error-500", "Anmeldung", func(f web.Frame) templ.Component {
		return web.Error(web.ErrorPage{Frame: f, Status: 500, RequestID: "01JD2ZKC"})
	}},
	{"offline", "Anmeldung", func(f web.Frame) templ.Component { return web.Offline(web.OfflinePage{Frame: f}) }},
	{"account", "Anmeldung", func(f web.Frame) templ.Component {
		return web.Account(web.AccountPage{Frame: teacher(f, ""), Email: "oert@goethe-gym.example", Roles: []web.Role{web.RoleTeacher},
			Begin:    &web.SecondFactorSetup{Secret: "JBSWY3DPEHPK3PXPJBSWY3DP", QR: code("otpauth://totp/Schulwart:oert?secret=JBSWY3DPEHPK3PXP")},
			Sessions: []web.Session{{ID: "1", Browser: "Firefox, Android", From: "203.0.113.7", This: true}, {ID: "2", Browser: "Chromium, Linux", From: "198.51.100.20", Seen: ago(26 * time.Hour)}},
			Looks:    []web.Look{{At: ago(50 * time.Hour), By: "Herr Brandt", What: say("staff.read")}}})
	}},
	{"account-plain", "Anmeldung", func(f web.Frame) templ.Component {
		return web.Account(web.AccountPage{Frame: teacher(f, ""), Email: "oert@goethe-gym.example", Roles: []web.Role{web.RoleTeacher}, SecondFactor: true, Problem: &web.Problem{Key: "staff.old_password_wrong", Field: "old"}})
	}},
}
