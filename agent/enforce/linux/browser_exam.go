package linux

import (
	"maps"

	"schulwart.org/agent/enforce"
	"schulwart.org/policies/ddm"
)

// chromiumExam says in Chromium's words what an examination closes in every
// browser of the device, whoever started it. home are the school's own pages. The
// names are those of Chromium's list of policies; a browser that is older than one
// of them does not know what it closes either.
// https://chromeenterprise.google/policies/
func chromiumExam(exam *enforce.Exam, home []string) policy {
	if exam == nil {
		return nil
	}
	p := policy{
		// No files of the device and none of the browser's own pages.
		"URLAllowlist":              chromiumPatterns(append(clone(exam.Sites), home...)),
		"IncognitoModeAvailability": 1, "BrowserGuestModeEnabled": false, "BrowserAddPersonEnabled": false, "BrowserSignin": 0, "SyncDisabled": true,
		"ExtensionInstallBlocklist": []string{"*"}, "BlockExternalExtensions": true, "DeveloperToolsAvailability": 2,
		"PasswordManagerEnabled": false, "AutofillAddressEnabled": false, "AutofillCreditCardEnabled": false,
		"BookmarkBarEnabled": false, "EditBookmarksEnabled": false, "DefaultSearchProviderEnabled": false, "SearchSuggestEnabled": false, "NetworkPredictionOptions": 2,
		"EnableMediaRouter": false, "DefaultNotificationsSetting": 2, "DefaultPopupsSetting": 2, "PromptForDownloadLocation": false, "BackgroundModeEnabled": false,
		"RestoreOnStartup": 1, "HomepageIsNewTabPage": true, "TaskManagerEndProcessEnabled": false,
	}
	if exam.Page == "" {
		delete(p, "URLAllowlist")
	}
	if !exam.Printing {
		p["PrintingEnabled"] = false
	}
	if !exam.Clipboard {
		// Pages do not read what lies in the clipboard; the keys for it still work
		// within the browser.
		p["DefaultClipboardSetting"] = 2
	}
	if !exam.Capture {
		p["DisableScreenshots"], p["ScreenCaptureAllowed"], p["VideoCaptureAllowed"] = true, false, false
	}
	if !exam.USB {
		p["DefaultWebUsbGuardSetting"], p["DefaultSerialGuardSetting"], p["DefaultWebHidGuardSetting"] = 2, 2, 2
	}
	if !exam.Spelling {
		p["SpellcheckEnabled"], p["SpellCheckServiceEnabled"], p["TranslateEnabled"] = false, false, false
	}
	if !exam.Assistants {
		for _, name := range []string{
			"GenAiDefaultSettings", "HelpMeWriteSettings", "TabOrganizerSettings", "CreateThemesSettings", "DevToolsGenAiSettings", "HistorySearchSettings", "TabCompareSettings",
		} {
			p[name] = 2
		}
		for _, name := range []string{"GenAILocalFoundationalModelSettings", "LensOverlaySettings", "SearchContentSharingSettings", "AIModeSettings", "GeminiSettings"} {
			p[name] = 1
		}
		p["TranslateEnabled"] = false
	}
	return p
}

// firefoxExam says the same in Firefox's words.
// https://mozilla.github.io/policy-templates/
func firefoxExam(exam *enforce.Exam, home []string) policy {
	if exam == nil {
		return nil
	}
	preferences := policy{}
	p := policy{
		"DisablePrivateBrowsing": true, "DisableDeveloperTools": true, "DisableFirefoxAccounts": true, "DisableProfileImport": true, "DisableFormHistory": true,
		"BlockAboutConfig": true, "BlockAboutAddons": true, "BlockAboutProfiles": true, "BlockAboutSupport": true,
		"PasswordManagerEnabled": false, "OfferToSaveLogins": false, "SearchSuggestEnabled": false, "NoDefaultBookmarks": true, "DisplayBookmarksToolbar": "never",
		"ExtensionSettings": policy{"*": policy{"installation_mode": "blocked"}}, "Preferences": preferences, "OverrideFirstRunPage": "", "DontCheckDefaultBrowser": true,
	}
	if exam.Page != "" {
		p["WebsiteFilter"] = policy{"Block": []string{"<all_urls>"}, "Exceptions": firefoxPatterns(append(clone(exam.Sites), home...))}
	}
	if !exam.Printing {
		p["PrintingEnabled"] = false
	}
	if !exam.Capture {
		p["DisableFirefoxScreenshots"] = true
		preferences["media.getdisplaymedia.enabled"], preferences["media.navigator.enabled"] = locked(false), locked(false)
	}
	if !exam.Spelling {
		preferences["layout.spellcheckDefault"] = locked(0)
		p["TranslateEnabled"] = false
	}
	if !exam.Assistants {
		p["TranslateEnabled"] = false
		p["GenerativeAI"] = policy{"Enabled": false, "Locked": true}
		preferences["browser.ml.enable"], preferences["browser.ml.chat.enabled"] = locked(false), locked(false)
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
