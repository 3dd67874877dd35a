package web

import "time"

// state names where a token stands: its word is tokens.state.<state>.
func (t TokenRow) state(now time.Time) string {
	switch {
	case t.Revoked:
		return "revoked"
	case !t.Expires.After(now):
		return "expired"
	case t.MaxUses > 0 && t.Uses >= t.MaxUses:
		return "used_up"
	}
	return "open"
}

func (t TokenRow) tone(now time.Time) string {
	switch t.state(now) {
	case "open":
		return "ok"
	case "revoked":
		return "bad"
	}
	return ""
}

func (f Frame) tokenSub(t TokenRow) string {
	return dotted(t.Note, f.T("tokens.used", "n", t.Uses, "max", t.MaxUses), f.T("tokens.valid", "until", t.Expires))
}
