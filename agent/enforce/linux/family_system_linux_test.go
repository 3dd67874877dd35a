package linux_test

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/scripts/need"
)

func (b *realBook) refuses(password string) bool {
	b.t.Helper()
	_, err := b.try(nil, "bash", "-c", `printf '%s\n' "$1" | pwscore`, "bash", password)
	return err != nil
}

func TestPasswordsAndWhoMaySignInAsPAMDecides(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	for _, tool := range []string{"pwscore", "pamtester", "pam-auth-update", "useradd"} {
		need.Tool(t, tool)
	}
	b := newRealBook(t, "/var/lib/pam", "/usr/share/pam-configs")
	for _, name := range []string{"lehrkraefte", "sudo"} {
		_, _ = b.try(nil, "groupadd", name)
	}
	for name, groups := range map[string]string{"oert": "lehrkraefte", "mira": "", "hausmeister": "sudo"} {
		b.run("useradd", "--no-create-home", "--shell", "/bin/bash", "--groups", groups, name)
	}
	mayEnter := func(name string) bool {
		_, err := b.try(nil, "pamtester", "login", name, "acct_mgmt")
		return err == nil
	}
	const long = "Vj9?xKw2!mTz"
	if b.refuses(long[:8]) || !mayEnter("mira") {
		t.Fatal("before us, passwords of eight and everybody")
	}
	before, configs := b.tree("/etc"), b.tree("/usr/share/pam-configs")
	driver := b.driver("accounts")
	wanted := map[string]any{"password-length": 12, "password-classes": 3, "password-history": 5, "sign-in": []any{"@lehrkraefte"}}
	b.isSet(driver, wanted)
	if !b.refuses(long[:11]) || b.refuses(long) {
		t.Errorf("eleven characters: %v, twelve: %v", b.refuses(long[:11]), b.refuses(long))
	}
	if !b.refuses("vjxkwmtzqpgh") {
		t.Error("a password of one kind of characters is taken")
	}
	for name, want := range map[string]bool{"oert": true, "mira": false, "hausmeister": true, "root": true, "daemon": true} {
		if got := mayEnter(name); got != want {
			t.Errorf("%s may sign in: %v", name, got)
		}
	}
	remembers(t, b)

	t.Log("somebody changes each of it")
	b.mends(driver, wanted, func() { b.write("/etc/security/pwquality.conf.d/zz-schulwart.conf", "minlen=6\n") })
	b.mends(driver, wanted, func() { must(t, os.Remove("/etc/security/schulwart-access.conf")) })
	b.mends(driver, wanted, func() { b.run("pam-auth-update", "--package", "--remove", "schulwart-access") })
	if mayEnter("mira") {
		t.Error("after the repair everybody may sign in")
	}
	// A package that changes PAM meanwhile keeps what is its own.
	b.write("/usr/share/pam-configs/other", "Name: other\nDefault: yes\nPriority: 1\nAccount-Type: Additional\nAccount:\n\toptional\tpam_warn.so\n")
	b.run("pam-auth-update", "--package")
	b.reads(driver, ddm.PartOK, "")
	b.set(driver, map[string]any{"password-length": 12})
	if !mayEnter("mira") {
		t.Error("nobody says who may sign in, and somebody may not")
	}
	b.set(driver, nil)
	if account, err := os.ReadFile("/etc/pam.d/common-account"); err != nil || !strings.Contains(string(account), "pam_warn.so") {
		t.Errorf("the other package's module is gone (%v)", err)
	}
	b.run("pam-auth-update", "--package", "--remove", "other")
	must(t, os.Remove("/usr/share/pam-configs/other"))
	if b.refuses(long[:8]) {
		t.Error("the rule stays after the policy")
	}
	_ = os.Remove("/etc/security/opasswd") // of the passwords that the test changed
	b.same("/usr/share/pam-configs", configs, b.tree("/usr/share/pam-configs"))
	b.same("/etc", withoutPasswords(before), withoutPasswords(b.tree("/etc")))
}

// remembers changes a password there and back: the former one does not come back.
func remembers(t *testing.T, b *realBook) {
	t.Helper()
	change := func(to string) error {
		_, err := b.try(nil, "bash", "-c", `printf '%s\n%s\n' "$1" "$1" | pamtester login oert chauthtok`, "bash", to)
		return err
	}
	must(t, change("Vj9?xKw2!mTz"))
	must(t, change("Qp4#bHs8?nRd"))
	// root may use a former password again, a person may not: PAM is asked as the
	// person by what root may not change in its own name.
	if data, err := os.ReadFile("/etc/security/opasswd"); err != nil || !strings.Contains(string(data), "oert:") {
		t.Errorf("former passwords are not kept: %q, %v", data, err)
	}
}

func withoutPasswords(tree string) string {
	return regexp.MustCompile(`(?m)^\./(shadow|passwd|opasswd|security/opasswd|security/opasswd\.old|\.pwd\.lock)-? .*\n`).ReplaceAllString(tree, "")
}

func TestNobodySignsInWithoutSayingWho(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	b := newRealBook(t)
	const gdm = "# GDM\n[daemon]\n# Uncomment\nAutomaticLoginEnable = true\nAutomaticLogin = kiosk\n\n[security]\n"
	b.write("/etc/gdm3/daemon.conf", gdm)
	before := b.tree("/etc")
	driver := b.driver("accounts")
	wanted := map[string]any{"automatic-login": false, "guest": false}
	b.isSet(driver, wanted)
	data, err := os.ReadFile("/etc/gdm3/daemon.conf")
	if err != nil || !strings.Contains(string(data), "\nAutomaticLoginEnable=false\n") || !strings.Contains(string(data), "# Uncomment\n") || strings.Count(string(data), "[daemon]") != 1 {
		t.Errorf("GDM reads %s", data)
	}
	b.write("/etc/lightdm/lightdm.conf", "[Seat:*]\nautologin-user=kiosk\n")
	b.reads(driver, ddm.PartDeviating, "accounts.overruled")
	must(t, os.RemoveAll("/etc/lightdm/lightdm.conf"))
	b.set(driver, nil)
	b.same("/etc", before, b.tree("/etc"))
}

// The real condition is run at times of day that other zones have now.
func TestQuietHoursAsSystemdAndAptReadThem(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	for _, tool := range []string{"apt-config", "unattended-upgrade", "systemd-analyze"} {
		need.Tool(t, tool)
	}
	b := newRealBook(t)
	before := b.tree("/etc")
	driver := b.driver("updates")
	wanted := map[string]any{"security": true, "quiet-from": "07:30", "quiet-to": "16:00", "restart": "unused"}
	b.isSet(driver, wanted)
	for name, want := range map[string]string{
		"APT::Periodic::Unattended-Upgrade": "1", "Unattended-Upgrade::Automatic-Reboot": "true", "Unattended-Upgrade::Automatic-Reboot-WithUsers": "false", "Unattended-Upgrade::Automatic-Reboot-Time": "16:00",
	} {
		if got := b.run("bash", "-c", `eval "$(apt-config shell VALUE "$1")"; echo "$VALUE"`, "bash", name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	for _, unit := range []string{"apt-daily", "apt-daily-upgrade"} {
		timer, err := os.ReadFile("/etc/systemd/system/" + unit + ".timer.d/zz-schulwart.conf")
		must(t, err)
		calendar := regexp.MustCompile(`OnCalendar=(\S.*)`).FindStringSubmatch(string(timer))[1]
		for _, at := range regexp.MustCompile(`(?m)(\d\d):(\d\d):\d\d`).FindAllStringSubmatch(b.run("systemd-analyze", "calendar", "--iterations=24", calendar), -1) {
			if clock := at[1] + at[2]; clock >= "0730" && clock < "1600" && at[2] == "05" {
				t.Errorf("%s runs at %s", unit, clock)
			}
		}
		if _, err := os.Stat("/lib/systemd/system/" + unit + ".timer"); err == nil {
			if out, err := b.try(nil, "systemd-analyze", "verify", "/lib/systemd/system/"+unit+".timer", "/lib/systemd/system/"+unit+".service"); err != nil || strings.Contains(out, "schulwart") {
				t.Errorf("systemd says %s, %v", out, err)
			}
		}
		conditionHolds(t, b, unit, "07:30", "16:00")
	}
	b.mends(driver, wanted, func() {
		b.write("/etc/apt/apt.conf.d/99zzz", `APT::Periodic::Unattended-Upgrade "0";`)
		b.reads(driver, ddm.PartDeviating, "family.other-value")
		must(t, os.Remove("/etc/apt/apt.conf.d/99zzz"))
		b.write("/etc/apt/apt.conf.d/99zz-schulwart", "")
	})
	b.mends(driver, wanted, func() { must(t, os.Remove("/etc/systemd/system/apt-daily-upgrade.service.d/zz-schulwart.conf")) })
	b.isSet(driver, map[string]any{"quiet-from": "22:00", "quiet-to": "06:00"})
	conditionHolds(t, b, "apt-daily", "22:00", "06:00")
	b.set(driver, nil)
	b.same("/etc", before, b.tree("/etc"))
}

func conditionHolds(t *testing.T, b *realBook, unit, from, to string) {
	t.Helper()
	data, err := os.ReadFile("/etc/systemd/system/" + unit + ".service.d/zz-schulwart.conf")
	must(t, err)
	command := regexp.MustCompile(`ExecCondition=(.*)`).FindStringSubmatch(string(data))[1]
	command = strings.NewReplacer("%%", "%", "$$", "$").Replace(command) // as systemd does
	seen := map[bool]int{}
	for zone := -12; zone <= 12; zone++ {
		env := []string{"TZ=XXX" + strconv.Itoa(zone)}
		at, err := b.try(env, "date", "+%H:%M")
		must(t, err)
		_, failed := b.try(env, "sh", "-c", command)
		quiet := at >= from && at < to
		if from > to {
			quiet = at >= from || at < to
		}
		if again, _ := b.try(env, "date", "+%H:%M"); again != at {
			continue // the minute turned in between
		}
		if quiet != (failed != nil) {
			t.Errorf("at %s updates run: %v", at, failed == nil)
		}
		seen[quiet]++
	}
	if seen[true] == 0 || seen[false] == 0 {
		t.Errorf("only one side was tried: %v", seen)
	}
}

func TestTheClockAndTheLanguageOfAFreshProcess(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	for _, tool := range []string{"localedef", "locale", "systemd-analyze"} {
		need.Tool(t, tool)
	}
	b := newRealBook(t, "/usr/lib/locale")
	b.write("/etc/default/keyboard", "# theirs\nXKBMODEL=\"pc105\"\nXKBLAYOUT=\"us\"\nXKBVARIANT=\"\"\n")
	before, locales := b.tree("/etc"), b.run("locale", "-a")
	driver := b.driver("time-language")
	wanted := map[string]any{"zone": "Pacific/Auckland", "servers": []any{"ptbtime1.ptb.de", "ptbtime2.ptb.de"}, "language": "de-AT", "keyboard": "de+nodeadkeys"}
	b.isSet(driver, wanted)
	if zone := b.run("date", "+%Z"); !strings.HasPrefix(zone, "NZ") {
		t.Errorf("a fresh process lives in %s", zone)
	}
	language := b.run("bash", "-c", `. /etc/default/locale; echo $LANG`)
	if out, err := b.try([]string{"LC_ALL=" + language}, "date", "-d", "2026-01-15", "+%B"); err != nil || out != "Jänner" {
		t.Errorf("in %s January is %q (%v)", language, out, err)
	}
	if text := b.run("systemd-analyze", "cat-config", "systemd/timesyncd.conf"); !strings.Contains(text, "\nNTP=ptbtime1.ptb.de ptbtime2.ptb.de") {
		t.Errorf("the clock asks %s", text)
	}
	if layout := b.run("bash", "-c", `. /etc/default/keyboard; echo $XKBMODEL $XKBLAYOUT $XKBVARIANT`); layout != "pc105 de nodeadkeys" {
		t.Errorf("the keyboard is %s", layout)
	}
	b.mends(driver, wanted, func() {
		must(t, os.Remove("/etc/localtime"))
		must(t, os.Symlink("/usr/share/zoneinfo/Europe/Paris", "/etc/localtime"))
	})
	b.mends(driver, wanted, func() { b.run("localedef", "--delete-from-archive", "de_AT.utf8") })
	b.set(driver, nil)
	b.same("/etc", before, b.tree("/etc"))
	if after := b.run("locale", "-a"); after != locales {
		t.Errorf("languages are now %s", after)
	}
	b.set(driver, map[string]any{"zone": "Europe/Atlantis"})
	b.reads(driver, ddm.PartNotPossible, "time.no-zone")
}

func TestCamerasAndMicrophonesAreRootsAlone(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	need.Tool(t, "udevadm")
	b := newRealBook(t)
	if _, err := b.try(nil, "udevadm", "control", "--ping", "--timeout=1"); err != nil {
		// Nobody carries the rules out here; what is read from them is tried all the
		// same.
		t.Log("no udevd runs here")
	}
	family := b.driver("camera")
	before := b.tree("/etc")
	// Without a udevd, asking it to read its rules again fails, and nothing is
	// claimed.
	err := family.Set(t.Context(), settings(t, catalog.Camera, map[string]any{"camera": false, "microphone": false}))
	text, readErr := os.ReadFile("/etc/udev/rules.d/72-schulwart-camera.rules")
	must(t, readErr)
	for _, want := range []string{`SUBSYSTEM=="video4linux"`, `KERNEL=="pcmC*D*c"`, `TAG-="uaccess"`, `MODE="0600"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is missing in %s", want, text)
		}
	}
	if out, _ := b.try(nil, "bash", "-c", "udevadm test /sys/class/net/lo 2>&1 | grep -i schulwart"); strings.Contains(strings.ToLower(out), "invalid") || strings.Contains(out, "rror") || !strings.Contains(out, "72-schulwart-camera.rules") {
		t.Errorf("udev reads the rules as: %s", out)
	}
	if err != nil {
		b.reads(family, ddm.PartDeviating, "family.unfinished")
	}
	_ = family.Set(t.Context(), nothing)
	b.same("/etc", before, b.tree("/etc"))
}
