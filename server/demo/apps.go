package demo

import (
	"fmt"

	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/server/licence"
	"schulwart.org/server/may"
	rooms "schulwart.org/server/rollout"
	"schulwart.org/server/shelf"
)

// apps puts apps into the catalogue, one of them with licences that are nearly used
// up, lets people pick some, and has a teacher ask for another.
func (s *seeding) apps() {
	if s.err != nil {
		return
	}
	gym := s.schools[0]
	take := func(name, url, title, text string) org.ID {
		pack, err := s.app.Packages.WebApp(s.ctx, guide, s.authority, rollout.Package{
			Name: name, URL: url, Title: rollout.Text{DE: title, EN: title}, Description: rollout.Text{DE: text}, Licence: "CC-BY-SA-4.0",
		})
		s.note(err)
		return pack.ID
	}
	maths := take("geogebra.example", "https://geogebra.example", "GeoGebra", "Dynamische Mathematik für Unterricht und Zuhause.")
	words := take("vokabeln.example", "https://vokabeln.example", "Vokabeltrainer", "Wörter lernen, mit Aussprache.")
	board := take("tafelbild.example", "https://tafelbild.example", "Tafelbild", "Gemeinsam an einer Tafel zeichnen.")
	admin, err := s.app.Staff.Actor(s.ctx, s.who(may.SchoolAdmin), "127.0.0.1")
	s.note(err)
	teacher, err := s.app.Staff.Actor(s.ctx, s.who(may.Teacher), "127.0.0.1")
	s.note(err)
	if s.err != nil {
		return
	}
	// The class of the stage gets the app; one licence is left.
	members := s.devices * places[0].classes[0].share / 100
	_, err = s.app.Licences.Put(s.ctx, admin, licence.New{
		School: gym, App: rollout.App{Kind: rollout.WebApp, Name: "vokabeln.example"}, Total: members + 1, Cost: licence.Cost{Cents: 490, Currency: "EUR"},
		Until: rollout.DateOf(s.app.Now().AddDate(0, 1, 20)), Note: "Vertrag 2026-118",
	})
	s.note(err)
	_, err = s.app.Rollouts.Create(s.ctx, admin, rooms.New{Package: words, Level: org.Group, Place: s.world.Stage, Rings: []rollout.Ring{{Kind: rollout.RingAll}}})
	s.note(err)
	for pack, to := range map[org.ID]shelf.Audience{maths: shelf.All, words: shelf.Pupils} {
		_, err := s.app.Shelf.Add(s.ctx, admin, shelf.New{School: gym, Package: pack, For: to})
		s.note(err)
	}
	if s.err != nil {
		s.err = fmt.Errorf("making apps: %w", s.err)
		return
	}
	_, err = s.app.Shelf.Ask(s.ctx, teacher, shelf.NewRequest{School: gym, Package: board, Why: "Für die Gruppenarbeit in der 7b."})
	s.note(err)
}
