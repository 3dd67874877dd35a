package catalog

// HasSecrets reports whether the family has fields whose values are sealed at
// rest and never shown.
func (f Family) HasSecrets() bool { return hasSecrets(f.Fields) }

func hasSecrets(fields []Field) bool {
	for _, field := range fields {
		if field.Secret || hasSecrets(field.Fields) {
			return true
		}
	}
	return false
}

// MapSecrets replaces every secret text in values of the family by what do makes
// of it, in place. The values are Settings, or plain values as JSON and YAML
// have them. key is the entry that the secret stands in, empty for none. It
// stops at the first error.
func (f Family) MapSecrets(values map[string]any, do func(field, key, secret string) (string, error)) error {
	return mapSecrets(f.Fields, values, "", do)
}

func mapSecrets(fields []Field, values map[string]any, key string, do func(field, key, secret string) (string, error)) error {
	for _, field := range fields {
		switch value := values[field.Name].(type) {
		case string:
			if !field.Secret {
				continue
			}
			made, err := do(field.Name, key, value)
			if err != nil {
				return err
			}
			values[field.Name] = made
		case []Settings:
			for _, entry := range value {
				if err := mapSecrets(field.Fields, entry, entry.Text(field.Key), do); err != nil {
					return err
				}
			}
		case []map[string]any:
			for _, entry := range value {
				if err := mapSecrets(field.Fields, entry, Settings(entry).Text(field.Key), do); err != nil {
					return err
				}
			}
		case []any:
			for _, item := range value {
				entry, ok := item.(map[string]any)
				if !ok {
					continue // Check says what is wrong with it
				}
				if err := mapSecrets(field.Fields, entry, Settings(entry).Text(field.Key), do); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
