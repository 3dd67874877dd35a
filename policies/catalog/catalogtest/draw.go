// Package catalogtest makes settings for tests: of any family, everything that
// its fields could hold.
package catalogtest

import (
	"fmt"

	"pgregory.net/rapid"

	"schulwart.org/policies/catalog"
)

// Draw returns canonical settings of a family, with some of its fields unset.
func Draw(t *rapid.T, family catalog.Family) catalog.Settings {
	raw := draw(t, family.Fields, family.Name)
	settings, faults := family.Check(raw)
	if len(faults) > 0 {
		t.Fatalf("%s: what was drawn is refused: %v: %v", family.Name, raw, faults)
	}
	return settings
}

func draw(t *rapid.T, fields []catalog.Field, path string) map[string]any {
	raw := map[string]any{}
	for _, field := range fields {
		at := path + "." + field.Name
		if !field.Required && rapid.IntRange(0, 2).Draw(t, at+" unset") == 0 {
			continue
		}
		raw[field.Name] = value(t, field, at)
	}
	return raw
}

func value(t *rapid.T, field catalog.Field, at string) any {
	switch field.Kind {
	case catalog.Flag:
		return rapid.Bool().Draw(t, at)
	case catalog.Number:
		return rapid.IntRange(field.Min, field.Max).Draw(t, at)
	case catalog.Choice:
		return rapid.SampledFrom(field.Choices).Draw(t, at)
	case catalog.Names:
		count := rapid.IntRange(1, min(3, most(field))).Draw(t, at+" count")
		names := make([]any, count)
		for i := range names {
			names[i] = text(t, field, at)
		}
		return names
	case catalog.Entries:
		count := rapid.IntRange(1, 2).Draw(t, at+" count")
		entries := make([]any, count)
		for i := range entries {
			entry := draw(t, field.Fields, at)
			if key, ok := keyOf(field); ok && key.Form == catalog.Line {
				entry[field.Key] = fmt.Sprintf("%v %d", entry[field.Key], i)
			} else if i > 0 {
				return entries[:1]
			}
			entries[i] = entry
		}
		return entries
	}
	return text(t, field, at)
}

func keyOf(field catalog.Field) (catalog.Field, bool) {
	for _, inner := range field.Fields {
		if inner.Name == field.Key {
			return inner, true
		}
	}
	return catalog.Field{}, false
}

func most(field catalog.Field) int {
	if field.Most > 0 {
		return field.Most
	}
	return 500
}

func text(t *rapid.T, field catalog.Field, at string) string {
	samples, ok := Samples[field.Form]
	if !ok {
		t.Fatalf("%s: no samples of the form %q", at, field.Form)
	}
	return rapid.SampledFrom(samples).Draw(t, at)
}

// Samples are texts of each form.
var Samples = map[catalog.Form][]string{
	catalog.Line:      {"Gymnasium Nord", "Wörter & Zeichen <für alle>", "0123 456789"},
	catalog.Prose:     {"Eine Zeile.", "Zwei\nZeilen."},
	catalog.Host:      {"wikipedia.org", "=www.example.org", "ptbtime1.ptb.de"},
	catalog.Address:   {"192.0.2.1", "2001:db8::1"},
	catalog.Endpoint:  {"proxy.example.org:3128", "192.0.2.1:8080"},
	catalog.URL:       {"https://schule.example/start"},
	catalog.Link:      {"https://schule.example/start", "http://intranet.example/"},
	catalog.Time:      {"07:30", "16:00", "23:59", "00:00"},
	catalog.Package:   {"gcompris-qt", "geogebra", "libreoffice-writer"},
	catalog.Program:   {"org.kde.kpatience", "com.apple.mobilesafari", "steam"},
	catalog.Extension: {"cjpalhdlnbpafiamejdnhcphjbkeiagm", "uBlock0@raymondhill.net"},
	catalog.Zone:      {"Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires"},
	catalog.Locale:    {"de-DE", "en", "pt-BR"},
	catalog.Printer:   {"ipp://drucker.example/ipp/print", "ipps://drucker.example:631/ipp/print", "socket://192.0.2.9"},
	catalog.Password:  {"geheim und lang", "correct horse"},
	catalog.Color:     {"#1f3b63", "#000000"},
	catalog.OSVersion: {"18", "18.1", "15.1.1"},
	catalog.Day:       {"2026-11-30", "2028-02-29"},
	catalog.Login:     {"lehrer", "@lehrkraefte", `SCHULE\hausmeister`},
	catalog.Path:      {"/usr/share/backgrounds/schule.jpg"},
	catalog.Keyboard:  {"de", "de+nodeadkeys", "us"},
	catalog.Certificate: {`-----BEGIN CERTIFICATE-----
MIIBiTCCAS+gAwIBAgIUTrZnYOCnMlEhldLaXb+YF0i6ObUwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwOU2NodWxlIE5vcmQgQ0EwIBcNMjYxMTI1MjMxMTU5WhgPMjEy
NjExMDEyMzExNTlaMBkxFzAVBgNVBAMMDlNjaHVsZSBOb3JkIENBMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEFlhBHS5feVlDjGifDZxehpFu9hHFdqHavJSaT8Cj
FE3VhqpKRq6017vKFPEqtqQZegOEVq1F4BqA19o94KdEfaNTMFEwHQYDVR0OBBYE
FGWOrEMGtfU0Dgqkopx0jTujSkduMB8GA1UdIwQYMBaAFGWOrEMGtfU0Dgqkopx0
jTujSkduMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgL3/UR8fi
dUWjlxYlJG32hWAdAkmuINFXmanQPm3htE4CIQD42bcQf8yUtLKk/8hI01lz5JyY
p053kcXglybsnFSGHQ==
-----END CERTIFICATE-----
`},
}
