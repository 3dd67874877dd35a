package store

import (
	"encoding/json"
	"fmt"
	"strings"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
	"schulwart.org/server/standard"
)

// Secrets inside of policies (a password of a wireless network) are sealed one by
// one, so that everything around them can still be read and compared.

const sealedMark = "sealed:"

// sealName binds a sealed secret to policies; it moves between drafts, versions
// and rows, so no more than that.
const sealName = "policy"

// sealSettings writes settings as they are stored.
func (s *Store) sealSettings(family string, settings catalog.Settings) (string, error) {
	if settings == nil {
		settings = catalog.Settings{}
	}
	known, ok := catalog.Find(family)
	if !ok || !known.HasSecrets() {
		return document(settings), nil
	}
	sealed := settings.Clone()
	err := known.MapSecrets(sealed, func(_, _, secret string) (string, error) {
		text, err := s.vault.seal(sealName, []byte(secret))
		return sealedMark + text, err
	})
	if err != nil {
		return "", fmt.Errorf("sealing secrets of %s: %w", family, err)
	}
	return document(sealed), nil
}

// openSettings reads settings as sealSettings wrote them.
func (s *Store) openSettings(family catalog.Family, data []byte) (catalog.Settings, error) {
	if !family.HasSecrets() {
		return family.Decode(data)
	}
	var raw map[string]any
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, fmt.Errorf("reading settings of %s: %w", family.Name, err)
	}
	err := family.MapSecrets(raw, func(_, _, secret string) (string, error) {
		text, sealed := strings.CutPrefix(secret, sealedMark)
		if !sealed {
			return secret, nil
		}
		opened, err := s.vault.open(sealName, text)
		return string(opened), err
	})
	if err != nil {
		return nil, fmt.Errorf("reading settings of %s: %w", family.Name, err)
	}
	settings, _ := family.Check(raw)
	return settings, nil
}

// sealValue writes the value of one field as it is stored.
func (s *Store) sealValue(family, field string, value any) (string, error) {
	sealed, err := s.sealSettings(family, catalog.Settings{field: value})
	if err != nil {
		return "", err
	}
	var parts map[string]json.RawMessage
	if err := json.Unmarshal([]byte(sealed), &parts); err != nil {
		return "", err
	}
	return string(parts[field]), nil
}

// openValue reads what sealValue wrote. A field that this server does not know
// has no value.
func (s *Store) openValue(family, field, value string) (any, error) {
	known, ok := catalog.Find(family)
	if !ok {
		return nil, nil
	}
	settings, err := s.openSettings(known, []byte(`{`+document(field)+`:`+value+`}`))
	return settings[field], err
}

// storedSay is a Say as drafts and versions keep it.
type storedSay struct {
	Settings json.RawMessage         `json:"settings,omitempty"`
	Holds    map[string]desired.Hold `json:"holds,omitempty"`
}

func (s *Store) writeSays(says map[string]standard.Say) (string, error) {
	stored := make(map[string]storedSay, len(says))
	for family, say := range says {
		settings, err := s.sealSettings(family, say.Settings)
		if err != nil {
			return "", err
		}
		stored[family] = storedSay{json.RawMessage(settings), say.Holds}
	}
	return document(stored), nil
}

// readSays reads what writeSays wrote, without families that this server does
// not know.
func (s *Store) readSays(text string) (map[string]standard.Say, error) {
	var stored map[string]storedSay
	if err := json.Unmarshal([]byte(text), &stored); err != nil {
		return nil, fmt.Errorf("reading what was said: %w", err)
	}
	says := make(map[string]standard.Say, len(stored))
	for name, one := range stored {
		family, ok := catalog.Find(name)
		if !ok {
			continue
		}
		say := standard.Say{Holds: one.Holds}
		if len(one.Settings) > 0 {
			var err error
			if say.Settings, err = s.openSettings(family, one.Settings); err != nil {
				return nil, err
			}
		}
		says[name] = say
	}
	return says, nil
}
