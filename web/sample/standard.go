package sample

import (
	"time"

	"github.com/a-h/templ"
	"schulwart.org/web"
)

// Fields of the samples, as the catalogue describes them.
var (
	denyField   = web.PolicyField{Family: "webfilter", Name: "deny", Kind: web.KindNames, Merge: "union", Form: "host"}
	onlyField   = web.PolicyField{Family: "webfilter", Name: "only", Kind: web.KindNames, Merge: "nearest", Form: "host"}
	accessField = web.PolicyField{Family: "usb-storage", Name: "access", Kind: web.KindChoice, Merge: "strictest", Choices: []string{"allowed", "read-only", "blocked"}}
)

func names(list ...string) web.PolicyValue { return web.PolicyValue{Set: true, Names: list} }

func chosen(choice string) web.PolicyValue { return web.PolicyValue{Set: true, Text: choice} }

// Places of the samples.
var (
	everywhere = web.PolicyPlace{Level: "operator", ID: "alle", URL: web.To(web.PathPlacePolicies, "operator", "alle")}
	city       = web.PolicyPlace{Level: "authority", ID: "a1", Name: "Landeshauptstadt Musterstadt", URL: web.To(web.PathPlacePolicies, "authority", "a1")}
	goethe     = web.PolicyPlace{Level: "school", ID: "s1", Name: "Goethe-Gymnasium", URL: web.To(web.PathPlacePolicies, "school", "s1")}
	room204    = web.PolicyPlace{Level: "group", ID: "g204", Name: "Raum 204", URL: web.To(web.PathPlacePolicies, "group", "g204")}
)

func says(place web.PolicyPlace, value web.PolicyValue, effect string) web.PolicySource {
	return web.PolicySource{Place: place, Value: value, Effect: effect}
}

func abilities(linux, windows, mac, ipad string) []web.PolicyAbility {
	return []web.PolicyAbility{
		{Platform: web.PlatformLinux, Ability: linux}, {Platform: web.PlatformWindows, Ability: windows}, {Platform: web.PlatformMacOS, Ability: mac},
		{Platform: web.PlatformIPadOS, Ability: ipad, Supervised: ipad != web.NotPossible, Since: "16.1"}}
}

var (
	filterAbilities = abilities(web.Enforced, web.NotPossible, web.NotPossible, web.Unverified)
	usbAbilities    = abilities(web.Reported, web.Unverified, web.Unverified, web.Unverified)
)

var openDraft = web.DraftRef{ID: "e1", Title: "Soziale Netzwerke am Vormittag", State: web.DraftOpen, By: "Herr Brandt", Changed: at(9, 41), Place: goethe, Changes: 2}

func policiesPage(f web.Frame) web.PoliciesPage {
	deny := names("games.example", "social.example", "casino.example", "wetten.example", "streams.example")
	return web.PoliciesPage{
		Frame: admin(f, web.NavPolicies), Place: goethe, Above: []web.PolicyPlace{everywhere, city}, Below: []web.PolicyPlace{room204}, Any: true, MayWrite: true, MayTake: true, Ending: 1, Presets: []string{"grundschule", "weiterfuehrende-schule", "lehrkraft", "computerraum", "klassensatz", "leihgeraet", "pruefung"},
		Drafts: []web.DraftRef{openDraft},
		Topics: []web.PolicyTopic{
			{Topic: "web", Families: []web.PolicyCard{{Family: "webfilter", Here: "adds", Exceptions: 1, Lines: []web.PolicyLine{
				{Field: denyField, Value: deny, From: []web.PolicySource{says(city, names("games.example", "casino.example", "wetten.example"), "decides"), says(goethe, names("social.example", "streams.example"), "adds")}}}}}},
			{Topic: "device", Families: []web.PolicyCard{{Family: "usb-storage", Lines: []web.PolicyLine{
				{Field: accessField, Value: chosen("read-only"), Hold: "locked", From: []web.PolicySource{says(everywhere, chosen("allowed"), "overridden"), says(city, chosen("read-only"), "tightens"), says(goethe, chosen("allowed"), "locked-out")}}}}}},
			{Topic: "look", Families: []web.PolicyCard{{Family: "usb-storage"}, {Family: "webfilter"}}},
		},
	}
}

func editPage(f web.Frame) web.PolicyEditPage {
	networks := web.PolicyField{Family: "webfilter", Name: "networks", Kind: web.KindEntries, Merge: "union", Key: "ssid", Fields: []web.PolicyField{
		{Family: "webfilter", In: "networks", Name: "ssid", Kind: web.KindText, Required: true}, {Family: "webfilter", In: "networks", Name: "password", Kind: web.KindText, Form: "password", Secret: true},
		{Family: "webfilter", In: "networks", Name: "hidden", Kind: web.KindFlag}}}
	return web.PolicyEditPage{
		Frame: admin(f, web.NavPolicies), Draft: openDraft, Place: goethe, Family: "webfilter", Platforms: filterAbilities, Below: true, Action: "#", DropURL: "#",
		Others:   []web.PolicyFamilyLink{{Family: "webfilter", URL: "#", Current: true}, {Family: "usb-storage", URL: "#"}},
		Problems: []web.Problem{{Key: "policy.not_host", Field: "deny.2", Args: map[string]any{"value": "social"}}},
		Fields: []web.EditField{
			{Def: denyField, Value: names("social.example", "streams.example"), Raw: "social.example\nsocial\nstreams.example", Effective: names("games.example", "casino.example", "wetten.example", "a.example", "b.example"),
				Above: []web.PolicySource{says(everywhere, names("games.example"), "decides"), says(city, names("casino.example", "wetten.example"), "adds")}, Platforms: filterAbilities, Deviate: "#"},
			{Def: onlyField, Platforms: abilities(web.NotPossible, web.NotPossible, web.NotPossible, web.Unverified)},
			{Def: accessField, Effective: chosen("read-only"), AboveHold: "locked", Above: []web.PolicySource{says(city, chosen("read-only"), "decides")}, Platforms: usbAbilities, Deviate: "#"},
			{Def: accessField2, Value: chosen("allowed"), Hold: "locked", Effective: chosen("read-only"), Above: []web.PolicySource{says(city, chosen("read-only"), "decides")}, Platforms: usbAbilities, Deviate: "#", Heard: "looser"},
			{Def: web.PolicyField{Family: "screen-lock", Name: "after", Kind: web.KindNumber, Merge: "strictest", Unit: "minutes", Min: 1, Max: 60}, Value: web.PolicyValue{Set: true, Number: 15}, Platforms: usbAbilities},
			{Def: web.PolicyField{Family: "screen-lock", Name: "guest", Kind: web.KindFlag, Merge: "strictest"}, Value: web.PolicyValue{Set: true}, Platforms: usbAbilities},
			{Def: networks, Value: web.PolicyValue{Set: true, Entries: []web.PolicyEntry{{"ssid": {Set: true, Text: "GG-Schule"}, "password": {Hidden: true}, "hidden": {Set: true}}, {}}}, Platforms: usbAbilities},
		},
	}
}

var accessField2 = func() web.PolicyField {
	d := accessField
	d.Name = "access2"
	return d
}()

func draftPage(f web.Frame) web.DraftPage {
	d := openDraft
	d.Title, d.Place, d.By = "Webfilter der Landeshauptstadt", city, "Frau Lang"
	deny := names("games.example", "casino.example", "social.example")
	return web.DraftPage{
		Frame: admin(f, web.NavPolicies), Draft: d, Reason: "Beschluss der Schulkonferenz vom 12. November.", MayEdit: true, MayDiscard: true, MayPropose: true, MayPilot: true, NeedsTwo: true,
		Groups: []web.Option{{Value: "g204", Label: "Raum 204", Detail: "24 Geräte"}},
		AddTo:  []web.PolicyFamilyLink{{Family: "usb-storage", URL: "#"}},
		Changes: []web.PolicyChange{
			{Place: city, Field: denyField, Before: names("games.example"), After: deny, Added: []string{"casino.example", "social.example"}, URL: "#"},
			{Place: city, Field: accessField, Before: chosen("allowed"), After: chosen("read-only"), HoldAfter: "locked", URL: "#"}},
		Impact: &web.Impact{
			Devices: 412, Schools: 9, Unable: 3, Looked: 640, MoreSchools: 6, At: now,
			Lines: []web.ImpactLine{
				{Field: denyField, Added: []string{"casino.example", "social.example"}, From: &city, Devices: 412},
				{Field: accessField, Before: chosen("allowed"), After: chosen("read-only"), From: &city, Devices: 388}},
			Where:      []web.ImpactSchool{{Name: "Goethe-Gymnasium", Devices: 214, URL: "#"}, {Name: "Regionale Schule Nord", Devices: 96, URL: "#"}, {Name: "Grundschule am See", Devices: 41, URL: "#"}},
			Unables:    []web.ImpactUnable{{Devices: 3, Platform: web.PlatformIPadOS, Field: accessField, Why: "supervision"}, {Devices: 388, Platform: web.PlatformLinux, Field: accessField, Why: "not-possible"}},
			Exceptions: []web.ImpactException{{Row: exceptionRow()}, {Row: exceptionRow(), Needless: true}},
			Lower:      []web.ImpactWord{{Place: goethe, Field: accessField, Value: chosen("allowed"), Effect: "looser", Devices: 24}},
		},
	}
}

func exceptionRow() web.ExceptionRow {
	return web.ExceptionRow{ID: "x1", Place: room204, Field: denyField, Value: names("streams.example"), TakesOut: true, Above: names("streams.example", "games.example"), Reason: "Podcast-AG arbeitet mit Aufnahmen von dort.", Owner: "Frau Adler", Starts: now.AddDate(0, -2, 0), Until: now.AddDate(0, 0, 3), Devices: 14}
}

func exceptionRows() []web.ExceptionRow {
	later, over := exceptionRow(), exceptionRow()
	later.ID, later.Place, later.Field, later.TakesOut, later.Value, later.Above, later.Until, later.Owner, later.Reason = "x2", goethe, accessField, false, chosen("allowed"), chosen("read-only"), now.AddDate(0, 0, 24), "Herr Brandt", "Abgabe der Facharbeiten auf Sticks bis zum Ende der Frist."
	over.ID, over.Over, over.EndedBy = "x3", true, "Frau Adler"
	return []web.ExceptionRow{exceptionRow(), later, over}
}

func revisionRow() web.RevisionRow {
	return web.RevisionRow{ID: "v1", Title: "Soziale Netzwerke am Vormittag", Reason: "Beschluss der Schulkonferenz vom 12. November.", By: "Herr Brandt", At: ago(50 * time.Hour), ApprovedBy: "Frau Lang", Place: goethe,
		Changes: []web.PolicyChange{{Place: goethe, Field: denyField, Added: []string{"social.example"}}, {Place: goethe, Field: accessField, Before: chosen("allowed"), After: chosen("read-only")}}}
}

func coveragePage(f web.Frame) web.CoveragePage {
	return web.CoveragePage{Frame: admin(f, web.NavPolicies),
		Modes: []web.CoverageMode{{Kind: web.ModeScreen, Platforms: filterAbilities}, {Kind: web.ModeOffline, Platforms: filterAbilities}},
		Topics: []web.CoverageTopic{
			{Topic: "web", Families: []web.CoverageFamily{{Family: "webfilter", Platforms: filterAbilities, Fields: []web.CoverageField{{Field: denyField, Platforms: filterAbilities}, {Field: onlyField, Platforms: abilities(web.NotPossible, web.NotPossible, web.NotPossible, web.Unverified)}}}}},
			{Topic: "device", Families: []web.CoverageFamily{{Family: "usb-storage", Platforms: usbAbilities}}}}}
}

var standards = []Sample{
	{"policies", "Richtlinien", func(f web.Frame) templ.Component { return web.Policies(policiesPage(f)) }},
	{"policies-none", "Richtlinien", func(f web.Frame) templ.Component {
		p := policiesPage(f)
		p.Topics, p.OnlyHere, p.Drafts, p.Ending, p.Below = nil, true, nil, 0, nil
		return web.Policies(p)
	}},
	{"policies-read", "Richtlinien", func(f web.Frame) templ.Component {
		p := policiesPage(f)
		p.MayWrite, p.MayTake, p.Presets, p.Place, p.FourEyes, p.EyesURL = false, false, nil, everywhere, true, "#"
		p.Proposals, p.Templates, p.TemplatesURL = proposals()[:1], []web.TemplateRow{templateRow()}, "#"
		return web.Policies(p)
	}},
	{"policy-edit", "Richtlinien", func(f web.Frame) templ.Component { return web.PolicyEdit(editPage(f)) }},
	{"drafts", "Richtlinien", func(f web.Frame) templ.Component {
		waits := openDraft
		waits.State, waits.By = web.DraftProposed, "Kim Lehr"
		return web.Drafts(web.DraftsPage{Frame: admin(f, web.NavPolicies), Waiting: []web.DraftRef{waits}, Open: []web.DraftRef{openDraft}})
	}},
	{"drafts-empty", "Richtlinien", func(f web.Frame) templ.Component {
		return web.Drafts(web.DraftsPage{Frame: admin(f, web.NavPolicies)})
	}},
	{"draft", "Richtlinien", func(f web.Frame) templ.Component { return web.Draft(draftPage(f)) }},
	{"draft-new", "Richtlinien", func(f web.Frame) templ.Component {
		p := draftPage(f)
		p.Changes, p.Impact, p.NeedsTwo, p.MayPilot, p.MayPropose = nil, nil, false, false, false
		return web.Draft(p)
	}},
	{"draft-approve", "Richtlinien", func(f web.Frame) templ.Component {
		p := draftPage(f)
		p.Draft.State, p.MayEdit, p.MayPropose, p.MayPilot, p.MayDiscard, p.MayApprove = web.DraftProposed, false, false, false, false, true
		return web.Draft(p)
	}},
	{"draft-pilot", "Richtlinien", func(f web.Frame) templ.Component {
		p := draftPage(f)
		p.Draft.State, p.MayPropose, p.MayPublish, p.MayPilot, p.MayEndPilot, p.NeedsTwo, p.MayEdit = web.DraftPilot, false, true, false, true, false, false
		p.Pilot = &web.PilotState{Group: "Raum 204", Since: at(8, 12), Devices: 24, Active: 20, Waiting: 2, Failed: 1, Absent: 1, Lines: []web.PilotLine{
			{ID: "d3", Name: "MS-0388", State: web.StateDeviating, Family: "webfilter", Reason: because("browser.stayed"), Seen: ago(time.Minute)}}}
		return web.Draft(p)
	}},
	{"draft-conflict", "Richtlinien", func(f web.Frame) templ.Component {
		p := draftPage(f)
		p.MayPropose, p.NeedsTwo = false, false
		p.Conflicts = []web.DraftConflict{{Family: "webfilter", Title: "Sperrliste Advent", By: "Frau Lang", At: at(9, 50), URL: "#", Changes: revisionRow().Changes[:1], Both: []web.PolicyField{denyField}}}
		p.Faults = []web.DraftFault{{Field: accessField, Problem: web.Problem{Key: "policy.deviates"}, Place: &city, Way: "#", Except: true}}
		p.Impact.Strands = []web.ImpactStrand{{Problem: web.Problem{Key: "policy.deviates"}, Field: accessField, School: "Goethe-Gymnasium", Devices: 3}}
		return web.Draft(p)
	}},
	{"draft-published", "Richtlinien", func(f web.Frame) templ.Component {
		p := draftPage(f)
		p.Draft.State, p.MayEdit, p.MayPropose, p.MayPilot, p.MayDiscard, p.Impact, p.ApprovedBy, p.From = web.DraftPublished, false, false, false, false, nil, "Frau Lang", &web.DraftSource{Kind: "school", Name: "Regionale Schule Nord"}
		return web.Draft(p)
	}},
	{"draft-groups", "Richtlinien", func(f web.Frame) templ.Component {
		p := draftPage(f)
		p.From, p.MoreGroups, p.GroupQuery = &web.DraftSource{Kind: "undo", Name: "Sperrliste Advent", URL: "#"}, true, "Raum"
		return web.Draft(p)
	}},
	{"draft-groups-none", "Richtlinien", func(f web.Frame) templ.Component {
		p := draftPage(f)
		p.From, p.Groups, p.GroupQuery = &web.DraftSource{Kind: "preset", Preset: "grundschule"}, nil, "Turnhalle"
		return web.Draft(p)
	}},
	{"four-eyes", "Richtlinien", func(f web.Frame) templ.Component {
		return web.FourEyes(web.EyesPage{Frame: admin(f, web.NavPolicies), Place: city, Above: []web.PolicyPlace{everywhere}, MayChange: true})
	}},
	{"four-eyes-on", "Richtlinien", func(f web.Frame) templ.Component {
		return web.FourEyes(web.EyesPage{Frame: admin(f, web.NavPolicies), Place: city, On: true, MayChange: true})
	}},
	{"four-eyes-asked", "Richtlinien", func(f web.Frame) templ.Component {
		return web.FourEyes(web.EyesPage{Frame: admin(f, web.NavPolicies), Place: city, On: true, AskedBy: "Frau Lang", AskedAt: ago(20 * time.Hour), MayChange: true, MayConfirm: true})
	}},
	{"impact-devices", "Richtlinien", func(f web.Frame) templ.Component {
		lines := draftPage(f).Impact.Lines
		for i := range lines {
			lines[i].Devices = 0
		}
		return web.ImpactDevices(web.ImpactDevicesPage{Frame: admin(f, web.NavPolicies), Draft: openDraft, School: "Goethe-Gymnasium", Devices: 214, Pager: web.Pager{Shown: 2, Total: 214, Next: "#"},
			Rows: []web.ImpactDevice{{ID: "d1", Name: "MS-0388", Lines: lines}, {ID: "d2", Name: "MS-0389", Lines: lines[:1], Unable: []web.ImpactUnable{{Field: accessField, Why: "supervision"}}}}})
	}},
	{"policy-history", "Richtlinien", func(f web.Frame) templ.Component {
		back, undone := revisionRow(), revisionRow()
		back.Undoes, back.Title, back.ApprovedBy = true, "Zurückgenommen: Soziale Netzwerke am Vormittag", ""
		undone.Undone = true
		return web.PolicyHistory(web.PolicyHistoryPage{Frame: admin(f, web.NavPolicies), Place: goethe, Above: []web.PolicyPlace{city}, Rows: []web.RevisionRow{back, undone, revisionRow()}, Pager: web.Pager{Shown: 3, Total: -1}})
	}},
	{"policy-history-empty", "Richtlinien", func(f web.Frame) templ.Component {
		return web.PolicyHistory(web.PolicyHistoryPage{Frame: admin(f, web.NavPolicies), Place: goethe})
	}},
	{"revision", "Richtlinien", func(f web.Frame) templ.Component {
		row := revisionRow()
		return web.Revision(web.RevisionPage{Frame: admin(f, web.NavPolicies), Above: []web.PolicyPlace{city}, Row: row, MayRevert: true, Asks: f.Lang == "en",
			Back: []web.PolicyChange{{Place: goethe, Field: denyField, Removed: []string{"social.example"}}, {Place: goethe, Field: accessField, Before: chosen("read-only"), After: chosen("allowed")}}})
	}},
	{"revision-later", "Richtlinien", func(f web.Frame) templ.Component {
		later := revisionRow()
		later.ID, later.Title, later.At = "v2", "Sperrliste Advent", at(8, 3)
		return web.Revision(web.RevisionPage{Frame: admin(f, web.NavPolicies), Row: revisionRow(), Later: []web.RevisionRow{later}, MayRevert: true})
	}},
	{"take-over", "Richtlinien", func(f web.Frame) templ.Component {
		return web.TakeOver(web.TakeOverPage{Frame: admin(f, web.NavPolicies), Place: goethe, Above: []web.PolicyPlace{city}, From: []web.Option{{}, {Value: "s2", Label: "Regionale Schule Nord", Chosen: true}}, Name: "Regionale Schule Nord",
			Parts: []web.TakePart{{Value: "webfilter", Family: "webfilter", Changes: []web.PolicyChange{{Place: goethe, Field: denyField, Added: []string{"social.example"}, Removed: []string{"streams.example"}}}},
				{Value: "usb-storage", Family: "usb-storage", Changes: []web.PolicyChange{{Place: goethe, Field: accessField, After: chosen("blocked")}}}}})
	}},
	{"coverage", "Richtlinien", func(f web.Frame) templ.Component { return web.Coverage(coveragePage(f)) }},
	{"exceptions", "Richtlinien", func(f web.Frame) templ.Component {
		return web.Exceptions(web.ExceptionsPage{Frame: admin(f, web.NavExceptions), Any: true, Soon: 2, MayGrant: true, Within: options("", "", "7", "30", "90"), Show: options("", "", "over"), Rows: exceptionRows(), Pager: web.Pager{Shown: 3, Total: -1}})
	}},
	{"exceptions-empty", "Richtlinien", func(f web.Frame) templ.Component {
		return web.Exceptions(web.ExceptionsPage{Frame: admin(f, web.NavExceptions), MayGrant: true})
	}},
	{"exception", "Richtlinien", func(f web.Frame) templ.Component {
		return web.Exception(web.ExceptionPage{Frame: admin(f, web.NavExceptions), Row: exceptionRow(), ThenFrom: &city, Until: "2027-01-31", Longest: "2027-11-16", MayExtend: true, MayEnd: true})
	}},
	{"exception-asked", "Richtlinien", func(f web.Frame) templ.Component {
		row := exceptionRow()
		row.Asked, row.AskedBy, row.AskedAt = "begin", "Kim Lehr", ago(3*time.Hour)
		return web.Exception(web.ExceptionPage{Frame: admin(f, web.NavExceptions), Row: row, ThenFrom: &city, MayGrant: true, MayRefuse: true, Asks: true})
	}},
	{"exception-asked-own", "Richtlinien", func(f web.Frame) templ.Component {
		row := exceptionRow()
		row.Asked, row.AskedBy, row.AskedAt, row.AskedUntil, row.AskedReason, row.ApprovedBy = "extend", "Frau Adler", ago(3*time.Hour), now.AddDate(0, 2, 0), "Der Kurs läuft weiter.", "Frau Lang"
		return web.Exception(web.ExceptionPage{Frame: admin(f, web.NavExceptions), Row: row, ThenFrom: &city, MayRefuse: true, Own: true, Asks: true})
	}},
	{"exception-asks", "Richtlinien", func(f web.Frame) templ.Component {
		return web.Exception(web.ExceptionPage{Frame: admin(f, web.NavExceptions), Row: exceptionRow(), ThenFrom: &city, Until: "2027-01-31", Longest: "2027-11-16", MayExtend: true, MayEnd: true, Asks: true})
	}},
	{"exception-new", "Richtlinien", func(f web.Frame) templ.Component {
		field := editPage(f).Fields[0]
		field.Raw, field.Value = "", names("games.example")
		return web.ExceptionNew(web.ExceptionNewPage{Frame: admin(f, web.NavExceptions), Asks: true, Places: []web.Option{{Value: "school/s1", Label: "Goethe-Gymnasium (Schule)"}, {Value: "group/g204", Label: "Raum 204", Chosen: true}},
			Whats: []web.Option{{Value: "webfilter.deny", Label: "Webfilter: Gesperrte Seiten", Chosen: true}}, Place: room204, Field: &field, TakesOut: true, Owners: []web.Option{{}, {Value: "p2", Label: "Frau Adler"}},
			Until: "2027-01-31", Longest: "2027-11-16", Problems: []web.Problem{{Key: "exception.reason_missing", Field: "reason"}}})
	}},
	{"exception-new-begin", "Richtlinien", func(f web.Frame) templ.Component {
		return web.ExceptionNew(web.ExceptionNewPage{Frame: admin(f, web.NavExceptions), Places: []web.Option{{Value: "school/s1", Label: "Goethe-Gymnasium (Schule)"}}, Whats: []web.Option{{Value: "webfilter.deny", Label: "Webfilter: Gesperrte Seiten"}}})
	}},
	{"following", "Richtlinien", func(f web.Frame) templ.Component {
		return web.Following(web.FollowingPage{Frame: admin(f, web.NavSchool), School: "Goethe-Gymnasium", Percent: 94, Fields: 18, Unchanged: 17, Deviations: exceptionRows()[:2]})
	}},
	{"following-all", "Richtlinien", func(f web.Frame) templ.Component {
		return web.Following(web.FollowingPage{Frame: admin(f, web.NavSchool), School: "Goethe-Gymnasium", Percent: 100, Fields: 18, Unchanged: 18})
	}},
}

// settingsSample is what holds on a device.
func settingsSample() []web.Setting {
	return []web.Setting{
		{Field: accessField, Value: chosen("read-only"), Hold: "locked", Ability: web.Unverified, State: web.StatePlanned, From: []web.PolicySource{says(everywhere, chosen("allowed"), "overridden"), says(city, chosen("read-only"), "tightens"), says(goethe, chosen("allowed"), "locked-out")}},
		{Field: denyField, Value: names("games.example", "casino.example"), Ability: web.Enforced, State: web.StateDeviating, Since: ago(50 * time.Hour), Reason: because("browser.stayed"), From: []web.PolicySource{says(city, names("games.example"), "decides"), says(goethe, names("casino.example"), "adds")}},
		{Field: onlyField, Value: names("wikipedia.org"), Ability: web.NotPossible, State: web.StateAbsent, Until: now.AddDate(0, 1, 0), From: []web.PolicySource{says(room204, names("wikipedia.org"), "excepts")}},
	}
}
