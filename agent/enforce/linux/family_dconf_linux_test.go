package linux_test

import (
	"os"
	"strings"
	"testing"

	"schulwart.org/policies/ddm"
	"schulwart.org/scripts/need"
)

// gsettings asks as a program of a pupil would who chose something else.
func (b *realBook) gsettings(args ...string) (string, error) {
	b.t.Helper()
	must(b.t, os.MkdirAll(b.own+"/run", 0o700))
	return b.try([]string{"XDG_CONFIG_HOME=" + b.own + "/config", "XDG_RUNTIME_DIR=" + b.own + "/run", "GSETTINGS_BACKEND=dconf"}, "dbus-run-session", append([]string{"--", "gsettings"}, args...)...)
}

func (b *realBook) holds(schema, key, want string) {
	b.t.Helper()
	if got, err := b.gsettings("get", schema, key); err != nil || got != want {
		b.t.Errorf("%s %s is %q for a pupil, want %q (%v)", schema, key, got, want, err)
	}
}

// What is locked, a pupil cannot choose otherwise; what is not, a pupil can.
func (b *realBook) chooses(schema, key, value string, may bool) {
	b.t.Helper()
	_, err := b.gsettings("set", schema, key, value)
	got, _ := b.gsettings("get", schema, key)
	if chosen := err == nil && strings.HasSuffix(got, value); chosen != may {
		b.t.Errorf("a pupil who chooses %s for %s %s gets %s (%v)", value, schema, key, got, err)
	}
	_, _ = b.gsettings("reset", schema, key)
}

func needGsettings(t *testing.T) {
	for _, tool := range []string{"dconf", "gsettings", "dbus-run-session"} {
		need.Tool(t, tool)
	}
}

func TestScreenLockAsProgramsOfAPupilReadIt(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	needGsettings(t)
	b := newRealBook(t)
	b.desktops("gnome")
	before := b.tree("/etc")
	driver := b.driver("screen-lock")
	wanted := map[string]any{"minutes": 10, "password": true, "lid": "suspend", "power-button": "power-off"}
	b.isSet(driver, wanted)
	b.holds("org.gnome.desktop.session", "idle-delay", "uint32 600")
	b.holds("org.gnome.desktop.screensaver", "lock-enabled", "true")
	b.chooses("org.gnome.desktop.session", "idle-delay", "uint32 0", false)
	b.chooses("org.gnome.desktop.screensaver", "lock-enabled", "false", false)
	if text := b.run("systemd-analyze", "cat-config", "systemd/logind.conf"); !strings.Contains(text, "\nHandleLidSwitch=suspend\n") || !strings.Contains(text, "\nHandlePowerKey=poweroff\n") {
		t.Errorf("logind reads %s", text)
	}

	t.Log("somebody changes each of it")
	b.mends(driver, wanted, func() { must(t, os.Remove("/etc/dconf/db/schulwart")) })
	b.mends(driver, wanted, func() { must(t, os.Remove("/etc/dconf/profile/user")) })
	// What root says later, logind hears; that is reported, not fought.
	b.write("/etc/systemd/logind.conf.d/zzz-mine.conf", "[Login]\nHandleLidSwitch=ignore\n")
	b.reads(driver, ddm.PartDeviating, "family.other-value")
	must(t, os.Remove("/etc/systemd/logind.conf.d/zzz-mine.conf"))
	b.reads(driver, ddm.PartOK, "")
	b.holds("org.gnome.desktop.session", "idle-delay", "uint32 600")

	b.set(driver, nil)
	b.holds("org.gnome.desktop.session", "idle-delay", "uint32 300")
	b.same("/etc", before, b.tree("/etc"))
}

func TestAidsAreOfferedAndStayAPupilsChoice(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	needGsettings(t)
	b := newRealBook(t)
	b.desktops("gnome")
	before := b.tree("/etc")
	driver := b.driver("accessibility")
	b.isSet(driver, map[string]any{"offered": true, "magnifier": true, "contrast": true, "sticky-keys": true, "text-size": 150})
	const a11y = "org.gnome.desktop.a11y"
	b.holds(a11y, "always-show-universal-access-status", "true")
	b.holds(a11y+".applications", "screen-magnifier-enabled", "true")
	b.holds(a11y+".interface", "high-contrast", "true")
	b.holds(a11y+".keyboard", "stickykeys-enable", "true")
	b.holds("org.gnome.desktop.interface", "text-scaling-factor", "1.5")
	b.chooses(a11y, "always-show-universal-access-status", "false", false)
	b.chooses(a11y+".applications", "screen-magnifier-enabled", "false", true)
	b.chooses("org.gnome.desktop.interface", "text-scaling-factor", "2.0", true)
	b.set(driver, map[string]any{"screen-reader": true})
	b.reads(driver, ddm.PartPending, "family.no-program") // orca is not here
	b.set(driver, nil)
	b.holds(a11y, "always-show-universal-access-status", "false")
	b.same("/etc", before, b.tree("/etc"))
}

func TestWallpaperAndTheWordsBeforeSomebodySignsIn(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	needGsettings(t)
	b := newRealBook(t)
	b.desktops("gnome", "plasma")
	must(t, os.MkdirAll("/usr/share/gdm/dconf", 0o755))
	b.run("mount", "-t", "tmpfs", "gdm", "/usr/share/gdm/dconf")
	before := b.tree("/etc")
	driver := b.driver("wallpaper")
	picture := b.own + "/schule.jpg"
	message := `Eigentum der Schule Nord, Telefon 0123 4567 \o/`
	wanted := map[string]any{"picture": picture, "color": "#1F3B63", "change": false, "message": message}
	b.set(driver, wanted)
	b.reads(driver, ddm.PartPending, "wallpaper.no-picture")
	b.write(picture, "a picture")
	b.set(driver, wanted)
	// KDE is installed too and takes no part: said, not claimed.
	b.reads(driver, ddm.PartOK, "family.desktop")
	b.holds("org.gnome.desktop.background", "picture-uri", "'file://"+picture+"'")
	b.holds("org.gnome.desktop.background", "primary-color", "'#1f3b63'")
	b.chooses("org.gnome.desktop.background", "picture-uri", "'file:///tmp/mine.jpg'", false)
	if shown := b.run("script", "--quiet", "--return", "--command", "agetty --show-issue", "/dev/null"); !strings.Contains(shown, message) {
		t.Errorf("before somebody signs in stands %q", shown)
	}
	b.run("dconf", "compile", b.own+"/greeter", "/usr/share/gdm/dconf") // as GNOME's login screen does
	b.set(driver, map[string]any{"color": "#000000"})
	b.chooses("org.gnome.desktop.background", "primary-color", "'#ffffff'", true)
	b.set(driver, nil)
	b.same("/etc", before, b.tree("/etc"))
	if left, err := os.ReadDir("/usr/share/gdm/dconf"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// Two families share the database: the one that goes leaves the other's alone.
func TestFamiliesShareTheDatabaseOfDconf(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	needGsettings(t)
	b := newRealBook(t)
	b.desktops("gnome")
	b.write("/etc/dconf/profile/user", "user-db:user\nsystem-db:local\n")
	before := b.tree("/etc")
	lock, look := b.driver("screen-lock"), b.driver("wallpaper")
	b.isSet(lock, map[string]any{"minutes": 5})
	b.isSet(look, map[string]any{"color": "#112233"})
	b.reads(lock, ddm.PartOK, "")
	b.set(lock, nil)
	b.reads(look, ddm.PartOK, "")
	b.holds("org.gnome.desktop.background", "primary-color", "'#112233'")
	b.holds("org.gnome.desktop.session", "idle-delay", "uint32 300")
	b.set(look, nil)
	b.same("/etc", before, b.tree("/etc"))
}

func TestADesktopWhoseSettingsWeDoNotKnowIsNotClaimed(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	b := newRealBook(t)
	b.desktops("xfce")
	for family, wanted := range map[string]map[string]any{"screen-lock": {"minutes": 5}, "wallpaper": {"color": "#112233"}, "accessibility": {"offered": true}} {
		driver := b.driver(family)
		b.set(driver, wanted)
		b.reads(driver, ddm.PartNotPossible, "family.desktop")
	}
	// Lid and button are logind's, whatever runs above it.
	driver := b.driver("screen-lock")
	b.isSet(driver, map[string]any{"lid": "nothing"})
}
