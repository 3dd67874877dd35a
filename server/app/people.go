package app

import (
	"crypto/tls"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"schulwart.org/policies/version"
	"schulwart.org/server/console"
	"schulwart.org/web/help"
)

// peopleHandler is the console with the program interface and the machines'
// questions beside it.
func (a *App) peopleHandler() http.Handler {
	return a.withPrograms(console.New(console.Deps{
		Log: a.Log, Now: a.Now,
		Sessions: a.Sessions, Staff: a.Staff, Roster: a.Roster, Standard: a.Standard, Lessons: a.Lessons, Exams: a.Exams, Packages: a.Packages, Rollouts: a.Rollouts, Calendars: a.Calendars, Licences: a.Licences, Shelf: a.Shelf, Presence: presence{a.Presence}, Live: a.Live,
		Board: a.Board, Enroll: a.Enroll, Audit: a.Audit, Backup: a.Backup, Mail: a.Mail, Setup: a.Setup,
		Enrolments: a, Operations: a, Keys: a.Ring, Commands: a.Store, Atomically: a.Store.Atomically, LinkKey: a.linkKey,
		PublicURL: a.Config.PublicURL, Secure: a.Config.Secure(), Proxies: a.Config.Proxy, Demo: a.Stage != nil, Stage: a.Stage,
		Version: version.Version, Commit: version.Commit, Stopping: a.stopping, Help: help.Files,
		Extra: func(engine *gin.Engine) {
			a.health(engine)
			a.instance(engine)
		},
	}))
}

// peopleTLS returns how people reach this process by TLS; nil where they do not.
func (a *App) peopleTLS() (*tls.Config, error) {
	c := a.Config
	switch {
	case c.Certificate != "":
		return ownFiles(c.Certificate, c.PrivateKey)
	case c.ACME:
		manager := &autocert.Manager{Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(filepath.Join(c.Data, "acme")), HostPolicy: autocert.HostWhitelist(hostOf(c.PublicURL)), Email: c.ACMEEmail}
		if c.ACMEURL != "" {
			manager.Client = &acme.Client{DirectoryURL: c.ACMEURL}
		}
		secure := manager.TLSConfig()
		secure.GetCertificate = a.toldOf(manager)
		return secure, nil
	}
	return nil, nil
}

// toldOf returns the manager's certificates, and tells the operator once a
// minute at the most why there is none: who calls up the page learns nothing but
// that no connection comes about.
func (a *App) toldOf(manager *autocert.Manager) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	var mu sync.Mutex
	var told time.Time
	host := hostOf(a.Config.PublicURL)
	return func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		certificate, err := manager.GetCertificate(hello)
		if err == nil || hello.ServerName != host {
			return certificate, err
		}
		mu.Lock()
		defer mu.Unlock()
		if now := a.Now(); now.Sub(told) >= time.Minute {
			told = now
			a.Log.Warn("no certificate from the ACME authority", "host", host, "error", err)
		}
		return nil, err
	}
}
