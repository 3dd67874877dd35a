package app

import (
	"context"
	"crypto/x509"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	"schulwart.org/server/backup"
	"schulwart.org/server/config"
	"schulwart.org/server/mail"
	"schulwart.org/server/may"
	"schulwart.org/server/setup"
	"schulwart.org/server/staff"
	"schulwart.org/server/store"
)

// adopt takes over what was chosen at the set-up where flags, environment and
// file say nothing. A restart puts it in force.
func adopt(ctx context.Context, s *store.Store, c *config.Serve) error {
	kept, err := (&setup.Service{Store: s}).Kept(ctx)
	if err != nil {
		return err
	}
	return c.Adopt(chosen(kept))
}

func chosen(kept setup.Forms) config.Kept {
	chosen := config.Kept{PublicURL: kept.Address.PublicURL, DeviceURL: kept.Address.DeviceURL, BackupDir: kept.Backup.Directory, BackupHour: kept.Backup.Hour}
	switch kept.Certificate.Way {
	case setup.OwnFiles:
		chosen.Certificate, chosen.PrivateKey = kept.Certificate.CertFile, kept.Certificate.KeyFile
	case setup.ACME:
		chosen.ACME, chosen.ACMEEmail = true, kept.Certificate.ACMEEmail
	case setup.Proxy:
		chosen.Proxy = kept.Certificate.Proxy
	}
	return chosen
}

// backups puts what the set-up chose in force at once, unless flags, environment
// or file say otherwise.
type backups struct{ app *App }

func (b backups) SetLock(ctx context.Context, actor may.Actor, lock string) error {
	return b.app.Backup.SetLock(ctx, actor, lock)
}

func (b backups) SetPlan(form setup.Backup) {
	folder, hour := b.app.named.Backups(chosen(setup.Forms{Backup: form}))
	b.app.Backup.SetPlan(backup.Plan{Dir: folder, Hour: *hour})
}

// afterRestart lists the steps whose kept values differ from those in force, and
// would not after a restart.
func (a *App) afterRestart(kept setup.Forms) []setup.Step {
	next, now := a.named, a.Config
	_ = next.Adopt(chosen(kept)) // its faults are told by the step's own checks
	var steps []setup.Step
	if next.PublicURL != now.PublicURL || next.DeviceURL != now.DeviceURL {
		steps = append(steps, setup.StepAddress)
	}
	if next.Certificate != now.Certificate || next.PrivateKey != now.PrivateKey || next.ACME != now.ACME || next.ACMEEmail != now.ACMEEmail || !slices.Equal(next.Proxy, now.Proxy) {
		steps = append(steps, setup.StepCertificate)
	}
	return steps
}

// setupRoom makes the first set-up.
func (a *App) setupRoom() *setup.Service {
	c := a.Config
	return &setup.Service{
		Store: a.Store, People: beginners{a}, Mailer: mailer{a.Mail}, Backups: backups{a}, AfterRestart: a.afterRestart, NewKey: backup.NewKey,
		DeviceRoots: func() *x509.CertPool {
			pool := x509.NewCertPool()
			pool.AppendCertsFromPEM([]byte(a.Enroll.CAPEM()))
			return pool
		},
		Now: a.Now, Instance: setup.NewInstance(), Data: c.Data,
		Defaults: setup.Forms{
			Address:     setup.Address{PublicURL: c.PublicURL, DeviceURL: c.DeviceURL},
			Certificate: setup.Certificate{Way: way(a), CertFile: c.Certificate, KeyFile: c.PrivateKey},
			Backup:      setup.Backup{Directory: c.BackupDir, Hour: *c.BackupHour},
		},
	}
}

func way(a *App) setup.Way {
	switch {
	case a.Config.Certificate != "":
		return setup.OwnFiles
	case a.Config.ACME:
		return setup.ACME
	case len(a.Config.Proxy) > 0:
		return setup.Proxy
	}
	return setup.SelfSigned
}

// instance answers who this process is, so that the set-up knows its own doors
// when it knocks from outside.
func (a *App) instance(engine *gin.Engine) {
	engine.GET(setup.InstancePath, func(c *gin.Context) { c.String(http.StatusOK, a.Setup.Instance) })
}

// beginners makes the first places and the first login.
type beginners struct{ app *App }

func (b beginners) Any(ctx context.Context) (bool, error) { return b.app.Staff.Any(ctx) }

func (b beginners) Begin(ctx context.Context, permit may.Permit, first setup.First) error {
	a := b.app
	authority, err := a.Roster.NewAuthority(first.Authority, first.Timezone)
	if err != nil {
		return err
	}
	school, err := a.Roster.NewSchool(authority.ID, first.School, "")
	if err != nil {
		return err
	}
	return a.Store.Atomically(ctx, func(ctx context.Context) error {
		if err := a.Store.CreateAuthority(ctx, permit, authority); err != nil {
			return err
		}
		if err := a.Store.CreateSchool(ctx, permit, school); err != nil {
			return err
		}
		_, err := a.Staff.Create(ctx, permit, staff.Seed{
			Name: first.Name, Login: first.Login, Password: first.Password, Grants: []may.Grant{{Role: may.Operator, Branch: org.Branch{}}},
		})
		return err
	})
}

// mailer fits mail to the set-up's words.
type mailer struct{ *mail.Service }

func settingsOf(m setup.Mail) mail.Settings {
	return mail.Settings{Host: m.Host, Port: m.Port, User: m.User, Sender: m.Sender}
}

func (m mailer) Save(ctx context.Context, form setup.Mail) error {
	return m.Service.Save(ctx, settingsOf(form), form.Password)
}

func (m mailer) Try(ctx context.Context, form setup.Mail) error {
	return m.Service.Try(ctx, settingsOf(form), form.Password, form.To, form.Subject, form.Text)
}
