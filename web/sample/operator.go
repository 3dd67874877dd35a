package sample

import (
	"time"

	"github.com/a-h/templ"
	"schulwart.org/web"
)

func call(f web.Frame, advice string) web.CallPage {
	f = helpdesk(f)
	args := []any{"name", "MS-0388", "by", "Frau Oert", "kind", "offline", "until", until.Format(time.RFC3339)}
	device := devicePage(f)
	return web.CallPage{Frame: f, ID: "d23", Name: "MS-0388", Holder: "Yuna I.", School: "Goethe-Gymnasium", Groups: []string{"7b"}, System: "Debian 12", Seen: ago(4 * time.Second), State: web.StateActive,
		Modes: device.Modes, Cause: say(advice, args...), Step: say(advice, args...), Sentence: say(advice, args...), MayRelease: true, History: device.History}
}

func operations(f web.Frame) web.OperationsPage {
	return web.OperationsPage{
		Frame:        operator(f, web.NavOperations),
		Certificates: []web.CertificateRow{{Name: "console", Subject: "mdm.musterstadt.example", NotAfter: now.AddDate(0, 0, 12)}, {Name: "devices", Subject: "mdm.musterstadt.example", NotAfter: now.AddDate(0, 5, 0), Auto: true}, {Name: "authority", Subject: "Schulwart Musterstadt", NotAfter: now.AddDate(9, 0, 0)}},
		Backup:       web.BackupState{Target: "/mnt/sicherung", Last: at(2, 0), Size: 1_420_000_000, Next: at(2, 0).AddDate(0, 0, 1)},
		Mail:         web.MailState{Host: "mail.musterstadt.example", Last: at(7, 40)},
		Database:     web.DatabaseState{Kind: "sqlite", Size: 2_300_000_000, Free: 88_000_000_000, Queue: 14},
		Agents:       web.AgentState{Connected: 9412, Polling: 37, Versions: []web.VersionRow{{Version: "1.0.2", Platform: "linux", Devices: 9120}, {Version: "0.9.8", Platform: "linux", Devices: 329, Old: true}}},
		Key:          web.KeyState{ID: "k2", Made: ago(90 * 24 * time.Hour), Others: 0}, MayRun: true, Restart: []web.SetupStep{web.SetupCertificate},
		ServerSince: ago(12 * 24 * time.Hour), ServerVersion: "1.0.2", Commit: "4f3c1a9", Checks: checks(),
	}
}

func checks() []web.SetupCheck {
	return []web.SetupCheck{
		{State: web.StepOK, What: say("address.name", "door", "public", "host", "mdm.musterstadt.example", "addresses", "203.0.113.10")},
		{State: web.StepFailed, What: say("listeners.reached", "door", "device", "url", "https://mdm.musterstadt.example:8443"), Mend: because("door_refused"), Detail: "dial tcp 203.0.113.10:8443: connect: connection refused"},
	}
}

func setup(f web.Frame, step web.SetupStep) web.SetupPage {
	return web.SetupPage{Frame: f, Step: step, States: map[web.SetupStep]web.StepState{web.SetupAddress: web.StepOK, web.SetupListeners: web.StepFailed, web.SetupMail: web.StepSkipped},
		Address:     web.SetupAddressForm{PublicURL: "https://mdm.musterstadt.example", DeviceURL: "https://mdm.musterstadt.example:8443"},
		Certificate: web.SetupCertificateForm{Way: "files", CertFile: "/etc/schulwart/server.pem", KeyFile: "/etc/schulwart/server.key", Fingerprint: fingerprint, NotAfter: now.AddDate(1, 0, 0)},
		Mail:        web.SetupMailForm{Host: "mail.musterstadt.example", Port: "587", User: "schulwart", Sender: "schulwart@musterstadt.example"},
		Backup:      web.SetupBackupForm{Directory: "/mnt/sicherung", Hour: 2, NewKey: "AGE-SECRET-KEY-1QQPQYZ…"},
		Done:        web.SetupDoneInfo{Skipped: []web.SetupStep{web.SetupMail}, LoginURL: web.PathLogin, TokenURL: web.PathTokenNew}}
}

func setups() []Sample {
	var all []Sample
	for _, step := range web.SetupSteps() {
		all = append(all, Sample{"setup-" + string(step), "Einrichten", func(f web.Frame) templ.Component {
			p := setup(f, step)
			if step == web.SetupListeners || step == web.SetupAddress {
				p.Checks = checks()
			}
			if step == web.SetupMail {
				p.Problem = &web.Problem{Key: "mail.connect", Args: map[string]any{"host": "mail.musterstadt.example"}, Field: "host"}
			}
			return web.Setup(p)
		}})
	}
	return all
}

var operators = []Sample{
	{"helpdesk", "Hotline und Betrieb", func(f web.Frame) templ.Component {
		return web.Helpdesk(web.HelpdeskPage{Frame: helpdesk(f)})
	}},
	{"helpdesk-found", "Hotline und Betrieb", func(f web.Frame) templ.Component {
		return web.Helpdesk(web.HelpdeskPage{Frame: helpdesk(f), Query: "MS-038", Rows: rows()[:4], More: true})
	}},
	{"helpdesk-none", "Hotline und Betrieb", func(f web.Frame) templ.Component {
		return web.Helpdesk(web.HelpdeskPage{Frame: helpdesk(f), Query: "XY"})
	}},
	{"call", "Hotline und Betrieb", func(f web.Frame) templ.Component { return web.Call(call(f, "mode")) }},
	{"call-offline", "Hotline und Betrieb", func(f web.Frame) templ.Component {
		p := call(f, "held_offline")
		p.State, p.Since, p.Seen = web.StateUnreachable, at(9, 57), at(9, 57)
		p.Reason = because("held_without_contact")
		p.Code = &web.ReleasePart{Frame: p.Frame, URL: web.To(web.PathCall, "d23"), Device: "MS-0388", Mode: web.ModeOffline, Ends: until, Code: "41876203", ValidUntil: at(10, 5)}
		return web.Call(p)
	}},
	{"schools", "Hotline und Betrieb", func(f web.Frame) templ.Component {
		return web.Schools(web.SchoolsPage{Frame: operator(f, web.NavSchools), MaySchool: true, MayAuthority: true, Pager: web.Pager{Shown: 3, Total: 3}, Authorities: []web.AuthorityRow{
			{ID: "a1", Name: "Landeshauptstadt Musterstadt", Devices: 12840, Schools: []web.SchoolRow{{ID: "s1", Name: "Goethe-Gymnasium", Devices: 640, Seen: 612, Deviating: 7, Modes: 4, URL: "/schule?school=s1"}, {ID: "s2", Name: "Grundschule am See", Devices: 122, Seen: 97, URL: "/schule?school=s2"}}},
			{ID: "a2", Name: "Kreis Beispiel"}}})
	}},
	{"school-new", "Hotline und Betrieb", func(f web.Frame) templ.Component {
		return web.SchoolNew(web.SchoolNewPage{Frame: operator(f, web.NavSchools), Authorities: []web.Option{{Value: "a1", Label: "Landeshauptstadt Musterstadt"}}})
	}},
	{"authority-new", "Hotline und Betrieb", func(f web.Frame) templ.Component {
		return web.AuthorityNew(web.AuthorityNewPage{Frame: operator(f, web.NavSchools), Timezone: "Europa/Berlin", Problem: &web.Problem{Key: "authority.bad_timezone", Field: "timezone"}})
	}},
	{"operations", "Hotline und Betrieb", func(f web.Frame) templ.Component { return web.Operations(operations(f)) }},
	{"operations-key", "Betrieb", func(f web.Frame) templ.Component {
		return web.KeyRotate(web.KeyRotatePage{Frame: operator(f, web.NavOperations), Key: web.KeyState{ID: "k2", Made: ago(90 * 24 * time.Hour)}, Until: now.AddDate(0, 0, 30)})
	}},
	{"operations-bare", "Hotline und Betrieb", func(f web.Frame) templ.Component {
		p := operations(f)
		p.Backup, p.Mail, p.Checks = web.BackupState{}, web.MailState{}, nil
		p.Database.Kind, p.Database.Free = "postgres", -1
		return web.Operations(p)
	}},
	{"audit", "Hotline und Betrieb", func(f web.Frame) templ.Component {
		return web.Audit(web.AuditPage{Frame: operator(f, web.NavAudit), What: options("", "", "mode", "device", "staff"), Pager: web.Pager{Next: "?before=x", Shown: 3, Total: -1}, Export: "/protokoll?csv=1",
			Chain: web.ChainState{OK: true, Checked: at(10, 0), Sealed: 48213, Open: 2},
			Rows: []web.AuditRow{
				{ID: "3", At: at(9, 52), By: "Frau Oert", From: "203.0.113.7", What: say("mode.start"), Target: "7b", After: "offline, 10:35"},
				{ID: "2", At: at(8, 30), By: "Herr Brandt", From: "198.51.100.4", What: say("device.write"), Target: "MS-0388", Before: "MS-388", After: "MS-0388", Sealed: true},
				{ID: "1", At: at(7, 58), By: "Stundenplan", From: "API", What: say("roster.import"), Target: "klassen.csv", Sealed: true}}})
	}},
	{"audit-broken", "Hotline und Betrieb", func(f web.Frame) templ.Component {
		return web.Audit(web.AuditPage{Frame: operator(f, web.NavAudit), What: options("", ""), Chain: web.ChainState{Checked: at(10, 0), BrokenAt: "01JD2ZK9"}, From: "2026-11-01"})
	}},
	{"programs", "Hotline und Betrieb", func(f web.Frame) templ.Component {
		return web.Programs(web.ProgramsPage{Frame: operator(f, web.NavPrograms), Roles: roleOptions, Days: 90, Made: "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJzdHVuZGVucGxhbiJ9.c2ln", Rows: []web.ProgramRow{
			{ID: "1", Name: "Stundenplan", Role: web.RoleSchoolAdmin, Place: "Goethe-Gymnasium", By: "Herr Brandt", Made: ago(20 * 24 * time.Hour), Expires: now.AddDate(0, 3, 0), Used: ago(time.Hour)},
			{ID: "2", Name: "Altes Skript", Role: web.RoleReadOnly, Place: "Goethe-Gymnasium", By: "Frau Lang", Made: ago(300 * 24 * time.Hour), Expires: now.AddDate(0, -1, 0), Revoked: true}}})
	}},
	{"programs-empty", "Hotline und Betrieb", func(f web.Frame) templ.Component {
		return web.Programs(web.ProgramsPage{Frame: operator(f, web.NavPrograms), Roles: roleOptions, Days: 90})
	}},
}
