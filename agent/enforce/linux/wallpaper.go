package linux

import (
	"context"
	"errors"
	"io/fs"
	"path"

	"schulwart.org/agent/enforce"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
)

// wallpaper sets what sessions look like, and the words before somebody signs in:
// on text consoles (agetty reads issue.d) and on GNOME's login screen.
var wallpaper = Family{
	Of: catalog.Wallpaper,
	Possible: func(d *Doors, s catalog.Settings) *ddm.Reason {
		if !says(s, "picture", "color", "change") {
			return nil
		}
		if why := onDesktops(d, gnome); why != nil {
			return why
		}
		return missing(d, "dconf")
	},
	Files: func(s catalog.Settings, before Before) (map[string]File, error) {
		files := dconfFiles("wallpaper", wallpaperKeys(s))
		if files == nil {
			files = map[string]File{}
		}
		if message := s.Text("message"); message != "" {
			files[issueFile] = File{Data: []byte(issueText(message) + "\n\n")}
			files[greeterFile] = File{Data: []byte("[org/gnome/login-screen]\nbanner-message-enable=true\nbanner-message-text=" + dconfText(message) + "\n")}
		}
		return files, nil
	},
	Apply: func(ctx context.Context, d *Doors, _ catalog.Settings) error {
		if !d.Commands.Has("dconf") {
			return nil
		}
		return dconfApply(ctx, d)
	},
	Look: func(ctx context.Context, d *Doors, s catalog.Settings) *enforce.Reading {
		if picture := s.Text("picture"); picture != "" {
			if _, err := d.Tree.Status(picture); errors.Is(err, fs.ErrNotExist) {
				r := pending("wallpaper.no-picture", "file", path.Base(picture))
				return &r
			}
		}
		if found := dconfLook(ctx, d, wallpaperKeys(s)); found != nil {
			return found
		}
		if says(s, "picture", "color", "change") {
			return elsewhere(d, gnome)
		}
		return nil
	},
}

// greeterFile is where Debian's GNOME login screen collects its settings when it
// starts.
const (
	issueFile   = "/etc/issue.d/50-schulwart.issue"
	greeterFile = "/usr/share/gdm/dconf/95-schulwart"
)

// issueText writes a message so that agetty prints it as it is: a backslash
// begins a word of agetty's own.
func issueText(message string) string {
	text := ""
	for _, r := range message {
		if r == '\\' {
			text += `\`
		}
		text += string(r)
	}
	return text
}

func wallpaperKeys(s catalog.Settings) []dconfKey {
	const background, saver = "/org/gnome/desktop/background/", "/org/gnome/desktop/screensaver/"
	change, asked := s.Bool("change")
	locked := asked && !change
	var keys []dconfKey
	add := func(path, value string) { keys = append(keys, dconfKey{path, value, locked}) }
	picture, color := s.Text("picture"), s.Text("color")
	if picture != "" {
		for _, key := range []string{background + "picture-uri", background + "picture-uri-dark", saver + "picture-uri"} {
			add(key, dconfText("file://"+picture))
		}
		add(background+"picture-options", "'zoom'")
	}
	if color != "" {
		add(background+"primary-color", dconfText(color))
		add(background+"color-shading-type", "'solid'")
		if picture == "" {
			add(background+"picture-options", "'none'")
		}
	}
	if locked && picture == "" && color == "" {
		// What is not set can be locked too: then the system's own picture stays.
		keys = append(keys, dconfKey{background + "picture-uri", dconfText("file:///usr/share/images/desktop-base/default"), true})
	}
	return keys
}
