package linux

import (
	"context"
	"fmt"
	"strings"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
)

// accounts says who signs in and what a password must be, through PAM: the
// distribution's own tool puts our modules into its files and takes them out
// again, whatever else was installed meanwhile.
var accounts = Family{
	Of: catalog.Accounts,
	Possible: func(d *Doors, s catalog.Settings) *ddm.Reason {
		if says(s, "sign-in", "password-history") {
			if why := missing(d, "pam-auth-update"); why != nil {
				return why
			}
		}
		if says(s, "password-length", "password-classes") && !inPAM(d, "common-password", "pam_pwquality.so") {
			return reason("family.no-program", "program", "pam_pwquality")
		}
		return nil
	},
	Files: accountFiles,
	Apply: func(ctx context.Context, d *Doors, s catalog.Settings) error {
		for _, profile := range pamProfiles {
			if err := profile.bring(ctx, d, s); err != nil {
				return err
			}
		}
		return nil
	},
	Look: accountsLook,
}

const (
	qualityFile = "/etc/security/pwquality.conf.d/zz-schulwart.conf"
	accessFile  = "/etc/security/schulwart-access.conf"
	gdmFile     = "/etc/gdm3/daemon.conf"
	sddmFile    = "/etc/sddm.conf.d/zz-schulwart.conf"
	lightdmFile = "/etc/lightdm/lightdm.conf.d/zz-schulwart.conf"
)

func accountFiles(s catalog.Settings, before Before) (map[string]File, error) {
	files := map[string]File{}
	quality := map[string]string{}
	if length, set := s.Int("password-length"); set {
		quality["minlen"] = fmt.Sprint(length)
	}
	if classes, set := s.Int("password-classes"); set {
		quality["minclass"] = fmt.Sprint(classes)
	}
	if len(quality) > 0 {
		// Points for kinds of characters would make up for length.
		for _, credit := range []string{"dcredit", "ucredit", "lcredit", "ocredit"} {
			quality[credit] = "0"
		}
		files[qualityFile] = File{Data: []byte(lines(quality))}
	}
	if people := s.List("sign-in"); len(people) > 0 {
		files[accessFile] = File{Data: []byte(accessText(people))}
	}
	return files, signInFiles(s, before, files)
}

// accessText is for pam_access; the first line that fits counts. Whoever
// administers the device is never shut out.
func accessText(people []string) string {
	text := "+:root (sudo) (wheel) (adm):ALL\n"
	for _, name := range people {
		if group, ok := strings.CutPrefix(name, "@"); ok {
			name = "(" + group + ")"
		}
		text += "+:" + name + ":ALL\n"
	}
	return text + "-:ALL:ALL\n"
}

// signInFiles are for the display managers: none of them may let somebody in who
// did not say who it is.
func signInFiles(s catalog.Settings, before Before, files map[string]File) error {
	automatic, asked := s.Bool("automatic-login")
	if asked && !automatic {
		old, err := before(gdmFile)
		if err != nil {
			return err
		}
		if old != nil {
			files[gdmFile] = File{Data: withSettings(old, "daemon", map[string]string{"AutomaticLoginEnable": "false", "TimedLoginEnable": "false"})}
		}
		files[sddmFile] = File{Data: []byte("[Autologin]\nUser=\nSession=\n")}
	}
	guest, about := s.Bool("guest")
	seat := map[string]string{}
	if asked && !automatic {
		seat["autologin-user"], seat["autologin-guest"] = "", "false"
	}
	if about && !guest {
		seat["allow-guest"] = "false"
	}
	if len(seat) > 0 {
		files[lightdmFile] = File{Data: []byte("[Seat:*]\n" + lines(seat))}
	}
	return nil
}

// pamProfile is a file from which pam-auth-update makes lines in PAM's stacks.
// https://wiki.ubuntu.com/PAMConfigFrameworkSpec
type pamProfile struct {
	name   string
	stack  string // the file that it ends up in
	module string
	text   func(s catalog.Settings) string // empty for not wanted
}

var pamProfiles = []pamProfile{
	{"schulwart-access", "common-account", "pam_access.so", func(s catalog.Settings) string {
		if len(s.List("sign-in")) == 0 {
			return ""
		}
		// Services have accounts too, and sign in nowhere.
		return "Name: Schulwart: who may sign in\nDefault: yes\nPriority: 0\nAccount-Type: Additional\nAccount:\n" +
			"\t[success=1 default=ignore]\tpam_succeed_if.so quiet uid < 1000\n\trequired\tpam_access.so accessfile=" + accessFile + " nodefgroup\n"
	}},
	{"schulwart-history", "common-password", "pam_pwhistory.so", func(s catalog.Settings) string {
		most, set := s.Int("password-history")
		if !set {
			return ""
		}
		return fmt.Sprintf("Name: Schulwart: former passwords do not come back\nDefault: yes\nPriority: 512\nPassword-Type: Primary\nPassword:\n\trequisite\tpam_pwhistory.so remember=%d use_authtok\n", most)
	}},
}

func (p pamProfile) file() string { return "/usr/share/pam-configs/" + p.name }

// bring makes the profile so. It is taken out of the stacks before its file goes:
// afterwards nobody would know its lines.
func (p pamProfile) bring(ctx context.Context, d *Doors, s catalog.Settings) error {
	text := p.text(s)
	old, err := d.Tree.Read(p.file())
	there := err == nil
	if text == "" && !there || string(old) == text && inPAM(d, p.stack, p.module) {
		return nil
	}
	if there {
		if err := pamUpdate(ctx, d, "--package", "--remove", p.name); err != nil {
			return err
		}
	}
	if text == "" {
		return d.Tree.Remove(p.file())
	}
	if _, err := d.Tree.Write(p.file(), []byte(text)); err != nil {
		return err
	}
	return pamUpdate(ctx, d, "--package")
}

func pamUpdate(ctx context.Context, d *Doors, args ...string) error {
	_, err := d.Commands.Run(ctx, host.Command{Name: "pam-auth-update", Args: args, Env: []string{"DEBIAN_FRONTEND=noninteractive"}})
	return err
}

// inPAM reports whether a stack names a module.
func inPAM(d *Doors, stack, module string) bool {
	data, err := d.Tree.Read("/etc/pam.d/" + stack)
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") && strings.Contains(line, module) {
			return true
		}
	}
	return false
}

func accountsLook(ctx context.Context, d *Doors, s catalog.Settings) *enforce.Reading {
	for _, profile := range pamProfiles {
		if text := profile.text(s); text != "" {
			if old, err := d.Tree.Read(profile.file()); err != nil || string(old) != text || !inPAM(d, profile.stack, profile.module) {
				return differs("accounts.pam")
			}
		} else if _, err := d.Tree.Status(profile.file()); err == nil {
			return differs("accounts.pam")
		}
	}
	if length, set := s.Int("password-length"); set && length > 6 && d.Commands.Has("pwscore") {
		// One character short, of all kinds, and no word.
		short := strings.Repeat("q7_K", 16)[:length-1]
		if _, err := d.Commands.Run(ctx, host.Command{Name: "pwscore", Input: []byte(short + "\n")}); err == nil {
			return differs("accounts.weak")
		}
	}
	if automatic, asked := s.Bool("automatic-login"); asked && !automatic {
		return overruled(d)
	}
	return nil
}

// overruled finds files that display managers read after ours.
func overruled(d *Doors) *enforce.Reading {
	for file, name := range map[string]string{"/etc/lightdm/lightdm.conf": "autologin-user", "/etc/sddm.conf": "User"} {
		data, err := d.Tree.Read(file)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(data)) {
			key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
			if ok && strings.TrimSpace(key) == name && strings.TrimSpace(value) != "" {
				return differs("accounts.overruled", "file", file)
			}
		}
	}
	return nil
}
