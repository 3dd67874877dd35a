package console

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"reflect"
	"slices"
	"time"

	"github.com/a-h/templ"
	"github.com/gin-gonic/gin"

	"schulwart.org/web"
)

// GET /pruefungen/:exam/stand
//
// The moving parts again, after a gap in the stream or in its place.
func (h *Handler) showExamPart(c *gin.Context) error {
	h.lookedUp(c)
	shown, _, err := h.examPage(c.Request.Context(), visitor(c), param(c, "exam"))
	if err != nil {
		return err
	}
	return page(c, web.ExamFragments(shown))
}

// GET /pruefungen/:exam/live
//
// The stream of an examination's page: what changed, as fragments that find their
// places by their ids.
func (h *Handler) streamExam(c *gin.Context) error {
	ctx, v := c.Request.Context(), visitor(c)
	_, school, err := h.examPage(ctx, v, param(c, "exam"))
	if err != nil {
		return err
	}
	open := h.Live.Open(school)
	defer open.Close()
	out, err := beginStream(c)
	if err != nil {
		return err
	}
	// Read again: something may have happened before the page was known to be open.
	shown, err := h.redrawExam(ctx, v, c)
	if err != nil {
		return h.endStream(c, err)
	}
	if seen := query(c, "print"); seen != "" && seen != examPrint(shown) {
		if err := out.send(ctx, "board", h.Now(), web.ExamFragments(shown)); err != nil {
			return nil
		}
	}
	beat, clock := time.NewTicker(heartbeat), time.NewTicker(reconsult)
	defer beat.Stop()
	defer clock.Stop()
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
		case <-open.Ready():
			time.Sleep(settle)
			open.Take()
		case <-clock.C:
		}
		now, err := h.redrawExam(ctx, v, c)
		if err != nil {
			return h.endStream(c, err)
		}
		if err := out.send(ctx, "board", h.Now(), examChanges(shown, now)...); err != nil {
			return nil // whoever looked has gone
		}
		shown = now
	}
}

func (h *Handler) redrawExam(ctx context.Context, v *visit, c *gin.Context) (web.ExamPage, error) {
	v.frame.Now = h.Now()
	shown, _, err := h.examPage(ctx, v, param(c, "exam"))
	return shown, err
}

// examChanges draws what differs between two looks at an examination. What can be
// done is drawn only when something else can be done: it holds what somebody types.
func examChanges(old, now web.ExamPage) []templ.Component {
	was, is := lookOf(old), lookOf(now)
	var drawn []templ.Component
	if was.State != is.State || was.Paused != is.Paused || was.Rehearsing != is.Rehearsing || !slices.Equal(was.Staff, is.Staff) {
		drawn = append(drawn, web.ExamLinksFragment(now, true), web.ExamDeedsFragment(now, true))
	}
	if !reflect.DeepEqual(was.Head, is.Head) {
		drawn = append(drawn, web.ExamNowFragment(now.Live, true))
	}
	if !reflect.DeepEqual(was.Looks, is.Looks) {
		drawn = append(drawn, web.ExamLooksFragment(now.Live, true))
	}
	if !slices.Equal(was.Names, is.Names) {
		return append(drawn, web.ExamSeatsFragment(now.Live, true))
	}
	for i, seat := range now.Live.Seats {
		if !reflect.DeepEqual(old.Live.Seats[i], seat) {
			drawn = append(drawn, web.ExamTileFragment(now.Live, seat, true))
		}
	}
	return drawn
}

// examLook is what an examination's page looks like, without what ages by itself.
type examLook struct {
	State      web.ExamState
	Paused     bool
	Rehearsing bool
	Staff      []string
	Head       examHead
	Looks      []web.ExamSeat
	Names      []string
}

type examHead struct {
	State                           web.ExamState
	Starts, Ends, Paused, Rehearsal int64
	Waiting                         int
	Passed                          bool // the end for everybody is over
	Standings                       map[string]int
	Asking                          *web.ExamAsking
}

func lookOf(p web.ExamPage) examLook {
	l := p.Live
	look := examLook{
		State: l.State, Paused: !l.Paused.IsZero(), Rehearsing: !l.Rehearsal.IsZero(),
		Head: examHead{
			State: l.State, Starts: l.Starts.UnixMilli(), Ends: l.Ends.UnixMilli(), Paused: l.Paused.UnixMilli(), Rehearsal: l.Rehearsal.UnixMilli(), Waiting: l.Waiting,
			Passed: !l.Frame.Now.Before(l.Ends), Standings: map[string]int{}, Asking: l.Asking,
		},
	}
	for _, option := range p.Staff {
		look.Staff = append(look.Staff, option.Value)
	}
	for _, seat := range l.Seats {
		look.Head.Standings[seat.Standing]++
		look.Names = append(look.Names, seat.Device+"/"+seat.Name)
		if seat.Look {
			seat.Seen = time.Time{} // what needs a look does not age by the second
			look.Looks = append(look.Looks, seat)
		}
	}
	return look
}

// examPrint is the same for pages that look the same. Ages do not count: the page
// counts them itself.
func examPrint(p web.ExamPage) string {
	seats := slices.Clone(p.Live.Seats)
	for i := range seats {
		seats[i].Seen = time.Time{}
	}
	text, _ := json.Marshal(struct {
		examLook
		Seats []web.ExamSeat
	}{lookOf(p), seats}) // plain values always marshal
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6])
}
