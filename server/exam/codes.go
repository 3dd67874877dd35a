package exam

import (
	"context"
	"slices"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/may"
)

// CodeCard is what an invigilator carries for one device: codes that serve once
// each, without any connection.
type CodeCard struct {
	Seat
	Release []string // end the examination on the device
	Resume  []string // let it go on after a restart
}

// Codes returns the prepared codes of all devices, or of those named. Devices
// that made no secret, or are not armed yet, have none. Each showing leaves its
// audit row, and a line in the evidence.
func (s *Service) Codes(ctx context.Context, actor may.Actor, id org.ID, devices ...org.ID) (Exam, []CodeCard, error) {
	exam, permit, err := s.open(ctx, actor, id, may.ExamRun)
	if err != nil {
		return Exam{}, nil, err
	}
	seats, lines, err := s.seatLines(ctx, exam)
	if err != nil {
		return exam, nil, err
	}
	var cards []CodeCard
	records := []Record{{Key: "codes"}}
	if len(devices) > 0 {
		records = nil
	}
	for _, seat := range seats {
		if len(devices) > 0 && !slices.Contains(devices, seat.Device) {
			continue
		}
		card := CodeCard{Seat: seat}
		if line := lines[seat.Enrolment]; line != nil && seat.Enrolment != "" {
			if err := s.fillCard(ctx, exam, &card, line.Lease); err != nil {
				return exam, nil, err
			}
		}
		cards = append(cards, card)
		if len(devices) > 0 {
			records = append(records, Record{Device: seat.Device, Key: "codes"})
		}
	}
	stamp(records, permit, s.Now())
	return exam, cards, s.Store.RecordExam(ctx, permit, exam, "codes", records)
}

func (s *Service) fillCard(ctx context.Context, exam Exam, card *CodeCard, leaseID org.ID) error {
	secret, err := s.Store.ReleaseSecret(ctx, exam.Branch.Authority, card.Enrolment)
	if err != nil || len(secret) == 0 {
		return err
	}
	for n := 1; n <= lease.PreparedCodes; n++ {
		card.Release = append(card.Release, lease.PreparedCode(secret, leaseID.String(), lease.UseRelease, n))
		card.Resume = append(card.Resume, lease.PreparedCode(secret, leaseID.String(), lease.UseResume, n))
	}
	return nil
}
