package foreign

import (
	"strconv"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/org"
)

var updates = Forms{
	Native:  updatesOnApple,
	Windows: updatesOnWindows,
}

// updatesOnApple asks for automatic updates, and enforces a version from a day
// on. The hour is one at which no lesson runs, in the device's own time.
// https://developer.apple.com/documentation/devicemanagement/softwareupdatesettings
func updatesOnApple(s catalog.Settings, platform org.Platform) []AppleDeclaration {
	var declarations []AppleDeclaration
	if on, set := s.Bool("security"); set {
		state := map[bool]string{true: "AlwaysOn", false: "Allowed"}[on]
		automatic := map[string]any{"Download": state, "InstallOSUpdates": state}
		if platform == org.MacOS {
			automatic["InstallSecurityUpdate"] = state
		}
		declarations = append(declarations, AppleDeclaration{Type: "com.apple.configuration.softwareupdate.settings", Part: "settings",
			Payload: map[string]any{"AutomaticActions": automatic, "RapidSecurityResponse": map[string]any{"Enable": true, "EnableRollback": false}}})
	}
	if version, day := s.Text("apple-version"), s.Text("apple-day"); version != "" && day != "" {
		declarations = append(declarations, AppleDeclaration{Type: "com.apple.configuration.softwareupdate.enforcement.specific", Part: "version",
			Payload: map[string]any{"TargetOSVersion": version, "TargetLocalDateTime": day + "T18:00:00"}})
	}
	return declarations
}

func updatesOnWindows(s catalog.Settings) WindowsForm {
	const policy, automatic = `SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate`, `SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate\AU`
	var form WindowsForm
	add := func(path, name string, data any) { form.Registry = append(form.Registry, registry(path, name, data)) }
	if on, set := s.Bool("security"); set {
		add(automatic, "NoAutoUpdate", !on)
		if on {
			add(automatic, "AUOptions", 4) // download and install by themselves
		}
	}
	from, to := s.Text("quiet-from"), s.Text("quiet-to")
	if from != "" && to != "" {
		add(policy, "SetActiveHours", true)
		add(policy, "ActiveHoursStart", hour(from))
		add(policy, "ActiveHoursEnd", hour(to))
	}
	switch s.Text("restart") {
	case "never", "unused":
		add(automatic, "NoAutoRebootWithLoggedOnUsers", true)
	case "always":
		add(automatic, "NoAutoRebootWithLoggedOnUsers", false)
	}
	if days, set := s.Int("deadline"); set {
		add(policy, "SetComplianceDeadline", true)
		add(policy, "ConfigureDeadlineForQualityUpdates", days)
		add(policy, "ConfigureDeadlineForFeatureUpdates", days)
	}
	return form
}

// hour returns the hour of a time of day, "07:30" being in the seventh.
func hour(clock string) int {
	n, _ := strconv.Atoi(clock[:2])
	return n
}
