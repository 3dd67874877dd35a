package gateway

import (
	"net/http"
	"time"
)

// file serves a package's file, whole or by byte ranges, to a device that is
// offered it. The name of a file is its hash, so it never changes.
func (g *Gateway) file(w http.ResponseWriter, r *http.Request) error {
	// As for the stream, the certificate must have made this very connection.
	speaker, err := g.connected(r)
	if err != nil {
		return err
	}
	e, err := g.know(r.Context(), speaker)
	if err != nil {
		return err
	}
	if err := enrolled(e); err != nil {
		return err
	}
	if g.Packages == nil {
		return errNoPackages
	}
	hash := r.PathValue("hash")
	content, err := g.Packages.Open(r.Context(), e, hash)
	if err != nil {
		return err
	}
	g.CheckIn.Seen(e)
	g.count("package")
	header := w.Header()
	header.Set("Content-Type", "application/octet-stream")
	header.Set("ETag", `"`+hash+`"`)
	header.Set("Cache-Control", "private, immutable, max-age=31536000")
	http.ServeContent(w, r, "", time.Time{}, content)
	return nil
}
