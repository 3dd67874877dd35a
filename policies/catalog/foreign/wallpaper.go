package foreign

import (
	"strconv"
	"strings"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/org"
)

var wallpaper = Forms{
	Apple: func(s catalog.Settings, platform org.Platform) []ApplePayload {
		var payloads []ApplePayload
		if change, set := s.Bool("change"); set {
			payloads = append(payloads, ApplePayload{"com.apple.applicationaccess", map[string]any{"allowWallpaperModification": change}})
		}
		message, picture := s.Text("message"), s.Text("picture")
		switch {
		case message != "" && platform == org.IPadOS:
			payloads = append(payloads, ApplePayload{"com.apple.shareddeviceconfiguration", map[string]any{"LockScreenFootnote": message}})
		case message != "":
			payloads = append(payloads, ApplePayload{"com.apple.loginwindow", map[string]any{"LoginwindowText": message}})
		}
		if picture != "" && platform == org.MacOS {
			payloads = append(payloads, ApplePayload{"com.apple.desktop", map[string]any{"override-picture-path": picture}})
		}
		return payloads
	},
	Windows: func(s catalog.Settings) WindowsForm {
		const system, personal = `Software\Microsoft\Windows\CurrentVersion\Policies\System`, `SOFTWARE\Policies\Microsoft\Windows\Personalization`
		var form WindowsForm
		own := func(path, name string, data any) {
			value := registry(path, name, data)
			value.Hive = "HKCU"
			form.Registry = append(form.Registry, value)
		}
		if picture := s.Text("picture"); picture != "" {
			own(system, "Wallpaper", picture)
			own(system, "WallpaperStyle", "10") // fills the screen
			form.Registry = append(form.Registry, registry(personal, "LockScreenImage", picture))
		}
		if color := s.Text("color"); color != "" {
			own(`Control Panel\Colors`, "Background", decimal(color))
		}
		if change, set := s.Bool("change"); set {
			own(`Software\Microsoft\Windows\CurrentVersion\Policies\ActiveDesktop`, "NoChangingWallPaper", !change)
			form.Registry = append(form.Registry, registry(personal, "NoChangingLockScreen", !change))
		}
		if message := s.Text("message"); message != "" {
			form.Registry = append(form.Registry, registry(`SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System`, "legalnoticetext", message))
		}
		return form
	},
}

// decimal writes a color as Windows does: "31 59 99".
func decimal(color string) string {
	var parts []string
	for i := 1; i+1 < len(color); i += 2 {
		n, _ := strconv.ParseUint(color[i:i+2], 16, 8)
		parts = append(parts, strconv.FormatUint(n, 10))
	}
	return strings.Join(parts, " ")
}
