package display

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
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
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Second)
	defer cancel()
	address, err := busAddress()
	if err != nil {
		return err
	}
	bus, err := dbus.Connect(address, dbus.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("connecting to session: %w", err)
	}
	defer bus.Close()
	const (
		name  = "org.freedesktop.Notifications"
		path  = "/org/freedesktop/Notifications"
		quiet = int32(-1) // as long as the desktop thinks right
	)
	call := bus.Object(name, path).CallWithContext(ctx, name+".Notify", 0, "Schulwart", uint32(0), "dialog-information", title, escaped(body), []string{}, map[string]dbus.Variant{
		"urgency":       dbus.MakeVariant(byte(1)),
		"desktop-entry": dbus.MakeVariant("org.schulwart.Status"),
	}, quiet)
	if call.Err != nil {
		return fmt.Errorf("asking desktop: %w", call.Err)
	}
	return nil
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
