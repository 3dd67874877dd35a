package setup

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"slices"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// progress is what is kept between visits.
type progress struct {
	States map[Step]State `json:"states"`
	Forms  Forms          `json:"forms"`
}

func (s *Service) progress(ctx context.Context) (progress, error) {
	p := progress{Forms: s.Defaults}
	text, err := s.Store.Setting(ctx, progressName)
	if err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &p)
	}
	if err != nil {
		return p, fmt.Errorf("reading how far the set-up is: %w", err)
	}
	if p.States == nil {
		p.States = map[Step]State{}
	}
	for _, step := range Steps {
		if p.States[step] == "" {
			p.States[step] = Open
		}
	}
	return p, nil
}

func (s *Service) keep(ctx context.Context, permit may.Permit, p progress) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return s.Store.SaveSetting(ctx, permit, progressName, string(text))
}

// Status is how far the set-up is.
type Status struct {
	States map[Step]State
	Forms  Forms // as they were saved; First is never kept
	Next   Step  // the first that is neither done nor skipped
	Done   bool
	// Restart lists the steps whose values come into force at the next start.
	Restart []Step
}

// Status says how far the set-up is.
func (s *Service) Status(ctx context.Context, actor may.Actor) (Status, error) {
	if _, err := may.Do(actor, may.OperationRead, org.Branch{}); err != nil {
		return Status{}, err
	}
	p, err := s.progress(ctx)
	if err != nil {
		return Status{}, err
	}
	status := Status{States: p.States, Forms: p.Forms, Next: StepDone, Done: p.States[StepDone] == OK}
	if s.AfterRestart != nil {
		status.Restart = s.AfterRestart(p.Forms)
	}
	for _, step := range slices.Backward(Steps) {
		if p.States[step] == Open || p.States[step] == Failed {
			status.Next = step
		}
	}
	return status, nil
}

func (s *Service) check(ctx context.Context, step Step, forms Forms) ([]Check, error) {
	switch step {
	case StepAddress:
		return s.checkAddress(ctx, forms.Address), nil
	case StepListeners:
		p, err := s.progress(ctx)
		if err != nil {
			return nil, err
		}
		return s.checkListeners(ctx, p.Forms.Address, p.Forms.Certificate), nil
	case StepCertificate:
		p, err := s.progress(ctx)
		if err != nil {
			return nil, err
		}
		return s.checkCertificate(ctx, forms.Certificate, p.Forms.Address), nil
	case StepMail:
		return s.checkMail(ctx, forms.Mail), nil
	case StepBackup:
		return s.checkBackup(forms.Backup), nil
	}
	return nil, nil
}

// Save checks a step and keeps its values. A step whose checks failed is kept as
// failed, so that nobody is stuck: some things can be mended only later. Values
// that make no sense are an Invalid fault and not kept.
func (s *Service) Save(ctx context.Context, actor may.Actor, step Step, forms Forms) ([]Check, error) {
	permit, err := may.Do(actor, may.OperationRun, org.Branch{})
	if err != nil {
		return nil, err
	}
	p, err := s.progress(ctx)
	if err != nil {
		return nil, err
	}
	if p.Forms, err = s.take(ctx, actor, permit, step, p.Forms, forms); err != nil {
		return nil, err
	}
	checks, err := s.check(ctx, step, forms)
	if err != nil {
		return nil, err
	}
	p.States[step] = OK
	for _, check := range checks {
		if check.State == Failed {
			p.States[step] = Failed
		}
	}
	if err := s.keep(ctx, permit, p); err != nil {
		return nil, err
	}
	if step == StepBackup {
		s.Backups.SetPlan(p.Forms.Backup)
	}
	if step == StepDone {
		return nil, s.finish(ctx)
	}
	return checks, nil
}

// take puts the values of a step where they belong.
func (s *Service) take(ctx context.Context, actor may.Actor, permit may.Permit, step Step, kept, forms Forms) (Forms, error) {
	switch step {
	case StepAddress:
		address, err := forms.Address.tidy()
		kept.Address = address
		return kept, err
	case StepCertificate:
		kept.Certificate = forms.Certificate
		return kept, forms.Certificate.sane()
	case StepMail:
		kept.Mail = forms.Mail
		return kept, s.Mailer.Save(ctx, forms.Mail)
	case StepBackup:
		kept.Backup = forms.Backup
		if err := forms.Backup.sane(); err != nil {
			return kept, err
		}
		return kept, s.Backups.SetLock(ctx, actor, forms.Backup.Recipient)
	case StepFirst:
		return kept, s.People.Begin(ctx, permit, forms.First)
	case StepListeners:
		return kept, nil
	case StepDone:
		any, err := s.People.Any(ctx)
		if err == nil && !any {
			err = errs.E(errs.Conflict, "setup.nobody_yet")
		}
		return kept, err
	}
	return kept, errs.E(errs.NotFound, "not_found")
}

// finish voids the key: from now on people sign in.
func (s *Service) finish(ctx context.Context) error {
	if err := s.Store.PutSetting(ctx, linkName, ""); err != nil {
		return err
	}
	return s.Store.PutSetting(ctx, keyName, "")
}

// Skip leaves a step for later. The first login cannot wait.
func (s *Service) Skip(ctx context.Context, actor may.Actor, step Step) error {
	permit, err := may.Do(actor, may.OperationRun, org.Branch{})
	if err != nil {
		return err
	}
	if !slices.Contains(Steps, step) {
		return errs.E(errs.NotFound, "not_found")
	}
	if step == StepFirst || step == StepDone {
		return errs.E(errs.Conflict, "setup.cannot_skip")
	}
	p, err := s.progress(ctx)
	if err != nil {
		return err
	}
	if p.States[step] != OK {
		p.States[step] = Skipped
	}
	return s.keep(ctx, permit, p)
}

// Kept returns the values that were set up, for whoever starts the doors; empty
// ones were never chosen.
func (s *Service) Kept(ctx context.Context) (Forms, error) {
	p, err := s.progress(ctx)
	return p.Forms, err
}

// All repeats every check with the values that were kept, for the operations
// page. No mail is sent.
func (s *Service) All(ctx context.Context, actor may.Actor) ([]Check, error) {
	if _, err := may.Do(actor, may.OperationRead, org.Branch{}); err != nil {
		return nil, err
	}
	p, err := s.progress(ctx)
	if err != nil {
		return nil, err
	}
	var all []Check
	for _, step := range []Step{StepAddress, StepListeners, StepCertificate, StepBackup} {
		if p.States[step] == Open || p.States[step] == Skipped {
			continue
		}
		checks, err := s.check(ctx, step, p.Forms)
		if err != nil {
			return nil, err
		}
		all = append(all, checks...)
	}
	return all, nil
}

// MakeKey makes a key pair for backups, for who has none. The private half is
// shown once and not kept.
func (s *Service) MakeKey(actor may.Actor) (public, private string, err error) {
	if _, err := may.Do(actor, may.OperationRun, org.Branch{}); err != nil {
		return "", "", err
	}
	return s.NewKey()
}

func (s *Service) resolve(ctx context.Context, host string) ([]string, error) {
	if s.Resolve != nil {
		return s.Resolve(ctx, host)
	}
	return net.DefaultResolver.LookupHost(ctx, host)
}

// passed and failed make the two outcomes of a check.
func passed(key string, args ...any) Check {
	return Check{State: OK, Key: key, Args: pairs(args)}
}

func failed(key, mend string, cause error, args ...any) Check {
	check := Check{State: Failed, Key: key, Mend: mend, Args: pairs(args)}
	if cause != nil {
		check.Detail = cause.Error()
	}
	return check
}

func pairs(args []any) map[string]any {
	if len(args) == 0 {
		return nil
	}
	return errs.E(errs.Invalid, "", args...).Args
}
