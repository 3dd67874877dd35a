package console

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/setup"
	"schulwart.org/web"
)

// setupCookie holds the key of whoever opened the one-time link. It is no
// session: there is nobody yet whose session it could be.
const setupCookie = "einrichten"

// setupActor is who sets the installation up: the holder of the key, or later
// an operator.
func (h *Handler) setupActor(c *gin.Context) (may.Actor, error) {
	if h.Setup == nil {
		return may.Actor{}, errs.E(errs.NotFound, "not_found")
	}
	v := visitor(c)
	if may.Can(v.actor, may.OperationRun, org.Branch{}) {
		return v.actor, nil
	}
	key, err := c.Cookie(setupCookie)
	if err != nil && !v.frame.Person.SignedIn() {
		if any, err := h.Staff.Any(c.Request.Context()); err == nil && !any {
			return may.Actor{}, errs.E(errs.Denied, "setup.no_link")
		}
	}
	if err != nil || v.frame.Person.SignedIn() {
		return may.Actor{}, errs.E(errs.Denied, "setup.bad_link")
	}
	return h.Setup.Actor(c.Request.Context(), key, c.ClientIP())
}

// GET /einrichten/:step
func (h *Handler) showSetup(c *gin.Context) error {
	if token := query(c, "token"); token != "" && h.Setup != nil {
		return h.enterSetup(c, token)
	}
	who, err := h.setupActor(c)
	if err != nil {
		return err
	}
	return h.drawSetup(c, http.StatusOK, who, setupAnswer{})
}

// enterSetup changes the one-time link into a key for this browser and leads to
// where the set-up was left.
func (h *Handler) enterSetup(c *gin.Context, token string) error {
	ctx := c.Request.Context()
	key, err := h.Setup.Enter(ctx, token)
	if err != nil {
		return err
	}
	http.SetCookie(c.Writer, &http.Cookie{
		Name: setupCookie, Value: key, Path: "/einrichten", Secure: h.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		MaxAge: int(7 * 24 * time.Hour / time.Second),
	})
	who, err := h.Setup.Actor(ctx, key, c.ClientIP())
	if err != nil {
		return err
	}
	status, err := h.Setup.Status(ctx, who)
	if err != nil {
		return err
	}
	return seeOther(c, web.To(web.PathSetup, string(status.Next)))
}

// setupAnswer is what came of a form.
type setupAnswer struct {
	forms   *setup.Forms // as typed; nil for what is kept
	checks  []setup.Check
	problem *web.Problem
}

func (h *Handler) drawSetup(c *gin.Context, status int, who may.Actor, answer setupAnswer) error {
	step := setup.Step(c.Param("step"))
	if !slices.Contains(setup.Steps, step) {
		return errs.E(errs.NotFound, "not_found")
	}
	if step == setup.StepDone {
		return h.finishSetup(c, who)
	}
	kept, err := h.Setup.Status(c.Request.Context(), who)
	if err != nil {
		return err
	}
	forms := kept.Forms
	if answer.forms != nil {
		forms = *answer.forms
	}
	shown := web.SetupPage{
		Frame: frame(c), Step: web.SetupStep(step), States: map[web.SetupStep]web.StepState{}, Checks: setupChecks(answer.checks), Problem: answer.problem,
		Address:     web.SetupAddressForm(forms.Address),
		Certificate: certificateForm(forms.Certificate),
		Mail:        web.SetupMailForm{Host: forms.Mail.Host, Port: portText(forms.Mail.Port), User: forms.Mail.User, Sender: forms.Mail.Sender, To: forms.Mail.To},
		Backup:      web.SetupBackupForm{Directory: forms.Backup.Directory, Recipient: forms.Backup.Recipient, Hour: forms.Backup.Hour},
		First:       web.SetupFirstForm{Authority: forms.First.Authority, School: forms.First.School, Name: forms.First.Name, Email: forms.First.Login},
	}
	shown.Restart = setupSteps(kept.Restart)
	for step, state := range kept.States {
		shown.States[web.SetupStep(step)] = web.StepState(state)
	}
	if step == setup.StepBackup && shown.Backup.Recipient == "" && h.Setup.NewKey != nil {
		// A key is made for who has none; the private half is shown this once
		// and never kept.
		if shown.Backup.Recipient, shown.Backup.NewKey, err = h.Setup.NewKey(); err != nil {
			return err
		}
	}
	return show(c, status, web.Setup(shown))
}

func setupSteps(steps []setup.Step) []web.SetupStep {
	list := make([]web.SetupStep, len(steps))
	for i, step := range steps {
		list[i] = web.SetupStep(step)
	}
	return list
}

func certificateForm(form setup.Certificate) web.SetupCertificateForm {
	way := form.Way
	if way == "" {
		way = setup.SelfSigned
	}
	return web.SetupCertificateForm{Way: string(way), CertFile: form.CertFile, KeyFile: form.KeyFile, ACMEEmail: form.ACMEEmail, Proxy: form.Proxy}
}

func portText(port int) string {
	if port == 0 {
		return ""
	}
	return strconv.Itoa(port)
}

func setupChecks(checks []setup.Check) []web.SetupCheck {
	list := make([]web.SetupCheck, len(checks))
	for i, check := range checks {
		list[i] = web.SetupCheck{State: web.StepState(check.State), What: web.Sentence{Key: check.Key, Args: check.Args}, Detail: check.Detail}
		if check.Mend != "" {
			list[i].Mend = &web.Sentence{Key: check.Mend, Args: check.Args}
		}
	}
	return list
}

// readSetup reads the form of a step; the other steps stay as they were kept.
func (h *Handler) readSetup(c *gin.Context, who may.Actor) (setup.Forms, error) {
	status, err := h.Setup.Status(c.Request.Context(), who)
	if err != nil {
		return setup.Forms{}, err
	}
	forms := status.Forms
	switch setup.Step(c.Param("step")) {
	case setup.StepAddress:
		forms.Address = setup.Address{PublicURL: field(c, "public_url"), DeviceURL: field(c, "device_url")}
	case setup.StepCertificate:
		forms.Certificate = setup.Certificate{
			Way: setup.Way(field(c, "way")), CertFile: field(c, "cert_file"), KeyFile: field(c, "key_file"), ACMEEmail: field(c, "acme_email"), Proxy: field(c, "proxy"),
		}
	case setup.StepMail:
		lang := frame(c).Lang
		forms.Mail = setup.Mail{
			Host: field(c, "host"), Port: number(c, "port", 0), User: field(c, "user"), Sender: field(c, "sender"), Password: c.PostForm("password"),
			To: field(c, "to"), Subject: web.T(lang, "mail.test.subject"), Text: web.T(lang, "mail.test.text", "url", h.PublicURL),
		}
	case setup.StepBackup:
		forms.Backup = setup.Backup{Directory: field(c, "directory"), Recipient: field(c, "recipient"), Hour: number(c, "hour", status.Forms.Backup.Hour)}
	case setup.StepFirst:
		forms.First = setup.First{
			Authority: field(c, "authority"), Timezone: "Europe/Berlin", School: field(c, "school"), Name: field(c, "name"), Login: field(c, "email"), Password: c.PostForm("password"),
		}
	}
	return forms, nil
}

// POST /einrichten/:step
func (h *Handler) saveSetup(c *gin.Context) error {
	who, err := h.setupActor(c)
	if err != nil {
		return err
	}
	ctx, step := c.Request.Context(), setup.Step(c.Param("step"))
	if c.PostForm("action") == "skip" {
		if err := h.Setup.Skip(ctx, who, step); err != nil {
			return err
		}
		return seeOther(c, web.To(web.PathSetup, string(after(step))))
	}
	forms, err := h.readSetup(c, who)
	if err != nil {
		return err
	}
	if step == setup.StepFirst {
		err = sameTwice(c.PostForm("password"), c.PostForm("again"))
	}
	var checks []setup.Check
	if err == nil {
		checks, err = h.Setup.Save(ctx, who, step, forms)
	}
	if problem := startFault(err); problem != nil {
		return h.drawSetup(c, http.StatusUnprocessableEntity, who, setupAnswer{&forms, nil, problem})
	}
	if err != nil {
		return err
	}
	if slices.ContainsFunc(checks, func(check setup.Check) bool { return check.State == setup.Failed }) {
		// Kept, but the person should read what failed before going on.
		return h.drawSetup(c, http.StatusUnprocessableEntity, who, setupAnswer{&forms, checks, nil})
	}
	return seeOther(c, web.To(web.PathSetup, string(after(step))))
}

// after is the step that follows.
func after(step setup.Step) setup.Step {
	if i := slices.Index(setup.Steps, step); i >= 0 && i+1 < len(setup.Steps) {
		return setup.Steps[i+1]
	}
	return setup.StepDone
}

// POST /einrichten/:step/pruefen
func (h *Handler) checkSetup(c *gin.Context) error {
	who, err := h.setupActor(c)
	if err != nil {
		return err
	}
	forms, err := h.readSetup(c, who)
	if err != nil {
		return err
	}
	checks, err := h.Setup.Check(c.Request.Context(), who, setup.Step(c.Param("step")), forms)
	if problem := startFault(err); problem != nil {
		return h.drawSetup(c, http.StatusUnprocessableEntity, who, setupAnswer{&forms, nil, problem})
	}
	if err != nil {
		return err
	}
	return h.drawSetup(c, http.StatusOK, who, setupAnswer{&forms, checks, nil})
}

// finishSetup ends the set-up: the key is void, and people sign in from now on.
// Before anybody has a login it leads back to the step that makes the first.
func (h *Handler) finishSetup(c *gin.Context, who may.Actor) error {
	ctx := c.Request.Context()
	status, err := h.Setup.Status(ctx, who)
	if err != nil {
		return err
	}
	_, err = h.Setup.Save(ctx, who, setup.StepDone, setup.Forms{})
	if errs.Is(err, errs.Conflict) {
		return seeOther(c, web.To(web.PathSetup, string(setup.StepFirst)))
	}
	if err != nil {
		return err
	}
	shown := web.SetupPage{
		Frame: frame(c), Step: web.SetupDone, States: map[web.SetupStep]web.StepState{},
		Done: web.SetupDoneInfo{LoginURL: web.PathLogin, TokenURL: web.With(web.PathLogin, "next", web.PathTokenNew)},
	}
	shown.Restart = setupSteps(status.Restart)
	for _, step := range setup.Steps {
		shown.States[web.SetupStep(step)] = web.StepState(status.States[step])
		if status.States[step] == setup.Skipped {
			shown.Done.Skipped = append(shown.Done.Skipped, web.SetupStep(step))
		}
	}
	shown.States[web.SetupDone] = web.StepOK
	return page(c, web.Setup(shown))
}
