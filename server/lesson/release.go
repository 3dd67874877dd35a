package lesson

import (
	"context"
	"time"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Code is a release code for one device.
type Code struct {
	Digits string // "12345678"; show it with lease.ShowCode
	Until  time.Time
}

// ReleaseCode returns the code that ends the mode on one device without any
// connection. With a challenge, as a device without trusted time shows it, the
// challenge takes the place of the time. Showing a code leaves an audit row.
func (s *Service) ReleaseCode(ctx context.Context, actor may.Actor, id, device org.ID, challenge string) (Code, error) {
	mode, lines, permit, err := s.change(ctx, actor, id, may.ModeEnd)
	if err != nil {
		return Code{}, err
	}
	line := only(lines, []org.ID{device})
	if len(line) == 0 {
		return Code{}, errs.E(errs.NotFound, "mode.device_not_in_mode").In("device")
	}
	secret, err := s.Store.ReleaseSecret(ctx, mode.Branch.Authority, line[0].Lease.Enrolment)
	if err != nil {
		return Code{}, err
	}
	if len(secret) == 0 {
		return Code{}, errs.E(errs.Invalid, "release.not_possible")
	}
	code, err := s.code(secret, line[0].Lease.ID.String(), challenge)
	if err != nil {
		return Code{}, err
	}
	return code, s.Store.RecordRelease(ctx, permit, mode, device)
}

func (s *Service) code(secret []byte, leaseID, challenge string) (Code, error) {
	if challenge == "" {
		now := s.Now()
		return Code{lease.ReleaseCode(secret, leaseID, now), now.Truncate(lease.ReleaseStep).Add(lease.ReleaseStep)}, nil
	}
	digits, err := lease.ChallengeCode(secret, leaseID, challenge)
	if err != nil {
		return Code{}, errs.E(errs.Invalid, "release.bad_challenge").In("challenge").Because(err)
	}
	return Code{Digits: digits, Until: s.Now().Add(lease.ReleaseStep)}, nil
}

// CodeSheet is what an open board keeps, so that release works while the server
// is down: per device the codes of a mode, one for each five minutes to its end.
type CodeSheet struct {
	Device org.ID
	Name   string
	Codes  []Code // in order of time
}

// CodeSheets returns the codes of all devices of a running mode. It leaves one
// audit row.
func (s *Service) CodeSheets(ctx context.Context, actor may.Actor, id org.ID) ([]CodeSheet, error) {
	mode, lines, permit, err := s.change(ctx, actor, id, may.ModeEnd)
	if err != nil {
		return nil, err
	}
	var sheets []CodeSheet
	for _, line := range lines {
		secret, err := s.Store.ReleaseSecret(ctx, mode.Branch.Authority, line.Lease.Enrolment)
		if err != nil {
			return nil, err
		}
		if len(secret) == 0 || line.State == Ended {
			continue
		}
		sheet := CodeSheet{Device: line.Device, Name: line.Name}
		for step := s.Now().Truncate(lease.ReleaseStep); step.Before(line.Lease.Ends); step = step.Add(lease.ReleaseStep) {
			sheet.Codes = append(sheet.Codes, Code{lease.ReleaseCode(secret, line.Lease.ID.String(), step), step.Add(lease.ReleaseStep)})
		}
		sheets = append(sheets, sheet)
	}
	return sheets, s.Store.RecordRelease(ctx, permit, mode, "")
}
