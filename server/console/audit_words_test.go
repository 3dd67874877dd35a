package console

import (
	"testing"

	"schulwart.org/web"
)

// What the set-up keeps is one value that holds everything; its rows in the log
// tell what a person changed, in the words of the page.
func TestRowsOfTheSetUpAreWords(t *testing.T) {
	const before = `{"value":"{\"states\":{\"address\":\"open\",\"mail\":\"open\"},\"forms\":{\"address\":{\"public_url\":\"\",\"device_url\":\"https://a.example:8443\"},\"certificate\":{\"way\":\"self\"}}}"}`
	const after = `{"value":"{\"states\":{\"address\":\"ok\",\"mail\":\"open\"},\"forms\":{\"address\":{\"public_url\":\"https://mdm.schule.example\",\"device_url\":\"https://a.example:8443\"},\"certificate\":{\"way\":\"acme\"}}}"}`
	was, is := difference(web.Frame{Lang: "de"}, before, after)
	if want := "Adresse: offen, Art des Zertifikats: Selbst ausgestellt"; was != want {
		t.Errorf("before: %q, want %q", was, want)
	}
	if want := "Adresse für Menschen: https://mdm.schule.example, Art des Zertifikats: Automatisch (ACME), Adresse: erledigt"; is != want {
		t.Errorf("after: %q, want %q", is, want)
	}
	if was, is := difference(web.Frame{Lang: "de"}, "", `{"value":"22"}`); was != "" || is != "value: 22" {
		t.Errorf("a plain setting: %q, %q", was, is)
	}
}
