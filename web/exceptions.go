package web

import (
	"strings"
	"time"
)

func (p ExceptionsPage) exceptionsHeadline() string {
	if p.Soon > 0 {
		return p.T("exceptions.soon", "count", p.Soon)
	}
	return p.T("exceptions.title")
}

// exceptionName names an exception by what it is about.
func (f Frame) exceptionName(row ExceptionRow) string {
	return f.familyName(row.Field.Family) + ": " + f.exceptionValue(row)
}

// exceptionValue is what holds instead, "ohne youtube.com" where something is
// taken out of a list.
func (f Frame) exceptionValue(row ExceptionRow) string {
	text := f.policyText(row.Field, row.Value)
	if row.TakesOut {
		return f.T("exceptions.without", "what", text)
	}
	return text
}

func (f Frame) sinceText(row ExceptionRow) string {
	if row.Starts.After(f.now()) {
		return f.T("exceptions.begins", "day", f.Day(row.Starts))
	}
	return f.Age(row.Starts)
}

const day = 24 * time.Hour

// ending says how near the end is: the tone of its pill and its words.
func (f Frame) ending(row ExceptionRow) (tone, word string) {
	if row.Over {
		if row.EndedBy != "" {
			return "", f.T("exceptions.ended_by", "by", row.EndedBy)
		}
		return "", f.T("exceptions.ended")
	}
	days := int((row.Until.Sub(f.now()) + day - 1) / day)
	switch {
	case days <= 7:
		return "bad", f.T("exceptions.in_days", "count", days)
	case days <= 30:
		return "warn", f.T("exceptions.in_days", "count", days)
	}
	return "", ""
}

// thenText answers: what happens when it ends?
func (f Frame) thenText(row ExceptionRow) string {
	switch {
	case row.Over:
		return f.T("exceptions.then.over")
	case row.Needless:
		return f.T("exceptions.then.nothing")
	case !row.Above.Set && !row.Above.Hidden:
		return f.T("exceptions.then.free")
	}
	return f.T("exceptions.then.holds", "value", f.policyText(row.Field, row.Above))
}

// shows reports whether a fault stands beside an input of the form.
func (p ExceptionNewPage) shows(path string) bool {
	if p.Field == nil {
		return false
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "v."), ".")
	return first == p.Field.Def.Name || path == "owner" || path == "reason" || path == "until"
}

// askedText says who wants what of an exception, and what holds until then.
func (p ExceptionPage) askedText() string {
	return p.T("exceptions.asked."+p.Row.Asked+".text", "by", p.Row.AskedBy, "at", p.Row.AskedAt, "day", p.Day(p.Row.AskedUntil))
}

func (p ExceptionPage) refuseWord() string {
	if p.Own {
		return p.T("exceptions.withdraw")
	}
	return p.T("exceptions.refuse")
}

func (p ExceptionPage) extendWord() string {
	if p.Asks {
		return p.T("exceptions.extend.ask")
	}
	return p.T("exceptions.extend")
}

func (p ExceptionNewPage) grantWord() string {
	if p.Asks {
		return p.T("exceptions.grant.ask")
	}
	return p.T("exceptions.grant")
}
