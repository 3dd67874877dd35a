package console

import "strings"

// Names of browsers and systems in the order in which they are looked for:
// each browser also names the ones it wants to be taken for.
var (
	browsers = []struct{ sign, name string }{
		{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},
		{"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"},
	}
	systems = []struct{ sign, name string }{
		{"iPad", "iPad"}, {"iPhone", "iPhone"}, {"Android", "Android"}, {"CrOS", "ChromeOS"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"},
	}
)

// browserName says which browser it is, so that people recognise their own
// sessions: "Firefox, Android".
func browserName(agent string) string {
	var words []string
	for _, b := range browsers {
		if strings.Contains(agent, b.sign) {
			words = append(words, b.name)
			break
		}
	}
	for _, s := range systems {
		if strings.Contains(agent, s.sign) {
			words = append(words, s.name)
			break
		}
	}
	return strings.Join(words, ", ")
}
