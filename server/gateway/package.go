package gateway

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"schulwart.org/policies/mdm"
	"schulwart.org/policies/rollout"
	"schulwart.org/server/checkin"
	"schulwart.org/server/httpx"
)

// file serves a package's file, whole or by byte ranges, to a device that is
// offered it. The name of a file is its hash, so it never changes.
func (g *Gateway) file(w http.ResponseWriter, r *http.Request) error {
	e, err := g.own(r, g.Packages != nil, errNoPackages)
	if err != nil {
		return err
	}
	hash := r.PathValue("hash")
	content, err := g.Packages.Open(r.Context(), e, hash)
	if err != nil {
		return err
	}
	g.count("package")
	header := w.Header()
	header.Set("Content-Type", "application/octet-stream")
	header.Set("ETag", `"`+hash+`"`)
	header.Set("Cache-Control", "private, immutable, max-age=31536000")
	http.ServeContent(w, r, "", time.Time{}, content)
	return nil
}

// way says from whom the device has a file: from which others of its site, or from
// here, and how fast.
func (g *Gateway) way(w http.ResponseWriter, r *http.Request) error {
	e, err := g.own(r, g.Packages != nil, errNoPackages)
	if err != nil {
		return err
	}
	body, err := httpx.Body(w, r, largestRequest)
	if err != nil {
		return err
	}
	var ask rollout.Ask
	if err := json.Unmarshal(body, &ask); err != nil {
		return checkin.Refusal(mdm.RefusedMessage).Because(err)
	}
	way, err := g.Packages.Way(r.Context(), e, r.PathValue("hash"), g.outside(r), ask)
	if err != nil {
		return err
	}
	g.count("way")
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(way)
}

// outside returns under which address the device comes. Behind a proxy that the
// operator named, the proxy says it, last in the list.
func (g *Gateway) outside(r *http.Request) netip.Addr {
	if httpx.From(r, g.Proxy.From) {
		said := strings.Split(r.Header.Get("X-Forwarded-For"), ",")
		if addr, err := netip.ParseAddr(strings.TrimSpace(said[len(said)-1])); err == nil {
			return addr.Unmap()
		}
	}
	return httpx.RemoteAddr(r)
}
