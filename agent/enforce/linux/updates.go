package linux

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
)

// updates lets apt bring the device up to date, and keeps it quiet in quiet hours:
// the timers try each hour outside of them, and whatever starts the services
// inside of them finds a condition that does not hold.
var updates = Family{
	Of: catalog.Updates,
	Possible: func(d *Doors, s catalog.Settings) *ddm.Reason {
		if s.On("security") || s.Text("restart") != "" {
			return missing(d, "apt-config", "unattended-upgrade")
		}
		return missing(d, "apt-config")
	},
	Files: func(s catalog.Settings, _ Before) (map[string]File, error) {
		files := map[string]File{}
		if text := aptText(s); text != "" {
			files[aptFile] = File{Data: []byte(text)}
		}
		if quiet := quietOf(s); quiet.set() {
			for _, unit := range aptUnits {
				files["/etc/systemd/system/"+unit+".timer.d/zz-schulwart.conf"] = File{Data: []byte(quiet.timer())}
				files["/etc/systemd/system/"+unit+".service.d/zz-schulwart.conf"] = File{Data: []byte(quiet.condition())}
			}
		}
		return files, nil
	},
	Apply: func(ctx context.Context, d *Doors, _ catalog.Settings) error {
		if !booted(d) {
			return nil
		}
		if _, err := d.Commands.Run(ctx, host.Command{Name: "systemctl", Args: []string{"daemon-reload"}}); err != nil {
			return err
		}
		_, err := d.Commands.Run(ctx, host.Command{Name: "systemctl", Args: []string{"try-restart", "apt-daily.timer", "apt-daily-upgrade.timer"}})
		return err
	},
	Look: updatesLook,
}

const aptFile = "/etc/apt/apt.conf.d/99zz-schulwart"

var aptUnits = []string{"apt-daily", "apt-daily-upgrade"}

// aptWants is what apt must say.
func aptWants(s catalog.Settings) map[string]string {
	wants := map[string]string{}
	if s.On("security") {
		wants["APT::Periodic::Enable"] = "1"
		wants["APT::Periodic::Update-Package-Lists"] = "1"
		wants["APT::Periodic::Unattended-Upgrade"] = "1"
	}
	switch s.Text("restart") {
	case "never":
		wants["Unattended-Upgrade::Automatic-Reboot"] = "false"
	case "unused":
		wants["Unattended-Upgrade::Automatic-Reboot"], wants["Unattended-Upgrade::Automatic-Reboot-WithUsers"] = "true", "false"
	case "always":
		wants["Unattended-Upgrade::Automatic-Reboot"], wants["Unattended-Upgrade::Automatic-Reboot-WithUsers"] = "true", "true"
	}
	if quiet := quietOf(s); quiet.set() && wants["Unattended-Upgrade::Automatic-Reboot"] == "true" {
		// At the moment in which the quiet hours are over.
		wants["Unattended-Upgrade::Automatic-Reboot-Time"] = quiet.to
	}
	return wants
}

func aptText(s catalog.Settings) string {
	text, wants := "", aptWants(s)
	for _, name := range sorted(wants) {
		text += fmt.Sprintf("%s %q;\n", name, wants[name])
	}
	return text
}

// quietHours are times of day, "07:30"; a start after the end reaches over
// midnight.
type quietHours struct{ from, to string }

func quietOf(s catalog.Settings) quietHours {
	return quietHours{s.Text("quiet-from"), s.Text("quiet-to")}
}

func (q quietHours) set() bool { return q.from != "" && q.to != "" && q.from != q.to }

// digits is a time as date(1) prints it with %H%M.
func digits(clock string) string { return strings.ReplaceAll(clock, ":", "") }

// condition keeps a service from running in quiet hours, whoever starts it.
func (q quietHours) condition() string {
	join := "||"
	if q.from > q.to {
		join = "&&"
	}
	return fmt.Sprintf("[Service]\nExecCondition=/bin/sh -c 'n=$$(date +%%%%H%%%%M); [ \"$$n\" -lt %s ] %s [ \"$$n\" -ge %s ]'\n", digits(q.from), join, digits(q.to))
}

// timer tries in every hour that is not quiet. A try that was missed is not made
// up for when the device starts: that would be in the first lesson.
func (q quietHours) timer() string {
	var hours []string
	for hour := range 24 {
		if at := fmt.Sprintf("%02d:05", hour); !q.quiet(at) {
			hours = append(hours, strconv.Itoa(hour))
		}
	}
	if len(hours) == 0 {
		hours = []string{strings.TrimLeft(q.to[:2], "0") + ""}
		if hours[0] == "" {
			hours[0] = "0"
		}
	}
	return "[Timer]\nOnCalendar=\nOnCalendar=*-*-* " + strings.Join(hours, ",") + ":05\nRandomizedDelaySec=20min\nPersistent=false\n"
}

func (q quietHours) quiet(at string) bool {
	if q.from < q.to {
		return at >= q.from && at < q.to
	}
	return at >= q.from || at < q.to
}

func updatesLook(ctx context.Context, d *Doors, s catalog.Settings) *enforce.Reading {
	wants := aptWants(s)
	out, err := d.Commands.Run(ctx, host.Command{Name: "apt-config", Args: []string{"dump"}})
	if err != nil {
		return differs("family.other-value", "what", "apt-config", "value", "")
	}
	said := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSuffix(strings.TrimSpace(line), ";"), " ")
		said[name] = strings.Trim(value, `"`)
	}
	for _, name := range sorted(wants) {
		if said[name] != wants[name] {
			return differs("family.other-value", "what", name, "value", said[name])
		}
	}
	if quiet := quietOf(s); quiet.set() {
		return quietLook(ctx, d, quiet)
	}
	return nil
}

// quietLook asks systemd what it reads, and, where it runs, what it goes by.
func quietLook(ctx context.Context, d *Doors, quiet quietHours) *enforce.Reading {
	_, after, _ := strings.Cut(quiet.timer(), "OnCalendar=\nOnCalendar=")
	calendar, _, _ := strings.Cut(after, "\n")
	for _, unit := range aptUnits {
		if found := configLook(ctx, d, "systemd/system/"+unit+".timer", map[string]string{"OnCalendar": calendar, "Persistent": "false"}); found != nil {
			return differs("updates.timer", "what", unit+".timer")
		}
		if !booted(d) {
			continue
		}
		out, err := d.Commands.Run(ctx, host.Command{Name: "systemctl", Args: []string{"show", "--property=NeedDaemonReload", "--value", unit + ".timer", unit + ".service"}})
		if err != nil || strings.Contains(string(out), "yes") {
			return differs("updates.timer", "what", unit+".timer")
		}
	}
	return nil
}
