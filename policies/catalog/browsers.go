package catalog

import "schulwart.org/policies/org"

// Browsers is what browsers do and offer, beside which pages they reach.
var Browsers = Family{
	Name: "browsers", Topic: TopicWeb, Part: Browser,
	Fields: []Field{
		{Name: "home-page", Kind: Text, Form: Link, Merge: Nearest, On: notOnIPads},
		{Name: "start-pages", Kind: Names, Form: Link, Most: 10, Merge: Nearest, On: notOnIPads},
		{Name: "extensions", Kind: Choice, Merge: Strictest, Stricter: Later, Choices: []string{"allowed", "listed", "blocked"}, On: notOnIPads},
		{Name: "extensions-allowed", Kind: Names, Form: Extension, Most: 100, Merge: Union, On: notOnIPads},
		{Name: "extensions-forced", Kind: Names, Form: Extension, Most: 30, Merge: Union, On: notOnIPads},
		{Name: "downloads", Kind: Choice, Merge: Strictest, Stricter: Later, Choices: []string{"allowed", "safe", "blocked"}, On: notOnIPads},
		{Name: "private-mode", Kind: Flag, Merge: Strictest, Stricter: Off, On: notOnIPads},
		{Name: "password-manager", Kind: Flag, Merge: Strictest, Stricter: Off, Supervised: []org.Platform{org.IPadOS}},
		{Name: "developer-tools", Kind: Flag, Merge: Strictest, Stricter: Off, On: notOnIPads},
		{Name: "safe-search", Kind: Flag, Merge: Strictest, Stricter: On, On: notOnIPads},
	},
	Platforms: map[org.Platform]Ability{org.Linux: Enforced, org.Windows: Unverified, org.MacOS: Unverified, org.IPadOS: Unverified},
}

var notOnIPads = map[org.Platform]Ability{org.IPadOS: NotPossible}

// What Chromium calls its choices.
const (
	chromiumNoPrivate   = 1 // IncognitoModeAvailability
	chromiumNoTools     = 2 // DeveloperToolsAvailability
	chromiumStartPages  = 4 // RestoreOnStartup
	chromiumStrictVideo = 2 // ForceYouTubeRestrict
	chromiumStore       = "https://clients2.google.com/service/update2/crx"
	firefoxStore        = "https://addons.mozilla.org/firefox/downloads/latest/"
)

// ChromiumPolicy says in Chromium's words what the settings say.
// https://chromeenterprise.google/policies/
func ChromiumPolicy(s Settings) map[string]any {
	p := map[string]any{}
	if page := s.Text("home-page"); page != "" {
		p["HomepageLocation"], p["HomepageIsNewTabPage"], p["ShowHomeButton"] = page, false, true
	}
	if pages := s.List("start-pages"); len(pages) > 0 {
		p["RestoreOnStartup"], p["RestoreOnStartupURLs"] = chromiumStartPages, anys(pages)
	}
	chromiumExtensions(s, p)
	if downloads, ok := map[string]int{"safe": 2, "blocked": 3}[s.Text("downloads")]; ok {
		p["DownloadRestrictions"] = downloads
	}
	if on, set := s.Bool("private-mode"); set && !on {
		p["IncognitoModeAvailability"], p["BrowserGuestModeEnabled"] = chromiumNoPrivate, false
	}
	if on, set := s.Bool("password-manager"); set {
		p["PasswordManagerEnabled"] = on
	}
	if on, set := s.Bool("developer-tools"); set && !on {
		p["DeveloperToolsAvailability"] = chromiumNoTools
	}
	if s.On("safe-search") {
		p["ForceGoogleSafeSearch"], p["ForceYouTubeRestrict"] = true, chromiumStrictVideo
	}
	return p
}

func chromiumExtensions(s Settings, p map[string]any) {
	forced := extensions(s.List("extensions-forced"), chromiumExtension)
	if len(forced) > 0 {
		list := make([]any, len(forced))
		for i, id := range forced {
			list[i] = id + ";" + chromiumStore
		}
		p["ExtensionInstallForcelist"] = list
	}
	if choice := s.Text("extensions"); choice == "listed" || choice == "blocked" {
		p["ExtensionInstallBlocklist"] = []any{"*"}
		if allowed := extensions(s.List("extensions-allowed"), chromiumExtension); choice == "listed" && len(allowed) > 0 {
			p["ExtensionInstallAllowlist"] = anys(allowed)
		}
	}
}

// chromiumExtension reports whether an id is one of Chromium's, all others are
// Firefox's.
func chromiumExtension(id string) bool {
	for _, letter := range id {
		if letter < 'a' || letter > 'p' {
			return false
		}
	}
	return len(id) == 32
}

func firefoxExtension(id string) bool { return !chromiumExtension(id) }

func extensions(ids []string, of func(string) bool) []string {
	var found []string
	for _, id := range ids {
		if of(id) {
			found = append(found, id)
		}
	}
	return found
}

// FirefoxPolicy says the same in Firefox's words, which know neither limits on
// downloads nor safe search.
// https://mozilla.github.io/policy-templates/
func FirefoxPolicy(s Settings) map[string]any {
	p := map[string]any{}
	homepage := map[string]any{}
	if page := s.Text("home-page"); page != "" {
		homepage["URL"], homepage["Locked"], homepage["StartPage"] = page, true, "homepage"
		p["ShowHomeButton"] = true
	}
	if pages := s.List("start-pages"); len(pages) > 0 {
		// Firefox starts with its home pages, and knows no others.
		if homepage["URL"] == nil {
			homepage["URL"], pages = pages[0], pages[1:]
		}
		if len(pages) > 0 {
			homepage["Additional"] = anys(pages)
		}
		homepage["Locked"], homepage["StartPage"] = true, "homepage-locked"
	}
	if len(homepage) > 0 {
		p["Homepage"] = homepage
	}
	if settings := firefoxExtensions(s); len(settings) > 0 {
		p["ExtensionSettings"] = settings
	}
	if on, set := s.Bool("private-mode"); set && !on {
		p["DisablePrivateBrowsing"] = true
	}
	if on, set := s.Bool("password-manager"); set {
		p["PasswordManagerEnabled"], p["OfferToSaveLogins"] = on, on
	}
	if on, set := s.Bool("developer-tools"); set && !on {
		p["DisableDeveloperTools"] = true
	}
	return p
}

func firefoxExtensions(s Settings) map[string]any {
	settings := map[string]any{}
	choice := s.Text("extensions")
	if choice == "listed" || choice == "blocked" {
		settings["*"] = map[string]any{"installation_mode": "blocked"}
	}
	if choice == "listed" {
		for _, id := range extensions(s.List("extensions-allowed"), firefoxExtension) {
			settings[id] = map[string]any{"installation_mode": "allowed"}
		}
	}
	for _, id := range extensions(s.List("extensions-forced"), firefoxExtension) {
		settings[id] = map[string]any{"installation_mode": "force_installed", "install_url": firefoxStore + id + "/latest.xpi"}
	}
	return settings
}

func anys[T any](items []T) []any {
	list := make([]any, len(items))
	for i, item := range items {
		list[i] = item
	}
	return list
}
