package console

import (
	"github.com/gin-gonic/gin"

	"schulwart.org/server/may"
	"schulwart.org/server/standard"
	"schulwart.org/web"
)

// GET /richtlinien/an/:level/:place/verlauf
func (h *Handler) showPolicyHistory(c *gin.Context) error {
	ctx, v := c.Request.Context(), visitor(c)
	place, err := h.Standard.Place(ctx, v.actor, policyAt(c))
	if err != nil {
		return err
	}
	versions, next, err := h.Standard.Versions(ctx, v.actor, standard.VersionFilter{Place: &place.Place, Cursor: query(c, "cursor"), Limit: 20})
	if err != nil {
		return err
	}
	shown := web.PolicyHistoryPage{Frame: v.frame, Place: policyPlace(place), Above: h.above(c, place), Pager: pager(c, next, len(versions))}
	for _, version := range versions {
		shown.Rows = append(shown.Rows, revisionRow(version))
	}
	return page(c, web.PolicyHistory(shown))
}

func revisionRow(version standard.Version) web.RevisionRow {
	return web.RevisionRow{
		ID: version.ID.String(), Title: version.Title, Reason: version.Reason, By: version.ByName, At: version.At, ApprovedBy: version.ApproverName,
		Place: policyPlace(version.Place), Undoes: version.Undoes != "", Undone: version.Undone != "", Changes: policyChanges(version.Place, version.Differences()),
	}
}

// GET /richtlinien/verlauf/:revision
func (h *Handler) showRevision(c *gin.Context) error {
	return h.drawRevision(c, 200, nil, nil)
}

func (h *Handler) drawRevision(c *gin.Context, status int, later []standard.Version, problem *web.Problem) error {
	v := visitor(c)
	version, err := h.Standard.Version(c.Request.Context(), v.actor, param(c, "revision"))
	if err != nil {
		return err
	}
	shown := web.RevisionPage{
		Frame: v.frame, Above: h.above(c, version.Place), Row: revisionRow(version), Problem: problem,
		MayRevert: version.Undone == "" && may.Can(v.actor, may.PolicyPropose, version.Place.Branch),
	}
	if shown.MayRevert {
		if shown.Asks, err = h.Standard.Asks(c.Request.Context(), v.actor, version.Place.Branch); err != nil {
			return err
		}
	}
	for _, change := range shown.Row.Changes {
		change.Before, change.After, change.HoldBefore, change.HoldAfter = change.After, change.Before, change.HoldAfter, change.HoldBefore
		change.Added, change.Removed = change.Removed, change.Added
		shown.Back = append(shown.Back, change)
	}
	for _, other := range later {
		shown.Later = append(shown.Later, revisionRow(other))
	}
	return show(c, status, web.Revision(shown))
}

// POST /richtlinien/verlauf/:revision
func (h *Handler) undoRevision(c *gin.Context) error {
	ctx, v := c.Request.Context(), visitor(c)
	draft, version, err := h.Standard.Undo(ctx, v.actor, param(c, "revision"))
	if err != nil {
		if problem := problemOf(err); problem != nil && canMend(err) {
			return h.drawRevision(c, 422, standard.TouchedLater(err), problem)
		}
		return err
	}
	if draft.ID != "" {
		h.flash(ctx, web.FlashDone, "draft_proposed")
		return seeOther(c, web.To(web.PathDraft, draft.ID.String()))
	}
	h.offerUndo(ctx, web.To(web.PathRevision, version.ID.String()), version.ID.String(), "policy_reverted", "title", version.Title)
	return seeOther(c, web.To(web.PathPolicyHistory, policyPlace(version.Place).Level, policyPlace(version.Place).ID))
}
