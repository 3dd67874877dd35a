package sample

import (
	"time"

	"github.com/a-h/templ"
	"schulwart.org/web"
)

func groupPage(f web.Frame) web.GroupPage {
	var members []web.Member
	for i, row := range rows()[:6] {
		m := web.Member{Device: web.DeviceRef{ID: row.ID, Name: row.Name}, Person: row.Person, State: row.State, Seen: row.Seen, Imported: i%2 == 0}
		if i == 3 {
			m.From, m.Until = at(0, 0), at(0, 0).AddDate(0, 0, 14)
		}
		members = append(members, m)
	}
	return web.GroupPage{
		Frame: admin(f, web.NavGroups), Row: web.GroupRow{Group: class7b, Devices: 24, From: at(0, 0).AddDate(0, -3, 0), Until: at(0, 0).AddDate(0, 8, 0)}, Room: "204", Imported: "klassen.csv",
		Members: members, Pager: web.Pager{Next: "?after=x", Shown: 6, Total: 24}, Teachers: []web.DeviceRef{{ID: "p1", Name: "Frau Oert"}}, Staff: []web.Option{{}, {Value: "p2", Label: "Herr Adler"}}, MayEdit: true,
	}
}

var made = web.MadeCode{Invite: true, Name: "Anna Oert", Email: "oert@goethe-gym.example", Code: "KRBT-7MQ2", URL: "https://mdm.musterstadt.example/einladung/9f31c2", QR: code("https://mdm.musterstadt.example/einladung/9f31c2"), ValidUntil: now.Add(7 * 24 * time.Hour)}

var oert = web.PersonRow{ID: "p1", Name: "Anna Oert", Email: "oert@goethe-gym.example", Roles: []web.RoleAt{{Role: web.RoleTeacher, Place: "Goethe-Gymnasium", PlaceID: "s1"}}, LastSeen: ago(2 * time.Hour), Factor: true}

var roleOptions = []web.Option{{Value: "teacher", Chosen: true}, {Value: "school_admin"}, {Value: "trainee"}, {Value: "read_only"}}

var offices = []Sample{
	{"groups", "Gruppen und Personen", func(f web.Frame) templ.Component {
		running := offline(false)
		return web.Groups(web.GroupsPage{Frame: admin(f, web.NavGroups), Kinds: options("", "", "class", "course", "room", "set"), Any: true, MayEdit: true, Pager: web.Pager{Shown: 4, Total: 31}, Rows: []web.GroupRow{
			{Group: class7b, Devices: 24, Teachers: []string{"Frau Oert"}, Mode: &running, Until: at(0, 0).AddDate(0, 8, 0)},
			{Group: group("g7a", "7a", web.KindClass), Devices: 26, Teachers: []string{"Herr Adler", "Frau Yıldız"}},
			{Group: group("kb", "Koffer B", web.KindSet), Devices: 16},
			{Group: group("r301", "Raum 301", web.KindRoom), Devices: 15}}})
	}},
	{"groups-empty", "Gruppen und Personen", func(f web.Frame) templ.Component {
		return web.Groups(web.GroupsPage{Frame: admin(f, web.NavGroups), MayEdit: true})
	}},
	{"group", "Gruppen und Personen", func(f web.Frame) templ.Component { return web.Group(groupPage(f)) }},
	{"group-set", "Gruppen und Personen", func(f web.Frame) templ.Component {
		p := groupPage(f)
		p.Row = web.GroupRow{Group: group("kb", "Koffer B", web.KindSet)}
		p.Members, p.Teachers, p.Imported, p.Room, p.QR = nil, nil, "", "", code("https://mdm.musterstadt.example/mein-tag/koffer?group=kb")
		return web.Group(p)
	}},
	{"group-edit", "Gruppen und Personen", func(f web.Frame) templ.Component {
		return web.GroupEdit(web.GroupEditPage{Frame: admin(f, web.NavGroups), ID: "g7b", Name: "7b", Kind: web.KindClass, Room: "204", From: "2026-08-17", Until: "2026-07-31", Problem: &web.Problem{Key: "group.ends_before_start", Field: "until"}})
	}},
	{"group-new", "Gruppen und Personen", func(f web.Frame) templ.Component {
		return web.GroupEdit(web.GroupEditPage{Frame: admin(f, web.NavGroups), Kind: web.KindSet, Schools: []web.Option{{Value: "s1", Label: "Goethe-Gymnasium"}}})
	}},
	{"group-devices", "Gruppen und Personen", func(f web.Frame) templ.Component {
		return web.GroupDevices(web.GroupDevicesPage{Frame: admin(f, web.NavGroups), Group: class7b, Rows: rows(), Inside: map[string]bool{"d1": true}, Pager: web.Pager{Next: "?after=x", Shown: 12, Total: 640}})
	}},
	{"people", "Gruppen und Personen", func(f web.Frame) templ.Component {
		adler, new, locked := oert, oert, oert
		adler.Name, adler.Email, adler.Factor, adler.Roles = "Jens Adler", "adler@goethe-gym.example", false, []web.RoleAt{{Role: web.RoleTeacher, Place: "Goethe-Gymnasium"}, {Role: web.RoleSchoolAdmin, Place: "Goethe-Gymnasium"}}
		new.Name, new.Email, new.Invited, new.LastSeen, new.Factor = "Defne Yıldız", "yildiz@goethe-gym.example", true, time.Time{}, false
		locked.Name, locked.Email, locked.Locked, locked.LastSeen = "Kim Wolf", "wolf@goethe-gym.example", true, ago(400*24*time.Hour)
		return web.People(web.PeoplePage{Frame: admin(f, web.NavPeople), Roles: append([]web.Option{{}}, roleOptions...), Rows: []web.PersonRow{oert, adler, new, locked}, Pager: web.Pager{Shown: 4, Total: 4}, MayInvite: true})
	}},
	{"person-invite", "Gruppen und Personen", func(f web.Frame) templ.Component {
		return web.InvitePerson(web.InvitePersonPage{Frame: admin(f, web.NavPeople), Roles: roleOptions, Groups: []web.Option{{Value: "g7b", Label: "7b"}, {Value: "g9a", Label: "9a"}}})
	}},
	{"person", "Gruppen und Personen", func(f web.Frame) templ.Component {
		return web.PersonDetail(web.PersonPage{Frame: admin(f, web.NavPeople), Row: oert, Groups: []web.GroupRef{class7b}, Roles: roleOptions, Places: []web.Option{{Value: "s1", Label: "Goethe-Gymnasium"}}, MayEdit: true})
	}},
	{"person-made", "Gruppen und Personen", func(f web.Frame) templ.Component {
		row := oert
		row.Invited, row.LastSeen, row.Factor = true, time.Time{}, false
		return web.PersonDetail(web.PersonPage{Frame: admin(f, web.NavPeople), Row: row, Roles: roleOptions, MayEdit: true, Made: &made})
	}},
	{"invite-sheet", "Gruppen und Personen", func(f web.Frame) templ.Component {
		return web.InviteSheet(web.InviteSheetPage{Frame: admin(f, web.NavPeople), School: "Goethe-Gymnasium", Made: made})
	}},
	{"import", "Gruppen und Personen", func(f web.Frame) templ.Component {
		return web.Import(web.ImportPage{Frame: admin(f, web.NavImport), What: "devices", Earlier: []web.ImportRow{{ID: "i1", File: "klassen.csv", What: "groups", At: ago(90 * 24 * time.Hour), By: "Herr Brandt", State: "done", Created: 31, Updated: 2}, {ID: "i2", File: "geraete.csv", What: "devices", At: ago(time.Hour), By: "Herr Brandt", State: "preview"}}})
	}},
	{"import-map", "Gruppen und Personen", func(f web.Frame) templ.Component {
		return web.ImportMap(web.ImportMapPage{Frame: admin(f, web.NavImport), ID: "i2", File: "geraete.csv", What: "devices", Rows: 640,
			Columns: []web.ImportColumn{{Title: "Inv.-Nr.", Sample: []string{"MS-0380", "MS-0381"}, Field: "name"}, {Title: "Seriennummer", Sample: []string{"PF3K1800", "PF3K1807"}, Field: "serial"}, {Title: "Kl.", Sample: []string{"7b", "7b"}, Field: "groups"}, {Title: "Bemerkung", Sample: []string{"", "Kratzer"}}},
			Fields:  []web.ImportField{{Name: "name", Required: true}, {Name: "serial"}, {Name: "groups"}, {Name: "person"}}})
	}},
	{"import-preview", "Gruppen und Personen", func(f web.Frame) templ.Component {
		return web.ImportPreview(web.ImportPreviewPage{Frame: admin(f, web.NavImport), ID: "i2", File: "geraete.csv", What: "devices", Create: 12, Update: 38, Remove: 3, Same: 587, Warn: true, Percent: 8.3, More: 50,
			Rows:   []web.ImportChange{{Line: 14, Kind: "create", Name: "MS-0641", New: "7b"}, {Line: 20, Kind: "update", Name: "MS-0388", Old: "7a", New: "7b"}, {Line: 0, Kind: "remove", Name: "MS-0102", Old: "9c"}},
			Faults: []web.ImportFault{{Line: 77, Problem: web.Problem{Key: "roster.no_name"}}}})
	}},
	{"import-done", "Gruppen und Personen", func(f web.Frame) templ.Component {
		return web.ImportDone(web.ImportDonePage{Frame: admin(f, web.NavImport), File: "geraete.csv", What: "devices", At: now, Created: 12, Updated: 38, Removed: 3, Skipped: 1})
	}},
}
