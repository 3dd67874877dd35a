package sheet

import "schulwart.org/policies/catalog"

// Schema returns a JSON Schema (2020-12) of a sheet, so that editors complete
// names and mark what is wrong. title gives the words for a family, a field or
// a choice; nil leaves them out.
func Schema(title func(key string) string) map[string]any {
	families := map[string]any{}
	var names, fields []any
	seen := map[string]bool{}
	for _, family := range catalog.Families {
		names = append(names, family.Name)
		families[family.Name] = familySchema(family, title)
		for _, field := range family.Fields {
			if !seen[field.Name] {
				seen[field.Name] = true
				fields = append(fields, field.Name)
			}
		}
	}
	text := map[string]any{"type": "string"}
	date := map[string]any{"type": "string", "pattern": `^\d{4}-\d{2}-\d{2}(T.*)?$`}
	return map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"type":    "object", "additionalProperties": false,
		"properties": map[string]any{
			wordSchema:   map[string]any{"type": "integer", "minimum": 1, "maximum": Version},
			wordPlace:    object(map[string]any{"authority": text, "school": text, "group": text, "device": text}),
			wordPolicies: object(families),
			wordExceptions: map[string]any{"type": "array", "items": map[string]any{
				"type": "object", "additionalProperties": false, "required": []any{"family", "field", "value", "owner", "reason", "until"},
				"properties": map[string]any{
					"family": map[string]any{"enum": names}, "field": map[string]any{"enum": fields}, "value": map[string]any{},
					"owner": text, "reason": text, "starts": date, "until": date,
				},
			}},
		},
	}
}

func object(properties map[string]any) map[string]any {
	return map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
}

func familySchema(family catalog.Family, title func(string) string) map[string]any {
	properties, holds := map[string]any{}, map[string]any{}
	for _, field := range family.Fields {
		properties[field.Name] = titled(fieldSchema(field), title, "policy."+family.Name+"."+field.Name)
		holds[field.Name] = map[string]any{"enum": []any{"standard", "locked", "free"}}
	}
	properties[wordHold] = object(holds)
	return titled(object(properties), title, "policy."+family.Name)
}

func titled(schema map[string]any, title func(string) string, key string) map[string]any {
	if title != nil {
		schema["title"] = title(key)
	}
	return schema
}

func fieldSchema(field catalog.Field) map[string]any {
	switch field.Kind {
	case catalog.Flag:
		return map[string]any{"type": "boolean"}
	case catalog.Number:
		return map[string]any{"type": "integer", "minimum": field.Min, "maximum": field.Max, "description": field.Unit}
	case catalog.Choice:
		choices := make([]any, len(field.Choices))
		for i, choice := range field.Choices {
			choices[i] = choice
		}
		return map[string]any{"enum": choices}
	case catalog.Names:
		return map[string]any{"type": "array", "items": map[string]any{"type": "string"}, "description": string(field.Form)}
	case catalog.Entries:
		inner, required := map[string]any{}, []any{}
		for _, one := range field.Fields {
			inner[one.Name] = fieldSchema(one)
			if one.Required {
				required = append(required, one.Name)
			}
		}
		item := object(inner)
		item["required"] = required
		return map[string]any{"type": "array", "items": item}
	}
	return map[string]any{"type": "string", "description": string(field.Form)}
}
