// Package errs holds the faults that a person may read: a kind for the program,
// a key and arguments for the translator. Everything else is internal.
package errs

import "errors"

// Kind is what a door needs to know of a fault.
type Kind string

// The kinds. Anything without a kind is internal.
const (
	Internal    Kind = "internal"
	Invalid     Kind = "invalid"     // the request makes no sense; say how to mend it
	NotFound    Kind = "not_found"   // no such thing, or none that this person may see
	Conflict    Kind = "conflict"    // somebody else was faster
	Denied      Kind = "denied"      // known, but not allowed
	Unavailable Kind = "unavailable" // try again later
	TooMany     Kind = "too_many"    // too many tries; the argument "seconds" says when the next is heard
)

// Error is a fault with a translatable text.
type Error struct {
	Kind Kind
	Key  string         // in web/locale, under "error."
	Args map[string]any // for the text
	// Field names the input at fault, if one is.
	Field string
	Cause error
}

// E makes a fault. Arguments come in pairs of name and value.
func E(kind Kind, key string, pairs ...any) *Error {
	e := &Error{Kind: kind, Key: key}
	for i := 0; i+1 < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			continue
		}
		if e.Args == nil {
			e.Args = map[string]any{}
		}
		e.Args[name] = pairs[i+1]
	}
	return e
}

// In names the input at fault.
func (e *Error) In(field string) *Error { e.Field = field; return e }

// Because keeps the cause for the operator's log.
func (e *Error) Because(cause error) *Error { e.Cause = cause; return e }

// Error returns kind and key, for logs.
func (e *Error) Error() string {
	text := string(e.Kind) + ": " + e.Key
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// KindOf returns the kind of the first fault in the chain, Internal if none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Find returns the first fault in the chain, or nil.
func Find(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// Is reports whether the error has the kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }
