package web

// byFamily gathers the fields of each family, in their order.
func byFamily(settings []Setting) [][]Setting {
	var list [][]Setting
	for _, s := range settings {
		if n := len(list); n > 0 && list[n-1][0].Field.Family == s.Field.Family {
			list[n-1] = append(list[n-1], s)
		} else {
			list = append(list, []Setting{s})
		}
	}
	return list
}

// settingText is what holds, and until when an exception says so.
func (f Frame) settingText(s Setting) string {
	text := f.policyText(s.Field, s.Value)
	if s.Until.IsZero() {
		return text
	}
	return f.T("setting.until", "value", text, "until", f.Day(s.Until))
}

// reported is what the device says, and for how long it has said so. A report
// that stays the same since then may be older: the age is the least.
func (f Frame) reported(s Setting) string {
	word := f.T("setting.state." + string(s.State))
	if s.State != StateDeviating || s.Since.IsZero() {
		return word
	}
	return f.T("setting.drift", "state", word, "since", f.Age(s.Since))
}

// cannot says why the device does not do it, or that nobody saw it yet.
func (f Frame) cannot(s Setting) string {
	switch {
	case s.Missing != "":
		return f.known("policy.missing."+s.Missing, f.T("policy.unable.unknown"))
	case s.Ability == NotPossible:
		return f.T("policy.unable.not-possible")
	}
	return f.T("policy.unable.unverified")
}

// mayChange says who may change the field.
func (f Frame) mayChange(s Setting) string {
	place := decider(s.From)
	if place.Level == "" {
		return ""
	}
	key := "setting.may.standard"
	switch {
	case s.Hold == "locked":
		key = "setting.may.locked"
	case s.Field.Merge == "union":
		key = "setting.may.union"
	case s.Hold == "free":
		key = "setting.may.free"
	}
	return f.T(key, "from", f.from(place))
}
