package console

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
	"schulwart.org/server/licence"
	"schulwart.org/server/may"
	"schulwart.org/web"
)

// namedDevices is how many devices a warning names.
const namedDevices = 50

// GET /apps/lizenzen
func (h *Handler) listLicences(c *gin.Context) error {
	return h.drawLicences(c, http.StatusOK, nil, nil)
}

func (h *Handler) drawLicences(c *gin.Context, status int, change *licence.Change, problem *web.Problem) error {
	ctx, v := c.Request.Context(), visitor(c)
	shown := web.LicencesPage{Frame: v.frame, MayWrite: may.Anywhere(v.actor, may.LicenceWrite), Problem: problem}
	views, err := h.Licences.List(ctx, v.actor)
	if err != nil {
		return err
	}
	names := h.placeNames(c)
	for _, view := range views {
		shown.Rows = append(shown.Rows, poolRow(c, view, names))
	}
	// What needs a look rises to the top.
	slices.SortStableFunc(shown.Rows, func(a, b web.PoolRow) int { return b.Waiting - a.Waiting })
	if shown.MayWrite {
		if shown.Form, err = h.licenceForm(c); err != nil {
			return err
		}
	}
	if change != nil {
		shown.Change = licenceChange(c, *change, names)
		keepSaid(&shown.Form, views, *change)
	}
	return show(c, status, web.Licences(shown))
}

// keepSaid fills in what was said before of a pool that the form is about, so that
// whoever enters another number loses nothing else.
func keepSaid(form *web.LicenceForm, known []licence.View, change licence.Change) {
	at := slices.IndexFunc(known, func(v licence.View) bool { return v.ID == change.ID })
	if at < 0 || form.Cost != "" || form.Until != "" || form.Note != "" {
		return
	}
	before := poolForm(known[at], web.PoolRow{})
	form.Cost, form.Currencies, form.Until, form.Note = before.Cost, before.Currencies, before.Until, before.Note
}

// poolPlace names whose licences they are: a school reads the name of its authority.
func poolPlace(c *gin.Context, names *placeNames, branch org.Branch) string {
	if school := visitor(c).school; school != nil && branch == (org.Branch{Authority: school.Authority}) {
		return school.AuthorityName
	}
	return names.of(branch)
}

func appTitle(app ground.App, title ground.Text, lang string) string {
	if said := title.In(lang); said != "" {
		return said
	}
	return app.Name
}

func poolRow(c *gin.Context, v licence.View, names *placeNames) web.PoolRow {
	row := web.PoolRow{
		ID: v.ID.String(), Title: appTitle(v.App, v.Title, frame(c).Lang), Place: poolPlace(c, names, v.Branch), School: v.Branch.School != "", Total: v.Total, Used: v.Used, Waiting: v.Waiting,
		Cents: v.Cost.Cents, Currency: v.Cost.Currency, Ends: v.Ends, Over: v.Over, RunsOut: v.RunsOut, Note: v.Note, MayWrite: v.MayWrite,
	}
	if day, err := time.ParseInLocation(time.DateOnly, string(v.Until), zoneOf(c)); err == nil {
		row.Until = day
	}
	return row
}

func licenceChange(c *gin.Context, change licence.Change, names *placeNames) *web.LicenceChange {
	shown := &web.LicenceChange{
		Title: appTitle(change.App, change.Title, frame(c).Lang), Place: poolPlace(c, names, change.Branch), Total: change.Total, Before: change.Before, Used: change.Used, Waits: change.Waits,
		Gain: len(change.Gain), Lose: len(change.Lose),
	}
	for _, m := range change.Lose[:min(len(change.Lose), namedDevices)] {
		shown.LoseWho = append(shown.LoseWho, licenceDevice(m))
	}
	return shown
}

func licenceDevice(m licence.Member) web.LicenceDevice {
	return web.LicenceDevice{ID: m.ID.String(), Name: m.Name, School: m.School, Since: m.Since}
}

func shortage(s ground.Shortage) web.Shortage {
	short := web.Shortage{Needed: s.Needed, Without: len(s.Without)}
	for _, l := range s.Without[:min(len(s.Without), namedDevices)] {
		short.Names = append(short.Names, web.LicenceDevice{ID: l.Device.String(), Name: l.Name, School: l.School, Waits: true})
	}
	return short
}

// currencies are those of the countries that the product is for.
var currencies = []string{"EUR", "CHF"}

func (h *Handler) licenceForm(c *gin.Context) (web.LicenceForm, error) {
	v := visitor(c)
	form := web.LicenceForm{Total: field(c, "total"), Cost: field(c, "cost"), Until: field(c, "until"), Note: field(c, "note")}
	for _, currency := range currencies {
		form.Currencies = append(form.Currencies, web.Option{Value: currency, Label: currency, Chosen: field(c, "currency") == currency})
	}
	var err error
	if form.Places, err = h.placesFor(c, may.LicenceWrite, field(c, "place")); err != nil {
		return form, err
	}
	form.Apps, err = h.appOptions(c, v, field(c, "app"))
	return form, err
}

// appOptions are the apps of the catalogue, each once, whatever its versions.
func (h *Handler) appOptions(c *gin.Context, v *visit, chosen string) ([]web.Option, error) {
	apps, err := h.Packages.List(c.Request.Context(), v.actor)
	var options []web.Option
	for _, app := range apps {
		value := string(app.Kind) + "/" + app.Name
		if !slices.ContainsFunc(options, func(o web.Option) bool { return o.Value == value }) {
			options = append(options, web.Option{Value: value, Label: appTitle(app.App(), app.Title, v.frame.Lang), Chosen: value == chosen})
		}
	}
	return options, err
}

// POST /apps/lizenzen
func (h *Handler) saveLicences(c *gin.Context) error {
	ctx, who := c.Request.Context(), actor(c)
	wanted, err := wantedLicences(c)
	var change licence.Change
	if err == nil {
		change, err = h.Licences.Preview(ctx, who, wanted)
	}
	// Nobody loses anything that was not shown before.
	save := field(c, "do") == "save" && field(c, "lose") == strconv.Itoa(len(change.Lose))
	if err == nil && save {
		change, err = h.Licences.Put(ctx, who, wanted)
	}
	if err != nil {
		if problem := problemOf(err); problem != nil && canMend(err) {
			return h.drawLicences(c, http.StatusUnprocessableEntity, nil, problem)
		}
		return err
	}
	if !save {
		return h.drawLicences(c, http.StatusOK, &change, nil)
	}
	h.flash(ctx, web.FlashDone, "licences_saved")
	return seeOther(c, web.To(web.PathLicence, change.ID.String()))
}

func wantedLicences(c *gin.Context) (licence.New, error) {
	level, id, _ := strings.Cut(field(c, "place"), "/")
	kind, name, _ := strings.Cut(field(c, "app"), "/")
	wanted := licence.New{App: ground.App{Kind: ground.Kind(kind), Name: name}, Until: ground.Date(field(c, "until")), Note: field(c, "note")}
	if org.Level(level) == org.School {
		wanted.School = org.ID(id)
	} else {
		wanted.Authority = org.ID(id)
	}
	var err error
	if wanted.Total, err = strconv.Atoi(field(c, "total")); err != nil {
		wanted.Total = -1 // the room says what may be there
	}
	cost := strings.ReplaceAll(field(c, "cost"), ",", ".")
	if cost == "" {
		return wanted, nil
	}
	whole, part, _ := strings.Cut(cost, ".")
	cents, err := strconv.ParseInt(whole+(part + "00")[:2], 10, 64)
	if err != nil || len(part) > 2 || whole == "" {
		return wanted, errs.E(errs.Invalid, "licence.bad_cost").In("cost")
	}
	if cents > 0 {
		wanted.Cost = licence.Cost{Cents: cents, Currency: field(c, "currency")}
	}
	return wanted, nil
}

// mostHolders bounds the rows of one page; figures count all.
const mostHolders = 500

// GET /apps/lizenzen/:pool
func (h *Handler) showLicence(c *gin.Context) error {
	ctx, v := c.Request.Context(), visitor(c)
	view, err := h.Licences.Find(ctx, v.actor, param(c, "pool"))
	if err != nil {
		return err
	}
	holders, err := h.Licences.Holders(ctx, v.actor, view.ID)
	if err != nil {
		return err
	}
	names := h.placeNames(c)
	shown := web.LicencePage{Frame: v.frame, Row: poolRow(c, view, names), Total: len(holders)}
	for _, holder := range holders[:min(len(holders), mostHolders)] {
		device := licenceDevice(holder.Member)
		device.Waits = holder.Waits
		shown.Devices = append(shown.Devices, device)
	}
	if view.MayWrite {
		shown.Form = poolForm(view, shown.Row)
		change, err := h.Licences.DropPreview(ctx, v.actor, view.ID)
		if err != nil {
			return err
		}
		shown.Change = licenceChange(c, change, names)
	}
	return page(c, web.Licence(shown))
}

// poolForm is the form with what the pool says; its place and app stay.
func poolForm(v licence.View, row web.PoolRow) web.LicenceForm {
	level, id := org.Authority, v.Branch.Authority
	if v.Branch.School != "" {
		level, id = org.School, v.Branch.School
	}
	form := web.LicenceForm{
		Places: []web.Option{{Value: string(level) + "/" + id.String(), Label: row.Place, Chosen: true}}, Apps: []web.Option{{Value: string(v.App.Kind) + "/" + v.App.Name, Label: row.Title, Chosen: true}},
		Total: strconv.Itoa(v.Total), Until: string(v.Until), Note: v.Note,
	}
	if v.Cost.Currency != "" {
		form.Cost = strconv.FormatFloat(float64(v.Cost.Cents)/100, 'f', 2, 64)
	}
	for _, currency := range currencies {
		form.Currencies = append(form.Currencies, web.Option{Value: currency, Label: currency, Chosen: v.Cost.Currency == currency})
	}
	return form
}

// POST /apps/lizenzen/:pool
func (h *Handler) dropLicence(c *gin.Context) error {
	if field(c, "do") != "drop" {
		return seeOther(c, web.To(web.PathLicence, c.Param("pool")))
	}
	if err := h.Licences.Drop(c.Request.Context(), actor(c), param(c, "pool")); err != nil {
		return err
	}
	h.flash(c.Request.Context(), web.FlashDone, "licences_dropped")
	return seeOther(c, web.PathLicences)
}
