package foreign_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/catalog/catalogtest"
	"schulwart.org/policies/catalog/foreign"
)

// kindsOfData are what each type of a registry value holds.
var kindsOfData = map[string]func(any) bool{
	"REG_SZ":       func(v any) bool { _, ok := v.(string); return ok },
	"REG_DWORD":    func(v any) bool { n, ok := v.(int); return ok && n >= 0 && n < 1<<32 },
	"REG_MULTI_SZ": func(v any) bool { _, ok := v.([]string); return ok },
}

// Whatever a family says: the Windows form is well made, the same for the same
// settings, names no value twice, and empty settings ask for nothing.
func TestEveryWindowsFormIsWellMade(t *testing.T) {
	for _, family := range catalog.Families {
		if foreign.Of(family).Windows == nil {
			continue
		}
		t.Run(family.Name, func(t *testing.T) {
			if form := foreign.Of(family).Windows(catalog.Settings{}); len(form.Registry)+len(form.Rules) > 0 {
				t.Errorf("nothing said, and yet %v", form)
			}
			rapid.Check(t, func(t *rapid.T) {
				settings := catalogtest.Draw(t, family)
				form := foreign.Of(family).Windows(settings)
				if once, again := encoded(t, form), encoded(t, foreign.Of(family).Windows(settings.Clone())); once != again {
					t.Fatalf("said twice it is something else: %s, %s", once, again)
				}
				seen := map[string]bool{}
				for _, value := range form.Registry {
					name := strings.ToLower(value.Hive + `\` + value.Path + `\` + value.Name)
					if seen[name] {
						t.Errorf("%s is set twice", name)
					}
					seen[name] = true
					if fits := kindsOfData[value.Type]; fits == nil || !fits(value.Data) {
						t.Errorf("%s: %s with %T", name, value.Type, value.Data)
					}
					if !slices.Contains([]string{"", "HKLM", "HKCU"}, value.Hive) || strings.HasPrefix(value.Path, `\`) || value.Name == "" {
						t.Errorf("%+v is no place in the registry", value)
					}
				}
				for _, rule := range form.Rules {
					if rule.Kind == "" || rule.Name == "" {
						t.Errorf("a rule without kind or name: %+v", rule)
					}
				}
			})
		})
	}
}

func encoded(t *rapid.T, form foreign.WindowsForm) string {
	data, err := json.Marshal(form)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestWindowsForms(t *testing.T) {
	for _, c := range []struct {
		family   string
		settings catalog.Settings
		want     []string // what must stand in the form
	}{
		{"accounts", catalog.Settings{"guest": false, "password-length": 12, "password-classes": 3, "sign-in": []string{"@lehrkraefte"}},
			[]string{`"name":"Guest","args":{"enabled":"false"}`, `"MinimumPasswordLength":"12"`, `"PasswordComplexity":"1"`, `"who":"*S-1-5-32-544,@lehrkraefte"`}},
		{"screen-lock", catalog.Settings{"minutes": 10, "lid": "suspend"}, []string{`"name":"InactivityTimeoutSecs","type":"REG_DWORD","data":600`, `"name":"DCSettingIndex","type":"REG_DWORD","data":1`}},
		{"updates", catalog.Settings{"quiet-from": "07:30", "quiet-to": "16:00", "deadline": 3}, []string{`"ActiveHoursStart","type":"REG_DWORD","data":7`, `"ActiveHoursEnd","type":"REG_DWORD","data":16`, `"ConfigureDeadlineForQualityUpdates","type":"REG_DWORD","data":3`}},
		{"programs", catalog.Settings{"forbid": []string{"steam"}}, []string{`"kind":"applocker","name":"steam"`, `"action":"deny"`}},
		{"wallpaper", catalog.Settings{"color": "#1f3b63", "change": false, "message": "Eigentum der Schule"}, []string{`"data":"31 59 99"`, `"NoChangingWallPaper","type":"REG_DWORD","data":1`, `"legalnoticetext","type":"REG_SZ","data":"Eigentum der Schule"`}},
		{"camera", catalog.Settings{"camera": false, "microphone": false, "screen-capture": false}, []string{`"AllowCamera","type":"REG_DWORD","data":0`, `"LetAppsAccessMicrophone","type":"REG_DWORD","data":2`, `"DisableSnippingTool","type":"REG_DWORD","data":1`}},
		{"time-language", catalog.Settings{"zone": "Europe/Berlin", "servers": []string{"ptbtime1.ptb.de"}, "language": "de-DE"}, []string{`"kind":"timezone","name":"Europe/Berlin"`, `"data":"ptbtime1.ptb.de,0x8"`, `"PreferredUILanguages","type":"REG_SZ","data":"de-DE"`}},
		{"browsers", catalog.Settings{"private-mode": false, "extensions": "blocked", "start-pages": []string{"https://a.example/", "https://b.example/"}}, []string{
			`Chrome","name":"IncognitoModeAvailability","type":"REG_DWORD","data":1`, `Edge\\ExtensionInstallBlocklist","name":"1","type":"REG_SZ","data":"*"`, `Firefox","name":"DisablePrivateBrowsing","type":"REG_DWORD","data":1`,
			`Chrome\\RestoreOnStartupURLs","name":"2","type":"REG_SZ","data":"https://b.example/"`, `Firefox\\Homepage\\Additional","name":"1"`,
		}},
		{"wifi", catalog.Settings{"networks": []catalog.Settings{{"name": "Schule", "security": "wpa2", "password": "12345678"}}, "only-these": true}, []string{`"kind":"wlan","name":"Schule"`, `"auto-join":"true"`, `"kind":"wlan-filter"`}},
		{"dns", catalog.Settings{"servers": []string{"192.0.2.1", "192.0.2.2"}, "search": []string{"schule.example"}}, []string{`"NameServer","type":"REG_SZ","data":"192.0.2.1 192.0.2.2"`, `"SearchList","type":"REG_SZ","data":"schule.example"`}},
		{"proxy", catalog.Settings{"server": "proxy.example:3128", "exceptions": []string{"schule.example", "=x.example"}}, []string{`"ProxyServer","type":"REG_SZ","data":"proxy.example:3128"`, `"data":"schule.example;*.schule.example;x.example;\u003clocal\u003e"`, `"ProxySettingsPerUser","type":"REG_DWORD","data":0`}},
		{"printing", catalog.Settings{"allowed": false}, []string{`"kind":"service","name":"Spooler","args":{"start":"disabled"}`}},
		{"sharing", catalog.Settings{"bluetooth": false, "network-shares": false}, []string{`"name":"bthserv","args":{"start":"disabled"}`, `"name":"LanmanServer","args":{"start":"disabled"}`}},
		{"usb-storage", catalog.Settings{"access": "read-only"}, []string{`"Deny_Write","type":"REG_DWORD","data":1`}},
		{"accessibility", catalog.Settings{"screen-reader": true, "magnifier": true, "text-size": 150}, []string{`"data":"narrator,magnifierpane"`, `"TextScaleFactor","type":"REG_DWORD","data":150`}},
	} {
		t.Run(c.family, func(t *testing.T) {
			family, _ := catalog.Find(c.family)
			data, err := json.Marshal(foreign.Of(family).Windows(c.settings))
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range c.want {
				if !strings.Contains(string(data), want) {
					t.Errorf("%s is missing in %s", want, data)
				}
			}
		})
	}
}
