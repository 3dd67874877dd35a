package display

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// Notify shows the text read from in on the desktop whose environment this
// process has, through the message bus of the session.
// https://specifications.freedesktop.org/notification-spec/latest/
func Notify(in io.Reader) error {
	var text struct{ Title, Body string }
	if err := json.NewDecoder(in).Decode(&text); err != nil {
		return fmt.Errorf("reading notice: %w", err)
	}
	return Show(text.Title, text.Body)
}

// Show shows a text on the desktop whose environment this process has.
func Show(title, body string) error {
	address, err := busAddress()
	if err != nil {
		return err
	}
	session, err := dialBus(address, time.Now().Add(4*time.Second))
	if err != nil {
		return fmt.Errorf("connecting to session: %w", err)
	}
	defer session.close()
	const name = "org.freedesktop.Notifications"
	if err := session.call(call{
		to: name, path: "/org/freedesktop/Notifications", face: name, method: "Notify",
		signature: "susssasa{sv}i", body: notification(title, body),
	}); err != nil {
		return fmt.Errorf("asking desktop: %w", err)
	}
	return nil
}

// notification is the body of a call of Notify.
func notification(title, body string) wire {
	var w wire
	w.string("Schulwart")
	w.uint32(0) // replaces none
	w.string("dialog-information")
	w.string(title)
	w.string(escaped(body))
	w.uint32(0) // no actions
	var hints wire
	hints.string("urgency")
	hints.signature("y")
	hints.byte(1)
	hints.align(8)
	hints.string("desktop-entry")
	hints.signature("s")
	hints.string("org.schulwart.Status")
	w.uint32(uint32(len(hints)))
	w.align(8)
	w = append(w, hints...)
	const asLongAsTheDesktopThinksRight = ^uint32(0) // -1
	w.uint32(asLongAsTheDesktopThinksRight)
	return w
}

func busAddress() (string, error) {
	if address := os.Getenv("DBUS_SESSION_BUS_ADDRESS"); address != "" {
		return address, nil
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		return "unix:path=" + dir + "/bus", nil
	}
	return "", errors.New("session has no message bus")
}

// escaped keeps a desktop that knows markup from reading any in plain text.
func escaped(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}
