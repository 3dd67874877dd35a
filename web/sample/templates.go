package sample

import (
	"time"

	"github.com/a-h/templ"

	"schulwart.org/web"
)

const publisherKey = "3f2a 91bc 07de 5510 c4b8 22a9 6e1f 80d3"

func templateRow() web.TemplateRow {
	return web.TemplateRow{ID: "t2", Title: "Grundschule", Version: 4, Publisher: "Medienzentrum Nordfurt", Fingerprint: publisherKey, Trusted: true, By: "Frau Lang", At: ago(26 * time.Hour), URL: "#"}
}

func proposals() []web.TemplateProposal {
	return []web.TemplateProposal{
		{Title: "Grundschule", Version: 4, Former: 3, Place: goethe, Coming: 3, Kept: 1, URL: "#"},
		{Title: "Computerraum", Version: 2, Former: 1, Place: room204, Coming: 1, URL: "#"}}
}

func templateSays() []web.PolicyChange {
	return []web.PolicyChange{{Place: goethe, Field: denyField, After: names("games.example", "casino.example")}, {Place: goethe, Field: accessField, After: chosen("read-only"), HoldAfter: "locked"}}
}

func templatePage(f web.Frame) web.TemplatePage {
	return web.TemplatePage{
		Frame: admin(f, web.NavPolicies), Row: templateRow(), Place: goethe, Former: 3, Says: templateSays(), MayTake: true, MayDecline: true,
		Places: []web.Option{{Value: "authority/a1", Label: "Landeshauptstadt Musterstadt (Schulträger)"}, {Value: "school/s1", Label: "Goethe-Gymnasium (Schule)", Chosen: true}},
		Coming: []web.PolicyChange{{Place: goethe, Field: denyField, Added: []string{"casino.example"}, Removed: []string{"alt.example"}}},
		Kept:   []web.PolicyChange{{Place: goethe, Field: accessField, Before: chosen("read-only"), After: chosen("blocked")}},
		Impact: &web.Impact{Devices: 214, Schools: 1, Unable: 3, Unables: []web.ImpactUnable{{Devices: 3, Platform: web.PlatformIPadOS, Field: denyField, Why: "supervision"}}},
	}
}

var templates = []Sample{
	{"templates", "Richtlinien", func(f web.Frame) templ.Component {
		gone := templateRow()
		gone.ID, gone.Title, gone.Trusted = "t3", "Leihgerät", false
		return web.Templates(web.TemplatesPage{Frame: admin(f, web.NavPolicies), Proposals: proposals(), Rows: []web.TemplateRow{templateRow(), gone},
			Publishers: []web.PublisherRow{{ID: "p1", Name: "Medienzentrum Nordfurt", Fingerprint: publisherKey, By: "Frau Lang", At: ago(90 * time.Hour), Everywhere: true, MayRemove: true}},
			Scopes:     []web.Option{{Value: "", Label: "Alle Schulträger"}, {Value: "a1", Label: "Landeshauptstadt Musterstadt"}}})
	}},
	{"templates-empty", "Richtlinien", func(f web.Frame) templ.Component {
		return web.Templates(web.TemplatesPage{Frame: admin(f, web.NavPolicies), Scopes: []web.Option{{Value: "a1", Label: "Landeshauptstadt Musterstadt"}}})
	}},
	{"templates-unknown", "Richtlinien", func(f web.Frame) templ.Component {
		return web.Templates(web.TemplatesPage{Frame: admin(f, web.NavPolicies), Scopes: []web.Option{{Value: "a1", Label: "Landeshauptstadt Musterstadt"}}, Key: "schulwart-key:MCowBQYDK2VwAyEA", Name: "Medienzentrum Nordfurt",
			Opened:  &web.OpenedTemplate{Title: "Grundschule", Version: 4, Publisher: "Medienzentrum Nordfurt", Fingerprint: publisherKey, Says: templateSays()},
			Problem: &web.Problem{Key: "template.unknown_publisher", Field: "file"}})
	}},
	{"templates-faults", "Richtlinien", func(f web.Frame) templ.Component {
		return web.Templates(web.TemplatesPage{Frame: admin(f, web.NavPolicies), Rows: []web.TemplateRow{templateRow()}, Scopes: []web.Option{{Value: "a1", Label: "Landeshauptstadt Musterstadt"}},
			Opened: &web.OpenedTemplate{Title: "Grundschule", Version: 5, Publisher: "Medienzentrum Nordfurt", Fingerprint: publisherKey, Known: true,
				Faults: []web.TemplateFault{{Line: 12, Where: "policies.wifi.networks", Text: "Ein Passwort reist nicht in einer Vorlage."}}},
			Problem: &web.Problem{Key: "template.faults", Field: "file", Args: map[string]any{"count": 1, "line": 12}}})
	}},
	{"template", "Richtlinien", func(f web.Frame) templ.Component { return web.Template(templatePage(f)) }},
	{"template-declined", "Richtlinien", func(f web.Frame) templ.Component {
		p := templatePage(f)
		p.MayDecline, p.Declined, p.DraftURL, p.Kept, p.Impact = false, &web.TemplateDecline{Reason: "Erst nach den Ferien.", By: "Herr Brandt", At: ago(30 * time.Hour)}, "#", nil, nil
		return web.Template(p)
	}},
	{"template-nothing", "Richtlinien", func(f web.Frame) templ.Component {
		p := templatePage(f)
		p.Coming, p.Impact, p.MayTake, p.Row.Trusted = nil, nil, false, false
		return web.Template(p)
	}},
}
