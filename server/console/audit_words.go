package console

import (
	"encoding/json"
	"strings"

	"schulwart.org/server/audit"
	"schulwart.org/web"
)

// whatWasDone names what a row is about. An action that several things are done
// by says which in its row, as "what": where there is a word for that, it stands
// for the action's own, and the row goes without.
func whatWasDone(frame web.Frame, entry audit.Entry) (key, after string) {
	is, isObject := object(entry.After)
	done, said := is["what"].(string)
	key = entry.Action + "." + strings.ReplaceAll(done, " ", "_")
	if !isObject || !said || !web.Knows(frame.Lang, "audit."+key) {
		return entry.Action, entry.After
	}
	delete(is, "what")
	rest, err := json.Marshal(is)
	if err != nil {
		return entry.Action, entry.After
	}
	return key, string(rest)
}

// fieldName is a field of a row in the reader's words, as it is called in the
// file where there is none.
func fieldName(frame web.Frame, name string) string {
	for _, key := range []string{"audit.field." + strings.ToLower(name), "setup." + name, "setup." + name + ".name"} {
		if web.Knows(frame.Lang, key) {
			return frame.T(key)
		}
	}
	return name
}

// valueName is a value that stands for something, in the reader's words.
func valueName(frame web.Frame, name, value string) string {
	for _, key := range map[string][]string{
		"kind": {"mode." + value + ".name", "group.kind." + value},
		"role": {"role." + value},
		"how":  {"audit.how." + value},
		"way":  {"setup.way." + value},
		// How far the steps of the set-up are.
		"address": {"setup.state." + value}, "listeners": {"setup.state." + value}, "certificate": {"setup.state." + value},
		"mail": {"setup.state." + value}, "backup": {"setup.state." + value}, "first": {"setup.state." + value},
	}[name] {
		if web.Knows(frame.Lang, key) {
			return frame.T(key)
		}
	}
	return value
}
