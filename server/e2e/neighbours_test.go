package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	agents "schulwart.org/agent/peers"
	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/server/api"
	"schulwart.org/server/peers"
)

// rollOut offers a package to all of the school at once, with more about it if
// that is said.
func (p *program) rollOut(pack api.App, school org.Branch, more map[string]any) api.Rollout {
	p.t.Helper()
	wanted := map[string]any{
		"package": pack.ID, "target": map[string]any{"level": "school", "id": school.School}, "rings": []any{map[string]any{"kind": "all"}},
		"gates": map[string]any{"failed_percent": 100},
	}
	for key, value := range more {
		wanted[key] = value
	}
	var r api.Rollout
	p.want(http.StatusCreated, "POST", "/api/v1/rollouts", wanted, &r)
	return r
}

// through waits until every device has it, or failed because its system would not
// have it.
func (p *program) through(r api.Rollout, devices int) {
	p.t.Helper()
	var last api.Rollout
	await(p.t, "everybody to have the package", func() bool {
		p.want(http.StatusOK, "GET", "/api/v1/rollouts/"+r.ID.String(), nil, &last)
		return last.Rings[0].Devices == devices && last.Rings[0].Verified+last.Rings[0].Failed == devices
	}, func() any { return fmt.Sprintf("%+v", last.Rings) })
}

// All laptops of a school have a package, and the server gave it out once; a
// rollout that forbids it is had from the server by each.
func TestASchoolHasAPackageFromTheServerOnce(t *testing.T) {
	const laptops, size = 12, 3<<20 + 12345
	h := newHouse(t)
	city := h.city()
	desks := h.desks(laptops, 7, h.link("", laptops), "")
	desks.post("/speed", `{"factor": 6}`)
	for name, c := range map[string]struct {
		alone bool
		most  int64 // times that the file came from the server
	}{"geogebra": {false, 1}, "gimp": {true, laptops}} {
		pack := city.takeIn(h.school.Authority, name+".deb", debOf(name, "1.0", size))
		r := city.rollOut(pack, h.school, map[string]any{"line": map[string]any{"alone": c.alone}})
		city.through(r, laptops)
		var sites []peers.Share
		sum := func() (share peers.Share) {
			sites = made(h.app.Peers.Shares(context.Background(), h.school, pack.SHA256))(t)
			for _, site := range sites {
				share.FromServer, share.FromPeers, share.Devices, share.Liars = share.FromServer+site.FromServer, share.FromPeers+site.FromPeers, share.Devices+site.Devices, share.Liars+site.Liars
			}
			return share
		}
		await(t, "what came to be told", func() bool { s := sum(); return s.FromServer+s.FromPeers >= laptops*pack.Size }, func() any { return sum() })
		s := sum()
		if s.FromServer != c.most*pack.Size || s.Devices != laptops || s.Liars != 0 || len(sites) != 1 {
			t.Errorf("%s: %.2f times from the server, %.2f times from others, %+v", name, float64(s.FromServer)/float64(pack.Size), float64(s.FromPeers)/float64(pack.Size), sites)
		}
		var seen api.Rollout
		city.want(http.StatusOK, "GET", "/api/v1/rollouts/"+r.ID.String(), nil, &seen)
		if len(seen.Sites) != 1 || seen.Sites[0].School.Name != "Goethe-Gymnasium" || seen.Sites[0].FromServer != s.FromServer || seen.Sites[0].Devices != laptops || seen.Line.Alone != c.alone {
			t.Errorf("%s: programs see %+v, %+v", name, seen.Sites, seen.Line)
		}
	}
}

// A laptop opens its door only while it has something to give out, and gives it to
// devices of its own authority that know the word, and nothing else.
func TestALaptopGivesOutWhatIsOfferedAndToWhomIsMeant(t *testing.T) {
	h := newHouse(t)
	ctx := context.Background()
	giver, taker := h.notebook("0000000000e1", h.link("", 1)), h.notebook("0000000000e2", h.link("", 1))
	authority := made(h.app.Roster.CreateAuthority(ctx, boss, "Nachbarstadt", "Europe/Berlin"))(t)
	elsewhere := made(h.app.Roster.CreateSchool(ctx, boss, authority.ID, "Schillerschule", "SCH"))(t)
	stranger := h.notebook("0000000000e3", linkOf(t, h.app, elsewhere.Branch(), "", 1))

	file := bytes.Repeat([]byte("0123456789abcdef"), rollout.Chunk/16)
	read := func(from int64, most int) ([]byte, error) {
		from = min(from, int64(len(file)))
		return file[from:min(from+int64(most), int64(len(file)))], nil
	}
	door := agents.New(giver.id, time.Now)
	t.Cleanup(door.Close)
	at, network, err := door.Offer("aa", "word", read)
	if err != nil || network != "127.0.0.0/8" {
		t.Fatal(at, network, err)
	}
	peer := rollout.Peer{ID: giver.id.Subject(), At: at}
	friend := agents.New(taker.id, time.Now)
	t.Cleanup(friend.Close)
	for _, c := range []struct {
		name  string
		who   *agents.Site
		peer  rollout.Peer
		hash  string
		word  string
		from  int64
		most  int
		right bool
		later bool
	}{
		{name: "a chunk", who: friend, peer: peer, hash: "aa", word: "word", most: rollout.Chunk, right: true},
		{name: "a part", who: friend, peer: peer, hash: "aa", word: "word", from: 17, most: 1000, right: true},
		{name: "what is not there yet", who: friend, peer: peer, hash: "aa", word: "word", from: rollout.Chunk - 5, most: 10, later: true},
		{name: "more than a chunk", who: friend, peer: peer, hash: "aa", word: "word", most: rollout.Chunk + 1},
		{name: "another word", who: friend, peer: peer, hash: "aa", word: "wort", most: 10},
		{name: "no word", who: friend, peer: peer, hash: "aa", most: 10},
		{name: "what is not offered", who: friend, peer: peer, hash: "bb", word: "word", most: 10},
		{name: "a way out", who: friend, peer: peer, hash: "../../etc/passwd", word: "word", most: 10},
		{name: "of another authority", who: agents.New(stranger.id, time.Now), peer: peer, hash: "aa", word: "word", most: 10},
		{name: "not the one that was named", who: friend, peer: rollout.Peer{ID: taker.id.Subject(), At: at}, hash: "aa", word: "word", most: 10},
		{name: "when certificates are over", who: agents.New(taker.id, func() time.Time { return time.Now().AddDate(9, 0, 0) }), peer: peer, hash: "aa", word: "word", most: 10},
	} {
		got, err := c.who.Piece(ctx, c.peer, c.hash, c.word, c.from, c.most)
		switch {
		case c.right:
			if want, _ := read(c.from, c.most); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: %d bytes, %v", c.name, len(got), err)
			}
		case c.later:
			if !errors.Is(err, agents.ErrLater) {
				t.Errorf("%s: %v", c.name, err)
			}
		case err == nil || errors.Is(err, agents.ErrLater):
			t.Errorf("%s: %d bytes, %v", c.name, len(got), err)
		}
	}
	if conn, err := tls.Dial("tcp", at, &tls.Config{InsecureSkipVerify: true}); err == nil { //nolint:gosec // the point is what the other side refuses
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		_, _ = conn.Write([]byte("GET /packages/aa HTTP/1.1\r\nHost: x\r\nSchulwart-Word: word\r\nRange: bytes=0-9\r\n\r\n"))
		answer := make([]byte, 100)
		if n, err := conn.Read(answer); err == nil || strings.Contains(string(answer[:n]), "HTTP") {
			t.Errorf("without a certificate: %q", answer[:n])
		}
		_ = conn.Close()
	}
	door.Withdraw("aa")
	if conn, err := net.Dial("tcp", at); err == nil {
		_ = conn.Close()
		t.Error("it listens and has nothing to give out")
	}
}
