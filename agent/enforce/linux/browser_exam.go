package linux

import (
	"encoding/json"
	"maps"
	"slices"

	"schulwart.org/agent/enforce"
	"schulwart.org/policies/ddm"
)

// What an examination closes in every browser of the device, whoever started it, in
// the words of Chromium's list of policies; a browser that is older than one of
// them does not know what it closes either. The page's keys for the clipboard still
// work within the browser.
// https://chromeenterprise.google/policies/
const (
	chromiumAlways = `{"IncognitoModeAvailability":1,"BrowserGuestModeEnabled":false,"BrowserAddPersonEnabled":false,"BrowserSignin":0,"SyncDisabled":true,
"ExtensionInstallBlocklist":["*"],"BlockExternalExtensions":true,"DeveloperToolsAvailability":2,"RemoteDebuggingAllowed":false,
"PasswordManagerEnabled":false,"AutofillAddressEnabled":false,"AutofillCreditCardEnabled":false,
"BookmarkBarEnabled":false,"EditBookmarksEnabled":false,"DefaultSearchProviderEnabled":false,"SearchSuggestEnabled":false,"NetworkPredictionOptions":2,
"EnableMediaRouter":false,"DefaultNotificationsSetting":2,"DefaultPopupsSetting":2,"BackgroundModeEnabled":false,"RestoreOnStartup":1,"TaskManagerEndProcessEnabled":false}`
	chromiumPrinting   = `{"PrintingEnabled":false}`
	chromiumClipboard  = `{"DefaultClipboardSetting":2}`
	chromiumCapture    = `{"DisableScreenshots":true,"ScreenCaptureAllowed":false,"VideoCaptureAllowed":false}`
	chromiumUSB        = `{"DefaultWebUsbGuardSetting":2,"DefaultSerialGuardSetting":2,"DefaultWebHidGuardSetting":2}`
	chromiumSpelling   = `{"SpellcheckEnabled":false,"SpellCheckServiceEnabled":false,"TranslateEnabled":false}`
	chromiumAssistants = `{"GenAiDefaultSettings":2,"HelpMeWriteSettings":2,"TabOrganizerSettings":2,"CreateThemesSettings":2,"DevToolsGenAiSettings":2,"HistorySearchSettings":2,"TabCompareSettings":2,
"GenAILocalFoundationalModelSettings":1,"LensOverlaySettings":1,"SearchContentSharingSettings":1,"AIModeSettings":1,"GeminiSettings":1,"TranslateEnabled":false}`
)

// The same in Firefox's words.
// https://mozilla.github.io/policy-templates/
const (
	firefoxAlways = `{"DisablePrivateBrowsing":true,"DisableDeveloperTools":true,"DisableFirefoxAccounts":true,"DisableProfileImport":true,"DisableFormHistory":true,
"BlockAboutConfig":true,"BlockAboutAddons":true,"BlockAboutProfiles":true,"BlockAboutSupport":true,"PasswordManagerEnabled":false,"OfferToSaveLogins":false,"SearchSuggestEnabled":false,
"NoDefaultBookmarks":true,"DisplayBookmarksToolbar":"never","ExtensionSettings":{"*":{"installation_mode":"blocked"}},"OverrideFirstRunPage":"","DontCheckDefaultBrowser":true}`
	firefoxCapture = `{"DisableFirefoxScreenshots":true,"Preferences":{"media.getdisplaymedia.enabled":{"Value":false,"Status":"locked"},"media.navigator.enabled":{"Value":false,"Status":"locked"}}}`
	firefoxSpell   = `{"TranslateEnabled":false,"Preferences":{"layout.spellcheckDefault":{"Value":0,"Status":"locked"}}}`
	firefoxHelpers = `{"TranslateEnabled":false,"GenerativeAI":{"Enabled":false,"Locked":true},"Preferences":{"browser.ml.enable":{"Value":false,"Status":"locked"},"browser.ml.chat.enabled":{"Value":false,"Status":"locked"}}}`
)

// closing is what of a list of policies an examination closes: a text of policies
// for each thing that it does not open.
func closing(exam *enforce.Exam, always, printing, clipboard, capture, usb, spelling, assistants string) policy {
	p := policy{}
	for _, one := range []struct {
		open bool
		text string
	}{{false, always}, {exam.Printing, printing}, {exam.Clipboard, clipboard}, {exam.Capture, capture}, {exam.USB, usb}, {exam.Spelling, spelling}, {exam.Assistants, assistants}} {
		if one.open || one.text == "" {
			continue
		}
		var more policy
		_ = json.Unmarshal([]byte(one.text), &more) // ours, and tested
		p = narrower(p, more)
	}
	return p
}

// chromiumExam says in Chromium's words what an examination closes. home are the
// school's own pages.
func chromiumExam(exam *enforce.Exam, home []string) policy {
	if exam == nil {
		return nil
	}
	p := closing(exam, chromiumAlways, chromiumPrinting, chromiumClipboard, chromiumCapture, chromiumUSB, chromiumSpelling, chromiumAssistants)
	if exam.Page != "" {
		// No files of the device and none of the browser's own pages.
		p["URLAllowlist"] = chromiumPatterns(slices.Concat(exam.Sites, home, []string{PupilHost}))
	}
	return p
}

// firefoxExam says the same in Firefox's words.
func firefoxExam(exam *enforce.Exam, home []string) policy {
	if exam == nil {
		return nil
	}
	p := closing(exam, firefoxAlways, chromiumPrinting, "", firefoxCapture, "", firefoxSpell, firefoxHelpers)
	if exam.Page != "" {
		p["WebsiteFilter"] = policy{"Block": []string{"<all_urls>"}, "Exceptions": firefoxPatterns(slices.Concat(exam.Sites, home, []string{"=" + PupilHost}))}
	}
	return p
}

// narrower puts what an examination says above the rest. Preferences stand side
// by side.
func narrower(rest, exam policy) policy {
	if len(exam) == 0 {
		return rest
	}
	all := maps.Clone(rest)
	if all == nil {
		all = policy{}
	}
	for name, value := range exam {
		if name == "Preferences" {
			value = mergeValue(name, all[name], value)
		}
		all[name] = value
	}
	return all
}

// rulesIn names what a running browser must know.
func rulesIn(rules enforce.Rules) string {
	known := rulesOf(rules.Network)
	if rules.Exam == nil {
		return known
	}
	return ddm.Hash(known, string(encodePolicy(chromiumExam(rules.Exam, nil))))
}
