package remote

import (
	"context"
	"time"

	"schulwart.org/agent/identity"
)

// lookRenew is how often the certificate's end is looked at.
const lookRenew = time.Hour

// renew keeps the certificate alive, beside everything else: no command and no
// report can hold it up, and it is tried with an expired certificate too.
func (s *Session) renew(ctx context.Context) {
	var retry backoff
	pause := time.Duration(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.renews:
		case <-s.config.Clock.After(pause):
		}
		due := !s.config.Device.Now().Before(s.config.Identity.DueAt())
		if !due {
			pause = lookRenew
			continue
		}
		if s.config.Cut != nil && s.config.Cut() {
			pause = retry.next()
			continue
		}
		err := s.config.Identity.Renew(ctx, s.config.Machine.Hardware(), s.certificateTime)
		if err == nil {
			s.config.Log.Info("certificate was renewed", "until", s.config.Identity.Certificate().NotAfter)
			retry.reset()
			pause = lookRenew
			s.Woken()
			continue
		}
		if identity.Dated(err) {
			s.askTime(ctx)
		}
		s.config.Log.Warn("certificate could not be renewed", "error", err, "reason", reasonOf(err))
		pause = retry.next()
	}
}
