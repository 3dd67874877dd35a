package console

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/gin-gonic/gin"

	"schulwart.org/server/errs"
	"schulwart.org/web"
)

// Rhythm of a board's stream.
const (
	heartbeat = 20 * time.Second      // keeps proxies from closing it, tells the page that it lives, and asks again who may look
	settle    = 40 * time.Millisecond // changes of one moment go out together
	reconsult = 5 * time.Second       // states also change by the clock: silence, beginnings, ends
)

// GET /unterricht/:group/live
//
// The stream of a board. It sends what changed and nothing else, as fragments
// that find their places by their ids.
func (h *Handler) streamBoard(c *gin.Context) error {
	if pretended(c) {
		return h.streamRehearsal(c)
	}
	ctx, v := c.Request.Context(), visitor(c)
	found, err := h.findClass(ctx, v.actor, c.Param("group"))
	if err != nil {
		return err
	}
	v.at(found.school)
	open := h.Live.Open(found.Group.Branch)
	defer open.Close()
	out, err := beginStream(c)
	if err != nil {
		return err
	}
	shown, err := h.live(ctx, v, found)
	if err != nil {
		return err
	}
	if seen := query(c, "print"); seen != "" && seen != fingerprint(shown) {
		// Something happened between the page and its stream.
		if err := out.send(ctx, "board", h.Now(), changes(web.BoardLive{Tiles: shown.Tiles}, shown)...); err != nil {
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
		now, err := h.redraw(ctx, v, c.Param("group"))
		if err != nil {
			return h.endStream(c, err)
		}
		if err := out.send(ctx, "board", h.Now(), changes(shown, now)...); err != nil {
			return nil // whoever looked has gone
		}
		shown = now
	}
}

func (h *Handler) redraw(ctx context.Context, v *visit, group string) (web.BoardLive, error) {
	found, err := h.findClass(ctx, v.actor, group)
	if err != nil {
		return web.BoardLive{}, err
	}
	v.frame.Now = h.Now()
	return h.live(ctx, v, found)
}

// stillHere asks again whether the person may look: a stream outlives many
// pages, and somebody who was locked out must not go on watching.
func (h *Handler) stillHere(ctx context.Context, v *visit) bool {
	who, err := h.Staff.Actor(ctx, v.actor.ID, v.actor.From)
	if err != nil {
		return !errs.Is(err, errs.Denied) && !errs.Is(err, errs.NotFound)
	}
	v.actor = who
	return true
}

// endStream ends a stream whose page may no longer be seen. The browser asks
// again and then gets the refusal as an answer.
func (h *Handler) endStream(c *gin.Context, err error) error {
	if !errors.Is(err, context.Canceled) && errs.KindOf(err) == errs.Internal {
		h.fail(c, err)
	}
	return nil
}

// changes draws what differs between two looks at a board. Tiles are compared
// one by one; who is in the class is compared as a whole. When a mode has
// changed, all is drawn: whoever changed it has also been answered with a board
// of a moment in between, which this stream never saw. What is now as it was
// before that moment would otherwise stay on the page as it was in it.
func changes(old, now web.BoardLive) []templ.Component {
	var drawn []templ.Component
	all := !same(bare(old.Modes), bare(now.Modes))
	if all {
		now.Modes.OOB = true
		drawn = append(drawn, web.ModesFragment(now.Modes))
	}
	if all || !reflect.DeepEqual(old.Summary.Counts, now.Summary.Counts) {
		now.Summary.OOB = true
		drawn = append(drawn, web.SummaryFragment(now.Summary))
	}
	if all || !sameTiles(old.Attention.Tiles, now.Attention.Tiles) {
		now.Attention.OOB = true
		drawn = append(drawn, web.AttentionFragment(now.Attention))
	}
	if !sameMembers(old.Tiles.Tiles, now.Tiles.Tiles) {
		now.Tiles.OOB = true
		return append(drawn, web.TilesFragment(now.Tiles))
	}
	for i, tile := range now.Tiles.Tiles {
		if all || !sameTile(old.Tiles.Tiles[i], tile) {
			tile.OOB = true
			drawn = append(drawn, web.TileFragment(tile))
		}
	}
	return drawn
}

// fingerprint is the same for boards that look the same. Ages do not count: the
// page counts them itself.
func fingerprint(b web.BoardLive) string {
	look := struct {
		Modes web.ModesPart
		Tiles []web.TilePart
	}{Modes: bare(b.Modes)}
	for _, tile := range b.Tiles.Tiles {
		tile.Frame, tile.Seen = web.Frame{}, time.Time{}
		look.Tiles = append(look.Tiles, tile)
	}
	text, _ := json.Marshal(look) // plain values always marshal
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6])
}

// bare takes away what changes with every look.
func bare(p web.ModesPart) web.ModesPart {
	p.Frame, p.DefaultEnd = web.Frame{}, time.Time{}
	if p.Last != nil {
		last := *p.Last
		last.Until = time.Time{}
		p.Last = &last
	}
	return p
}

func same(a, b web.ModesPart) bool { return reflect.DeepEqual(a, b) }

func sameTile(a, b web.TilePart) bool {
	a.Frame, b.Frame = web.Frame{}, web.Frame{}
	return reflect.DeepEqual(a, b)
}

func sameTiles(a, b []web.TilePart) bool {
	if len(a) != len(b) {
		return false
	}
	for i, tile := range a {
		other := b[i]
		tile.Seen, other.Seen = time.Time{}, time.Time{} // what needs a look does not age by the second
		if !sameTile(tile, other) {
			return false
		}
	}
	return true
}

func sameMembers(a, b []web.TilePart) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Device != b[i].Device || a[i].Name != b[i].Name || a[i].Code != b[i].Code {
			return false
		}
	}
	return true
}

// stream is an answer of server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html).
type stream struct {
	c       *gin.Context
	control *http.ResponseController
}

func beginStream(c *gin.Context) (stream, error) {
	header := c.Writer.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // a proxy in between must not gather
	s := stream{c, http.NewResponseController(c.Writer)}
	if err := s.control.SetWriteDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return s, err
	}
	c.Status(http.StatusOK)
	// retry: the page's own script decides when to come back. It takes a stream for
	// one only when it hears something.
	return s, s.beat()
}

// send draws components into one event; nothing for none.
// at is an instant after what it shows was looked up; lookedUp is one before, so
// that a page whose instant is later is certainly newer.
func (s stream) send(ctx context.Context, event string, at time.Time, components ...templ.Component) error {
	if len(components) == 0 {
		return nil
	}
	var text bytes.Buffer
	for _, component := range components {
		if err := component.Render(ctx, &text); err != nil {
			return err
		}
	}
	var out bytes.Buffer
	out.WriteString("event: " + event + "\nid: " + strconv.FormatInt(at.UnixMilli(), 10) + "\n")
	for line := range strings.Lines(text.String()) {
		out.WriteString("data: " + strings.TrimRight(line, "\r\n") + "\n")
	}
	out.WriteString("\n")
	if _, err := s.c.Writer.Write(out.Bytes()); err != nil {
		return err
	}
	return s.control.Flush()
}

// beat says that the stream lives. It is an event and no comment, because the
// page hears no comments, and a dead connection looks like a quiet one.
func (s stream) beat() error {
	if _, err := s.c.Writer.WriteString("event: beat\ndata: 1\n\n"); err != nil {
		return err
	}
	return s.control.Flush()
}

// lookedUp says when the board of an answer was looked up, so that the page can
// tell it from an event of the stream that overtook it.
func (h *Handler) lookedUp(c *gin.Context) {
	c.Header("Board-At", strconv.FormatInt(h.Now().UnixMilli(), 10))
}
