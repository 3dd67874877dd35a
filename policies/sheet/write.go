package sheet

import (
	"bytes"
	"fmt"
	"slices"
	"sort"
	"time"

	"gopkg.in/yaml.v3"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
)

// head is the first line of a new sheet: editors complete and check by it.
const head = "yaml-language-server: $schema=schema.json"

// Write returns a sheet's text. Into a former text only what differs is written:
// comments, order and blank lines of the rest stay. A former text that cannot be
// read is an error, so that nobody's work is overwritten.
func Write(sheet Sheet, former string) (string, error) {
	document := yaml.Node{Kind: yaml.DocumentNode, HeadComment: head, Content: []*yaml.Node{{Kind: yaml.MappingNode}}}
	if former != "" {
		document = yaml.Node{}
		if err := yaml.Unmarshal([]byte(former), &document); err != nil {
			return "", fmt.Errorf("reading the former sheet: %w", err)
		}
		if len(document.Content) == 0 || document.Content[0].Kind != yaml.MappingNode {
			return "", fmt.Errorf("reading the former sheet: no mapping")
		}
	}
	root := document.Content[0]
	writePlace(root, sheet.Place)
	writePolicies(root, sheet.Families)
	writeExceptions(root, sheet.Exceptions)
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(&document); err != nil {
		return "", fmt.Errorf("writing sheet: %w", err)
	}
	return out.String(), nil
}

func writePlace(root *yaml.Node, place Place) {
	node := entry(root, wordPlace)
	if node.Kind != yaml.MappingNode {
		*node = yaml.Node{Kind: yaml.MappingNode}
	}
	for _, part := range []struct{ key, name string }{{"authority", place.Authority}, {"school", place.School}, {"group", place.Group}, {"device", place.Device}} {
		if part.name == "" {
			drop(node, part.key)
			continue
		}
		put(node, part.key, part.name)
	}
}

func writePolicies(root *yaml.Node, families map[string]Family) {
	if len(families) == 0 {
		drop(root, wordPolicies)
		return
	}
	node := entry(root, wordPolicies)
	if node.Kind != yaml.MappingNode {
		*node = yaml.Node{Kind: yaml.MappingNode}
	}
	keepOnly(node, func(name string) bool { _, said := families[name]; return said })
	for _, family := range catalog.Families {
		said, ok := families[family.Name]
		if !ok {
			continue
		}
		writeFamily(entry(node, family.Name), family, said)
	}
}

func writeFamily(node *yaml.Node, family catalog.Family, said Family) {
	if node.Kind != yaml.MappingNode {
		*node = yaml.Node{Kind: yaml.MappingNode}
	}
	keepOnly(node, func(name string) bool {
		_, set := said.Settings[name]
		return set || name == wordHold && len(said.Holds) > 0
	})
	for _, field := range family.Fields {
		if value, set := said.Settings[field.Name]; set {
			put(node, field.Name, value)
		}
	}
	if len(said.Holds) == 0 {
		return
	}
	holds := entry(node, wordHold)
	if holds.Kind != yaml.MappingNode {
		*holds = yaml.Node{Kind: yaml.MappingNode}
	}
	keepOnly(holds, func(name string) bool { return said.Holds[name] != desired.Standard })
	for _, field := range family.Fields {
		if hold := said.Holds[field.Name]; hold != desired.Standard {
			put(holds, field.Name, string(hold))
		}
	}
}

func writeExceptions(root *yaml.Node, exceptions []Exception) {
	if len(exceptions) == 0 {
		drop(root, wordExceptions)
		return
	}
	node := entry(root, wordExceptions)
	former := node.Content
	*node = yaml.Node{Kind: yaml.SequenceNode, HeadComment: node.HeadComment, LineComment: node.LineComment, FootComment: node.FootComment}
	for _, e := range exceptions {
		item := &yaml.Node{Kind: yaml.MappingNode}
		for _, known := range former {
			if known.Kind == yaml.MappingNode && value(known, "family") == e.Family && value(known, "field") == e.Field && value(known, "reason") == e.Reason {
				item = known
			}
		}
		put(item, "family", e.Family)
		put(item, "field", e.Field)
		put(item, "value", e.Value)
		put(item, "owner", e.Owner)
		put(item, "reason", e.Reason)
		if !e.Starts.IsZero() {
			put(item, "starts", written(e.Starts))
		}
		put(item, "until", written(e.Until))
		node.Content = append(node.Content, item)
	}
}

// written is a date where the instant is a day's beginning.
func written(at time.Time) string {
	if at = at.UTC(); at.Equal(at.Truncate(24 * time.Hour)) {
		return at.Format(time.DateOnly)
	}
	return at.Format(time.RFC3339)
}

// entry returns the value of a key in a mapping, adding the key at the end.
func entry(node *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	added := &yaml.Node{}
	node.Content = append(node.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, added)
	return added
}

func value(node *yaml.Node, key string) string {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1].Value
		}
	}
	return ""
}

// put sets a key's value unless it says the same already.
func put(node *yaml.Node, key string, value any) {
	at := entry(node, key)
	var before any
	if at.Kind != 0 && at.Decode(&before) == nil && catalog.Same(before, value) {
		return
	}
	if at.Kind == yaml.ScalarNode && at.Value == value {
		return
	}
	if names, ok := value.([]string); ok && at.Kind == yaml.SequenceNode {
		putNames(at, names)
		return
	}
	fresh := yaml.Node{}
	if value == Kept {
		*at = yaml.Node{Kind: yaml.ScalarNode, Tag: tagKept}
		return
	}
	if err := fresh.Encode(plainOf(value)); err != nil {
		return // plain values can always be written
	}
	fresh.HeadComment, fresh.LineComment, fresh.FootComment = at.HeadComment, at.LineComment, at.FootComment
	*at = fresh
}

// putNames keeps the lines of names that stay, with their comments.
func putNames(at *yaml.Node, names []string) {
	var content []*yaml.Node
	said := map[string]bool{}
	for _, item := range at.Content {
		if slices.Contains(names, item.Value) && !said[item.Value] {
			said[item.Value] = true
			content = append(content, item)
		}
	}
	for _, name := range names {
		if !said[name] {
			content = append(content, &yaml.Node{Kind: yaml.ScalarNode, Value: name})
		}
	}
	at.Content = content
}

// plainOf orders the keys of entries, so that the same settings are the same
// text.
func plainOf(value any) any {
	entries, ok := value.([]catalog.Settings)
	if !ok {
		return value
	}
	list := make([]*yaml.Node, len(entries))
	for i, settings := range entries {
		node := &yaml.Node{Kind: yaml.MappingNode}
		names := make([]string, 0, len(settings))
		for name := range settings {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			put(node, name, settings[name])
		}
		list[i] = node
	}
	return list
}

func drop(node *yaml.Node, key string) { keepOnly(node, func(name string) bool { return name != key }) }

func keepOnly(node *yaml.Node, keep func(key string) bool) {
	var content []*yaml.Node
	for i := 0; i+1 < len(node.Content); i += 2 {
		if keep(node.Content[i].Value) {
			content = append(content, node.Content[i], node.Content[i+1])
		}
	}
	node.Content = content
}
