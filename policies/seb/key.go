package seb

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ConfigKey returns the Config Key of the settings, 64 hexadecimal letters: the
// same in every version of the program, so that the page's server can check that
// these settings hold (https://safeexambrowser.org/developer/seb-config-key.html).
//
// The older Browser Exam Key is not ours to compute: it covers the program's own
// signature, and is another one in each version. It is shown by the program.
func ConfigKey(s Settings) string {
	kept := Settings{}
	for key, value := range s {
		if key != "originatorVersion" {
			kept[key] = value
		}
	}
	var text strings.Builder
	write(&text, kept)
	sum := sha256.Sum256([]byte(text.String()))
	return hex.EncodeToString(sum[:])
}

// RequestHash returns what the program sends with a request for the address, in
// X-SafeExamBrowser-ConfigKeyHash.
func RequestHash(address, configKey string) string {
	address, _, _ = strings.Cut(address, "#")
	sum := sha256.Sum256([]byte(address + configKey))
	return hex.EncodeToString(sum[:])
}

// write writes a value as the Config Key wants it: like JSON, without blanks and
// without escaping, the keys in order whatever their case.
func write(out *strings.Builder, value any) {
	switch v := value.(type) {
	case Settings:
		writeAll(out, v)
	case map[string]any:
		writeAll(out, v)
	case []any:
		out.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				out.WriteByte(',')
			}
			write(out, item)
		}
		out.WriteByte(']')
	case string:
		quote(out, v)
	case []byte:
		quote(out, base64.StdEncoding.EncodeToString(v))
	case time.Time:
		quote(out, v.UTC().Format(time.RFC3339))
	case bool:
		out.WriteString(strconv.FormatBool(v))
	case int:
		out.WriteString(strconv.Itoa(v))
	case int64:
		out.WriteString(strconv.FormatInt(v, 10))
	case uint64:
		out.WriteString(strconv.FormatUint(v, 10))
	case float64:
		out.WriteString(strconv.FormatFloat(v, 'g', -1, 64))
	}
}

func writeAll(out *strings.Builder, s map[string]any) {
	keys := make([]string, 0, len(s))
	for key, value := range s {
		if !empty(value) {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	out.WriteByte('{')
	for i, key := range keys {
		if i > 0 {
			out.WriteByte(',')
		}
		quote(out, key)
		out.WriteByte(':')
		write(out, s[key])
	}
	out.WriteByte('}')
}

// empty reports whether a value is a dictionary without keys, which does not
// count.
func empty(value any) bool {
	switch v := value.(type) {
	case Settings:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

func quote(out *strings.Builder, text string) {
	out.WriteByte('"')
	out.WriteString(text)
	out.WriteByte('"')
}
