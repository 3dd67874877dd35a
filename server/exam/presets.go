package exam

import "schulwart.org/policies/lease"

// Preset is a beginning for rules. Its name is under "exam.preset" in web/locale.
type Preset struct {
	Key      string
	Programs []string // as policies/presets names them
	Rules    lease.Examination
}

// Presets are the beginnings that come with the product.
var Presets = []Preset{
	{Key: "page", Rules: lease.Examination{Resume: true}},
	{Key: "writing", Programs: []string{"writer"}, Rules: lease.Examination{Resume: true}},
	{Key: "maths", Programs: []string{"geogebra"}, Rules: lease.Examination{Resume: true}},
	{Key: "calculator", Programs: []string{"calculator"}, Rules: lease.Examination{Resume: true}},
	{Key: "open_book", Rules: lease.Examination{Clipboard: true, Spelling: true, Resume: true}},
}
