package web

// firstPlaces returns the first n places of the navigation. The current one is
// always among them: it takes the last place if need be.
func firstPlaces(nav []NavItem, n int) []NavItem {
	if len(nav) <= n {
		return nav
	}
	shown := append([]NavItem{}, nav[:n]...)
	for _, item := range nav[n:] {
		if item.Current {
			shown[n-1] = item
		}
	}
	return shown
}

func pressed(on bool) string {
	if on {
		return "true"
	}
	return "false"
}

func noteIcon(kind string) string {
	switch kind {
	case "done", "notice":
		return kind
	}
	return "warn"
}
