package console

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/rollout"
	"schulwart.org/web"
)

func (h *Handler) rolloutRings(c *gin.Context, view rollout.View) []web.RolloutRing {
	rings := make([]web.RolloutRing, len(view.Rings))
	for i, r := range view.Rings {
		rings[i] = web.RolloutRing{
			Kind: string(r.Kind), Place: h.ringPlace(c.Request.Context(), actor(c), r.Ring), Share: r.Share, Devices: r.Devices, Verified: r.Verified, Failed: r.Failed, Unable: r.Unable, Ailing: r.Ailing, Waiting: r.Unlicensed,
			State: string(r.State), Since: r.Since,
		}
	}
	return rings
}

// GET /verteilungen/:rollout
func (h *Handler) showRollout(c *gin.Context) error {
	v := visitor(c)
	view, err := h.Rollouts.Find(c.Request.Context(), v.actor, param(c, "rollout"))
	if err != nil {
		return err
	}
	shown := web.RolloutPage{
		Frame: v.frame, Row: rolloutRow(view.Rollout), AppID: view.Package.ID.String(), Name: appName(view.Package, v.frame.Lang), Version: view.Package.Version, Rings: h.rolloutRings(c, view), Short: shortage(view.Licences),
		Where: view.Status.Where + 1, Count: view.Status.Count, Of: view.Status.Of, Allowed: view.Plan.Gates.Failed, Opens: view.Opens,
		OpenNow: !view.Opens.IsZero() && !view.Opens.After(h.Now()), Deadline: view.Plan.Window.Deadline,
	}
	if state := view.Status.State; state == ground.Running || state == ground.Waiting {
		shown.Again = c.Request.URL.RequestURI()
	}
	shown.Own = view.Package.Kind == ground.Agent
	if view.Former != nil {
		shown.Former = view.Former.Version
	}
	for _, reason := range view.Reasons {
		shown.Reasons = append(shown.Reasons, web.RolloutReason{Code: reason.Code, Details: reason.Details, Devices: reason.Devices})
	}
	if view.Status.Why == ground.WhyAiling {
		shown.Allowed = view.Plan.Gates.Ailing
	}
	shown.Above = view.Above
	for _, step := range view.Steps {
		shown.Steps = append(shown.Steps, web.RolloutStep{At: step.At, What: step.What, By: step.By, Why: string(step.Status.Why), Ring: step.Status.Ring + 1, Where: step.Status.Where + 1, Count: step.Status.Count, Of: step.Status.Of})
	}
	shown.Sites, shown.Rate, shown.Alone = rolloutSites(view.Sites), view.Plan.Line.Rate, view.Plan.Line.Alone
	if view.MayRun {
		shown.Actions = deeds(view)
	}
	return page(c, web.Rollout(shown))
}

// rolloutSites numbers the lines of a school that has several.
func rolloutSites(sites []rollout.Site) []web.RolloutSite {
	lines, seen := map[org.ID]int{}, map[org.ID]int{}
	for _, s := range sites {
		if !s.Single {
			lines[s.School]++
		}
	}
	rows := make([]web.RolloutSite, len(sites))
	for i, s := range sites {
		rows[i] = web.RolloutSite{Name: s.Name, Single: s.Single, Devices: s.Devices, FromServer: s.FromServer, FromPeers: s.FromPeers, Liars: s.Liars}
		if !s.Single && lines[s.School] > 1 {
			seen[s.School]++
			rows[i].Line = seen[s.School]
		}
	}
	return rows
}

func appName(pack ground.Package, lang string) string {
	if title := pack.Title.In(lang); title != "" {
		return title
	}
	return pack.Name
}

// deeds lists what can be done to a rollout, in the order of its buttons.
func deeds(view rollout.View) []string {
	failed := 0
	for _, ring := range view.Rings {
		failed += ring.Failed
	}
	var list []string
	add := func(do rollout.Do, when bool) {
		if when {
			list = append(list, string(do))
		}
	}
	state := view.Status.State
	live := state == ground.Running || state == ground.Waiting
	add(rollout.DoRollBack, live || state == ground.Halted || state == ground.Done)
	add(rollout.DoRetry, failed > 0 && (live || state == ground.Halted || state == ground.Done))
	add(rollout.DoPause, live)
	add(rollout.DoResume, state == ground.Halted)
	add(rollout.DoStart, state == ground.Draft)
	return list
}

// GET /verteilungen/:rollout/tun
func (h *Handler) askRollout(c *gin.Context) error {
	return h.drawRolloutDo(c, http.StatusOK, rollout.Do(query(c, "do")), nil)
}

func (h *Handler) drawRolloutDo(c *gin.Context, status int, do rollout.Do, problem *web.Problem) error {
	ctx, v := c.Request.Context(), visitor(c)
	view, err := h.Rollouts.Find(ctx, v.actor, param(c, "rollout"))
	if err != nil {
		return err
	}
	if !web.Knows(v.frame.Lang, "rollout.do."+string(do)) {
		do = rollout.DoPause
	}
	touched, err := h.Rollouts.Touches(ctx, v.actor, view.ID, do)
	if err != nil {
		return err
	}
	return show(c, status, web.RolloutDo(web.RolloutDoPage{
		Frame: v.frame, Row: rolloutRow(view.Rollout), Do: string(do), Devices: touched.Devices, Have: touched.Have, Begun: touched.Begun, Version: touched.Version, Own: touched.Own, Possible: touched.Possible,
		Problem: problem,
	}))
}

// POST /verteilungen/:rollout/tun
func (h *Handler) doRollout(c *gin.Context) error {
	ctx, do := c.Request.Context(), rollout.Do(field(c, "do"))
	view, err := h.Rollouts.Act(ctx, actor(c), param(c, "rollout"), do)
	if err != nil {
		if problem := problemOf(err); problem != nil && canMend(err) {
			return h.drawRolloutDo(c, http.StatusUnprocessableEntity, do, problem)
		}
		return err
	}
	h.flash(ctx, web.FlashDone, "rollout_"+string(do))
	return seeOther(c, web.To(web.PathRollout, view.ID.String()))
}
