package app

import (
	"context"

	"schulwart.org/policies/org"
	"schulwart.org/policies/work"
	"schulwart.org/server/checkin"
	"schulwart.org/server/exam"
)

// examWork brings what devices hand in to the room of examinations.
type examWork struct{ exams *exam.Service }

func sender(e checkin.Enrolment, id, ticket string) exam.Sender {
	return exam.Sender{Authority: e.Authority, Device: e.Device, Exam: org.ID(id), Ticket: ticket}
}

func (w examWork) HandOut(ctx context.Context, e checkin.Enrolment, id, ticket, hash string, n int) ([]byte, error) {
	return w.exams.HandOut(ctx, sender(e, id, ticket), hash, n)
}

func (w examWork) TakePiece(ctx context.Context, e checkin.Enrolment, id, ticket, hash string, sealed []byte) error {
	return w.exams.TakePiece(ctx, sender(e, id, ticket), hash, sealed)
}

func (w examWork) TakeList(ctx context.Context, e checkin.Enrolment, id, ticket string, sealed []byte) (work.Receipt, error) {
	return w.exams.TakeList(ctx, sender(e, id, ticket), sealed)
}
