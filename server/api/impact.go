package api

import (
	"time"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/standard"
)

// Impact is what a draft would change on devices as they are now.
type Impact struct {
	Devices int             `json:"devices" doc:"In reach."`
	Changed int             `json:"changed" doc:"Enrolled ones that would have another answer and can take a part of it."`
	Unable  int             `json:"unable" doc:"Devices that are meant and can take nothing of it, or not yet."`
	Schools []ImpactSchool  `json:"schools" nullable:"false"`
	Cannot  []ImpactCannot  `json:"cannot" nullable:"false"`
	Fields  []ImpactField   `json:"fields" nullable:"false"`
	More    int             `json:"more" doc:"Differences that were left out."`
	Lower   []ImpactUnheard `json:"lower" nullable:"false" doc:"Words of places below that are heard no longer."`
	Heard   []ImpactUnheard `json:"heard" nullable:"false" doc:"Words that are heard again."`
	Strands []ImpactStrand  `json:"strands" nullable:"false" doc:"Combinations that would strand devices; such a draft cannot be published."`
	Refused []ImpactRefused `json:"refused" nullable:"false" doc:"Fields that a place above decides: they change nothing, and such a draft cannot be published."`
	At      time.Time       `json:"at"`
}

// ImpactSchool is the impact on one school.
type ImpactSchool struct {
	School  Named `json:"school"`
	Devices int   `json:"devices"`
	Changed int   `json:"changed"`
	Cannot  int   `json:"cannot"`
}

// ImpactCannot is why devices do not take a field.
type ImpactCannot struct {
	Why      string       `json:"why" enum:"not-possible,supervision,unverified,agent-too-old,not-enrolled"`
	Family   string       `json:"family,omitempty"`
	Field    string       `json:"field,omitempty"`
	Platform org.Platform `json:"platform"`
	Devices  int          `json:"devices"`
}

// ImpactField is one difference with the number of devices.
type ImpactField struct {
	Family  string `json:"family"`
	Field   string `json:"field"`
	Old     any    `json:"old"`
	New     any    `json:"new"`
	From    Place  `json:"from" doc:"Who decides then."`
	Devices int    `json:"devices"`
}

// ImpactUnheard is the word of a place below.
type ImpactUnheard struct {
	Place   Place          `json:"place"`
	Family  string         `json:"family"`
	Field   string         `json:"field"`
	Value   any            `json:"value"`
	Effect  desired.Effect `json:"effect"`
	Devices int            `json:"devices"`
}

// ImpactStrand is a combination that would strand devices.
type ImpactStrand struct {
	Key     string            `json:"key"`
	Family  string            `json:"family"`
	Field   string            `json:"field"`
	Args    map[string]string `json:"args,omitempty"`
	School  Named             `json:"school"`
	Devices int               `json:"devices"`
}

// ImpactRefused is a field that a place above decides.
type ImpactRefused struct {
	Key       string `json:"key" example:"policy.locked"`
	Family    string `json:"family"`
	Field     string `json:"field"`
	Place     Place  `json:"place" doc:"Who decides."`
	Exception bool   `json:"exception" doc:"An exception is the way out."`
}

func impactOut(found standard.Impact) Impact {
	out := Impact{
		Devices: found.Devices, Changed: found.Changed, Unable: found.Unable, More: found.More, At: found.At,
		Schools: []ImpactSchool{}, Cannot: []ImpactCannot{}, Fields: []ImpactField{}, Strands: []ImpactStrand{}, Refused: []ImpactRefused{},
	}
	for _, f := range found.Refused {
		refused := ImpactRefused{Key: f.Key, Family: f.Family, Field: f.Field, Exception: f.Exception}
		if f.Place != nil {
			refused.Place = placeOut(*f.Place)
		}
		out.Refused = append(out.Refused, refused)
	}
	for _, s := range found.Schools {
		out.Schools = append(out.Schools, ImpactSchool{Named{s.School.School, s.Name}, s.Devices, s.Changed, s.Cannot})
	}
	for _, c := range found.Cannot {
		out.Cannot = append(out.Cannot, ImpactCannot(c))
	}
	for _, f := range found.Fields {
		out.Fields = append(out.Fields, ImpactField{f.Family, f.Field, f.Old, f.New, placeOut(found.Names[f.From]), f.Devices})
	}
	for _, s := range found.Strands {
		out.Strands = append(out.Strands, ImpactStrand{s.Key, s.Family, s.Field, s.Args, Named{s.School.School, s.Name}, s.Devices})
	}
	out.Lower, out.Heard = unheardOut(found.Lower, found.Names), unheardOut(found.Heard, found.Names)
	return out
}

func unheardOut(words []standard.Unheard, names map[desired.Place]standard.Place) []ImpactUnheard {
	out := make([]ImpactUnheard, len(words))
	for i, w := range words {
		out[i] = ImpactUnheard{placeOut(names[w.Place]), w.Family, w.Field, w.Value, w.Effect, w.Devices}
	}
	return out
}
