package presets

import (
	"embed"
	"fmt"

	"schulwart.org/policies/sheet"
)

// Set is a policy set that a school can use unchanged. Its words are
// preset.<key> and preset.<key>.hint.
type Set struct {
	Key   string
	Text  string // YAML; each rule has its reason in a comment
	Sheet sheet.Sheet
}

//go:embed sets/*.yaml
var texts embed.FS

// setKeys are the sets in the order in which people read them.
var setKeys = []string{"grundschule", "weiterfuehrende-schule", "lehrkraft", "computerraum", "klassensatz", "leihgeraet", "pruefung"}

// Sets returns the policy sets that come with the product. One that cannot be
// read is an error of the build; a test looks.
func Sets() ([]Set, error) {
	sets := make([]Set, 0, len(setKeys))
	for _, key := range setKeys {
		text, err := texts.ReadFile("sets/" + key + ".yaml")
		if err != nil {
			return nil, fmt.Errorf("reading preset %s: %w", key, err)
		}
		read, faults := sheet.Read(sheet.File{Path: key + ".yaml", Content: string(text)})
		if len(faults) > 0 {
			return nil, fmt.Errorf("reading preset %s: line %d: %s %s", key, faults[0].Line, faults[0].Key, faults[0].Field)
		}
		sets = append(sets, Set{Key: key, Text: string(text), Sheet: read})
	}
	return sets, nil
}
