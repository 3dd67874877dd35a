package enroll_test

import (
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"rsc.io/qr"

	"schulwart.org/server/enroll"
	"schulwart.org/server/may"
	"schulwart.org/server/store/storetest"
)

// A token tells what it is good for to whoever reads it; texts that were given
// out before they told it let devices in as ever.
func TestATokenTellsItsPlaceUsesAndExpiry(t *testing.T) {
	s := storetest.Open(t)
	service := open(t, s)
	school, class := storetest.School(t, s)
	for name, test := range map[string]struct {
		wanted enroll.NewToken
		tells  map[string]any
	}{
		"for a class":  {enroll.NewToken{Group: class, Uses: 30, For: time.Hour, Serials: []string{"A1", "B2"}}, map[string]any{"group": string(class), "uses": 30.0, "serials": 2.0}},
		"for a school": {enroll.NewToken{School: school.School}, map[string]any{"school": string(school.School), "uses": 1.0}},
	} {
		t.Run(name, func(t *testing.T) {
			token, err := service.CreateToken(ctx, as(may.SchoolAdmin, school), test.wanted)
			if err != nil {
				t.Fatal(err)
			}
			told := jwt.MapClaims{}
			if _, _, err := jwt.NewParser().ParseUnverified(token.Token, told); err != nil {
				t.Fatal(err)
			}
			if told["jti"] != token.ID.String() || told["exp"] != float64(token.Expires.Unix()) || len(told) != len(test.tells)+2 {
				t.Errorf("tells %v", told)
			}
			for claim, want := range test.tells {
				if told[claim] != want {
					t.Errorf("%s is %v, want %v", claim, told[claim], want)
				}
			}
			// 89 modules are version 18: on a screen or sheet of 6 cm each still
			// has more than half a millimetre.
			if code, err := qr.Encode(token.URL, qr.M); err != nil || code.Size > 89 {
				t.Errorf("the code of %d characters has %d modules a side, %v", len(token.URL), code.Size, err)
			}

			secret, err := s.Secret(ctx, "enrolment")
			if err != nil {
				t.Fatal(err)
			}
			older := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{ID: token.ID.String(), ExpiresAt: jwt.NewNumericDate(token.Expires)})
			older.Header["typ"] = "enrol+jwt"
			text, err := older.SignedString(secret)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := service.Open(ctx, text); err != nil || again.ID != token.ID || again.MaxUses != token.MaxUses {
				t.Errorf("an older text: %+v, %v", again, err)
			}
		})
	}
}
