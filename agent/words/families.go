package words

func init() {
	for key, text := range familySentences {
		sentences[key] = text
	}
}

// familySentences are the names of the base policy's families, and the reasons
// that their drivers give.
var familySentences = map[string]sentence{
	"family.unset":         {"noch nicht gesetzt", "not set yet"},
	"family.changed":       {"wurde geändert: {file}", "was changed: {file}"},
	"family.unfinished":    {"noch nicht ganz wirksam", "not completely in effect yet"},
	"family.no-program":    {"auf diesem Gerät fehlt ein Programm: {program}", "a program is missing on this device: {program}"},
	"family.desktop":       {"wirkt nicht auf {names}", "has no effect on {names}"},
	"family.no-desktop":    {"auf diesem Gerät ist kein Desktop, den wir kennen", "no desktop that we know is on this device"},
	"family.other-value":   {"{what} steht auf „{value}“", "{what} says “{value}”"},
	"wallpaper.no-picture": {"das Bild {file} ist noch nicht auf dem Gerät", "the picture {file} is not on the device yet"},
}
