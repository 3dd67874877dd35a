package web

import (
	"strconv"
	"strings"

	"github.com/a-h/templ"
)

func (p PolicyEditPage) editPairs() []string {
	return append(p.placePairs([]PolicyPlace{p.Place}), p.draftTitle(p.Draft), To(PathDraft, p.Draft.ID))
}

// shows reports whether a fault stands beside an input of the form.
func (p PolicyEditPage) shows(field string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(field, "v."), ".")
	for _, e := range p.Fields {
		if e.Def.Name == first && (e.Def.Kind != KindEntries || strings.Contains(field, ".")) {
			return true
		}
	}
	return false
}

// blocked reports whether a level above locked the field and this place says
// nothing that could be taken back.
func (e EditField) blocked() bool { return e.AboveHold == "locked" && !e.Value.Set && e.Raw == "" }

// long reports whether the value from above is a list too long for a sentence.
func (e EditField) long() bool { return e.Def.Kind == KindNames && len(e.Effective.Names) > shortList }

func holdWord(hold string) string {
	if hold == "" {
		return "standard"
	}
	return hold
}

// policyInput is one input of the editor.
type policyInput struct {
	frame   Frame
	def     PolicyField
	name    string
	id      string
	value   PolicyValue
	raw     string
	problem *Problem
}

func (e EditField) input(f Frame, problems []Problem) policyInput {
	name := "v." + e.Def.Name
	return policyInput{f, e.Def, name, "f-" + e.Def.Name, e.Value, e.Raw, problemAt(problems, e.Def.Name, name)}
}

func entryInput(f Frame, list, field PolicyField, entry PolicyEntry, i int, problems []Problem) policyInput {
	name := "v." + list.Name + "." + strconv.Itoa(i) + "." + field.Name
	// The catalogue counts entries from one, as people do.
	return policyInput{f, field, name, "f-" + list.Name + "-" + strconv.Itoa(i) + "-" + field.Name, entry[field.Name], "",
		problemAt(problems, list.Name+"."+strconv.Itoa(i+1)+"."+field.Name, name)}
}

// problemAt finds the fault of an input; a fault of one item of a list belongs
// to the list. It is named after the input, so that its text has an id of its
// own.
func problemAt(problems []Problem, path, name string) *Problem {
	for _, problem := range problems {
		if problem.Field == path || strings.HasPrefix(problem.Field, path+".") && !strings.Contains(strings.TrimLeft(problem.Field[len(path)+1:], "0123456789"), ".") {
			found := problem
			found.Field = name
			return &found
		}
	}
	return nil
}

// text is what stands in the input.
func (in policyInput) text() string {
	switch {
	case in.raw != "":
		return in.raw
	case !in.value.Set:
		return ""
	}
	switch in.def.Kind {
	case KindNumber:
		return strconv.Itoa(in.value.Number)
	case KindNames:
		return strings.Join(in.value.Names, "\n")
	}
	return in.value.Text
}

func (in policyInput) rows() string {
	return strconv.Itoa(min(12, max(3, strings.Count(in.text(), "\n")+2)))
}

// hint says what may stand in the input.
func (in policyInput) hint() string {
	parts := []string{}
	if in.def.Kind == KindNames {
		parts = append(parts, in.frame.T("edit.one_per_line"))
	}
	if limits := in.frame.limits(in.def); limits != "" {
		parts = append(parts, limits)
	}
	if in.def.Secret {
		parts = append(parts, in.frame.T("edit.secret"))
		if in.value.Hidden {
			parts = append(parts, in.frame.T("edit.secret.kept"))
		}
	}
	return strings.Join(parts, " ")
}

func (in policyInput) attributes() templ.Attributes {
	all := templ.Attributes{}
	if !strings.Contains(strings.TrimPrefix(in.name, "v."), ".") {
		all["aria-label"] = in.frame.policyName(in.def) // the legend is the fieldset's name only
	}
	var described []string
	if in.def.Kind != KindChoice && in.hint() != "" {
		described = append(described, in.id+"-hint")
	}
	if in.problem != nil {
		described = append(described, in.name+"-fault")
		all["aria-invalid"] = "true"
	}
	if len(described) > 0 {
		all["aria-describedby"] = strings.Join(described, " ")
	}
	return all
}

// entryTitle names an entry by what tells it apart, a new one by its number.
func (f Frame) entryTitle(d PolicyField, entry PolicyEntry, i int) string {
	if name := entry[d.Key]; name.Set {
		return f.entryName(d, entry)
	}
	return f.T("edit.entry.new", "n", i+1)
}
