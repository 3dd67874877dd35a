// Package seb writes examinations as settings of Safe Exam Browser, for devices
// that are not ours to lock: a pupil's own laptop, a computer of another school.
// It is written from the public documentation of the format and of the keys
// (https://safeexambrowser.org/developer/overview.html), and was not tried
// against the program itself.
package seb

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"
	"slices"
	"strings"

	"schulwart.org/policies/lease"
)

// Settings are the keys and values of one file: strings, booleans, integers,
// []byte, []any and Settings inside.
type Settings map[string]any

// ErrNoPage says that an examination opens no page; the browser would show
// nothing.
var ErrNoPage = errors.New("seb: the examination names no page")

// ErrNoQuit says that nobody could leave the examination. A browser without a
// known way out has locked pupils out of their own laptops.
var ErrNoQuit = errors.New("seb: no password to quit with")

// What the program's numbers mean, as its manual lists them.
const (
	purposeExam      = 0 // of the file: it starts an examination, it configures no device
	newBrowserEngine = 3 // the modern engine everywhere, which asks for keys by script
	filterAllows     = 1
	fullScreen       = 1
	moreScreens      = 10
)

// From makes the settings of an examination. The quit password ends the browser
// before its page does; salt makes its keys those of this examination alone.
// What the examination does not open is closed, as on our own devices.
func From(rules lease.Rules, quitPassword string, salt []byte) (Settings, error) {
	if rules.Exam == nil || rules.Exam.Page == "" {
		return nil, ErrNoPage
	}
	if quitPassword == "" {
		return nil, ErrNoQuit
	}
	e := rules.Exam
	screens := 1
	if e.SecondScreen {
		screens = moreScreens
	}
	aids := e.Aids == nil || len(e.Aids) > 0
	return Settings{
		"originatorVersion": "SEB_Schulwart_1",
		"sebConfigPurpose":  purposeExam,
		"startURL":          e.Page,

		// The keys with which the page's server knows that these settings hold.
		"examKeySalt":          salt,
		"sendBrowserExamKey":   true,
		"browserWindowWebView": newBrowserEngine,

		// The way out, and what helps when a page does not load.
		"allowQuit":                   true,
		"ignoreExitKeys":              true,
		"hashedQuitPassword":          hashed(quitPassword),
		"browserWindowAllowReload":    true,
		"newBrowserWindowAllowReload": true,
		"showReloadButton":            true,
		"showTime":                    true,
		"showTaskBar":                 true,
		"enableZoomPage":              true,
		"enableZoomText":              true,
		"browserViewMode":             fullScreen,

		"URLFilterEnable":              true,
		"URLFilterEnableContentFilter": false,
		"URLFilterRules":               filter(rules.Sites, e.Page),

		"enablePrivateClipboard":          !e.Clipboard,
		"allowPrint":                      e.Printing,
		"allowSpellCheck":                 e.Spelling,
		"allowDictionaryLookup":           e.Spelling,
		"allowSiri":                       e.Assistants,
		"allowDictation":                  aids,
		"insideSebEnableEaseOfAccess":     aids,
		"enablePrintScreen":               e.Capture,
		"allowScreenSharing":              e.Capture && e.Virtual,
		"allowVirtualMachine":             e.Virtual,
		"allowedDisplaysMaxNumber":        screens,
		"allowedDisplayBuiltin":           true,
		"allowDisplayMirroring":           e.SecondScreen,
		"allowAirPlay":                    e.SecondScreen,
		"allowDownUploads":                e.Work != nil,
		"allowUserSwitching":              false,
		"allowSwitchToApplications":       false,
		"allowPreferencesWindow":          false,
		"enableRightMouse":                false,
		"insideSebEnableSwitchUser":       false,
		"insideSebEnableLogOff":           false,
		"insideSebEnableStartTaskManager": false,
		"insideSebEnableChangeAPassword":  false,
		"removeBrowserProfile":            true,
		"enableMacOSAAC":                  true,
	}, nil
}

func hashed(password string) string {
	sum := sha256.Sum256([]byte(password))
	return hex.EncodeToString(sum[:])
}

// filter allows the sites and the page's own host, with all below them; what no
// rule allows is refused. A host without a leading dot covers its subdomains, as
// in a lease.
func filter(sites []string, page string) []any {
	hosts := slices.Clone(sites)
	if address, err := url.Parse(page); err == nil && address.Hostname() != "" {
		hosts = append(hosts, strings.ToLower(address.Hostname()))
	}
	slices.Sort(hosts)
	var rules []any
	for _, host := range slices.Compact(hosts) {
		for _, expression := range []string{host, host + "/*"} {
			rules = append(rules, Settings{"active": true, "regex": false, "action": filterAllows, "expression": expression})
		}
	}
	return rules
}

// Link returns the address that starts the program with the file that lies at an
// https address.
func Link(address string) string {
	if rest, ok := strings.CutPrefix(address, "https://"); ok {
		return "sebs://" + rest
	}
	return "seb://" + strings.TrimPrefix(address, "http://")
}
