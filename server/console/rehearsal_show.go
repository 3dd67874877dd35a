package console

import (
	"context"
	"net/http"
	"time"

	"github.com/a-h/templ"
	"github.com/gin-gonic/gin"

	"schulwart.org/policies/lease"
	"schulwart.org/server/errs"
	"schulwart.org/server/ids"
	"schulwart.org/server/lesson"
	"schulwart.org/web"
)

// GET /probe
func (h *Handler) showRehearsal(c *gin.Context) error { return h.drawRehearsal(c, http.StatusOK, nil) }

func (h *Handler) drawRehearsal(c *gin.Context, status int, problem *web.Problem) error {
	h.lookedUp(c)
	v, r := visitor(c), h.rehearsal(c.Request.Context())
	live, err := h.live(c.Request.Context(), v, h.pretendClass(v, r))
	if err != nil {
		return err
	}
	if problem != nil {
		live.Modes.Blocked = problem
	}
	return show(c, status, web.Rehearsal(web.RehearsalPage{
		Frame: v.frame, Group: live.Modes.Group, Live: live, Screen: pupilScreen(v.frame, r, v.actor.Name, h.Now()), Done: r.Done,
	}))
}

// GET /probe/bildschirm
func (h *Handler) showRehearsalScreen(c *gin.Context) error {
	v := visitor(c)
	return page(c, web.PupilScreenFragment(pupilScreen(v.frame, h.rehearsal(c.Request.Context()), v.actor.Name, h.Now())))
}

// rehearsalPart is the board of the pretend device as a fragment.
func (h *Handler) rehearsalPart(c *gin.Context) error {
	h.lookedUp(c)
	v := visitor(c)
	live, err := h.live(c.Request.Context(), v, h.pretendClass(v, h.rehearsal(c.Request.Context())))
	if err != nil {
		return err
	}
	return page(c, web.BoardLiveFragment(live))
}

func (h *Handler) rehearsal(ctx context.Context) rehearsal {
	var r rehearsal
	h.kept(ctx, keyPretend, &r)
	return r
}

// startRehearsal is POST /unterricht/probe/modus.
func (h *Handler) startRehearsal(c *gin.Context) error {
	v, form := visitor(c), readModeForm(c)
	found := h.pretendClass(v, rehearsal{})
	request, err := h.request(c.Request.Context(), v.actor, form, found.school)
	if err == nil {
		err = checkRehearsal(request, h.Now())
	}
	switch {
	case err != nil && startFault(err) == nil:
		return err
	case err != nil && askedByForm(c):
		return h.drawModeForm(c, http.StatusUnprocessableEntity, form, startFault(err))
	case err != nil:
		return h.drawRehearsal(c, http.StatusUnprocessableEntity, startFault(err))
	}
	h.keep(c.Request.Context(), keyPretend, h.rehearsal(c.Request.Context()).start(ids.New().String(), request, h.Now()))
	return seeOther(c, web.PathRehearsal)
}

// checkRehearsal holds the pretend device to the bounds of real ones.
func checkRehearsal(request lesson.Request, now time.Time) error {
	switch longest := request.Kind.Longest(); {
	case !request.Kind.Valid() || request.Kind == lease.Exam:
		return errs.E(errs.Invalid, "mode.unknown_kind").In("kind")
	case request.Kind == lease.Sites && len(request.Sites) == 0:
		return errs.E(errs.Invalid, "mode.no_sites").In("sites")
	case request.Kind == lease.Focus && len(request.Apps) == 0:
		return errs.E(errs.Invalid, "mode.no_apps").In("apps")
	case request.Until.Sub(now) > longest, time.Duration(request.Minutes)*time.Minute > longest:
		return errs.E(errs.Invalid, "mode.too_long", "minutes", int(longest/time.Minute)).In("minutes")
	}
	return nil
}

func (h *Handler) extendRehearsal(c *gin.Context) error {
	return h.changeRehearsal(c, func(r *rehearsal, now time.Time) {
		if end := r.Ends.Add(time.Duration(number(c, "minutes", 10)) * time.Minute); end.Sub(r.Starts) <= r.Kind.Longest() {
			r.Ends, r.Changed = end, now
		}
	})
}

func (h *Handler) endRehearsal(c *gin.Context) error {
	r := h.rehearsal(c.Request.Context())
	if r.Mode != "" && r.Ended.IsZero() && h.Now().Before(r.Ends) {
		h.offerUndo(c.Request.Context(), web.To(web.PathUndo, pretendGroup), r.Mode, "mode.ended", "mode", modeName(c, r.Kind))
	}
	if !r.Done && r.Mode != "" {
		h.Sessions.Put(c.Request.Context(), keyRehearsed, "1")
		h.flash(c.Request.Context(), web.FlashDone, "rehearsal_done")
	}
	return h.changeRehearsal(c, func(r *rehearsal, now time.Time) {
		if r.Ended.IsZero() {
			r.Ended, r.Changed, r.Done = now, now, true
		}
	})
}

func (h *Handler) resumeRehearsal(c *gin.Context) error {
	return h.changeRehearsal(c, func(r *rehearsal, now time.Time) { r.Ended, r.Changed = time.Time{}, now })
}

func (h *Handler) changeRehearsal(c *gin.Context, change func(*rehearsal, time.Time)) error {
	r := h.rehearsal(c.Request.Context())
	if r.Mode != "" {
		change(&r, h.Now())
		h.keep(c.Request.Context(), keyPretend, r)
	}
	return seeOther(c, web.PathRehearsal)
}

func (h *Handler) rehearsalForm(c *gin.Context, form modeForm, problem *web.Problem) web.ModeFormPage {
	v := visitor(c)
	found := h.pretendClass(v, rehearsal{})
	page := blankForm(v.frame, form, problem)
	page.Group, page.Devices, page.DefaultEnd = groupRef(found.group), 1, found.school.LessonEnd(h.Now())
	if lists, err := h.siteChoices(c, form.lists); err == nil && form.kind == lease.Sites {
		page.Lists = lists
	}
	return page
}

// streamRehearsal plays the pretend device's answers. The state lies in the
// session, which is read again each time: the person may have tapped since.
func (h *Handler) streamRehearsal(c *gin.Context) error {
	ctx, v := c.Request.Context(), visitor(c)
	out, err := beginStream(c)
	if err != nil {
		return err
	}
	shown, err := h.live(ctx, v, h.pretendClass(v, h.rehearsal(ctx)))
	if err != nil {
		return err
	}
	screen := pupilScreen(v.frame, h.rehearsal(ctx), v.actor.Name, h.Now())
	tick := time.NewTicker(700 * time.Millisecond)
	beat := time.NewTicker(heartbeat)
	defer tick.Stop()
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-h.Stopping:
			return nil
		case <-beat.C:
			if !h.stillHere(ctx, v) || out.beat() != nil {
				return nil
			}
			continue
		case <-tick.C:
		}
		r := h.rehearsal(h.sessionNow(c))
		v.frame.Now = h.Now()
		now, err := h.live(ctx, v, h.pretendClass(v, r))
		if err != nil {
			return h.endStream(c, err)
		}
		drawn := changes(shown, now)
		next := pupilScreen(v.frame, r, v.actor.Name, h.Now())
		if len(next.Modes) != len(screen.Modes) || !next.Since.Equal(screen.Since) {
			fragment := next
			fragment.OOB = true
			drawn = append(drawn, templ.Component(web.PupilScreenFragment(fragment)))
		}
		if err := out.send(ctx, "board", h.Now(), drawn...); err != nil {
			return nil
		}
		shown, screen = now, next
	}
}

// sessionNow reads the session of a stream anew.
func (h *Handler) sessionNow(c *gin.Context) context.Context {
	cookie, err := c.Request.Cookie(h.Sessions.Cookie.Name)
	if err != nil {
		return c.Request.Context()
	}
	// A fresh context: scs keeps what it has read in the one of the request.
	ctx, err := h.Sessions.Load(context.Background(), cookie.Value)
	if err != nil {
		return c.Request.Context()
	}
	return ctx
}
