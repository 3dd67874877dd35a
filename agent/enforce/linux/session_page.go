package linux

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"time"

	"schulwart.org/agent/words"
)

// PupilHost is where the page lies that says in the examination's browser what the
// drawn bar says on the screen: who set the examination, the pupil's own end, the
// time left, and a button to ask for help. Screen readers read pages; they know
// nothing of what is drawn. It is a second tab of that browser and not a part of
// the site beside it: sites may not be shown inside of other pages, and none of
// them learns of it so.
//
// The address is one of the device's own and is nobody else's, and port 80 is one
// that only root may take: no program of a pupil can stand in its place.
const PupilHost = "127.0.83.87"

const pupilPage = "http://" + PupilHost + "/"

// servePupil answers on the page until the returned function is called; ok is
// false if somebody else has the address.
func servePupil(d *pupilDesk) (end func(), ok bool) {
	listener, err := net.Listen("tcp4", PupilHost+":80")
	if err != nil {
		return func() {}, false
	}
	server := &http.Server{
		Handler: d, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 20 * time.Second, IdleTimeout: 30 * time.Second, MaxHeaderBytes: 16 << 10,
		ErrorLog: log.New(io.Discard, "", 0),
	}
	go func() { _ = server.Serve(listener) }()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = server.Shutdown(ctx)
	}, true
}

// ServeHTTP answers GET / with the page and POST /melden with a hand that is
// raised or taken down. It answers the device itself only, and takes nothing from
// pages of others.
func (d *pupilDesk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin") // with none at all, browsers do not say either who asks
	h.Set("Content-Security-Policy", "default-src 'none'; style-src '"+cspHash(pageStyle)+"'; script-src '"+cspHash(pageScript)+"'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	lang := words.Lang(r.URL.Query().Get("s"))
	switch {
	case r.Host != PupilHost:
		http.Error(w, "", http.StatusMisdirectedRequest)
	case r.Method == http.MethodGet && r.URL.Path == "/":
		h.Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, d.page(lang, r.URL.Query().Get("k")))
	case r.Method == http.MethodPost && r.URL.Path == "/melden":
		if r.Header.Get("Origin") != "http://"+PupilHost {
			http.Error(w, "", http.StatusForbidden)
			return
		}
		key := d.raise(r.URL.Query().Get("up") == "1")
		h.Set("Location", "/?s="+langOf(lang)+"&k="+key+"#hand")
		w.WriteHeader(http.StatusSeeOther)
	default:
		http.Error(w, "", http.StatusNotFound)
	}
}

func langOf(lang words.Lang) string {
	return string(words.ExamWords(lang, words.ExamNow{}, nil).Lang)
}

func cspHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

const pageStyle = `body{margin:0;background:#0b1020;color:#f4f6fb;font:1.25rem/1.6 sans-serif}main{max-width:38rem;margin:0 auto;padding:4rem 1.5rem}.only{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden;white-space:nowrap}h1{font-size:2rem;line-height:1.2;margin:0}
p{margin:.6rem 0}.big{font-size:1.6rem}a{color:#9ab2ea}button{font:inherit;font-weight:600;padding:.8rem 1.4rem;border:2px solid #9ab2ea;border-radius:.6rem;background:#9ab2ea;color:#0b1020;min-height:3rem}
button.down{background:none;color:#f4f6fb}:focus-visible{outline:3px solid #fff;outline-offset:3px}nav a{margin-inline-end:1rem}`

// What changes by itself is fetched every few seconds and put in its place, so that
// neither the focus nor the reader's place is lost. Only what is new is announced.
const pageScript = `setInterval(async()=>{try{const d=new DOMParser().parseFromString(await(await fetch(location.href)).text(),"text/html");for(const i of["end","left","soon","power","link","said","ask"]){const a=document.getElementById(i),b=d.getElementById(i);if(a&&b&&a.innerHTML!==b.innerHTML)a.innerHTML=b.innerHTML}}catch{}},4000)`

// page writes the page. key is what came of the last button.
func (d *pupilDesk) page(lang words.Lang, key string) string {
	now, order, charging, linked, hand := d.stands()
	text := words.ExamWords(lang, now, nil)
	direction := "ltr"
	if text.RTL {
		direction = "rtl"
	}
	said, button, class, up := "", text.Raise, "up", "1"
	if hand {
		said, button, class, up = text.Raised, text.Lower, "down", "0"
		if !linked {
			said = text.Unseen
		}
	}
	if key == "hand.soon" || key == "hand.not-stored" || key == "release.unheard" {
		said = words.Text(text.Lang, key, nil)
	}
	link, power := text.Linked, text.Battery
	if !linked {
		link = text.Unlinked
	}
	if charging {
		power = strings.TrimSpace(power + " " + text.Charging)
	}
	var languages strings.Builder
	for _, other := range words.LockLanguages {
		current := ""
		if other == text.Lang {
			current = ` aria-current="true"`
		}
		fmt.Fprintf(&languages, `<a href="/?s=%s" lang="%s" hreflang="%s"%s>%s</a> `, other, other, other, current, words.LangName(other))
	}
	e := html.EscapeString
	return fmt.Sprintf(`<!doctype html><html lang="%s" dir="%s"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>%s: %s</title><style>%s</style></head><body><main>
<h1>%s</h1><p>%s</p><p id="end">%s</p><p id="left" class="big" role="timer">%s</p><p id="soon" class="only" role="status">%s</p><p id="tool">%s</p><p id="link" role="status">%s</p><p id="power">%s</p>
<div id="ask"><form method="post" action="/melden?s=%s&amp;up=%s"><button class="%s">%s</button></form></div><p id="hand" tabindex="-1"><span id="said" role="status">%s</span></p>
<p><a href="%s">%s</a></p><p>%s</p><nav aria-label="Sprache, Language">%s</nav></main><script>%s</script></body></html>`,
		text.Lang, direction, e(text.Title), e(order.Title), pageStyle, e(order.Title), e(text.By), e(text.End), e(text.Left), e(announced(text.Lang, now)), e(text.Tool), e(link), e(power),
		text.Lang, up, class, e(button), e(said), e(order.Page), e(text.Back), e(text.Keys), languages.String(), pageScript)
}

// announced is said aloud three times: when a quarter of an hour, five minutes and
// one minute are left. A time that is read out every minute disturbs who writes.
func announced(lang words.Lang, now words.ExamNow) string {
	for _, minutes := range []time.Duration{1, 5, 15} {
		if now.Left <= minutes*time.Minute {
			now.Left = minutes * time.Minute
			return words.ExamWords(lang, now, nil).Left
		}
	}
	return ""
}
