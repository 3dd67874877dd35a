package foreign

import (
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/org"
)

var webfilter = Forms{
	Apple: func(s catalog.Settings, platform org.Platform) []ApplePayload {
		if platform != org.IPadOS {
			return nil
		}
		content := map[string]any{"FilterType": "BuiltIn"}
		if deny := s.List("deny"); len(deny) > 0 {
			content["DenyListURLs"] = addresses(deny)
		}
		if only := s.List("only"); len(only) > 0 {
			bookmarks := make([]any, len(only))
			for i, address := range addresses(only) {
				bookmarks[i] = map[string]any{"URL": address, "Title": only[i]}
			}
			content["AllowListBookmarks"] = bookmarks
		}
		if len(content) == 1 {
			return nil
		}
		return []ApplePayload{{Type: "com.apple.webcontent-filter", Content: content}}
	},
}

// addresses turns host patterns into addresses, as Apple's filter reads them.
func addresses(hosts []string) []any {
	list := make([]any, len(hosts))
	for i, host := range hosts {
		if host[0] == '=' {
			host = host[1:]
		}
		list[i] = "https://" + host
	}
	return list
}
