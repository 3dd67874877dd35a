package identity_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"schulwart.org/agent/host"
	"schulwart.org/agent/identity"
	"schulwart.org/agent/remote/remotetest"
)

func enrol(t *testing.T, s *remotetest.Server, machine *host.Fake) *identity.Identity {
	t.Helper()
	link, err := identity.ParseLink(s.Link())
	if err != nil {
		t.Fatal(err)
	}
	id, err := identity.Enrol(context.Background(), machine.Files, machine, link)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestEnrolmentGivesAnIdentityThatSurvives(t *testing.T) {
	s := remotetest.New(t)
	machine := host.NewFake(time.Now())
	id := enrol(t, s, machine)
	if len(id.LeaseKeys) != 1 || id.LeaseKeys[0].ID != "k1" || id.School != "Schule am Park" || len(id.Secret) != 32 {
		t.Errorf("learned %+v", id.Enrolment)
	}
	again, err := identity.Open(machine.Files, machine)
	if err != nil {
		t.Fatal(err)
	}
	if again.Subject() != id.Subject() || string(id.Subject()) != id.UDID || !again.Certificate().Equal(id.Certificate()) {
		t.Errorf("another identity after a restart: %s, %s", again.Subject(), id.Subject())
	}
	if _, err := machine.Files.Read("identity.next.pem"); err == nil {
		t.Error("a key without use is left over")
	}
}

func TestEnrollingAgainIsTheSameDevice(t *testing.T) {
	s := remotetest.New(t)
	machine := host.NewFake(time.Now())
	first := enrol(t, s, machine)
	second := enrol(t, s, machine)
	if first.UDID != second.UDID || string(first.Secret) != string(second.Secret) {
		t.Errorf("%s became %s", first.UDID, second.UDID)
	}
	if first.Certificate().Equal(second.Certificate()) {
		t.Error("the key did not change")
	}
}

func TestACloneDiscardsItsKeyAndSaysSo(t *testing.T) {
	s := remotetest.New(t)
	machine := host.NewFake(time.Now())
	enrol(t, s, machine)
	copied := machine.Hardware()
	copied.ProductUUID = "11111111-0000-0000-0000-00000000fa4e"
	machine.SetHardware(copied)
	if _, err := identity.Open(machine.Files, machine); !errors.Is(err, identity.ErrClone) {
		t.Fatalf("a copy of the disk was let in: %v", err)
	}
	if _, err := identity.Open(machine.Files, machine); !errors.Is(err, identity.ErrNone) {
		t.Errorf("the key was not discarded: %v", err)
	}
	if notes := machine.Notes(); len(notes) != 1 || !strings.Contains(notes[0], "enrol") {
		t.Errorf("nobody hears of it: %q", notes)
	}
}

func TestFingerprint(t *testing.T) {
	laptop := host.Hardware{ProductUUID: "a", MACs: []string{"m1", "m2"}, MachineID: "d"}
	for name, c := range map[string]struct {
		change func(*host.Hardware)
		same   bool
	}{
		"nothing changed":              {func(*host.Hardware) {}, true},
		"one card replaced":            {func(h *host.Hardware) { h.MACs = []string{"m2", "m3"} }, true},
		"system installed anew":        {func(h *host.Hardware) { h.MachineID = "e" }, true},
		"another board":                {func(h *host.Hardware) { h.ProductUUID = "b" }, false},
		"board not readable":           {func(h *host.Hardware) { h.ProductUUID = "" }, true},
		"no board, other cards":        {func(h *host.Hardware) { h.ProductUUID, h.MACs = "", []string{"x"} }, false},
		"no board, no cards, new disk": {func(h *host.Hardware) { h.ProductUUID, h.MACs, h.MachineID = "", nil, "e" }, false},
		"nothing readable":             {func(h *host.Hardware) { *h = host.Hardware{} }, true},
	} {
		t.Run(name, func(t *testing.T) {
			changed := laptop
			changed.MACs = append([]string(nil), laptop.MACs...)
			c.change(&changed)
			if got := identity.FingerprintOf(laptop).Same(identity.FingerprintOf(changed)); got != c.same {
				t.Errorf("same = %v", got)
			}
		})
	}
}

func TestLinks(t *testing.T) {
	fp := strings.Repeat("ab", 32)
	for text, want := range map[string]error{
		"https://schule.example/enroll/abc#fp=" + fp:        nil,
		"https://schule.example/enroll/abc":                 nil,
		"http://127.0.0.1:8080/enroll/abc#fp=" + fp:         nil,
		"http://localhost/enroll/abc":                       nil,
		"http://schule.example/enroll/abc#fp=" + fp:         identity.ErrInsecure,
		"https://schule.example/anything":                   identity.ErrLink,
		"https://schule.example/enroll/abc#fp=12":           identity.ErrLink,
		"https://schule.example/enroll/abc#fp=" + fp + "zz": identity.ErrLink,
		"ftp://schule.example/enroll/abc":                   identity.ErrLink,
		"":                                                  identity.ErrLink,
	} {
		link, err := identity.ParseLink(text)
		if !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
		if err == nil && strings.Contains(link.URL, "#") {
			t.Errorf("%q: the fragment would be sent: %s", text, link.URL)
		}
	}
}

func TestAServerWithAnotherFingerprintHearsNoToken(t *testing.T) {
	s := remotetest.New(t)
	asked := false
	s.Answer = func(http.ResponseWriter, *http.Request) bool { asked = true; return false }
	machine := host.NewFake(time.Now())
	link, _ := identity.ParseLink(s.URL + "/enroll/token#fp=" + strings.Repeat("00", 32))
	if _, err := identity.Enrol(context.Background(), machine.Files, machine, link); !errors.Is(err, identity.ErrFingerprint) {
		t.Errorf("got %v", err)
	}
	link, _ = identity.ParseLink(s.URL + "/enroll/token")
	if _, err := identity.Enrol(context.Background(), machine.Files, machine, link); err == nil {
		t.Error("a server that nobody vouches for was believed")
	}
	if asked {
		t.Error("the token was sent")
	}
}

func TestAUsedUpLinkIsTold(t *testing.T) {
	s := remotetest.New(t)
	s.Answer = func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(http.StatusGone); return true }
	machine := host.NewFake(time.Now())
	link, _ := identity.ParseLink(s.Link())
	if _, err := identity.Enrol(context.Background(), machine.Files, machine, link); !errors.Is(err, identity.ErrToken) {
		t.Errorf("got %v", err)
	}
}

func TestRenewalMakesANewKeyAndKeepsTheOldUntilThen(t *testing.T) {
	s := remotetest.New(t)
	machine := host.NewFake(time.Now())
	id := enrol(t, s, machine)
	before := id.Certificate()
	broken := true
	s.Do(func() {
		s.Answer = func(w http.ResponseWriter, _ *http.Request) bool {
			if broken {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			return broken
		}
	})
	if err := id.Renew(context.Background(), machine.Hardware(), time.Now); err == nil {
		t.Fatal("renewed without a server")
	}
	if !id.Certificate().Equal(before) {
		t.Error("a failed renewal changed the certificate")
	}
	pending, err := machine.Files.Read("identity.next.pem")
	if err != nil {
		t.Fatal("the key for which was asked is not kept")
	}
	s.Do(func() { broken = false })
	if err := id.Renew(context.Background(), machine.Hardware(), time.Now); err != nil {
		t.Fatal(err)
	}
	if id.Certificate().Equal(before) {
		t.Error("the certificate did not change")
	}
	kept, _ := machine.Files.Read("identity.pem")
	if !strings.HasPrefix(string(kept), string(pending)) {
		t.Error("the second try asked for another key")
	}
}

func TestTheTimeIsToldWhateverTheDates(t *testing.T) {
	s := remotetest.New(t)
	machine := host.NewFake(time.Now())
	id := enrol(t, s, machine)
	far := func() time.Time { return time.Now().Add(20 * 365 * 24 * time.Hour) }
	err := id.Renew(context.Background(), machine.Hardware(), far)
	if !identity.Dated(err) {
		t.Fatalf("a certificate of the past was accepted: %v", err)
	}
	at, err := id.ServerTime(context.Background())
	if err != nil || time.Since(at).Abs() > 5*time.Second {
		t.Errorf("told %v, %v", at, err)
	}
	other := remotetest.New(t)
	id.DeviceURL = other.URL
	if _, err := id.ServerTime(context.Background()); err == nil {
		t.Error("a stranger told the time")
	}
}
