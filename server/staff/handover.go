package staff

import (
	"context"
	"encoding/json"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
)

// HandOverTime is how long a code that was just made can be looked at and
// printed by who made it. It is kept sealed until then, so that neither a restart
// nor another replica of the server loses it; checked is its hash alone.
const HandOverTime = 10 * time.Minute

// aboutPrograms stands for all programs where things are kept by person: the
// latest token is the one that is shown.
const aboutPrograms = org.ID("program")

// Handover is a code in the minutes in which it is handed over.
type Handover struct {
	Invite bool      `json:"invite,omitempty"` // else a reset
	Name   string    `json:"name,omitempty"`
	Login  string    `json:"login,omitempty"`
	Code   string    `json:"code"`
	Until  time.Time `json:"until,omitzero"` // the end of the code itself
	Mailed bool      `json:"mailed,omitempty"`
}

// HandOver keeps what the actor made for a person.
func (s *Service) HandOver(ctx context.Context, actor may.Actor, made Made, mailed bool) error {
	return s.keepHandover(ctx, actor.ID, made.Person.ID, Handover{
		Invite: made.Kind == Invite, Name: made.Person.Full(), Login: made.Person.Login, Code: made.Code, Until: made.Until, Mailed: mailed,
	})
}

// HandOverProgram keeps a program's token that the actor made.
func (s *Service) HandOverProgram(ctx context.Context, actor may.Actor, token string) error {
	return s.keepHandover(ctx, actor.ID, aboutPrograms, Handover{Code: token})
}

func (s *Service) keepHandover(ctx context.Context, by, about org.ID, handover Handover) error {
	data, err := json.Marshal(handover)
	if err != nil {
		return err
	}
	return s.Store.PutHandover(ctx, by, about, data, s.Now().Add(HandOverTime))
}

// Handover returns what the actor made for the person a moment ago, nil if that
// is nothing.
func (s *Service) Handover(ctx context.Context, actor may.Actor, person org.ID) (*Handover, error) {
	data, err := s.Store.Handover(ctx, actor.ID, person, s.Now())
	if err != nil || data == nil {
		return nil, err
	}
	var handover Handover
	return &handover, json.Unmarshal(data, &handover)
}

// TakeProgram returns the token that the actor made a moment ago, this once;
// empty if there is none.
func (s *Service) TakeProgram(ctx context.Context, actor may.Actor) (string, error) {
	handover, err := s.Handover(ctx, actor, aboutPrograms)
	if err != nil || handover == nil {
		return "", err
	}
	if first, err := s.Store.DeleteHandover(ctx, actor.ID, aboutPrograms); err != nil || !first {
		return "", err
	}
	return handover.Code, nil
}
