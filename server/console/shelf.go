package console

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/server/shelf"
	"schulwart.org/web"
)

// GET /apps/auswahl
func (h *Handler) showShelf(c *gin.Context) error { return h.drawShelf(c, http.StatusOK, nil) }

func (h *Handler) drawShelf(c *gin.Context, status int, problem *web.Problem) error {
	ctx, v := c.Request.Context(), visitor(c)
	branch, err := v.branch()
	if err != nil {
		return err
	}
	shown := web.ShelfPage{Frame: v.frame, School: v.school.Name, MayWrite: may.Can(v.actor, may.ShelfWrite, branch), Problem: problem, For: choices(field(c, "for"), string(shelf.All), string(shelf.Pupils), string(shelf.Teachers))}
	entries, err := h.Shelf.List(ctx, v.actor, branch.School)
	if err != nil {
		return err
	}
	for _, e := range entries {
		shown.Rows = append(shown.Rows, web.ShelfRow{
			ID: e.ID.String(), Title: appName(e.Package, v.frame.Lang), Version: e.Package.Version, For: string(e.For), Group: e.GroupName, Teacher: e.StaffName, Picked: e.Picked, By: e.ByName, At: e.At,
		})
	}
	picks, err := h.Shelf.Picked(ctx, v.actor, branch.School)
	if err != nil {
		return err
	}
	for _, w := range picks[:min(len(picks), namedDevices)] {
		shown.Picks = append(shown.Picks, pickOf(w, v.frame.Lang))
	}
	if shown.MayWrite {
		if err := h.shelfForms(c, &shown, branch); err != nil {
			return err
		}
	}
	return show(c, status, web.Shelf(shown))
}

// shelfForms adds what only whoever keeps the shelf reads.
func (h *Handler) shelfForms(c *gin.Context, shown *web.ShelfPage, branch org.Branch) error {
	ctx, v := c.Request.Context(), visitor(c)
	requests, err := h.Shelf.Requests(ctx, v.actor, branch.School)
	if err != nil {
		return err
	}
	for _, r := range requests {
		shown.Requests = append(shown.Requests, appRequest(r))
	}
	apps, err := h.Packages.List(ctx, v.actor)
	if err != nil {
		return err
	}
	for _, app := range apps {
		shown.Apps = append(shown.Apps, web.Option{Value: app.ID.String(), Label: appName(app.Package, v.frame.Lang) + " " + app.Version, Chosen: field(c, "app") == app.ID.String()})
	}
	shown.Groups = []web.Option{{Value: "", Label: web.T(v.frame.Lang, "shelf.group.none")}}
	groups, _, err := h.Roster.Groups(ctx, v.actor, roster.GroupFilter{School: branch.School, Limit: 200})
	for _, group := range groups {
		shown.Groups = append(shown.Groups, web.Option{Value: group.ID.String(), Label: group.Name, Chosen: field(c, "group") == group.ID.String()})
	}
	return err
}

func pickOf(w shelf.Wish, lang string) web.Pick {
	pick := web.Pick{ID: w.ID.String(), Device: web.DeviceRef{ID: w.Device.String(), Name: w.DeviceName}, Title: appName(w.Package, lang), State: string(w.State()), By: w.ByName, At: w.At}
	if w.Said != nil && w.Said.Reason != nil && !w.Lacks {
		pick.Reason = &web.RolloutReason{Code: w.Said.Reason.Code, Details: w.Said.Reason.Details}
	}
	return pick
}

func appRequest(r shelf.Request) web.AppRequest {
	return web.AppRequest{ID: r.ID.String(), Title: r.Title, Why: r.Why, Who: r.StaffName, At: r.At, Known: r.Package != "", Answer: string(r.Answer), Reason: r.Reason, By: r.ByName}
}

// POST /apps/auswahl
func (h *Handler) addToShelf(c *gin.Context) error {
	branch, err := visitor(c).branch()
	if err != nil {
		return err
	}
	_, err = h.Shelf.Add(c.Request.Context(), actor(c), shelf.New{School: branch.School, Package: org.ID(field(c, "app")), For: shelf.Audience(field(c, "for")), Group: org.ID(field(c, "group"))})
	return h.shelfDone(c, err, "shelf_added")
}

// shelfDone leads back to the shelf, with what was wrong if the person can mend it.
func (h *Handler) shelfDone(c *gin.Context, err error, done string) error {
	if err != nil {
		if problem := problemOf(err); problem != nil && canMend(err) {
			return h.drawShelf(c, http.StatusUnprocessableEntity, problem)
		}
		return err
	}
	h.flash(c.Request.Context(), web.FlashDone, done)
	return seeOther(c, web.PathShelf)
}

// POST /apps/auswahl/:entry/entfernen
func (h *Handler) removeFromShelf(c *gin.Context) error {
	return h.shelfDone(c, h.Shelf.Remove(c.Request.Context(), actor(c), param(c, "entry")), "shelf_removed")
}

// POST /apps/wuensche/:request
func (h *Handler) answerRequest(c *gin.Context) error {
	ctx, id := c.Request.Context(), param(c, "request")
	if field(c, "do") == "refuse" {
		_, err := h.Shelf.Refuse(ctx, actor(c), id, field(c, "reason"))
		return h.shelfDone(c, err, "request_refused")
	}
	_, err := h.Shelf.Grant(ctx, actor(c), id, org.ID(field(c, "app")), field(c, "all") == "1")
	return h.shelfDone(c, err, "request_granted")
}

// GET /mein-tag/apps
func (h *Handler) showTeacherApps(c *gin.Context) error {
	return h.drawTeacherApps(c, http.StatusOK, nil)
}

func (h *Handler) drawTeacherApps(c *gin.Context, status int, problem *web.Problem) error {
	ctx, v := c.Request.Context(), visitor(c)
	branch, err := v.branch()
	if err != nil {
		return err
	}
	device, err := h.deviceOfQuery(c)
	if err != nil {
		return err
	}
	mine, err := h.Shelf.Mine(ctx, v.actor, branch.School, device)
	if err != nil {
		return err
	}
	shown := web.TeacherAppsPage{Frame: v.frame, Problem: problem, Title: field(c, "title"), Why: field(c, "why")}
	if mine.Device != nil {
		shown.Key, shown.Device = query(c, "geraet"), mine.Device.Name
	}
	for _, offer := range mine.Offers {
		shown.Rows = append(shown.Rows, pickRow(offer, v.frame.Lang, offer.Wish != nil && offer.Wish.By == v.actor.ID))
	}
	if err := h.addIcons(c, mine.Offers, shown.Rows); err != nil {
		return err
	}
	for _, r := range mine.Requests {
		shown.Requests = append(shown.Requests, appRequest(r))
	}
	if len(mine.Missing) > 0 {
		shown.Missing = []web.Option{{Value: "", Label: web.T(v.frame.Lang, "shelf.ask.other")}}
	}
	for _, pack := range mine.Missing {
		shown.Missing = append(shown.Missing, web.Option{Value: pack.ID.String(), Label: appName(pack, v.frame.Lang), Chosen: field(c, "app") == pack.ID.String()})
	}
	return show(c, status, web.TeacherApps(shown))
}

// deviceOfQuery returns the device whose link the address carries, none without one.
func (h *Handler) deviceOfQuery(c *gin.Context) (org.ID, error) {
	key := query(c, "geraet")
	if key == "" {
		return "", nil
	}
	return h.readPupilKey(key)
}

func pickRow(o shelf.Offer, lang string, mine bool) web.PickRow {
	row := web.PickRow{
		ID: o.ID.String(), Title: appName(o.Package, lang), Text: o.Package.Description.In(lang), Licence: o.Package.Licence, Cents: o.Cents, Currency: o.Currency, Counted: o.Counted, Free: o.Free, Mine: mine,
	}
	if o.Wish != nil {
		pick := pickOf(*o.Wish, lang)
		row.Pick = &pick
	}
	return row
}

// POST /mein-tag/apps
func (h *Handler) doTeacherApps(c *gin.Context) error {
	ctx, v := c.Request.Context(), visitor(c)
	branch, err := v.branch()
	if err != nil {
		return err
	}
	device, err := h.deviceOfQuery(c)
	if err != nil {
		return err
	}
	done := "app_picked"
	switch field(c, "do") {
	case "pick":
		err = h.Shelf.Pick(ctx, v.actor, device, org.ID(field(c, "entry")))
	case "return":
		done, err = "app_returned", h.Shelf.Return(ctx, v.actor, org.ID(field(c, "wish")))
	default:
		done = "app_asked"
		_, err = h.Shelf.Ask(ctx, v.actor, shelf.NewRequest{School: branch.School, Package: org.ID(field(c, "app")), Title: field(c, "title"), Why: field(c, "why")})
	}
	if err != nil {
		if problem := problemOf(err); problem != nil && canMend(err) {
			return h.drawTeacherApps(c, http.StatusUnprocessableEntity, problem)
		}
		return err
	}
	h.flash(ctx, web.FlashDone, done)
	return seeOther(c, web.With(web.PathTeacherApps, "geraet", query(c, "geraet")))
}

// GET /g/:key/apps
func (h *Handler) showPupilApps(c *gin.Context) error {
	return h.drawPupilApps(c, http.StatusOK, false)
}

func (h *Handler) drawPupilApps(c *gin.Context, status int, many bool) error {
	found, err := h.forPupil(c)
	if err != nil {
		return err
	}
	offers, err := h.Shelf.AtDevice(c.Request.Context(), found.Device)
	if err != nil {
		return err
	}
	shown := web.PupilAppsPage{Frame: frame(c), Key: c.Param("key"), Device: found.Name, School: found.School, Tongue: web.PupilLanguage(query(c, "sprache"), frame(c).Lang), Many: many}
	for _, offer := range offers {
		row := pickRow(offer, web.Language(shown.Tongue), offer.Wish != nil && offer.Wish.By == "")
		if row.Pick != nil {
			row.Pick.By = "" // whoever holds the link reads of no person
		}
		shown.Rows = append(shown.Rows, row)
	}
	if err := h.addIcons(c, offers, shown.Rows); err != nil {
		return err
	}
	return show(c, status, web.PupilApps(shown))
}

// POST /g/:key/apps
func (h *Handler) doPupilApps(c *gin.Context) error {
	ctx := c.Request.Context()
	device, err := h.readPupilKey(c.Param("key"))
	if err != nil {
		return err
	}
	if field(c, "do") == "return" {
		err = h.Shelf.ReturnAt(ctx, device, org.ID(field(c, "wish")))
	} else {
		err = h.Shelf.PickAt(ctx, device, org.ID(field(c, "entry")))
	}
	if errs.Is(err, errs.Conflict) {
		return h.drawPupilApps(c, http.StatusUnprocessableEntity, true)
	}
	if err != nil {
		return err
	}
	return seeOther(c, web.With(web.To(web.PathPupilApps, c.Param("key")), "sprache", query(c, "sprache")))
}
