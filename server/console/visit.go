package console

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/text/language"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/httpx"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/server/staff"
	"schulwart.org/web"
)

// visit is what is known of a request before its handler runs.
type visit struct {
	id     string // of the request, as people read it to the operator
	actor  may.Actor
	person staff.Person
	school *roster.School // that the person acts in; nil while none is chosen
	frame  web.Frame
}

const visitKey = "visit"

// visitor returns the visit of a request.
func visitor(c *gin.Context) *visit {
	if v, ok := c.Value(visitKey).(*visit); ok {
		return v
	}
	return &visit{}
}

func actor(c *gin.Context) may.Actor  { return visitor(c).actor }
func requestID(c *gin.Context) string { return visitor(c).id }
func frame(c *gin.Context) web.Frame  { return visitor(c).frame }

// begin fills the frame with what needs nobody to be known, so that even a
// refusal is a page.
func (h *Handler) begin(c *gin.Context) {
	v := &visit{id: httpx.RequestID(c.Request.Context())}
	v.frame = web.Frame{
		Lang: tongue(c.Request, ""), Theme: colours(c.Request, ""), Location: defaultLocation, Now: h.Now(), Pace: h.pace(),
		Path: c.Request.URL.RequestURI(), Demo: h.Demo, Version: h.Version,
	}
	c.Set(visitKey, v)
	c.Next()
}

// recognise finds out who asks and fills the frame of the page.
func (h *Handler) recognise(c *gin.Context) error {
	v, ctx := visitor(c), c.Request.Context()
	id := h.Sessions.Who(ctx)
	if id == "" {
		return nil
	}
	who, err := h.Staff.Actor(ctx, id, c.ClientIP())
	if errs.Is(err, errs.Denied) || errs.Is(err, errs.NotFound) {
		return h.Sessions.End(ctx) // locked or gone since the last page
	}
	if err != nil {
		return err
	}
	if v.person, err = h.Staff.Me(ctx, who); err != nil {
		return err
	}
	v.actor = who
	c.Request = c.Request.WithContext(httpx.WithActor(ctx, who))
	if err := h.findPlace(ctx, v); err != nil {
		return err
	}
	v.frame.Lang, v.frame.Theme = tongue(c.Request, v.person.Lang), colours(c.Request, v.person.Theme)
	v.frame.Person = web.Person{ID: who.ID.String(), Name: who.Name, Place: v.placeName()}
	v.frame.Nav = navigation(v, c.Request.URL.Path)
	if v.school != nil {
		v.frame.Location = location(v.school.Timezone)
	}
	return nil
}

// findPlace settles in which school the person acts: the one chosen, else the
// first of the own ones, else the only one there is. Who looks after many schools
// chooses first.
func (h *Handler) findPlace(ctx context.Context, v *visit) error {
	for _, id := range []org.ID{org.ID(h.Sessions.GetString(ctx, keyPlace)), firstSchool(v.actor)} {
		if id == "" {
			continue
		}
		school, err := h.Roster.School(ctx, v.actor, id)
		switch {
		case err == nil:
			v.school = &school
			return nil
		case !errs.Is(err, errs.NotFound) && !errs.Is(err, errs.Denied):
			return err
		}
	}
	return h.onlySchool(ctx, v)
}

// onlySchool settles on the school of an installation, or of an authority, that
// has no second one: there is nothing to choose.
func (h *Handler) onlySchool(ctx context.Context, v *visit) error {
	if !may.Anywhere(v.actor, may.SchoolRead) {
		return nil
	}
	schools, _, err := h.Roster.Schools(ctx, v.actor, "", "", 2)
	if err == nil && len(schools) == 1 {
		v.school = &schools[0]
	}
	return err
}

func firstSchool(who may.Actor) org.ID {
	for _, grant := range who.Grants {
		if grant.Branch.School != "" {
			return grant.Branch.School
		}
	}
	return ""
}

func (v *visit) placeName() string {
	if v.school != nil {
		return v.school.Name
	}
	return ""
}

// branch is the school that the person acts in. errNoPlace leads to the list of
// schools.
func (v *visit) branch() (org.Branch, error) {
	if v.school == nil {
		return org.Branch{}, errNoPlace
	}
	return v.school.Branch(), nil
}

// tongue chooses the language: the person's, else the one clicked before
// sign-in, else the browser's.
func tongue(r *http.Request, own string) string {
	if own != "" {
		return web.Language(own)
	}
	if cookie, err := r.Cookie("lang"); err == nil && cookie.Value == web.Language(cookie.Value) {
		return cookie.Value
	}
	wanted, _, _ := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	_, i, _ := language.NewMatcher([]language.Tag{language.German, language.English}).Match(wanted...)
	return web.Languages()[i]
}

func colours(r *http.Request, own string) string {
	if own != "" {
		return own
	}
	if cookie, err := r.Cookie("theme"); err == nil && (cookie.Value == "light" || cookie.Value == "dark") {
		return cookie.Value
	}
	return ""
}

var defaultLocation = location("Europe/Berlin")

// location reads a time zone; a server without zone files falls back to UTC and
// says so in every time it shows.
func location(name string) *time.Location {
	if zone, err := time.LoadLocation(name); err == nil && name != "" {
		return zone
	}
	if zone, err := time.LoadLocation("Europe/Berlin"); err == nil {
		return zone
	}
	return time.UTC
}
