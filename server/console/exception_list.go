package console

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/server/staff"
	"schulwart.org/server/standard"
	"schulwart.org/web"
)

func exceptionRow(e standard.Exception, now time.Time) web.ExceptionRow {
	d := fieldOf(e.Family, e.Field)
	return web.ExceptionRow{
		ID: e.ID.String(), Place: policyPlace(e.Place), Field: d, Value: policyValue(d, e.Value), Reason: e.Reason, Owner: e.OwnerName, Made: e.Created,
		Starts: e.Starts, Until: e.Until, Over: e.Over(now), EndedBy: e.EndedName, TakesOut: takesOut(d),
		Asked: e.Asked.What, AskedBy: e.Asked.ByName, AskedAt: e.Asked.At, AskedUntil: e.Asked.Until, AskedReason: e.Asked.Reason, ApprovedBy: e.ApproverName,
	}
}

// takesOut reports whether an exception from the field names what does not hold.
func takesOut(d web.PolicyField) bool {
	return d.Merge == string(catalog.Union) && (d.Kind == web.KindNames || d.Kind == web.KindEntries)
}

func entryRow(e standard.Entry, now time.Time) web.ExceptionRow {
	row := exceptionRow(e.Exception, now)
	row.Devices, row.Needless = e.Devices, e.Needless
	if e.Then != nil {
		row.Above = policyValue(row.Field, e.Then.Value)
	}
	return row
}

// GET /ausnahmen
func (h *Handler) listExceptions(c *gin.Context) error {
	ctx, v := c.Request.Context(), visitor(c)
	filter := standard.ExceptionFilter{Over: query(c, "stand") == "over", Asked: query(c, "stand") == "asked", Cursor: query(c, "cursor")}
	if v.school != nil {
		filter.Authority, filter.School = v.school.Branch().Authority, v.school.ID
	}
	within := query(c, "endet")
	if days, err := strconv.Atoi(within); err == nil && days > 0 {
		filter.Within = time.Duration(days) * 24 * time.Hour
	}
	entries, next, err := h.Standard.Register(ctx, v.actor, filter)
	if err != nil {
		return err
	}
	today, err := h.Standard.Today(ctx, v.actor, branchOf(v))
	if err != nil && may.Can(v.actor, may.PolicyRead, branchOf(v)) {
		return err
	}
	shown := web.ExceptionsPage{
		Frame: v.frame, Any: len(entries) > 0 || within != "" || filter.Over || filter.Asked, Within: options(within, "", "7", "30", "90"), Show: options(query(c, "stand"), "", "asked", "over"),
		Pager: pager(c, next, len(entries)), Soon: today.Ending, MayGrant: may.Anywhere(v.actor, may.PolicyPropose),
	}
	for _, entry := range entries {
		shown.Rows = append(shown.Rows, entryRow(entry, h.Now()))
	}
	return page(c, web.Exceptions(shown))
}

// GET /ausnahmen/:exception
func (h *Handler) showException(c *gin.Context) error {
	return h.drawException(c, http.StatusOK, nil)
}

const dateForm = "2006-01-02"

func (h *Handler) drawException(c *gin.Context, status int, problem *web.Problem) error {
	v := visitor(c)
	entry, err := h.Standard.Exception(c.Request.Context(), v.actor, param(c, "exception"))
	if err != nil {
		return err
	}
	longest := h.Now().Add(standard.LongestException).In(v.frame.Location)
	shown := web.ExceptionPage{
		Frame: v.frame, Row: entryRow(entry, h.Now()), Until: entry.Until.In(v.frame.Location).Format(dateForm), Longest: longest.Format(dateForm), Reason: field(c, "reason"),
		MayExtend: entry.MayExtend, MayEnd: entry.MayEnd, MayGrant: entry.MayGrant, MayRefuse: entry.MayRefuse, Own: entry.MayRefuse && !entry.MayGrant, Asks: entry.Asks, Problem: problem,
	}
	if until := field(c, "until"); until != "" {
		shown.Until = until
	}
	if entry.Then != nil && len(entry.Then.From) > 0 {
		if decides, ok := h.deciderOf(c, *entry.Then); ok {
			shown.ThenFrom = &decides
		}
	}
	return show(c, status, web.Exception(shown))
}

// deciderOf names the place whose word counts; false where the person may not
// know it.
func (h *Handler) deciderOf(c *gin.Context, effective desired.Effective) (web.PolicyPlace, bool) {
	var last *desired.Place
	for _, source := range effective.From {
		switch source.Effect {
		case desired.Decides, desired.Adds, desired.Tightens, desired.Excepts:
			last = &source.Place
		}
	}
	if last == nil {
		return web.PolicyPlace{}, false
	}
	return h.named(c, *last), true
}

// named is a place with its name; above the person's branch the level alone is
// said where the name may not be read.
func (h *Handler) named(c *gin.Context, place desired.Place) web.PolicyPlace {
	if found, err := h.Standard.Place(c.Request.Context(), actor(c), place); err == nil {
		return policyPlace(found)
	}
	shown := policyPlace(standard.Place{Place: place})
	shown.URL = ""
	return shown
}

// POST /ausnahmen/:exception/verlaengern
func (h *Handler) extendException(c *gin.Context) error {
	changed, err := h.Standard.Extend(c.Request.Context(), actor(c), param(c, "exception"), lastMoment(c), field(c, "reason"))
	return h.afterException(c, err, saidOf(changed, "exception_extended"))
}

// POST /ausnahmen/:exception/beenden
func (h *Handler) endException(c *gin.Context) error {
	changed, err := h.Standard.End(c.Request.Context(), actor(c), param(c, "exception"))
	return h.afterException(c, err, saidOf(changed, "exception_ended"))
}

// saidOf says that something was done about an exception, or that it waits.
func saidOf(e standard.Exception, done string) string {
	if e.Asked.What != "" {
		return "exception_asked"
	}
	return done
}

// POST /ausnahmen/:exception/entscheiden
func (h *Handler) decideException(c *gin.Context) error {
	ctx, who, id := c.Request.Context(), actor(c), param(c, "exception")
	if field(c, "do") == "grant" {
		_, err := h.Standard.Grant(ctx, who, id)
		return h.afterException(c, err, "exception_granted")
	}
	_, err := h.Standard.Refuse(ctx, who, id)
	return h.afterException(c, err, "exception_refused")
}

func (h *Handler) afterException(c *gin.Context, err error, said string) error {
	if err != nil {
		if problem := problemOf(err); problem != nil && canMend(err) {
			return h.drawException(c, http.StatusUnprocessableEntity, problem)
		}
		return err
	}
	h.flash(c.Request.Context(), web.FlashDone, said)
	return seeOther(c, web.To(web.PathException, c.Param("exception")))
}

// lastMoment is the end of the day that the form names, in school time; zero if
// it names none.
func lastMoment(c *gin.Context) time.Time {
	day, err := time.ParseInLocation(dateForm, field(c, "until"), frame(c).Location)
	if err != nil {
		return time.Time{}
	}
	return day.AddDate(0, 0, 1).Add(-time.Second)
}

// GET /ausnahmen/neu
func (h *Handler) newException(c *gin.Context) error {
	return h.drawExceptionForm(c, http.StatusOK, query(c, "wo"), query(c, "was"), nil)
}

func (h *Handler) drawExceptionForm(c *gin.Context, status int, where, what string, problems []web.Problem) error {
	ctx, v := c.Request.Context(), visitor(c)
	now := h.Now().In(v.frame.Location)
	shown := web.ExceptionNewPage{
		Frame: v.frame, Reason: field(c, "reason"), Until: field(c, "until"), Longest: now.Add(standard.LongestException).Format(dateForm), Problems: problems,
	}
	if shown.Until == "" {
		const usual = 90
		shown.Until = now.AddDate(0, 0, usual).Format(dateForm)
	}
	var err error
	if shown.Places, err = h.exceptionPlaces(c, where); err != nil {
		return err
	}
	for _, family := range catalog.Families {
		for _, f := range family.Fields {
			key := "policy." + family.Name
			shown.Whats = append(shown.Whats, web.Option{Value: family.Name + "." + f.Name, Label: web.T(v.frame.Lang, key) + ": " + web.T(v.frame.Lang, key+"."+f.Name), Chosen: family.Name+"."+f.Name == what})
		}
	}
	level, id, _ := strings.Cut(where, "/")
	name, fieldName, _ := strings.Cut(what, ".")
	family, known := catalog.Find(name)
	f, has := family.Field(fieldName)
	if where == "" || !known || !has {
		return show(c, status, web.ExceptionNew(shown))
	}
	sheet, err := h.Standard.At(ctx, v.actor, toPlace(level, id))
	if err != nil {
		return err
	}
	shown.Place = policyPlace(sheet.Place)
	if shown.Asks, err = h.Standard.Asks(ctx, v.actor, sheet.Place.Branch); err != nil {
		return err
	}
	for _, said := range sheet.Fields {
		if said.Family == family.Name && said.Field == f.Name {
			edit := editField(sheet, family, f, said)
			edit.AboveHold = "" // who files an exception may write here
			if c.Request.Method == http.MethodPost {
				edit.Value, edit.Raw = typed(c, f, edit.Def, "v."+f.Name)
			}
			shown.Field, shown.TakesOut = &edit, takesOut(edit.Def)
		}
	}
	if shown.Owners, err = h.owners(c, sheet.Place.Branch); err != nil {
		return err
	}
	return show(c, status, web.ExceptionNew(shown))
}

// exceptionPlaces are the places for which the person may file an exception:
// school and groups that the person acts in, and the one asked for.
func (h *Handler) exceptionPlaces(c *gin.Context, where string) ([]web.Option, error) {
	ctx, v := c.Request.Context(), visitor(c)
	var places []web.PolicyPlace
	if v.school != nil && may.Can(v.actor, may.PolicyPropose, v.school.Branch()) {
		places = append(places, policyPlace(standard.Place{Place: desired.Place{Level: org.School, ID: v.school.ID}, Name: v.school.Name}))
		groups, _, err := h.Roster.Groups(ctx, v.actor, roster.GroupFilter{School: v.school.ID})
		if err != nil {
			return nil, err
		}
		for _, group := range groups {
			places = append(places, policyPlace(standard.Place{Place: desired.Place{Level: org.Group, ID: group.ID}, Name: group.Name}))
		}
	}
	var list []web.Option
	found := false
	for _, place := range places {
		value := place.Level + "/" + place.ID
		found = found || value == where
		list = append(list, web.Option{Value: value, Label: web.T(v.frame.Lang, "policy.place", "name", place.Name, "level", web.T(v.frame.Lang, "policy.level."+place.Level)), Chosen: value == where})
	}
	if level, id, ok := strings.Cut(where, "/"); ok && !found {
		place, err := h.Standard.Place(ctx, v.actor, toPlace(level, id))
		if err != nil {
			return nil, err
		}
		list = append(list, web.Option{Value: where, Label: web.T(v.frame.Lang, "policy.place", "name", place.Name, "level", web.T(v.frame.Lang, "policy.level."+level)), Chosen: true})
	}
	return list, nil
}

// owners are the people who may answer for an exception.
func (h *Handler) owners(c *gin.Context, branch org.Branch) ([]web.Option, error) {
	list := []web.Option{{Chosen: field(c, "owner") == ""}}
	if !may.Can(actor(c), may.StaffRead, branch) {
		return list, nil
	}
	people, _, err := h.Staff.List(c.Request.Context(), actor(c), staff.Filter{School: branch.School})
	for _, person := range people {
		list = append(list, web.Option{Value: person.ID.String(), Label: person.Full(), Chosen: person.ID.String() == field(c, "owner")})
	}
	return list, err
}

// POST /ausnahmen/neu
func (h *Handler) fileException(c *gin.Context) error {
	where, what := field(c, "wo"), field(c, "was")
	level, id, _ := strings.Cut(where, "/")
	name, fieldName, _ := strings.Cut(what, ".")
	family, _ := catalog.Find(name)
	f, known := family.Field(fieldName)
	if c.PostForm("add") != "" || c.PostForm("remove") != "" {
		return h.drawExceptionForm(c, http.StatusOK, where, what, nil)
	}
	wanted := standard.NewException{Place: toPlace(level, id), Family: name, Field: fieldName, Owner: org.ID(field(c, "owner")), Reason: field(c, "reason"), Until: lastMoment(c)}
	if known {
		wanted.Value = readValue(c, f, "v."+fieldName)
	}
	filed, err := h.Standard.Except(c.Request.Context(), actor(c), wanted)
	if err != nil {
		if problems := wrongs(err); len(problems) > 0 && canMend(err) {
			return h.drawExceptionForm(c, http.StatusUnprocessableEntity, where, what, problems)
		}
		return err
	}
	h.flash(c.Request.Context(), web.FlashDone, saidOf(filed, "exception_filed"))
	return seeOther(c, web.To(web.PathException, filed.ID.String()))
}

// GET /schule/standard
func (h *Handler) showFollowing(c *gin.Context) error {
	ctx, v := c.Request.Context(), visitor(c)
	branch, err := v.branch()
	if err != nil {
		return err
	}
	follow, err := h.Standard.Follows(ctx, v.actor, branch.School)
	if err != nil {
		return err
	}
	shown := web.FollowingPage{Frame: v.frame, School: v.school.Name, Percent: follow.Percent(), Fields: follow.Fields, Unchanged: follow.Unchanged}
	for _, e := range follow.Deviations {
		entry, err := h.Standard.Exception(ctx, v.actor, e.ID)
		if err != nil {
			return err
		}
		shown.Deviations = append(shown.Deviations, entryRow(entry, h.Now()))
	}
	return page(c, web.Following(shown))
}
