package console

import (
	"context"
	"encoding/json"
	"time"

	"schulwart.org/web"
)

// Keys of what the door itself keeps in a session.
const (
	keyFlash     = "flash"
	keyUndo      = "undo"
	keyPlace     = "place"     // school that a person with several acts in
	keyRehearsed = "rehearsed" // a mode was tried on the pretend device
	keyPretend   = "pretend"   // the pretend device
	keyNext      = "next"      // where to go after the second factor
	keyMade      = "made"      // a code that is shown once
)

// flash says a sentence on the next page.
func (h *Handler) flash(ctx context.Context, kind web.FlashKind, key string, pairs ...any) {
	h.keep(ctx, keyFlash, kept{Kind: string(kind), Key: key, Args: pack(pairs)})
}

// offerUndo offers on the next page to take back what was just done. The offer
// stands for ten seconds.
func (h *Handler) offerUndo(ctx context.Context, url, token, key string, pairs ...any) {
	h.keep(ctx, keyUndo, kept{Key: key, Args: pack(pairs), URL: url, Token: token, Until: h.Now().Add(undoTime * time.Duration(h.pace()))})
}

// undoTime is how long an end can be taken back with one tap, in the time of the
// person who reads the offer.
const undoTime = 10 * time.Second

// pace is how much faster than that person's time ours runs: in a demo it can.
func (h *Handler) pace() int {
	if h.Stage == nil {
		return 1
	}
	return h.Stage.Pace()
}

// kept is a flash or an undo between two requests.
type kept struct {
	Kind  string         `json:"kind,omitempty"`
	Key   string         `json:"key"`
	Args  map[string]arg `json:"args,omitempty"`
	URL   string         `json:"url,omitempty"`
	Token string         `json:"token,omitempty"`
	Until time.Time      `json:"until,omitzero"`
}

// arg keeps an instant an instant, because it is told in school time.
type arg struct {
	Text string     `json:"t,omitempty"`
	N    *int       `json:"n,omitempty"`
	At   *time.Time `json:"at,omitempty"`
}

func pack(pairs []any) map[string]arg {
	args := map[string]arg{}
	for i := 0; i+1 < len(pairs); i += 2 {
		name, _ := pairs[i].(string)
		switch value := pairs[i+1].(type) {
		case string:
			args[name] = arg{Text: value}
		case int:
			args[name] = arg{N: &value}
		case time.Time:
			args[name] = arg{At: &value}
		}
	}
	return args
}

func unpack(args map[string]arg) map[string]any {
	values := make(map[string]any, len(args))
	for name, value := range args {
		switch {
		case value.At != nil:
			values[name] = *value.At
		case value.N != nil:
			values[name] = *value.N
		default:
			values[name] = value.Text
		}
	}
	return values
}

// keep puts a value into the session as JSON.
func (h *Handler) keep(ctx context.Context, key string, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		return // our own plain structs always marshal
	}
	h.Sessions.Put(ctx, key, string(text))
}

// kept reads a value of the session; false if there is none.
func (h *Handler) kept(ctx context.Context, key string, value any) bool {
	text := h.Sessions.GetString(ctx, key)
	return text != "" && json.Unmarshal([]byte(text), value) == nil
}

// take reads a value and removes it.
func (h *Handler) take(ctx context.Context, key string, value any) bool {
	found := h.kept(ctx, key, value)
	if h.Sessions.Exists(ctx, key) {
		h.Sessions.Remove(ctx, key)
	}
	return found
}

// notices puts what is to be said once into the frame. Only pages take them:
// a fragment has no place for a sentence.
func (h *Handler) notices(ctx context.Context, frame *web.Frame) {
	var said kept
	if h.take(ctx, keyFlash, &said) {
		frame.Flash = &web.Flash{Kind: web.FlashKind(said.Kind), Key: said.Key, Args: unpack(said.Args)}
	}
	var undo kept
	if h.take(ctx, keyUndo, &undo) && h.Now().Before(undo.Until) {
		frame.Undo = &web.Undo{URL: undo.URL, Token: undo.Token, Key: undo.Key, Args: unpack(undo.Args), Until: undo.Until}
	}
}
