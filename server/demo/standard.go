package demo

import (
	"fmt"
	"slices"
	"time"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/server/standard"
)

// says is what a place of the demo says about fields, by family.
type says map[string]map[string]any

// standard lets operator and authority set their standard, a school add to it and
// deviate twice, and a trainee propose something.
func (s *seeding) standard() {
	if s.err != nil {
		return
	}
	operator, city := desired.Place{Level: org.Operator}, desired.Place{Level: org.Authority, ID: s.authority}
	gym := desired.Place{Level: org.School, ID: s.schools[0]}
	s.say(may.Operator, operator, "Grundschutz des Betreibers", says{
		"webfilter": {"deny": []any{"gluecksspiel.example", "hass.example"}}, "usb-storage": {"access": "read-only"},
	})
	s.say(may.AuthorityAdmin, city, "Standard der Schulen", says{
		"webfilter": {"deny": []any{"tauschboerse.example", "videos.example"}}, "screen-lock": {"minutes": 10, "password": true},
	})
	s.say(may.SchoolAdmin, gym, "Spiele im Unterricht", says{"webfilter": {"deny": []any{"spiele.example"}}})
	s.except(gym, "webfilter", "deny", []any{"videos.example"}, "Der Kurs Film dreht bis zu den Zeugnissen.", 5*24*time.Hour)
	s.except(gym, "usb-storage", "access", "allowed", "Die Messgeräte in Physik schreiben auf Sticks.", 200*24*time.Hour)
	trainee, err := s.app.Staff.Actor(s.ctx, s.who(may.Trainee), "127.0.0.1")
	s.note(err)
	if s.err != nil {
		return
	}
	draft, err := s.app.Standard.Begin(s.ctx, trainee, city, standard.NewDraft{
		Title: "Sticks sperren", Reason: "In zwei Schulen kam Schadsoftware auf einem Stick an.", Families: wishes(says{"usb-storage": {"access": "blocked"}}),
	})
	s.note(err)
	if s.err == nil {
		_, err = s.app.Standard.Propose(s.ctx, trainee, draft.ID)
		s.note(err)
	}
}

func (s *seeding) who(role may.Role) org.ID {
	return s.world.Logins[slices.IndexFunc(s.world.Logins, func(l Login) bool { return l.Role == role })].id
}

// wishes leaves out what this build's catalogue does not know.
func wishes(said says) map[string]standard.Wish {
	list := map[string]standard.Wish{}
	for name, fields := range said {
		if _, known := catalog.Find(name); known {
			list[name] = standard.Wish{Settings: fields}
		}
	}
	return list
}

func (s *seeding) say(role may.Role, place desired.Place, title string, said says) {
	if s.err != nil {
		return
	}
	actor, err := s.app.Staff.Actor(s.ctx, s.who(role), "127.0.0.1")
	if err == nil {
		_, err = s.app.Standard.Put(s.ctx, actor, place, standard.NewDraft{Title: title, Families: wishes(said)})
	}
	if err != nil {
		s.err = fmt.Errorf("setting the standard %q: %w", title, err)
	}
}

func (s *seeding) except(place desired.Place, family, field string, value any, reason string, length time.Duration) {
	if s.err != nil {
		return
	}
	actor, err := s.app.Staff.Actor(s.ctx, s.who(may.SchoolAdmin), "127.0.0.1")
	if err == nil {
		_, err = s.app.Standard.Except(s.ctx, actor, standard.NewException{Place: place, Family: family, Field: field, Value: value, Reason: reason, Until: s.app.Now().Add(length)})
	}
	if err != nil {
		s.err = fmt.Errorf("filing an exception: %w", err)
	}
}
