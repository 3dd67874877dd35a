package console

import (
	"context"
	"log/slog"
	"time"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/web"
)

// Installation is what only the running process knows of itself.
type Installation struct {
	Certificates []Certificate
	Database     string // "sqlite" or "postgres"
	Size         int64  // of the database, in bytes
	Free         int64  // on its disk, in bytes; -1 when unknown
	Queue        int    // commands that wait for devices
	Connected    int    // event streams
	Polling      int    // devices in contact without a stream
	Versions     []AgentVersion
	Since        time.Time // start of the process
}

// Certificate is one that can run out. Name is console, devices, authority or
// apns.
type Certificate struct {
	Name     string
	Subject  string
	NotAfter time.Time
	Auto     bool // renews itself
}

// AgentVersion is how many devices run a version of the agent.
type AgentVersion struct {
	Version  string
	Platform string
	Devices  int
	Old      bool // older than the one before the current
}

// Operations answers for the process.
type Operations interface {
	Installation(ctx context.Context) (Installation, error)
}

// GET /betrieb
func (h *Handler) showOperations(c *gin.Context) error {
	ctx, v := c.Request.Context(), visitor(c)
	found, err := h.Operations.Installation(ctx)
	if err != nil {
		return err
	}
	shown := web.OperationsPage{
		Frame: v.frame, ServerSince: found.Since, ServerVersion: h.Version, Commit: h.Commit,
		Database: web.DatabaseState{Kind: found.Database, Size: found.Size, Free: found.Free, Queue: found.Queue},
		Agents:   web.AgentState{Connected: found.Connected, Polling: found.Polling},
	}
	for _, certificate := range found.Certificates {
		shown.Certificates = append(shown.Certificates, web.CertificateRow(certificate))
	}
	for _, version := range found.Versions {
		shown.Agents.Versions = append(shown.Agents.Versions, web.VersionRow(version))
	}
	if shown.Backup, err = h.backupState(ctx, v); err != nil {
		return err
	}
	mail, err := h.Mail.State(ctx)
	if err != nil {
		return err
	}
	shown.Mail = web.MailState{Host: mail.Host, Last: mail.Last, Problem: mail.Problem}
	shown.Key, shown.MayRun = h.keyState(), may.Can(v.actor, may.OperationRun, org.Branch{})
	if h.Setup != nil {
		checks, err := h.Setup.All(ctx, v.actor)
		if err != nil {
			return err
		}
		shown.Checks = setupChecks(checks)
		status, err := h.Setup.Status(ctx, v.actor)
		if err != nil {
			return err
		}
		shown.Restart = setupSteps(status.Restart)
	}
	return page(c, web.Operations(shown))
}

func (h *Handler) backupState(ctx context.Context, v *visit) (web.BackupState, error) {
	state, err := h.Backup.State(ctx, v.actor)
	if err != nil {
		return web.BackupState{}, err
	}
	shown := web.BackupState{Last: state.Last.At, Size: state.Last.Bytes}
	if state.Ready {
		shown.Target = state.Dir
		shown.Next = nextNight(h.Now(), v.frame.Location, state.Hour)
	}
	if state.Last.Fault != "" {
		shown.Problem = web.Fault(v.frame.Lang, state.Last.Fault, nil)
	}
	return shown, nil
}

// nextNight returns when the hour of school time comes next.
func nextNight(now time.Time, zone *time.Location, hour int) time.Time {
	local := now.In(zone)
	for day := local.Day(); ; day++ {
		if next := time.Date(local.Year(), local.Month(), day, hour, 0, 0, 0, zone); next.After(now) {
			return next
		}
	}
}

// POST /betrieb/sicherung
func (h *Handler) backupNow(c *gin.Context) error {
	last, err := h.Backup.Run(c.Request.Context(), actor(c))
	if problem := startFault(err); problem != nil {
		h.flash(c.Request.Context(), web.FlashTrouble, "backup_failed", "why", web.Fault(frame(c).Lang, problem.Key, problem.Args))
		return seeOther(c, web.PathOperations)
	}
	if err != nil {
		return err
	}
	h.flash(c.Request.Context(), web.FlashDone, "backup_done", "file", last.File)
	return seeOther(c, web.PathOperations)
}

// POST /betrieb/testmail
func (h *Handler) testMail(c *gin.Context) error {
	ctx, v := c.Request.Context(), visitor(c)
	err := h.Mail.Send(ctx, v.actor.Login, web.T(v.frame.Lang, "mail.test.subject"), web.T(v.frame.Lang, "mail.test.text", "url", h.PublicURL))
	if err != nil {
		h.logged(c, slog.LevelWarn, "sending a test message", err)
		h.flash(ctx, web.FlashTrouble, "mail_test_failed", "why", err.Error())
	} else {
		h.flash(ctx, web.FlashDone, "mail_sent", "to", v.actor.Login)
	}
	return seeOther(c, web.PathOperations)
}
