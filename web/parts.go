package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
)

// field is a labelled input. Its name is its id, too, which must be unique on a
// page.
type field struct {
	Frame   Frame
	Name    string
	Label   string
	Hint    string
	Type    string // "text" when empty
	Value   string
	Class   string
	Problem *Problem
	Attrs   templ.Attributes // further ones, e.g. autocomplete
}

func (i field) id() string { return "f-" + i.Name }

func (i field) kind() string {
	if i.Type == "" {
		return "text"
	}
	return i.Type
}

// attributes joins the further ones with those that tie hint and fault to the
// input for who cannot see them side by side.
func (i field) attributes() templ.Attributes {
	all := templ.Attributes{}
	for name, value := range i.Attrs {
		all[name] = value
	}
	var described []string
	if i.Hint != "" {
		described = append(described, i.id()+"-hint")
	}
	if i.Problem.at(i.Name) {
		described = append(described, i.Name+"-fault")
		all["aria-invalid"] = "true"
	}
	if len(described) > 0 {
		all["aria-describedby"] = strings.Join(described, " ")
	}
	if i.Class != "" {
		all["class"] = i.Class
	}
	return all
}

// at says whether the problem belongs to the field.
func (p *Problem) at(name string) bool { return p != nil && p.Field == name }

// in says whether the problem belongs to one of the fields, which then shows it.
func (p *Problem) in(fields []string) bool { return p.Field != "" && slices.Contains(fields, p.Field) }

func optionLabel(f Frame, prefix string, option Option) string {
	if option.Label != "" {
		return option.Label
	}
	value := option.Value
	if value == "" {
		value = "any"
	}
	return f.T(prefix + "." + value)
}

// troubled says whether a state needs a look; its word is then set apart.
func (s State) troubled() bool { return s == StateDeviating || s == StateUnreachable }

// ringDash is how much of the ring is left, of a path that is 100 long.
func ringDash(now, starts, ends time.Time) string {
	total := ends.Sub(starts)
	if total <= 0 {
		return "0 100"
	}
	rest := float64(ends.Sub(now)) / float64(total) * 100
	return strconv.FormatFloat(min(100, max(0, rest)), 'f', 1, 64) + " 100"
}

// ringText is the rest in minutes, or in seconds for the last one.
func ringText(now, ends time.Time) string {
	rest := ends.Sub(now)
	switch {
	case rest <= 0:
		return "0′"
	case rest < time.Minute:
		return strconv.Itoa(int(rest.Seconds())) + "″"
	case rest > 99*time.Minute:
		return strconv.Itoa(int(rest.Hours())) + " h"
	}
	return strconv.Itoa(int((rest+59*time.Second)/time.Minute)) + "′"
}

const quietZone = 4 // modules around a QR code, as ISO 18004 wants

func qrBox(code QR) string {
	return fmt.Sprintf("%d %d %d %d", -quietZone, -quietZone, len(code)+2*quietZone, len(code)+2*quietZone)
}

// qrPath draws each run of dark modules as one stroke-free bar.
func qrPath(code QR) string {
	var path strings.Builder
	for y, row := range code {
		for x := 0; x < len(row); x++ {
			if !row[x] {
				continue
			}
			start := x
			for x < len(row) && row[x] {
				x++
			}
			fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", start, y, x-start, x-start)
		}
	}
	return path.String()
}

// again are the attributes of a part that is fetched anew while something is still
// to come; without an address it stays as it is.
func again(part, url, trigger string) templ.Attributes {
	if url == "" {
		return nil
	}
	return templ.Attributes{"hx-get": url, "hx-trigger": trigger, "hx-select": part, "hx-target": part, "hx-swap": "outerHTML"}
}
