package console

import (
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	"schulwart.org/server/exam"
	"schulwart.org/web"
)

// The form of an examination chooses people and devices by searching. Each step is
// the form again: "add-who:p:1" adds, "drop-who:p:1" takes away, "find" looks.

// picks reports whether a form was sent only to choose. What is typed into a search
// comes without a deed, and must not save anything.
func picks(do string) bool {
	return do == "" || do == "find" || strings.HasPrefix(do, "add-") || strings.HasPrefix(do, "drop-")
}

// pick adds to a plan, or takes away.
func pick(plan *exam.Plan, do string) {
	what, value, _ := strings.Cut(do, ":")
	change := func(list []org.ID, id string) []org.ID {
		list = slices.DeleteFunc(list, func(one org.ID) bool { return one == org.ID(id) })
		if strings.HasPrefix(what, "add-") && id != "" {
			list = append(list, org.ID(id))
		}
		return list
	}
	kind, id, _ := strings.Cut(value, ":")
	switch {
	case strings.HasSuffix(what, "-invigilator"):
		plan.Invigilators = change(plan.Invigilators, value)
	case strings.HasSuffix(what, "-who") && kind == "p":
		plan.Persons = change(plan.Persons, id)
	case strings.HasSuffix(what, "-who") && kind == "d":
		plan.Devices = change(plan.Devices, id)
	}
}

// seatsOf reads who was chosen: "p:" before a person, "d:" before a device.
func seatsOf(values []string) (persons, devices []org.ID) {
	for _, value := range values {
		if id, is := strings.CutPrefix(value, "p:"); is {
			persons = append(persons, org.ID(id))
		} else if id, is := strings.CutPrefix(value, "d:"); is {
			devices = append(devices, org.ID(id))
		}
	}
	return persons, devices
}

// pickSeats draws who was chosen beside the group, and who was found.
func (h *Handler) pickSeats(c *gin.Context, school org.Branch, plan exam.Plan) (web.Picker, error) {
	ctx, who := c.Request.Context(), actor(c)
	picker := web.Picker{Name: "who", Query: field(c, "find-who"), Again: strings.HasSuffix(field(c, "do"), "-who") || strings.Contains(field(c, "do"), "-who:")}
	if school.School == "" {
		return picker, nil
	}
	if len(plan.Persons)+len(plan.Devices) > 0 {
		chosen, err := h.Exams.Named(ctx, who, school, plan.Persons, plan.Devices)
		if err != nil {
			return picker, err
		}
		for _, one := range chosen {
			picker.Chosen = append(picker.Chosen, candidateOption(one))
		}
	}
	found, err := h.Exams.Candidates(ctx, who, school, picker.Query)
	if err != nil {
		return picker, err
	}
	for _, one := range found {
		option := candidateOption(one)
		if !slices.ContainsFunc(picker.Chosen, func(o web.Option) bool { return o.Value == option.Value }) {
			picker.Found = append(picker.Found, option)
		}
	}
	return picker, nil
}

func candidateOption(c exam.Candidate) web.Option {
	option := web.Option{Value: "p:" + c.Person.String(), Label: c.Name}
	if c.Device != "" {
		option.Value = "d:" + c.Device.String()
	}
	if c.Beside != "" {
		option.Label += " · " + c.Beside
	}
	return option
}

// pickColleagues draws who invigilates, and who was found.
func pickColleagues(c *gin.Context, colleagues []exam.Invigilator, chosen []org.ID) web.Picker {
	picker := web.Picker{Name: "invigilator", Query: field(c, "find-invigilator"), Again: strings.Contains(field(c, "do"), "-invigilator:")}
	typed := strings.ToLower(picker.Query)
	for _, one := range colleagues {
		option := web.Option{Value: one.Staff.String(), Label: one.Name}
		switch {
		case slices.Contains(chosen, one.Staff):
			picker.Chosen = append(picker.Chosen, option)
		case typed != "" && strings.Contains(strings.ToLower(one.Name), typed) && len(picker.Found) < 20:
			picker.Found = append(picker.Found, option)
		}
	}
	return picker
}
