package console

import (
	"context"
	"sync"
	"time"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/web"
)

// codeShelf remembers the code sheets that a person's open board was given, so
// that a board that redraws its modes every second does not fill the audit log
// with one line each time. A sheet lies here until its mode ends.
type codeShelf struct {
	mu     sync.Mutex
	sheets map[shelfKey]sheets
}

type shelfKey struct{ staff, mode org.ID }

type sheets struct {
	ends    time.Time // of the mode as it was
	devices int
	codes   []web.OfflineCodes
}

// offlineCodes returns the release codes of the modes on a board that the
// person may end: an open board keeps them for when the server is down.
func (h *Handler) offlineCodes(ctx context.Context, who may.Actor, c class, now time.Time) ([]web.OfflineCodes, error) {
	var all []web.OfflineCodes
	if c.pretend {
		return nil, nil
	}
	for _, mode := range c.Modes {
		if !mode.Running(now) || !mayEnd(who, c, mode.Mode) {
			continue
		}
		codes, err := h.sheetsOf(ctx, who, mode.ID, mode.Ends, len(mode.Lines))
		if errs.Is(err, errs.Denied) {
			continue // a colleague's mode on the same devices
		}
		if err != nil {
			return nil, err
		}
		all = append(all, codes...)
	}
	return all, nil
}

func (h *Handler) sheetsOf(ctx context.Context, who may.Actor, mode org.ID, ends time.Time, devices int) ([]web.OfflineCodes, error) {
	key := shelfKey{who.ID, mode}
	if known, ok := h.codes.get(key); ok && known.ends.Equal(ends) && known.devices == devices {
		return known.codes, nil
	}
	found, err := h.Lessons.CodeSheets(ctx, who, mode)
	if err != nil {
		return nil, err
	}
	codes := make([]web.OfflineCodes, 0, len(found))
	for _, sheet := range found {
		if len(sheet.Codes) == 0 {
			continue
		}
		one := web.OfflineCodes{
			Device: sheet.Device.String(), Name: sheet.Name, Ends: ends,
			From: sheet.Codes[0].Until.Add(-lease.ReleaseStep).Unix(), Step: int64(lease.ReleaseStep / time.Second),
		}
		for _, code := range sheet.Codes {
			one.Codes = append(one.Codes, code.Digits)
		}
		codes = append(codes, one)
	}
	h.codes.put(key, sheets{ends, devices, codes}, h.Now())
	return codes, nil
}

func (s *codeShelf) get(key shelfKey) (sheets, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.sheets[key]
	return found, ok
}

// put lays a sheet down and throws away those of modes that are over.
func (s *codeShelf) put(key shelfKey, new sheets, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sheets == nil {
		s.sheets = map[shelfKey]sheets{}
	}
	for other, old := range s.sheets {
		if !now.Before(old.ends) {
			delete(s.sheets, other)
		}
	}
	s.sheets[key] = new
}
