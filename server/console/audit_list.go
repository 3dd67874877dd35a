package console

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"schulwart.org/server/audit"
	"schulwart.org/web"
)

// GET /protokoll
func (h *Handler) showAudit(c *gin.Context) error {
	ctx, v := c.Request.Context(), visitor(c)
	filter, err := auditFilter(c, v)
	if err != nil {
		return err
	}
	if c.Query("format") == "csv" {
		return h.exportAudit(c, filter)
	}
	area := query(c, "what")
	entries, next, err := h.auditOf(ctx, v, filter, area)
	if err != nil {
		return err
	}
	shown := web.AuditPage{
		Frame: v.frame, Query: query(c, "q"), By: query(c, "by"), What: options(area, auditAreas...), From: query(c, "from"), Until: query(c, "until"),
		Pager: pager(c, next, len(entries)), Export: exportURL(c),
	}
	for _, entry := range entries {
		what, row := whatWasDone(v.frame, entry)
		before, after := difference(v.frame, entry.Before, row)
		shown.Rows = append(shown.Rows, web.AuditRow{
			ID: strconv.FormatInt(entry.Seq, 10), At: entry.At, By: auditor(v.frame, entry), From: dotted(entry.From, doors[entry.Via]), What: web.Sentence{Key: what},
			Target: entry.TargetName, Before: before, After: after, Sealed: entry.Sealed,
		})
	}
	if shown.Chain, err = h.chain(ctx, v); err != nil {
		return err
	}
	return page(c, web.Audit(shown))
}

// auditAreas are what the log can be narrowed to: the first words of actions, as
// may names them.
var auditAreas = []string{
	"", "mode", "lesson", "device", "token", "group", "sites", "staff", "account", "roster", "school", "authority", "policy", "person", "helpdesk", "audit", "operation", "job",
}

// auditOf lists one page of an area. The room knows whole actions only, so an
// area is picked out here, some rounds far; the cursor leads on from there.
func (h *Handler) auditOf(ctx context.Context, v *visit, filter audit.Filter, area string) ([]audit.Entry, string, error) {
	if area == "" {
		return h.Audit.List(ctx, v.actor, filter)
	}
	const perPage, rounds = 50, 10
	filter.Limit = 500
	var picked []audit.Entry
	for range rounds {
		entries, next, err := h.Audit.List(ctx, v.actor, filter)
		if err != nil {
			return nil, "", err
		}
		for _, entry := range entries {
			if first, _, _ := strings.Cut(entry.Action, "."); first != area {
				continue
			}
			if picked = append(picked, entry); len(picked) == perPage {
				return picked, strconv.FormatInt(entry.Seq, 10), nil
			}
		}
		if filter.Cursor = next; next == "" {
			break
		}
	}
	return picked, filter.Cursor, nil
}

func auditFilter(c *gin.Context, v *visit) (audit.Filter, error) {
	filter := audit.Filter{Query: query(c, "q"), Cursor: query(c, "cursor")}
	if by := query(c, "by"); by != "" {
		filter.Query = by
	}
	var err error
	if filter.From, err = readDay(query(c, "from"), "from", v.frame.Location); err != nil {
		return filter, err
	}
	until, err := readDay(query(c, "until"), "until", v.frame.Location)
	filter.Until = endOfDay(until)
	return filter, err
}

func exportURL(c *gin.Context) string {
	values := c.Request.URL.Query()
	values.Del("cursor")
	values.Set("format", "csv")
	return c.Request.URL.Path + "?" + values.Encode()
}

// mostExported bounds a file; who needs more asks for a narrower time.
const mostExported = 20_000

// exportAudit answers with the same rows as a file.
func (h *Handler) exportAudit(c *gin.Context, filter audit.Filter) error {
	var file bytes.Buffer
	out := csv.NewWriter(&file)
	_ = out.Write([]string{"seq", "at", "actor", "login", "via", "from", "action", "target_kind", "target", "target_name", "before", "after", "sealed"})
	filter.Limit = 500
	for n := 0; n < mostExported; {
		entries, next, err := h.auditOf(c.Request.Context(), visitor(c), filter, query(c, "what"))
		if err != nil {
			return err
		}
		for _, e := range entries {
			_ = out.Write([]string{
				strconv.FormatInt(e.Seq, 10), e.At.UTC().Format(time.RFC3339), e.ActorName, e.Actor.String(), e.Via, e.From, e.Action, e.TargetKind,
				e.Target.String(), harmless(e.TargetName), harmless(e.Before), harmless(e.After), strconv.FormatBool(e.Sealed),
			})
		}
		n += len(entries)
		if filter.Cursor = next; next == "" {
			break
		}
	}
	out.Flush()
	return download(c, "text/csv; charset=utf-8", "schulwart-protokoll.csv", file.Bytes())
}

// harmless keeps a spreadsheet from taking text for a formula.
func harmless(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

func (h *Handler) chain(ctx context.Context, v *visit) (web.ChainState, error) {
	authority := v.person.Authority
	if v.school != nil {
		authority = v.school.Authority
	}
	state, err := h.Audit.Chain(ctx, v.actor, authority)
	if err == nil && state.Checked.IsZero() {
		// Nobody has looked yet: whole is only said of what was checked.
		open := state.Open
		state, err = h.Audit.Verify(ctx, authority)
		state.Open = open
	}
	if err != nil {
		return web.ChainState{}, err
	}
	shown := web.ChainState{OK: state.OK, Checked: state.Checked, Sealed: state.Sealed, Open: state.Open}
	if !shown.OK {
		shown.BrokenAt = strconv.FormatInt(state.BrokenAt, 10)
	}
	return shown, nil
}

// difference tells what changed between two JSON objects, only the fields that
// differ. What is no object is told as it is.
func difference(frame web.Frame, before, after string) (string, string) {
	was, wasObject := object(before)
	is, isObject := object(after)
	if !wasObject || !isObject {
		return before, after
	}
	was, is = lifted(was), lifted(is)
	leaveEqual(was, is)
	return told(frame, was), told(frame, is)
}

// leaveEqual takes out what is the same on both sides, however deep it lies.
func leaveEqual(was, is map[string]any) {
	for name, value := range was {
		other, there := is[name]
		if !there {
			continue
		}
		if reflect.DeepEqual(value, other) {
			delete(was, name)
			delete(is, name)
			continue
		}
		inner, isMap := value.(map[string]any)
		outer, otherMap := other.(map[string]any)
		if isMap && otherMap {
			leaveEqual(inner, outer)
		}
	}
}

// lifted puts the fields of a setting that is an object itself, as the set-up
// keeps it, in the place of its text.
func lifted(fields map[string]any) map[string]any {
	text, ok := fields["value"].(string)
	if !ok || len(fields) != 1 || !strings.HasPrefix(text, "{") {
		return fields
	}
	if inner, ok := object(text); ok {
		return inner
	}
	return fields
}

func object(text string) (map[string]any, bool) {
	fields := map[string]any{}
	if text == "" {
		return fields, true
	}
	err := json.Unmarshal([]byte(text), &fields)
	return fields, err == nil
}

// told writes fields for people: instants in school time, and neither what is
// empty nor ids, which nobody can read. The file has all of it.
func told(frame web.Frame, fields map[string]any) string {
	var lines []string
	for name, value := range fields {
		if inner, ok := value.(map[string]any); ok && isShelf[name] {
			if text := told(frame, inner); text != "" {
				lines = append(lines, text)
			}
			continue
		}
		if text := toldValue(frame, value); text != "" {
			lines = append(lines, fieldName(frame, name)+": "+valueName(frame, name, text))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, ", ")
}

// isShelf names objects that only hold others together: their own name tells a
// person nothing.
var isShelf = map[string]bool{"forms": true, "states": true, "address": true, "certificate": true, "mail": true, "backup": true}

func toldValue(frame web.Frame, value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		if at, err := time.Parse(time.RFC3339, value); err == nil {
			return frame.When(at)
		}
		if _, err := uuid.Parse(value); err == nil {
			return ""
		}
		return value
	case []any:
		var words []string
		for _, one := range value {
			if text := toldValue(frame, one); text != "" {
				words = append(words, text)
			}
		}
		return strings.Join(words, ", ")
	case map[string]any:
		return told(frame, value)
	}
	return fmt.Sprint(value)
}

// doors names the ways in that are worth a word; most people come by the
// console.
var doors = map[string]string{"api": "API", "cli": "CLI"}

// auditor names who did it. What devices and jobs do has no person behind it.
func auditor(frame web.Frame, entry audit.Entry) string {
	switch entry.Via {
	case "job":
		return frame.T("audit.area.job")
	case "device":
		return entry.TargetName
	}
	return entry.ActorName
}

// dotted joins what is there.
func dotted(words ...string) string {
	return strings.Join(slices.DeleteFunc(words, func(word string) bool { return word == "" }), " · ")
}
