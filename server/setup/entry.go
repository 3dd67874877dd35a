package setup

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"

	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// InstancePath is where both doors answer with the instance.
const InstancePath = "/.well-known/schulwart-instance"

// NewInstance makes up what a process answers under InstancePath.
func NewInstance() string { return secret() }

func secret() string {
	var raw [32]byte
	if _, err := rand.Read(raw[:]); err != nil {
		panic("setup: no randomness: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Link makes a one-time token while nobody has a login, to be printed at start.
// It is empty when the set-up is past that. An older token is void.
func (s *Service) Link(ctx context.Context) (string, error) {
	any, err := s.People.Any(ctx)
	if err != nil || any {
		return "", err
	}
	token := secret()
	return token, s.Store.PutSetting(ctx, linkName, hashOf(token))
}

// Enter changes the one-time token into a key for this browser. The token is
// void after that; a restart of the server prints another one.
func (s *Service) Enter(ctx context.Context, token string) (string, error) {
	known, err := s.Store.Setting(ctx, linkName)
	if err != nil {
		return "", err
	}
	if token == "" || known == "" || known != hashOf(token) {
		return "", errs.E(errs.Denied, "setup.bad_link")
	}
	key := secret()
	if err := s.Store.PutSetting(ctx, keyName, hashOf(key)); err != nil {
		return "", err
	}
	return key, s.Store.PutSetting(ctx, linkName, "")
}

// Actor returns who holds the key: the person at the first set-up, who may do
// everything until it is done.
func (s *Service) Actor(ctx context.Context, key, from string) (may.Actor, error) {
	known, err := s.Store.Setting(ctx, keyName)
	if err != nil {
		return may.Actor{}, err
	}
	if key == "" || known == "" || known != hashOf(key) {
		return may.Actor{}, errs.E(errs.Denied, "setup.bad_link")
	}
	return may.Actor{ID: "setup", Name: "setup", Grants: []may.Grant{{Role: may.Operator}}, From: from, Via: "console"}, nil
}
