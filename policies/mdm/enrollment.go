package mdm

import (
	"strings"
)

// sharedUserID stands for all users of a Shared iPad; the user is then named by
// UserShortName.
const sharedUserID = "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"

// longestID bounds the ids that devices choose for themselves.
const longestID = 128

// Enrollment names who speaks, in every message.
type Enrollment struct {
	UDID             string `plist:",omitempty"`
	UserID           string `plist:",omitempty"`
	UserShortName    string `plist:",omitempty"`
	UserLongName     string `plist:",omitempty"`
	EnrollmentID     string `plist:",omitempty"` // instead of UDID, where a person enrolled a device of their own
	EnrollmentUserID string `plist:",omitempty"`
}

// DeviceID returns UDID or EnrollmentID. It is ErrNoID or ErrBadID if the
// message has none that can be one.
func (e Enrollment) DeviceID() (string, error) {
	id := e.UDID
	if id == "" {
		id = e.EnrollmentID
	}
	return id, checkID(id)
}

// ID returns the id of the channel that speaks: the device's own, or the device's
// with a user (UDID:UserID, on a Shared iPad UDID:UserShortName, or
// EnrollmentID:EnrollmentUserID).
func (e Enrollment) ID() (string, error) {
	device, err := e.DeviceID()
	if err != nil {
		return "", err
	}
	user := e.user()
	if user == "" {
		if e.UDID != "" && e.UserID == sharedUserID {
			return "", ErrNoID
		}
		return device, nil
	}
	if err := checkID(user); err != nil {
		return "", err
	}
	return device + ":" + user, nil
}

// UserChannel reports whether a user of the device speaks, not the device.
func (e Enrollment) UserChannel() bool { return e.user() != "" || e.UserID != "" }

func (e Enrollment) user() string {
	if e.UDID == "" {
		return e.EnrollmentUserID
	}
	if e.UserID == sharedUserID {
		return e.UserShortName
	}
	return e.UserID
}

func checkID(id string) error {
	if id == "" {
		return ErrNoID
	}
	bad := func(r rune) bool { return r <= ' ' || r == ':' || r == 0x7f || r == '\ufffd' }
	if len(id) > longestID || strings.ContainsFunc(id, bad) {
		return ErrBadID
	}
	return nil
}
