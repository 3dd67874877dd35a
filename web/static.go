package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

//go:embed static
var files embed.FS

// stylesheets make up schulwart.css, in this order. They are served as one file,
// because a phone on school Wi-Fi pays for every request.
var stylesheets = []string{"tokens.css", "base.css", "forms.css", "layout.css", "parts.css", "board.css", "screen.css", "pages.css", "policies.css", "apps.css", "print.css"}

// asset is a file ready to be sent.
type asset struct {
	kind    string // content type
	plain   []byte
	smaller []byte // gzip; nil where it does not help
}

var assets, edition = readAssets()

// ContentSecurityPolicy is what the pages need and nothing more. Styles and
// scripts come from Static only; nothing is inline.
const ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// readAssets reads the static tree, joins the stylesheets and names the edition
// after the content of all of them. One name for the tree, and not one per
// file, lets stylesheets and scripts point at their neighbours relatively.
func readAssets() (map[string]asset, string) {
	found := map[string]asset{}
	sum := sha256.New()
	err := fs.WalkDir(files, "static", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		sum.Write([]byte(name))
		sum.Write(data)
		name = strings.TrimPrefix(name, "static/")
		found[name] = prepare(name, data)
		return nil
	})
	if err != nil {
		panic(err) // an embedded tree can always be read
	}
	var joined bytes.Buffer
	for _, name := range stylesheets {
		joined.Write(found[name].plain)
		delete(found, name)
	}
	found["schulwart.css"] = prepare("schulwart.css", joined.Bytes())
	return found, hex.EncodeToString(sum.Sum(nil))[:12]
}

func prepare(name string, data []byte) asset {
	kind := mime.TypeByExtension(path.Ext(name))
	switch path.Ext(name) { // not every machine knows these
	case ".js":
		kind = "text/javascript; charset=utf-8"
	case ".woff2":
		kind = "font/woff2"
	case ".svg":
		kind = "image/svg+xml"
	case "":
		kind = "text/plain; charset=utf-8"
	}
	a := asset{kind: kind, plain: data}
	if strings.HasPrefix(kind, "text/") || kind == "image/svg+xml" {
		var buffer bytes.Buffer
		writer, _ := gzip.NewWriterLevel(&buffer, gzip.BestCompression)
		_, _ = writer.Write(data)
		_ = writer.Close()
		a.smaller = buffer.Bytes()
	}
	return a
}

// Asset returns the address of a static file. It changes with the content, so
// that browsers may keep what they have for a year.
func Asset(name string) string { return "/static/" + edition + "/" + name }

// Static serves the files below /static/, the manifest at PathManifest and the
// service worker at PathWorker.
func Static() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case PathManifest:
			serveText(w, "application/manifest+json", manifest())
			return
		case PathWorker:
			serveText(w, "text/javascript; charset=utf-8", worker())
			return
		}
		rest, ok := strings.CutPrefix(r.URL.Path, "/static/")
		version, name, cut := strings.Cut(rest, "/")
		a, known := assets[name]
		if !ok || !cut || !known {
			http.NotFound(w, r)
			return
		}
		a.serve(w, r, version == edition)
	})
}

// serve sends the file. An address of another edition is answered with what
// there is now, but not kept: a page from before an update may still ask.
func (a asset) serve(w http.ResponseWriter, r *http.Request, current bool) {
	header := w.Header()
	header.Set("Content-Type", a.kind)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Vary", "Accept-Encoding")
	header.Set("Cache-Control", "no-cache")
	if current {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body := a.plain
	if a.smaller != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		header.Set("Content-Encoding", "gzip")
		body = a.smaller
	}
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body) // a reader that went away is nobody's fault
}

func serveText(w http.ResponseWriter, kind, text string) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write([]byte(text))
}

// manifest makes the console installable.
func manifest() string {
	return `{
  "name": "Schulwart", "short_name": "Schulwart", "lang": "de", "start_url": "/", "scope": "/", "display": "standalone",
  "background_color": "#f2f3f8", "theme_color": "#1f45a8",
  "icons": [
    {"src": "` + Asset("icon.svg") + `", "sizes": "any", "type": "image/svg+xml", "purpose": "any"},
    {"src": "` + Asset("icon-192.png") + `", "sizes": "192x192", "type": "image/png", "purpose": "any maskable"},
    {"src": "` + Asset("icon-512.png") + `", "sizes": "512x512", "type": "image/png", "purpose": "any maskable"}
  ]
}
`
}

// worker is the service worker: it keeps the page that says "no connection" and
// what that page needs, and nothing else. Whatever the server said yesterday
// about a class must never be shown as today's truth.
func worker() string {
	source := string(assets["worker.js"].plain)
	return strings.NewReplacer(
		"{{edition}}", edition,
		"{{offline}}", PathOffline,
		"{{kern}}", Asset("kern.min.css"),
		"{{style}}", Asset("schulwart.css"),
		"{{font}}", Asset("fonts/FiraSans-Regular.woff2"),
	).Replace(source)
}
