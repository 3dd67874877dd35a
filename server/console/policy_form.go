package console

import (
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
	"schulwart.org/server/standard"
	"schulwart.org/web"
)

// The editor's form: inputs are named v.<field>, those of entries
// v.<field>.<n>.<field>, holds hold.<field>.

// readWish reads what the form says about a family. Values that are no values
// of their kind stay as they were typed: the catalogue says what is wrong.
func readWish(c *gin.Context, family catalog.Family) standard.Wish {
	wish := standard.Wish{Settings: map[string]any{}, Holds: map[string]desired.Hold{}}
	for _, field := range family.Fields {
		if value := readValue(c, field, "v."+field.Name); value != nil {
			wish.Settings[field.Name] = value
			if hold := desired.Hold(c.PostForm("hold." + field.Name)); hold == desired.Locked || hold == desired.Free {
				wish.Holds[field.Name] = hold
			}
		}
	}
	return wish
}

// readValue reads one input; nil says nothing.
func readValue(c *gin.Context, f catalog.Field, name string) any {
	text := c.PostForm(name)
	switch f.Kind {
	case catalog.Flag:
		switch text {
		case "on":
			return true
		case "off":
			return false
		}
		return nil
	case catalog.Number:
		if text = strings.TrimSpace(text); text == "" {
			return nil
		}
		if n, err := strconv.Atoi(text); err == nil {
			return n
		}
		return text
	case catalog.Names:
		return lines(text)
	case catalog.Entries:
		return readEntries(c, f, name)
	}
	if f.Secret && text == "" && c.PostForm(name+".kept") == "1" && c.PostForm(name+".forget") != "1" {
		return standard.Kept
	}
	if strings.TrimSpace(text) == "" {
		return nil
	}
	return text
}

// lines are the lines of a text that are not empty, nil if there are none.
func lines(text string) any {
	var list []any
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	if list == nil {
		return nil
	}
	return list
}

// mostEntries bounds what a form may count to.
const mostEntries = 500

func readEntries(c *gin.Context, f catalog.Field, name string) any {
	n, _ := strconv.Atoi(c.PostForm(name + ".n"))
	var list []any
	for i := range min(max(n, 0), mostEntries) {
		entry := map[string]any{}
		for _, part := range f.Fields {
			if value := readValue(c, part, name+"."+strconv.Itoa(i)+"."+part.Name); value != nil {
				entry[part.Name] = value
			}
		}
		if len(entry) > 0 {
			list = append(list, entry)
		}
	}
	if list == nil {
		return nil
	}
	return list
}

// typed is what stood in the form, so that it can be drawn again: with an entry
// more, one less, or with what was wrong.
func typed(c *gin.Context, f catalog.Field, d web.PolicyField, name string) (value web.PolicyValue, raw string) {
	text := c.PostForm(name)
	switch f.Kind {
	case catalog.Flag:
		return web.PolicyValue{Set: text == "on" || text == "off", On: text == "on"}, ""
	case catalog.Number, catalog.Names:
		return web.PolicyValue{}, text
	case catalog.Entries:
		return typedEntries(c, f, d, name), ""
	}
	if f.Secret {
		return web.PolicyValue{Hidden: c.PostForm(name+".kept") == "1"}, ""
	}
	return web.PolicyValue{Set: text != "", Text: text}, ""
}

func typedEntries(c *gin.Context, f catalog.Field, d web.PolicyField, name string) web.PolicyValue {
	n, _ := strconv.Atoi(c.PostForm(name + ".n"))
	value := web.PolicyValue{}
	for i := range min(max(n, 0), mostEntries) {
		if c.PostForm("remove") == f.Name+"."+strconv.Itoa(i) {
			continue
		}
		entry := web.PolicyEntry{}
		for j, part := range f.Fields {
			one, raw := typed(c, part, d.Fields[j], name+"."+strconv.Itoa(i)+"."+part.Name)
			if raw != "" {
				one = asTyped(part, raw)
			}
			entry[part.Name] = one
		}
		value.Entries = append(value.Entries, entry)
	}
	if c.PostForm("add") == f.Name {
		value.Entries = append(value.Entries, web.PolicyEntry{})
	}
	value.Set = len(value.Entries) > 0
	return value
}

// asTyped keeps what was typed into an input of an entry.
func asTyped(f catalog.Field, raw string) web.PolicyValue {
	if f.Kind == catalog.Names {
		var names []string
		for line := range strings.Lines(raw) {
			names = append(names, strings.TrimSpace(line))
		}
		return web.PolicyValue{Set: true, Names: names}
	}
	n, _ := strconv.Atoi(strings.TrimSpace(raw))
	return web.PolicyValue{Set: true, Number: n}
}

// wrongs are the faults of values that an error carries, as the form shows them.
func wrongs(err error) []web.Problem {
	var list []web.Problem
	for _, fault := range standard.FaultsOf(err) {
		list = append(list, faultProblem(fault))
	}
	if list == nil {
		if problem := problemOf(err); problem != nil {
			list = append(list, *problem)
		}
	}
	return list
}

func faultProblem(fault standard.Fault) web.Problem {
	args := map[string]any{}
	for name, value := range fault.Args {
		args[name] = value
	}
	if fault.Place != nil && fault.Place.Name != "" {
		args["place"] = fault.Place.Name
	}
	return web.Problem{Key: fault.Key, Args: args, Field: fault.Field}
}
