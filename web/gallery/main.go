// Command gallery shows every page of the console with made-up content, in both
// languages and both themes. `make gallery` starts it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"html"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"schulwart.org/web"
	"schulwart.org/web/sample"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8090", "address to listen on; port 0 takes a free one")
	flag.Parse()
	if err := serve(*listen); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(listen string) error {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("opening the gallery: %w", err)
	}
	log.Printf("gallery: http://%s/", listener.Addr())
	server := &http.Server{Handler: strict(routes()), ReadHeaderTimeout: 5 * time.Second}
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the gallery: %w", err)
	}
	return nil
}

// strict sends the console's own policy, so that the gallery breaks where the
// console would.
func strict(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", web.ContentSecurityPolicy)
		next.ServeHTTP(w, r)
	})
}

func routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/static/", web.Static())
	mux.Handle(web.PathManifest, web.Static())
	mux.Handle(web.PathWorker, web.Static())
	mux.HandleFunc("GET /{$}", index)
	mux.HandleFunc("GET /names", names)
	mux.HandleFunc("GET /p/{name}", show)
	mux.HandleFunc("POST "+web.PathPreferences, prefer)
	mux.HandleFunc("GET /unterricht/{group}/live", stream)
	mux.HandleFunc("GET "+web.PathDemoLive, stream)
	mux.HandleFunc("GET "+web.PathOffline, func(w http.ResponseWriter, r *http.Request) { draw(w, r, "offline") })
	return mux
}

// index links every sample in every dress.
func index(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, `<!doctype html><html lang="en"><meta charset="utf-8"><title>Gallery</title><link rel="stylesheet" href="%s"><main><h1>Gallery</h1>`, web.Asset("schulwart.css"))
	group := ""
	for _, s := range sample.All() {
		if s.Group != group {
			group = s.Group
			fmt.Fprintf(w, "<h2>%s</h2>", html.EscapeString(group))
		}
		fmt.Fprintf(w, "<p><b>%s</b> ", html.EscapeString(s.Name))
		for _, lang := range web.Languages() {
			for _, theme := range []string{"light", "dark"} {
				fmt.Fprintf(w, `<a href="/p/%s?lang=%s&amp;theme=%s">%s %s</a> `, s.Name, lang, theme, lang, theme)
			}
		}
		fmt.Fprint(w, "</p>")
	}
	fmt.Fprint(w, "</main>")
}

// names lists the samples for scripts, one a line.
func names(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	for _, s := range sample.All() {
		fmt.Fprintln(w, s.Name)
	}
}

func show(w http.ResponseWriter, r *http.Request) { draw(w, r, r.PathValue("name")) }

func draw(w http.ResponseWriter, r *http.Request, name string) {
	for _, s := range sample.All() {
		if s.Name != name {
			continue
		}
		frame := sample.Frame(wish(r, "lang"), wish(r, "theme"))
		frame.Path = r.URL.Path
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if err := s.Draw(frame).Render(r.Context(), w); err != nil {
			log.Printf("drawing %s: %v", name, err)
		}
		return
	}
	http.NotFound(w, r)
}

// stream is an event stream on which nothing happens, except for the group
// "lost", which has none.
func stream(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("group") == "lost" {
		http.Error(w, "lost", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprint(w, ": hello\n\n")
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

// wish is what the address asks for, else what the person chose on a page.
func wish(r *http.Request, what string) string {
	if asked := r.URL.Query().Get(what); asked != "" {
		return asked
	}
	if cookie, err := r.Cookie(what); err == nil {
		return cookie.Value
	}
	return ""
}

// prefer keeps a choice of language or theme, as the console does.
func prefer(w http.ResponseWriter, r *http.Request) {
	for _, what := range []string{"lang", "theme"} {
		if value := r.FormValue(what); value != "" {
			if value == "system" {
				value = ""
			}
			http.SetCookie(w, &http.Cookie{Name: what, Value: value, Path: "/", SameSite: http.SameSiteLaxMode, HttpOnly: true})
		}
	}
	http.Redirect(w, r, r.FormValue("back"), http.StatusSeeOther)
}
