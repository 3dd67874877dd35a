package command

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
)

// longestDetail bounds what is kept of a device's reason.
const longestDetail = 4000

// Report takes what a device says of a command, or that it is idle, and returns
// the next command for it, nil if there is none. Reports are idempotent: one on a
// command that is unknown or finished changes nothing.
//
// A session goes from Idle to an empty answer. A command that the device put off
// in it is not handed out again before the next one.
func (s *Service) Report(ctx context.Context, authority, enrolment org.ID, result mdm.Result) ([]byte, error) {
	if result.Status == mdm.Idle {
		return s.Store.NextCommand(ctx, authority, enrolment, true)
	}
	var next []byte
	err := s.Store.Atomically(ctx, func(ctx context.Context) error {
		if err := s.settle(ctx, authority, enrolment, result); err != nil {
			return err
		}
		var err error
		next, err = s.Store.NextCommand(ctx, authority, enrolment, false)
		return err
	})
	return next, err
}

// Reported answers what was reported already: with the command that waits, and
// changing nothing.
func (s *Service) Reported(ctx context.Context, authority, enrolment org.ID, result mdm.Result) ([]byte, error) {
	return s.Store.PeekCommand(ctx, authority, enrolment, result.Status == mdm.Idle)
}

// Waiting reports whether a device that asked for a command now would get one.
func (s *Service) Waiting(ctx context.Context, authority, enrolment org.ID) (bool, error) {
	return s.Store.CommandsWait(ctx, authority, enrolment)
}

func (s *Service) settle(ctx context.Context, authority, enrolment org.ID, result mdm.Result) error {
	id := org.ID(result.CommandUUID)
	if result.Status == mdm.NotNow {
		return s.Store.PutOff(ctx, authority, enrolment, id, s.Now().Add(BackOff(2)))
	}
	finished, err := s.Store.FinishCommand(ctx, authority, enrolment, Report{ID: id, Status: result.Status, Detail: detail(result)})
	if errs.Is(err, errs.NotFound) {
		s.Log.Info("report on an unknown command", "enrolment", enrolment, "command", id, "status", result.Status)
		return nil
	}
	if err != nil {
		return err
	}
	for _, outcomes := range s.Outcomes {
		if err := outcomes.Finished(ctx, authority, finished.Device, finished.RequestType, finished.About, result); err != nil {
			return err
		}
	}
	return nil
}

// detail keeps the reason of a failure; answers are read by those who asked.
func detail(result mdm.Result) string {
	if result.Salvaged {
		return "unreadable report"
	}
	if len(result.ErrorChain) == 0 {
		return ""
	}
	text, err := json.Marshal(result.ErrorChain)
	if err != nil || len(text) > longestDetail {
		return "unreadable reason"
	}
	return string(text)
}

// Repush wakes devices again that did not fetch what waits for them, ever less
// often. A job calls it every few seconds.
func (s *Service) Repush(ctx context.Context) error {
	due, err := s.Store.DueCommands(ctx, s.Now(), 500)
	if err != nil {
		return err
	}
	enrolments := make([]org.ID, len(due))
	for i, d := range due {
		enrolments[i] = d.Enrolment
	}
	if len(enrolments) > 0 {
		s.Nudger.Nudge(enrolments...)
	}
	return nil
}

// Retire moves what has expired out of the queue and forgets old reports. It
// returns how many rows went; call it again while that is many.
func (s *Service) Retire(ctx context.Context) (int64, error) {
	const atOnce = 2000
	now := s.Now()
	expired, err := s.Store.ExpireCommands(ctx, now, atOnce)
	if err != nil {
		return expired, err
	}
	forgotten, err := s.Store.ForgetReports(ctx, now.Add(-KeepReports), atOnce)
	return expired + forgotten, err
}

func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}
