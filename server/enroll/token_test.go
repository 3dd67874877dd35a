package enroll_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/enroll"
	"schulwart.org/server/errs"
	"schulwart.org/server/ids"
	"schulwart.org/server/may"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

var ctx = context.Background()

func open(t *testing.T, s *store.Store) *enroll.Service {
	t.Helper()
	service, err := enroll.New(ctx, s, enroll.Options{Name: "Musterhausen", DeviceURL: "https://mdm.example", Issuer: "schulwart:test"})
	if err != nil {
		t.Fatal(err)
	}
	return service
}

func as(role may.Role, branch org.Branch) may.Actor {
	return may.Actor{ID: "s1", Name: "Frau Oert", Via: "console", Grants: []may.Grant{{Role: role, Branch: branch}}}
}

func TestWhoMayMakeTokens(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		service := open(t, s)
		school, class := storetest.School(t, s)
		elsewhere, _ := storetest.School(t, s)
		for name, test := range map[string]struct {
			actor  may.Actor
			wanted enroll.NewToken
			kind   errs.Kind
			key    string
		}{
			"school admin, for a class":  {as(may.SchoolAdmin, school), enroll.NewToken{Group: class}, "", ""},
			"school admin, for a school": {as(may.SchoolAdmin, school), enroll.NewToken{School: school.School, Uses: 30, For: 24 * time.Hour}, "", ""},
			"operator":                   {as(may.Operator, org.Branch{}), enroll.NewToken{School: school.School}, "", ""},
			"teacher":                    {as(may.Teacher, school), enroll.NewToken{Group: class}, errs.Denied, "denied"},
			"admin of another authority": {as(may.AuthorityAdmin, org.Branch{Authority: elsewhere.Authority}), enroll.NewToken{Group: class}, errs.NotFound, "not_found"},
			"for nothing":                {as(may.SchoolAdmin, school), enroll.NewToken{}, errs.Invalid, "token.no_place"},
			"for a group that is none":   {as(may.SchoolAdmin, school), enroll.NewToken{Group: ids.New()}, errs.NotFound, "group.not_found"},
			"too many uses":              {as(may.SchoolAdmin, school), enroll.NewToken{Group: class, Uses: enroll.MostUses + 1}, errs.Invalid, "token.uses"},
			"less than none":             {as(may.SchoolAdmin, school), enroll.NewToken{Group: class, Uses: -1}, errs.Invalid, "token.uses"},
			"too long":                   {as(may.SchoolAdmin, school), enroll.NewToken{Group: class, For: enroll.LongestToken + time.Hour}, errs.Invalid, "token.too_long"},
		} {
			t.Run(name, func(t *testing.T) {
				token, err := service.CreateToken(ctx, test.actor, test.wanted)
				if test.kind != "" {
					if !errs.Is(err, test.kind) || errs.Find(err).Key != test.key {
						t.Fatalf("got %v", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if !strings.HasPrefix(token.URL, "https://mdm.example/enroll/"+token.Token+"#fp=") || !strings.HasSuffix(token.URL, service.Fingerprint()) || token.By != "Frau Oert" {
					t.Fatalf("made %+v", token)
				}
				if again, err := service.Open(ctx, token.Token); err != nil || again.ID != token.ID || again.URL != token.URL {
					t.Fatalf("opened %+v, %v", again, err)
				}
				if got := storetest.Ask(t, s, `SELECT COUNT(*) FROM audit WHERE target = $1 AND actor_name = 'Frau Oert' AND action = 'token.write'`, token.ID); got != "1" {
					t.Fatalf("%s audit rows", got)
				}
			})
		}
	})
}

func TestTokensAreListedPageByPageWithinTheBranch(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		service := open(t, s)
		school, class := storetest.School(t, s)
		elsewhere, other := storetest.School(t, s)
		admin := as(may.SchoolAdmin, school)
		var made []org.ID
		for range 5 {
			token, err := service.CreateToken(ctx, admin, enroll.NewToken{Group: class})
			if err != nil {
				t.Fatal(err)
			}
			made = append([]org.ID{token.ID}, made...)
		}
		if _, err := service.CreateToken(ctx, as(may.SchoolAdmin, elsewhere), enroll.NewToken{Group: other}); err != nil {
			t.Fatal(err)
		}
		var seen []org.ID
		filter := enroll.TokenFilter{Limit: 2}
		for {
			page, err := service.ListTokens(ctx, admin, filter)
			if err != nil {
				t.Fatal(err)
			}
			for _, token := range page.Items {
				seen = append(seen, token.ID)
				if token.URL == "" || token.Place.GroupName != "4b" {
					t.Fatalf("listed %+v", token)
				}
			}
			if filter.After = page.Next; page.Next == "" {
				break
			}
		}
		if len(seen) != 5 || seen[0] != made[0] || seen[4] != made[4] {
			t.Fatalf("listed %v of %v", seen, made)
		}
		if _, err := service.ListTokens(ctx, as(may.Teacher, school), enroll.TokenFilter{}); !errs.Is(err, errs.Denied) {
			t.Fatalf("a teacher: %v", err)
		}
		if all, err := service.ListTokens(ctx, as(may.Operator, org.Branch{}), enroll.TokenFilter{}); err != nil || len(all.Items) != 6 {
			t.Fatalf("the operator sees %d, %v", len(all.Items), err)
		}
		if _, _, err := service.Token(ctx, as(may.SchoolAdmin, elsewhere), made[0]); !errs.Is(err, errs.NotFound) {
			t.Fatalf("a foreign admin: %v", err)
		}
	})
}

func TestRevokingTwiceIsHarmless(t *testing.T) {
	s := storetest.Open(t)
	service := open(t, s)
	school, class := storetest.School(t, s)
	admin := as(may.SchoolAdmin, school)
	token, err := service.CreateToken(ctx, admin, enroll.NewToken{Group: class, Serials: []string{"A1, a1\nB2;C3"}})
	if err != nil || strings.Join(token.Serials, " ") != "A1 B2 C3" {
		t.Fatalf("serials %q, %v", token.Serials, err)
	}
	if err := service.Revoke(ctx, as(may.HelpDesk, school), token.ID); !errs.Is(err, errs.Denied) {
		t.Fatalf("the help desk: %v", err)
	}
	for range 2 {
		if err := service.Revoke(ctx, admin, token.ID); err != nil {
			t.Fatal(err)
		}
	}
	revoked, _, err := service.Token(ctx, admin, token.ID)
	if err != nil || errs.Find(revoked.Valid(time.Now())).Key != "token.revoked" {
		t.Fatalf("kept %+v, %v", revoked, err)
	}
	if got := storetest.Ask(t, s, `SELECT COUNT(*) FROM audit`); got != "2" {
		t.Fatalf("%s audit rows", got)
	}
}

func TestTheAuthorityOutlivesTheProcess(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		first, second := open(t, s), open(t, s)
		if first.Fingerprint() != second.Fingerprint() {
			t.Fatal("another authority after a restart")
		}
		a, err := first.SCEPCertificate(ctx)
		if err != nil {
			t.Fatal(err)
		}
		b, err := second.SCEPCertificate(ctx)
		if err != nil || enroll.Fingerprint(a) != enroll.Fingerprint(b) {
			t.Fatalf("another SCEP authority after a restart, %v", err)
		}
		if sealed, err := s.Setting(ctx, "secret:authority"); err != nil || strings.Contains(sealed, "PRIVATE KEY") {
			t.Fatal("the authority's key is not sealed")
		}
	})
}

func TestTheServersCertificateIsRenewed(t *testing.T) {
	now := time.Now()
	service, err := enroll.New(ctx, storetest.Open(t), enroll.Options{Name: "M", DeviceURL: "https://mdm.example:8443", Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	first, err := service.ServerCertificate(nil)
	if err != nil || first.Leaf.VerifyHostname("mdm.example") != nil {
		t.Fatalf("for %v, %v", first.Leaf.DNSNames, err)
	}
	now = now.Add(59 * 24 * time.Hour)
	if same, _ := service.ServerCertificate(nil); same != first {
		t.Fatal("renewed too early")
	}
	now = now.Add(2 * 24 * time.Hour)
	if next, _ := service.ServerCertificate(nil); next == first {
		t.Fatal("not renewed")
	}
}
