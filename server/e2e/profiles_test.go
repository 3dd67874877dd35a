package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
	"schulwart.org/scripts/appleschema"
	"schulwart.org/scripts/need"
	"schulwart.org/server/e2e/ipad"
	"schulwart.org/server/may"
	"schulwart.org/server/standard"
)

// filter sets the school's base filter.
func (h *house) filter(hosts ...string) {
	h.t.Helper()
	admin := may.Actor{ID: "admin", Name: "Frau Amt", Via: "console", Grants: []may.Grant{{Role: may.SchoolAdmin, Branch: h.school}}}
	list := make([]any, len(hosts))
	for i, host := range hosts {
		list[i] = host
	}
	_, err := h.app.Standard.Put(context.Background(), admin, desired.Place{Level: org.School, ID: h.school.School}, standard.NewDraft{
		Title: "Filter", Families: map[string]standard.Wish{"webfilter": {Settings: map[string]any{"deny": list}}},
	})
	must(h.t, err)
}

const filterProfile = desired.ProfilePrefix + "webfilter"

// What the school says about the web reaches an iPad as a declaration that names
// an address, and a signed profile there.
func TestAnIPadFetchesTheProfileThatADeclarationNames(t *testing.T) {
	h := newHouse(t)
	both := h.tablets(2, true)
	tablet, other := both[0], both[1]
	h.filter("games.example")
	reaches(t, tablet, "games.example")

	payload, address, signed, _ := tablet.Declared(filterProfile)
	if strings.Contains(string(payload), "games.example") {
		t.Errorf("the declaration carries the content: %s", payload)
	}
	content := opensslVerifies(t, signed, h.app.Enroll.CA())
	var decoded map[string]any
	must(t, mdm.Decode(content, &decoded))
	t.Run("schema", func(t *testing.T) {
		for _, fault := range appleschema.Load(t).On("iOS", "17.0").Profile(decoded) {
			t.Error(fault)
		}
	})

	t.Run("its report is taken", func(t *testing.T) {
		if faults := tablet.Faults(); len(faults) > 0 {
			t.Errorf("the device reported %v", faults)
		}
	})

	t.Run("equal content, equal address, no second fetch", func(t *testing.T) {
		must(t, other.Synchronize(context.Background()))
		if _, there, _, _ := other.Declared(filterProfile); there != address {
			t.Errorf("another device of the school is sent elsewhere: %s, %s", there, address)
		}
		must(t, tablet.Synchronize(context.Background()))
		if _, _, again, _ := tablet.Declared(filterProfile); !bytes.Equal(again, signed) {
			t.Error("the device fetched again what it had")
		}
	})

	t.Run("nobody guesses it", func(t *testing.T) {
		client := anybody(h)
		want(t, client, address, http.StatusOK)
		parts := strings.Split(address, "/")
		for i := len(parts) - 5; i < len(parts); i++ {
			other := append([]string(nil), parts...)
			other[i] = strings.Map(func(r rune) rune { return map[bool]rune{true: 'b', false: 'a'}[r == 'a'] }, parts[i])
			want(t, client, strings.Join(other, "/"), http.StatusNotFound)
		}
	})

	t.Run("what was replaced is gone", func(t *testing.T) {
		h.filter("casino.example")
		reaches(t, tablet, "casino.example")
		want(t, anybody(h), address, http.StatusNotFound)
	})

	t.Run("it leaves with the policy", func(t *testing.T) {
		h.filter()
		await(t, "the profile to leave", func() bool {
			must(t, tablet.Synchronize(context.Background()))
			_, installed := tablet.Profile(filterProfile)
			return !installed
		})
	})
}

func reaches(t *testing.T, tablet *ipad.IPad, host string) {
	t.Helper()
	await(t, "the profile about "+host, func() bool {
		must(t, tablet.Synchronize(context.Background()))
		profile, ok := tablet.Profile(filterProfile)
		data, err := json.Marshal(profile)
		return ok && err == nil && strings.Contains(string(data), host)
	})
}

// anybody trusts the server and shows no certificate.
func anybody(h *house) *http.Client {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(h.app.Enroll.CAPEM()))
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
}

func want(t *testing.T, client *http.Client, address string, status int) {
	t.Helper()
	response := made(client.Get(address))(t)
	defer response.Body.Close()
	body := made(io.ReadAll(response.Body))(t)
	if response.StatusCode != status {
		t.Errorf("%s answers %d: %.200s", address, response.StatusCode, body)
	}
}

// opensslVerifies lets somebody else check the signature and returns what was
// signed.
func opensslVerifies(t *testing.T, signed, authority []byte) []byte {
	t.Helper()
	openssl := need.Tool(t, "openssl")
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, data, 0o600))
		return path
	}
	root := file("ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority}))
	verify := func(name string, data []byte) ([]byte, error) {
		var out bytes.Buffer
		cmd := exec.Command(openssl, "cms", "-verify", "-inform", "DER", "-in", file(name, data), "-CAfile", root, "-purpose", "any")
		cmd.Stdout = &out
		err := cmd.Run()
		return out.Bytes(), err
	}
	content, err := verify("profile", signed)
	must(t, err)
	changed := bytes.Replace(signed, []byte("games.example"), []byte("gamez.example"), 1)
	if bytes.Equal(changed, signed) {
		t.Fatal("the profile does not carry the host")
	}
	if _, err := verify("changed", changed); err == nil {
		t.Error("openssl takes a changed profile")
	}
	return content
}
