package console

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/may"
	"schulwart.org/server/packages"
	"schulwart.org/server/rollout"
	"schulwart.org/web"
)

// GET /apps
func (h *Handler) listApps(c *gin.Context) error { return h.drawApps(c, http.StatusOK, nil) }

func (h *Handler) drawApps(c *gin.Context, status int, problem *web.Problem) error {
	ctx, v := c.Request.Context(), visitor(c)
	shown := web.AppsPage{Frame: v.frame, Problem: problem, Title: field(c, "title"), URL: field(c, "url"), Source: web.AppSource{
		Kind: field(c, "kind"), Name: field(c, "package"), Version: field(c, "package-version"), Commit: field(c, "commit"), Label: field(c, "package-title"), URL: field(c, "repository"), Suite: field(c, "suite"), Components: field(c, "components"), Key: field(c, "key"),
	}}
	rollouts, _, err := h.Rollouts.List(ctx, v.actor, rollout.Filter{Limit: 20})
	if err != nil {
		return err
	}
	for _, r := range rollouts {
		shown.Rollouts = append(shown.Rollouts, rolloutRow(r))
	}
	apps, err := h.Packages.List(ctx, v.actor)
	if err != nil {
		return err
	}
	for _, app := range apps {
		shown.Rows = append(shown.Rows, appRow(app, v.frame.Lang))
	}
	if shown.Scopes, err = h.scopesFor(c, may.AppWrite); err != nil {
		return err
	}
	if shown.Room, err = h.appRoom(c, shown.Scopes); err != nil {
		return err
	}
	return show(c, status, web.Apps(shown))
}

// appRoom says how much room there is where the person may take apps in.
func (h *Handler) appRoom(c *gin.Context, scopes []web.Option) ([]web.AppRoom, error) {
	wanted := make([]org.ID, len(scopes))
	for i, scope := range scopes {
		wanted[i] = org.ID(scope.Value)
	}
	rooms, err := h.Packages.Rooms(c.Request.Context(), actor(c), wanted)
	var shown []web.AppRoom
	for i, room := range rooms {
		shown = append(shown, web.AppRoom{Place: scopes[i].Label, Used: room.Used, Most: room.Most})
	}
	return shown, err
}

func appRow(p packages.Package, lang string) web.AppRow {
	title := p.Title.In(lang)
	if title == "" {
		title = p.Name
	}
	return web.AppRow{
		ID: p.ID.String(), Title: title, Kind: string(p.Kind), Name: p.Name, Version: p.Version, Size: p.Size, By: p.ByName, At: p.At, Everywhere: p.Authority == "", Icon: p.Icon,
	}
}

func rolloutRow(r rollout.Rollout) web.RolloutRow {
	return web.RolloutRow{ID: r.ID.String(), Title: r.Title, State: string(r.Status.State), Why: string(r.Status.Why), Changed: r.Changed, By: r.ByName}
}

// POST /apps
func (h *Handler) takeInApp(c *gin.Context) error {
	ctx := c.Request.Context()
	wanted, take := ground.Package{URL: field(c, "url"), Title: ground.Text{DE: field(c, "title")}}, h.Packages.WebApp
	if kind := ground.Kind(field(c, "kind")); kind != "" {
		take = h.Packages.FromRepository
		wanted = ground.Package{
			Kind: kind, Name: field(c, "package"), Version: field(c, "package-version"), Commit: field(c, "commit"), Title: ground.Text{DE: field(c, "package-title")},
			Repository: &ground.Repository{URL: field(c, "repository"), Suite: field(c, "suite"), Components: strings.Fields(field(c, "components")), Key: field(c, "key")},
		}
	}
	pack, err := take(ctx, actor(c), org.ID(field(c, "scope")), wanted)
	if err != nil {
		if problem := problemOf(err); problem != nil && canMend(err) {
			return h.drawApps(c, http.StatusUnprocessableEntity, problem)
		}
		return err
	}
	h.flash(ctx, web.FlashDone, "app_taken_in", "title", pack.Title.In("de"))
	return seeOther(c, web.To(web.PathApp, pack.ID.String()))
}

// POST /apps/:app/entfernen
func (h *Handler) removeApp(c *gin.Context) error {
	if err := h.Packages.Delete(c.Request.Context(), actor(c), param(c, "app")); err != nil {
		if problem := problemOf(err); problem != nil && canMend(err) {
			return h.drawApp(c, http.StatusUnprocessableEntity, nil, problem)
		}
		return err
	}
	h.flash(c.Request.Context(), web.FlashDone, "app_removed")
	return seeOther(c, web.PathApps)
}
